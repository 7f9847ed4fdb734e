// One that uses a lock is stopped at a critical step. What it holds nobody takes from it, however long it is stopped; what it does not hold, the others have. And
// when it goes on, all is as if nothing had been.

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "platform/fault.h"
#include "test/lock_soundness.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::OpenMode;
using interproc::platform::FaultAction;
using interproc::sync::Barrier;
using interproc::sync::Try;
using interproc::test::all_to_be_had;
using interproc::test::Kind;
using interproc::test::LockPeer;
using interproc::test::LockShape;
using interproc::test::TestDirectory;
using interproc::test::Watchdog;

namespace {

struct Case {
  Kind kind;
  const char* point;
  // What the stopped one holds is not to be had.
  bool holds;
};

constexpr Case kCases[] = {{Kind::lock, "lock.acquire", false},
                           {Kind::lock, "lock.acquired", true},
                           {Kind::lock, "lock.release", true},
                           {Kind::lock, "lock.released", false},
                           {Kind::lock, "turns.lined_up", false},
                           {Kind::lock, "wait.armed", false},
                           {Kind::lock, "wait.listed", false},
                           {Kind::lock, "turns.gone", false},
                           {Kind::semaphore, "permit.acquired", true},
                           {Kind::semaphore, "permit.release", true},
                           {Kind::semaphore, "permit.released", false},
                           {Kind::semaphore, "permit.finish", true},
                           {Kind::rw, "rw.announced", true},
                           {Kind::rw, "rw.reading", true},
                           {Kind::rw, "rw.released_read", false},
                           {Kind::rw, "rw.claimed", false},
                           {Kind::rw, "rw.writing", true},
                           {Kind::rw, "rw.release_write", true},
                           {Kind::condition, "condition.waiting", true},
                           {Kind::condition, "lock.released", false},
                           {Kind::barrier, "barrier.coming", false}};

class Scene {
 public:
  explicit Scene(const Case& critical)
      : critical_(critical),
        a_(directory_, critical.kind, OpenMode::create, kShape),
        b_(directory_, critical.kind, OpenMode::open, kShape) {
    // Somebody else has it when the victim comes, where it is to be stopped waiting.
    const std::string point = critical.point;
    const bool waits = point.starts_with("turns.") || point.starts_with("wait.");
    bool recovered = false;
    if (waits) a_.acquire(recovered);
    victim_ = fork();
    if (victim_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      LockPeer peer(directory_, critical.kind, OpenMode::open, kShape);
      interproc::platform::plan_fault(FaultAction::stop, 1, critical.point);
      use(peer, waits);
      peer.close();
      _exit(0);
    }
    int status = 0;
    waitpid(victim_, &status, WUNTRACED);
    stopped_ = WIFSTOPPED(status);
    if (waits) a_->lock.release();
  }
  ~Scene() {
    if (victim_ > 0) ::kill(victim_, SIGKILL);
  }

  bool stopped() const { return stopped_; }

  // Whether the others get what there is.
  bool to_be_had() {
    bool recovered = false;
    constexpr std::int64_t kShortNs = 30'000'000;
    Code code = Code::busy;
    switch (critical_.kind) {
      case Kind::lock:
      case Kind::condition:
        code = b_.acquire(recovered, kShortNs);
        if (code == Code::ok) b_->lock.release();
        break;
      case Kind::semaphore: {
        const Code first = b_.take_permit(recovered, kShortNs);
        code = b_.take_permit(recovered, kShortNs);
        if (code == Code::ok) b_->semaphore.release();
        if (first == Code::ok) b_->semaphore.release();
        break;
      }
      case Kind::rw:
        code = b_.write(recovered, kShortNs);
        if (code == Code::ok) b_->rw.release_write();
        break;
      case Kind::barrier: {
        // It counts as coming, not as there: two others can pass.
        Barrier::Place first, last;
        code = a_->barrier.come(first);
        if (code == Code::ok) code = b_->barrier.come(last);
        if (code == Code::ok) code = b_->barrier.pass(last);
        if (code == Code::ok) code = a_->barrier.passed(first);
        break;
      }
      case Kind::event:
        break;
    }
    if (recovered) told_ = true;
    return code == Code::ok;
  }

  void resume() {
    ::kill(victim_, SIGCONT);
    int status = 0;
    waitpid(victim_, &status, 0);
    victim_ = 0;
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
  }

  bool anybody_told() const { return told_; }
  std::string report() {
    std::uint64_t told = 0;
    std::string wrong = all_to_be_had(critical_.kind, kShape, a_, b_, told);
    return told > 0 ? "one was told of a death that was none" : wrong;
  }

 private:
  static constexpr LockShape kShape{.permits = 2, .parties = 2};

  // _exit(1): something that it had was taken from it.
  static void use(LockPeer& peer, bool only_briefly) {
    bool recovered = false;
    const auto expect = [](Code code) {
      if (code != Code::ok) _exit(1);
    };
    Barrier::Place place;
    switch (peer.kind()) {
      case Kind::lock: {
        const Code code = peer.acquire(recovered, only_briefly ? 1'000'000 : LockPeer::kFarNs);
        if (code == Code::ok) expect(peer->lock.release());
        break;
      }
      case Kind::semaphore:
        expect(peer.take_permit(recovered));
        expect(peer->semaphore.release());
        break;
      case Kind::rw:
        expect(peer.read(recovered));
        expect(peer->rw.release_read());
        expect(peer.write(recovered));
        expect(peer->rw.release_write());
        break;
      case Kind::condition:
        expect(peer.acquire());
        peer.await_condition(recovered, 1'000'000);
        expect(peer->lock.release());
        break;
      case Kind::barrier: {
        peer->barrier.come(place);
        peer->barrier.give_up_place(place);
        break;
      }
      case Kind::event:
        break;
    }
    if (recovered) _exit(2);
  }

  const Case& critical_;
  TestDirectory directory_;
  LockPeer a_, b_;
  pid_t victim_ = 0;
  bool stopped_ = false;
  bool told_ = false;
};

}  // namespace

TEST_CASE(
    "one that is stopped at a critical step of a lock is never robbed, and the others go on") {
  const Watchdog watchdog("stopped with a lock");
  std::vector<std::unique_ptr<Scene>> scenes;
  for (const Case& each : kCases) {
    scenes.push_back(std::make_unique<Scene>(each));
    CAPTURE(std::string(each.point));
    REQUIRE(scenes.back()->stopped());
  }
  // Longer than any interval after which something is looked at, or somebody passed over.
  const std::int64_t until = interproc::platform::now_ns() + 3'000'000'000;
  std::vector<bool> had(std::size(kCases), false);
  while (interproc::platform::now_ns() < until) {
    for (std::size_t i = 0; i < std::size(kCases); ++i) {
      CAPTURE(std::string(kCases[i].point));
      const bool to_be_had = scenes[i]->to_be_had();
      if (kCases[i].holds) CHECK_FALSE(to_be_had);
      if (to_be_had) had[i] = true;
      CHECK_FALSE(scenes[i]->anybody_told());
    }
  }
  for (std::size_t i = 0; i < std::size(kCases); ++i) {
    CAPTURE(std::string(kCases[i].point));
    CHECK(had[i] == !kCases[i].holds);
    scenes[i]->resume();
    CHECK(scenes[i]->report() == "");
  }
}
