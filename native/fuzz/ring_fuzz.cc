// Two participants work on a queue whose words are overwritten between their calls, and within them at the fault points: no
// crash, no endless loop, and nothing but a Code comes back, whatever stands in the segment.
//
// The segment and the participants live as long as the program: before each input every word of the segment is put back to
// a sound queue, and after it the participants forget what they hold. Opening and closing are open_fuzz's affair.

#include <memory>
#include <vector>

#include "fuzz/require.h"
#include "fuzz/script.h"
#include "fuzz/sound_queues.h"
#include "fuzz/vandal.h"
#include "platform/fault.h"
#include "ring/queue.h"
#include "test/bare_segment.h"
#include "test/shape.h"
#include "test/test_directory.h"

namespace interproc::fuzz {

namespace {

using memory::OpenMode;
using ring::Queue;
using ring::Taken;
using sync::Side;

constexpr std::uint64_t kCapacity = memory::kMinCapacity;
constexpr std::uint32_t kSlots = 4;
constexpr int kMaxCalls = 64;

// A buffer of exactly this size: AddressSanitizer sees the first byte too many.
class Room {
 public:
  explicit Room(std::size_t bytes) : bytes_(bytes), data_(new std::byte[bytes]) {}
  std::byte* data() const { return data_.get(); }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_;
  std::unique_ptr<std::byte[]> data_;
};

class Participant {
 public:
  Participant(const test::TestDirectory& directory, const memory::Header& header)
      : bell_(directory.open()) {
    auto opened = Queue::open(bell_, "q", OpenMode::open_or_create, header);
    require(opened.ok(), "the queue can be opened");
    queue_ = std::move(opened.value());
  }

  Queue& queue() { return *queue_; }
  sync::Doorbell& bell() { return bell_; }
  std::vector<double>& receipts() { return receipts_; }

  // Forgets what this input left in our own memory.
  void settle() {
    queue_->disarm(sync::kTake);
    queue_->disarm(sync::kPut);
    queue_->disarm(sync::kJoin);
    for (double receipt : receipts_) queue_->ack(receipt);
    receipts_.clear();
  }

 private:
  sync::Doorbell bell_;
  std::unique_ptr<Queue> queue_;
  std::vector<double> receipts_;
};

class Stage {
 public:
  explicit Stage(std::uint32_t max_items)
      : first_(directory_, test::header_of({.max_items = max_items, .max_participants = kSlots})),
        second_(directory_, first_.queue().header()),
        bare_(test::BareSegment::open(home_, "q", OpenMode::open, first_.queue().header())),
        vandal_(bare_->segment()) {
    for (Participant* participant : {&first_, &second_}) {
      Taken taken;
      participant->queue().receive(nullptr, 0, taken);  // it has a ledger from now on
      require(participant->bell().hang().code == Code::ok, "the bell hangs");
    }
    starts_ = std::make_unique<SoundQueues>(first_.queue(), bare_->segment());
  }

  void run(Script script) {
    starts_->restore(script.below(starts_->count()));
    first_.queue().is_full();  // it loads reclaim afresh
    second_.queue().is_full();
    script_ = script;
    waited_ = false;
    for (int call = 0; call < kMaxCalls && !script_.over(); ++call) {
      const std::uint8_t choice = script_.byte();
      act((choice & 0x80) == 0 ? first_ : second_, (choice & 0x7F) % kCalls);
    }
    strike_in_ = 0;
    first_.settle();
    second_.settle();
  }

  // A fault point within a call.
  void pass() {
    if (strike_in_ == 0 || --strike_in_ > 0) return;
    vandal_.strike(script_);
    if (--strikes_ > 0) strike_in_ = 1;
  }

 private:
  static constexpr std::uint32_t kReceive = 4;
  static constexpr std::uint32_t kCalls = 21;

  void act(Participant& actor, std::uint32_t call) {
    Queue& queue = actor.queue();
    const auto side = static_cast<Side>(script_.byte() % sync::kSides);
    switch (call) {
      case 0:
      case 1: {
        const std::size_t lengths[] = {0, 1, 64, 65, 200, 1000, kCapacity, kCapacity + 1};
        queue.put(rooms_[5].data(), lengths[script_.below(8)]);
        return;
      }
      case 2:
      case 3:
      case kReceive: {
        const Room& room = rooms_[script_.below(6)];
        Taken taken;
        const Code code = call == 2   ? queue.take(room.data(), room.bytes(), taken)
                          : call == 3 ? queue.take_another(room.data(), room.bytes(), taken)
                                      : queue.receive(room.data(), room.bytes(), taken);
        if (code == Code::ok && call == kReceive) actor.receipts().push_back(taken.receipt);
        if (code == Code::ok) require(taken.length <= room.bytes(), "a message fits its buffer");
        if (code == Code::ok || code == Code::too_large)
          require(taken.length <= kCapacity, "no message is larger than the ring");
        return;
      }
      case 5:
      case 6:
      case 16: {
        if (actor.receipts().empty()) return;
        const std::size_t which = script_.byte() % actor.receipts().size();
        const double receipt = actor.receipts()[which];
        actor.receipts().erase(actor.receipts().begin() + static_cast<std::ptrdiff_t>(which));
        const Code code = call == 5   ? queue.ack(receipt)
                          : call == 6 ? queue.nack(receipt)
                                      : queue.ack_as_taken(receipt);
        require(code == Code::ok || code == Code::corrupt, "a receipt is known");
        return;
      }
      case 7:
        queue.arm(side, 7);
        return;
      case 8:
        return queue.disarm(side);
      case 9:
        queue.answer(side, script_.below(2) == 0);
        return;
      case 10:
        // It spins before it finds that the time is over: once is slow enough.
        if (!waited_) queue.wait(side, 0);
        waited_ = true;
        return;
      case 11:
        return queue.sweep();
      case 12:
        return queue.end();
      case 13:
        queue.size();
        queue.is_full();
        return;
      case 14:
        queue.stats();
        return;
      case 15:
        // Just before the n-th step from now, or before that one and those that follow.
        strike_in_ = 1 + script_.below(8);
        strikes_ = script_.below(2) == 0 ? 1 : 4;
        return;
      case 17:
        queue.task_done();
        queue.finished();
        queue.has_unfinished();
        return;
      default:
        return vandal_.strike(script_);
    }
  }

  test::TestDirectory directory_;
  platform::Directory home_ = directory_.open();
  Participant first_;
  Participant second_;
  std::unique_ptr<test::BareSegment> bare_;
  Vandal vandal_;
  const Room rooms_[6] = {Room(0),    Room(1),         Room(64),
                          Room(1000), Room(kCapacity), Room(3 * kCapacity)};
  std::unique_ptr<SoundQueues> starts_;
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
  static fuzz::Stage unlimited(0);
  static fuzz::Stage limited(5);
  fuzz::Script script(data, size);
  fuzz::on_stage = script.below(2) == 0 ? &unlimited : &limited;
#if defined(INTERPROC_FAULTS)
  platform::observe_faults([](const char*) { fuzz::on_stage->pass(); });
#endif
  fuzz::on_stage->run(script);
  return 0;
}
