// Two participants join an object of state whose words are not what participants leave, work on it while they are overwritten,
// between the calls and within them at the fault points, and close: no crash, no endless loop, and nothing but a Code comes back.
//
// Of each kind of object one lives as long as the program, through a mapping of its own. Its header is sound: it is read once, and what it may
// say is tested by itself.

#include <sys/mman.h>

#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "fuzz/require.h"
#include "fuzz/script.h"
#include "fuzz/state_vandal.h"
#include "platform/fault.h"
#include "state/cells.h"
#include "state/open_state.h"
#include "sync/barrier.h"
#include "sync/condition.h"
#include "sync/event.h"
#include "sync/rw_lock.h"
#include "sync/semaphore.h"
#include "test/bare_segment.h"
#include "test/test_directory.h"

namespace interproc::fuzz {

namespace {

using memory::Header;
using memory::Kind;
using memory::OpenMode;
using state::Cells;
using state::SharedState;
using sync::Side;
using sync::Try;

// They end where their page does.
constexpr std::uint32_t kSlots = 16;
constexpr int kMaxCalls = 64;
constexpr std::uint64_t kWholeBytes = 20;

struct Form {
  Kind kind;
  std::uint64_t state_bytes = 0;
  std::uint64_t parameter = 0;
};
// By an input's first byte.
constexpr Form kForms[] = {
    {Kind::value, 8},
    {Kind::value, 48, kWholeBytes},
    {Kind::array, 100},
    {Kind::memory, 64},
    {Kind::list, 4096},
    {Kind::lock},
    {Kind::rlock},
    {Kind::semaphore, 0, 2},
    {Kind::bounded_semaphore, 0, 2},
    {Kind::condition},
    {Kind::event},
    {Kind::barrier, 0, 2},
    {Kind::rwlock},
};

class Participant {
 public:
  explicit Participant(const test::TestDirectory& directory) : bell_(directory.open()) {
    require(bell_.hang().code == Code::ok, "the bell hangs");
  }

  void open(OpenMode mode, const Header& header) {
    auto opened = state::open_state(bell_, "s", mode, header, nullptr, 0);
    require(opened.ok(), "the object can be opened");
    state_ = std::move(opened.value());
    place_ = {};
  }
  void close() { state_.reset(); }

  SharedState& state() { return *state_; }
  sync::Barrier::Place& place() { return place_; }

 private:
  sync::Doorbell bell_;
  std::unique_ptr<SharedState> state_;
  sync::Barrier::Place place_;
};

class Stage {
 public:
  explicit Stage(const Form& form)
      : header_(header_of(form)), first_(directory_), second_(directory_) {
    // The kernel maps downwards: what is mapped next ends where this begins, and who reads on behind its end is seen to.
    require(mmap(nullptr, memory::kMaxParticipants * sizeof(memory::Participant), PROT_NONE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED,
            "a guard can be mapped");
    first_.open(OpenMode::create, header_);
    bare_ = test::BareSegment::open(home_, "s", OpenMode::open, header_);
    first_.close();
    front_.assign(front(), front() + front_bytes());
    vandal_ = std::make_unique<StateVandal>(bare_->segment());
  }

  void run(Script script) {
    std::memcpy(front(), front_.data(), front_.size());
    if (bytes() > 0) std::memset(bare_->segment().payload(), 0, bytes());
    script_ = script;
    waited_ = false;
    for (std::uint32_t strikes = script_.below(4); strikes > 0; --strikes) vandal_->strike(script_);
    first_.open(OpenMode::open, header_);
    second_.open(OpenMode::open, header_);
    for (int call = 0; call < kMaxCalls && !script_.over(); ++call) {
      const std::uint8_t choice = script_.byte();
      act((choice & 0x80) == 0 ? first_ : second_, choice & 0x7F);
    }
    strike_in_ = 0;
    second_.close();
    expect_usable(first_.state());
    first_.close();
  }

  // A fault point within a call.
  void pass() {
    if (strike_in_ == 0 || --strike_in_ > 0) return;
    vandal_->strike(script_);
    if (--strikes_ > 0) strike_in_ = 1;
  }

 private:
  static Header header_of(const Form& form) {
    Header header{};
    header.kind = form.kind;
    header.max_participants = kSlots;
    header.state_bytes = form.state_bytes;
    header.parameter = form.parameter;
    return header;
  }

  std::byte* front() { return reinterpret_cast<std::byte*>(&bare_->segment().control()); }
  std::size_t front_bytes() {
    return bare_->segment().layout().payload - bare_->segment().layout().control;
  }
  std::size_t bytes() { return bare_->segment().layout().payload_bytes; }

  // Half of the calls are of what the object is for.
  void act(Participant& actor, std::uint32_t choice) {
    SharedState& state = actor.state();
    const std::uint32_t call = choice / 2;
    if (choice % 2 == 0) return wait(actor, call % 8);
    if (call % 8 == 0) return vandal_->strike(script_);
    if (state.lock() != nullptr && (state.condition() == nullptr || call % 2 == 0))
      use(*state.lock(), call % 8);
    if (header_.kind == Kind::value || header_.kind == Kind::array)
      use(static_cast<Cells&>(state), call % 8);
    if (state.semaphore() != nullptr) use(*state.semaphore(), call % 8);
    if (state.condition() != nullptr) use(*state.condition(), call % 8);
    if (state.event() != nullptr) use(*state.event(), call % 8);
    if (state.barrier() != nullptr) use(*state.barrier(), actor.place(), call % 8);
    if (state.rw_lock() != nullptr) use(*state.rw_lock(), call % 8);
  }

  void wait(Participant& actor, std::uint32_t call) {
    SharedState& state = actor.state();
    const auto side = static_cast<Side>(script_.below(sync::kSides));
    switch (call) {
      case 0:
        state.arm(side, 7);
        return;
      case 1:
        return state.disarm(side);
      case 2:
        state.answer(side, script_.below(2) == 0);
        return;
      case 3:
        // It spins before it finds that the time is over: once is slow enough.
        if (!waited_) state.wait(side, 0);
        waited_ = true;
        return;
      case 4:
        state.participants();
        return;
      case 5:
        actor.close();
        return actor.open(OpenMode::open, header_);
      case 6:
        return state.retire();
      default:
        // Just before the n-th step from now, or before that one and those that follow.
        strike_in_ = 1 + script_.below(8);
        strikes_ = script_.below(2) == 0 ? 1 : 4;
        return;
    }
  }

  Try how() { return script_.below(2) == 0 ? Try::quick : Try::asking; }

  void use(sync::Lock& lock, std::uint32_t call) {
    bool recovered = false;
    switch (call) {
      case 1:
      case 2:
      case 3:
        lock.try_acquire(how(), recovered);
        return;
      case 4:
      case 5:
        lock.release();
        return;
      default:
        lock.held();
        lock.held_by_anybody();
        lock.lost_its_owner();
        return;
    }
  }

  void use(sync::Semaphore& semaphore, std::uint32_t call) {
    bool recovered = false;
    switch (call) {
      case 1:
      case 2:
      case 3:
        semaphore.try_acquire(how(), recovered);
        return;
      case 4:
      case 5:
      case 6:
        semaphore.release();
        return;
      default:
        semaphore.value();
        semaphore.held();
        return;
    }
  }

  void use(sync::Condition& condition, std::uint32_t call) {
    switch (call) {
      case 1:
        condition.begin_wait();
        return;
      case 2:
        condition.take();
        return;
      case 3:
        return condition.finish_wait();
      case 4:
        condition.end_wait();
        return;
      default: {
        const std::uint64_t counts[] = {1, 2, script_.byte(), 1u << 28,
                                        sync::Condition::kEverybody};
        const std::uint64_t count = counts[script_.below(std::size(counts))];
        std::uint64_t notified = 0;
        condition.notify(count, notified);
        require(notified <= count, "no more are notified than was wanted");
      }
    }
  }

  void use(sync::Event& event, std::uint32_t call) {
    switch (call) {
      case 1:
      case 2:
        return event.set();
      case 3:
        return event.clear();
      case 4:
        return event.await(event.sets());
      default:
        event.happened(script_.byte());
        event.is_set();
        return;
    }
  }

  void use(sync::Barrier& barrier, sync::Barrier::Place& place, std::uint32_t call) {
    switch (call) {
      case 1:
      case 2:
        if (barrier.come(place) == Code::ok)
          require(place.index < barrier.parties(), "a place is one of those there are");
        return;
      case 3:
        barrier.pass(place);
        return;
      case 4:
        barrier.passed(place);
        return barrier.await(place.phase);
      case 5:
        barrier.give_up_place(place);
        return;
      case 6:
        return barrier.abort();
      default:
        barrier.reset();
        barrier.waiting();
        barrier.broken();
        return;
    }
  }

  void use(sync::RwLock& lock, std::uint32_t call) {
    bool recovered = false;
    switch (call) {
      case 1:
      case 2:
        lock.try_read(how(), recovered);
        return;
      case 3:
        lock.release_read();
        return;
      case 4:
      case 5:
        lock.try_write(how(), recovered);
        return;
      case 6:
        lock.release_write();
        return;
      default:
        lock.reading();
        lock.writing();
        return;
    }
  }

  void use(Cells& cells, std::uint32_t call) {
    switch (call) {
      case 1:
        return cells.watch();
      case 2:
        return cells.notify();
      case 3:
      case 4:
        return operate(cells);
      default: {
        state::WholeValue* const whole = cells.whole();
        if (whole == nullptr) return operate(cells);
        require(whole->bytes() == room_.size(), "a value has the size that its header says");
        const std::uint64_t version = whole->read(room_.data());
        if (script_.below(2) == 0) return;
        const Code code = whole->write(room_.data(), script_.below(2) == 0 ? &version : nullptr);
        const std::uint64_t writing =
            cells.segment().cell_words<state::CellWords>().writing.load() & 7;
        require(code != Code::busy || writing == 1 || writing == 2,
                "who waits for a writer waits for one that is writing");
      }
    }
  }

  void operate(Cells& cells) {
    const auto type = static_cast<state::CellType>(script_.below(state::kCellTypes));
    const std::uint64_t size = state::cell_bytes(type);
    const std::uint64_t offset = script_.byte() % (header_.state_bytes / size) * size;
    state::Operands operands{script_.byte(), script_.byte(), 0};
    cells.operate(static_cast<state::CellOperation>(script_.below(state::kCellOperations)), type,
                  offset, operands);
  }

  // By the only participant there is.
  void expect_usable(SharedState& state) {
    if (header_.kind != Kind::value || header_.parameter == 0) return;
    require(static_cast<Cells&>(state).whole()->write(room_.data(), nullptr) == Code::ok,
            "who is alone with a value can write it");
  }

  test::TestDirectory directory_;
  platform::Directory home_ = directory_.open();
  const Header header_;
  Participant first_;
  Participant second_;
  std::unique_ptr<test::BareSegment> bare_;
  std::vector<std::byte> front_;  // of a sound object
  std::unique_ptr<StateVandal> vandal_;
  std::vector<std::byte> room_ = std::vector<std::byte>((kWholeBytes + 7) / 8 * 8);
  Script script_;
  std::uint32_t strike_in_ = 0;
  std::uint32_t strikes_ = 0;
  bool waited_ = false;
};

Stage* on_stage = nullptr;

}  // namespace

}  // namespace interproc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace interproc;
  static std::array<std::unique_ptr<fuzz::Stage>, std::size(fuzz::kForms)> stages;
  fuzz::Script script(data, size);
  const std::uint32_t form = script.below(std::size(fuzz::kForms));
  if (stages[form] == nullptr) stages[form] = std::make_unique<fuzz::Stage>(fuzz::kForms[form]);
  fuzz::on_stage = stages[form].get();
#if defined(INTERPROC_FAULTS)
  platform::observe_faults([](const char*) { fuzz::on_stage->pass(); });
#endif
  fuzz::on_stage->run(script);
#if defined(INTERPROC_FAULTS)
  platform::observe_faults(nullptr);
#endif
  return 0;
}
