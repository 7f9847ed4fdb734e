#include "test/victim.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <new>

#include "platform/fault.h"
#include "test/message.h"
#include "test/peer.h"
#include "test/random.h"

namespace interproc::test {

using memory::OpenMode;
using platform::FaultAction;
using sync::kJoin;
using sync::kPut;
using sync::kTake;

namespace {

constexpr std::uint32_t kMaxPuts = 8;

enum class Act : std::uint32_t { none, put, take, receive, ack, nack, end };

}  // namespace

struct Victim::Journal {
  struct Line {
    Act act;
    Code code;
    std::uint64_t id;
    std::uint32_t deliveries;
  };

  std::atomic<const char*> point{
      ""};  // the same text at the same address: a victim is a fork of this program
  std::atomic<Act> current{Act::none};
  std::atomic<std::uint64_t> current_id{0};
  std::atomic<bool> committed{false};
  std::atomic<bool> bell_made{false};
  std::atomic<bool> bell_named{false};
  std::atomic<bool> complete{false};
  std::atomic<std::uint32_t> lines{0};
  Line line[256];

  void begin(Act act, std::uint64_t id) {
    committed = false;
    current_id = id;
    current = act;
  }
  void done(const Line& written) {
    line[lines.load()] = written;
    lines = lines.load() + 1;
    current = Act::none;
  }
};

void Victim::note(const char* point) {
  Journal& journal = *own_journal_;
  journal.point = point;
  const Act act = journal.current.load();
  const auto is = [point](const char* name) { return std::strcmp(point, name) == 0; };
  if (act == Act::put && is("ring.published")) journal.committed = true;
  if (act == Act::take && (is("ring.left") || is("ledger.acked"))) journal.committed = true;
  if (act == Act::ack && (is("ledger.acked") || is("ring.left"))) journal.committed = true;
  if (act == Act::end && is("queue.ended")) journal.committed = true;
  if (is("doorbell.made")) journal.bell_made = true;
  if (is("wait.armed") && journal.bell_made) journal.bell_named = true;
  if (is("registry.left")) journal.bell_named = false;
}

// What goes on in the process.
class Victim::Part {
 public:
  Part(const TestDirectory& directory, std::uint32_t self, std::uint64_t seed)
      : directory_(directory), self_(self), random_(seed) {}

  void run(Program program, const Strike& strike) {
    const bool opens = program == Program::open_and_close || program == Program::recover ||
                       program == Program::live_alone;
    if (!opens) open(OpenMode::open);
    if (program == Program::close_holding) {
      take(false);
      receive();
      receive();
    }
    if (program == Program::close_leasing) {
      ring::Leased slot;
      peer_->reserve(0, 8, 8 + random_.below(500), slot);
      peek();
      peek();
    }
    platform::observe_faults(note);
    platform::plan_fault(strike.stops ? FaultAction::stop : FaultAction::kill, strike.at,
                         strike.only);
    act(program);
    own_journal_->complete = true;
  }

 private:
  void act(Program program) {
    switch (program) {
      case Program::put:
        for (int i = 0; i < 3; ++i) put();
        break;
      case Program::take:
        for (int i = 0; i < 3; ++i) take(false);
        break;
      case Program::take_another:
        for (int i = 0; i < 3; ++i) take(true);
        break;
      case Program::take_and_finish:
        for (int i = 0; i < 2; ++i) {
          take(false);
          peer_->queue().task_done();
        }
        break;
      case Program::receive_and_ack:
        for (int i = 0; i < 2; ++i)
          if (receive()) let_go(true);
        break;
      case Program::receive_and_nack:
        for (int i = 0; i < 2; ++i)
          if (receive()) let_go(false);
        break;
      case Program::reserve_and_commit:
        for (int i = 0; i < 3; ++i) put_in_place(true);
        break;
      case Program::reserve_and_abort:
        for (int i = 0; i < 2; ++i) put_in_place(false);
        break;
      case Program::peek_and_release:
        for (int i = 0; i < 2; ++i)
          if (peek()) let_go(true);
        break;
      case Program::peek_and_nack:
        for (int i = 0; i < 2; ++i)
          if (peek()) let_go(false);
        break;
      case Program::mixed:
        for (int i = 0; i < 6; ++i) step();
        break;
      case Program::open_and_close:
        open(OpenMode::open);
        put();
        take(false);
        peer_->close();
        break;
      case Program::close_holding:
      case Program::close_leasing:
        peer_->close();
        break;
      case Program::end:
        own_journal_->begin(Act::end, 0);
        peer_->queue().end();
        own_journal_->done({Act::end, Code::ok, 0, 0});
        break;
      case Program::wait_on_futex:
        peer_->queue().wait(any_side(), 200'000);
        take(false);
        break;
      case Program::wait_on_bell: {
        peer_->bell().hang();
        const auto side = any_side();
        peer_->queue().arm(side, 1);
        if (!peer_->queue().answer(side, true)) peer_->queue().disarm(side);
        take(false);
        peer_->close();
        break;
      }
      case Program::recover:
        open(OpenMode::open);
        peer_->queue().sweep();
        break;
      case Program::live_alone:
        for (int i = 0; i < 2; ++i) {
          open(OpenMode::open_or_create);
          put();
          if (random_.one_in(2)) take(false);
          if (random_.one_in(2)) receive();
          put();
          while (random_.one_in(2) && !held_.empty()) let_go(true);
          peer_->close();
          forget_held();
          if (random_.one_in(2)) {
            open(OpenMode::open_or_create);
            for (int j = 0; j < 6; ++j) take(false);
            peer_->close();
          }
        }
        break;
    }
  }

  sync::Side any_side() {
    const sync::Side sides[] = {kTake, kTake, kPut, kJoin};
    return sides[random_.below(4)];
  }
  void open(OpenMode mode) {
    peer_ = std::make_unique<Peer>(directory_, "q", mode);
    if (!peer_->ok()) _exit(3);
  }
  void put() {
    if (puts_ == kMaxPuts) return;
    const std::uint64_t id = Message::id(self_, ++puts_);
    std::size_t length = 8 + random_.below(random_.one_in(4) ? 1'000 : 150);
    const std::uint64_t beside = peer_->largest() - std::min(peer_->capacity(), peer_->largest());
    if (beside > 0 && random_.one_in(2)) length = peer_->capacity() + 1 + random_.below(beside);
    own_journal_->begin(Act::put, id);
    const Code code = peer_->put(id, length);
    own_journal_->done({Act::put, code, id, 0});
  }
  void put_in_place(bool commits) {
    if (puts_ == kMaxPuts) return;
    const std::uint64_t id = Message::id(self_, ++puts_);
    const std::size_t length = 8 + random_.below(random_.one_in(4) ? 1'000 : 150);
    own_journal_->begin(Act::put, id);
    ring::Leased slot;
    Code code = peer_->reserve(id, length, length + random_.below(100), slot);
    if (code == Code::ok && commits) {
      code = peer_->queue().commit(slot.lease, length);
    } else if (code == Code::ok) {
      // What was aborted is as if it had been refused.
      code = peer_->queue().abandon(slot.lease) == Code::ok ? Code::full : Code::corrupt;
    }
    own_journal_->done({Act::put, code, id, 0});
  }
  static void write_down(Act act, const Got& got) {
    const bool torn = got.code == Code::ok && !got.whole;
    own_journal_->done({act, torn ? Code::corrupt : got.code, got.id, got.taken.deliveries});
  }
  void take(bool another) {
    own_journal_->begin(Act::take, 0);
    write_down(Act::take, another ? peer_->take_another() : peer_->take());
  }
  bool receive() {
    own_journal_->begin(Act::receive, 0);
    const Got got = peer_->receive();
    write_down(Act::receive, got);
    if (got.code == Code::ok) held_.push_back({got.id, got.taken.receipt, false});
    return got.code == Code::ok;
  }
  bool peek() {
    own_journal_->begin(Act::receive, 0);
    const Got got = peer_->peek();
    write_down(Act::receive, got);
    if (got.code == Code::ok) held_.push_back({got.id, got.taken.receipt, true});
    return got.code == Code::ok;
  }
  Code let_go_of(double receipt, bool in_place, bool acknowledge) {
    ring::Queue& queue = peer_->queue();
    if (in_place) return acknowledge ? queue.release(receipt) : queue.abandon(receipt);
    return acknowledge ? queue.ack(receipt) : queue.nack(receipt);
  }
  void let_go(bool acknowledge) {
    const auto [id, receipt, in_place] = held_.back();
    held_.pop_back();
    own_journal_->begin(acknowledge ? Act::ack : Act::nack, id);
    const Code code = let_go_of(receipt, in_place, acknowledge);
    own_journal_->done({acknowledge ? Act::ack : Act::nack, code, id, 0});
  }
  // A close has given everything back.
  void forget_held() {
    for (const Held& held : held_) own_journal_->done({Act::nack, Code::ok, held.id, 0});
    held_.clear();
  }
  void step() {
    switch (random_.below(8)) {
      case 0:
      case 1:
        return put();
      case 6:
        return put_in_place(random_.one_in(2));
      case 7:
        peek();
        return;
      case 2:
        return take(random_.one_in(2));
      case 3:
        receive();
        return;
      case 4:
        if (!held_.empty()) let_go(random_.one_in(2));
        return;
      default:
        peer_->queue().sweep();
    }
  }

  struct Held {
    std::uint64_t id;
    double receipt;
    bool in_place;
  };
  const TestDirectory& directory_;
  std::uint32_t self_;
  Random random_;
  std::unique_ptr<Peer> peer_;
  std::vector<Held> held_;
  std::uint32_t puts_ = 0;
};

Victim::Victim(const TestDirectory& directory, Account& account, std::uint32_t self,
               std::uint64_t seed)
    : directory_(directory), account_(account), self_(self), seed_(seed) {
  void* shared =
      mmap(nullptr, sizeof(Journal), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) std::abort();
  journal_ = new (shared) Journal;
}

Victim::~Victim() {
  if (process_ != 0) kill();
  munmap(journal_, sizeof(Journal));
}

void Victim::start(Program program, const Strike& strike) {
  program_ = program;
  // All that it may put; what it did not is refused when its journal is read.
  for (std::uint32_t i = 1; i <= kMaxPuts; ++i) account_.intend(Message::id(self_, i));
  std::fflush(nullptr);
  process_ = fork();
  if (process_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The descriptors of the living hold their locks: a victim must not keep them alive.
    syscall(SYS_close_range, 3u, ~0u, 0u);
    alarm(120);
    own_journal_ = journal_;
    Part part(directory_, self_, seed_);
    part.run(program, strike);
    // Without closing anything: that is the program's affair.
    _exit(0);
  }
}

void Victim::take_status(int status) {
  status_ = status;
  stopped_ = WIFSTOPPED(status);
  if (!stopped_) process_ = 0;
}

bool Victim::has_settled() {
  int status = 0;
  if (waitpid(process_, &status, WNOHANG | WUNTRACED) == 0) return false;
  take_status(status);
  return true;
}

void Victim::wait() {
  int status = 0;
  waitpid(process_, &status, WUNTRACED);
  take_status(status);
}

void Victim::resume() {
  ::kill(process_, SIGCONT);
  wait();
}

void Victim::kill() {
  ::kill(process_, SIGKILL);
  int status = 0;
  waitpid(process_, &status, 0);
  take_status(status);
}

std::string Victim::point() const {
  return stopped_ || WIFSIGNALED(status_) ? journal_->point.load() : "";
}

bool Victim::ended() const {
  return program_ == Program::end && (journal_->complete || journal_->committed);
}

bool Victim::left_nameless_bell() const { return journal_->bell_made && !journal_->bell_named; }

std::vector<std::string> Victim::read_journal() {
  std::vector<std::string> complaints;
  if (WIFEXITED(status_) && WEXITSTATUS(status_) != 0)
    complaints.push_back("the victim could not open the queue");
  if (WIFSIGNALED(status_) && WTERMSIG(status_) != SIGKILL)
    complaints.push_back("the victim died of signal " + std::to_string(WTERMSIG(status_)));

  std::uint32_t puts = 0;
  std::map<std::uint64_t, std::uint32_t> held;  // and how often it had been delivered then
  const std::uint32_t lines = journal_->lines.load();
  for (std::uint32_t i = 0; i < lines; ++i) {
    const Journal::Line& line = journal_->line[i];
    if (line.code == Code::corrupt)
      complaints.push_back("the victim met a corrupt ring or a torn message");
    const bool ok = line.code == Code::ok;
    switch (line.act) {
      case Act::put:
        ++puts;
        account_.decide(line.id, ok ? Account::Fate::happened : Account::Fate::did_not);
        break;
      case Act::take:
        if (ok) account_.consumed_elsewhere(line.id, line.deliveries);
        break;
      case Act::receive:
        if (ok) held[line.id] = line.deliveries;
        break;
      case Act::ack:
      case Act::nack:
        if (!ok) complaints.push_back("the victim was robbed of what it held");
        if (line.act == Act::ack) {
          account_.consumed_elsewhere(line.id, held[line.id]);
        } else {
          account_.came_back_from_elsewhere(line.id, held[line.id]);
        }
        held.erase(line.id);
        break;
      case Act::end:
      case Act::none:
        break;
    }
  }
  const bool committed = journal_->committed.load();
  const std::uint64_t id = journal_->current_id.load();
  switch (journal_->current.load()) {
    case Act::put:
      ++puts;
      account_.decide(id, committed ? Account::Fate::happened : Account::Fate::did_not);
      break;
    case Act::take:
      if (committed) account_.lose_one_unnamed();
      break;
    case Act::ack:
      if (committed) {
        account_.consumed_elsewhere(id, held[id]);
        held.erase(id);
      }
      break;
    case Act::end:
    case Act::receive:
    case Act::nack:
    case Act::none:
      break;
  }
  for (const auto& [back, deliveries] : held) account_.came_back_from_elsewhere(back, deliveries);
  for (std::uint32_t i = puts + 1; i <= kMaxPuts; ++i) account_.refuse(Message::id(self_, i));
  return complaints;
}

const char* name_of(Program program) {
  switch (program) {
    case Program::put:
      return "put";
    case Program::take:
      return "take";
    case Program::take_another:
      return "take another";
    case Program::take_and_finish:
      return "take and finish";
    case Program::receive_and_ack:
      return "receive and ack";
    case Program::receive_and_nack:
      return "receive and nack";
    case Program::reserve_and_commit:
      return "reserve and commit";
    case Program::reserve_and_abort:
      return "reserve and abort";
    case Program::peek_and_release:
      return "peek and release";
    case Program::peek_and_nack:
      return "peek and nack";
    case Program::mixed:
      return "mixed";
    case Program::open_and_close:
      return "open and close";
    case Program::close_holding:
      return "close holding";
    case Program::close_leasing:
      return "close leasing";
    case Program::end:
      return "end";
    case Program::wait_on_futex:
      return "wait on futex";
    case Program::wait_on_bell:
      return "wait on bell";
    case Program::recover:
      return "recover";
    case Program::live_alone:
      return "live alone";
  }
  return "";
}

}  // namespace interproc::test
