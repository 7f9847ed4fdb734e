// One that uses a lock is killed at every step of it. The others go on, nobody is where another must be alone, who gets what the dead one held is told, and in the end
// all of it is to be had.

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <new>
#include <string>
#include <vector>

#include "platform/fault.h"
#include "test/lock_soundness.h"
#include "test/lock_work.h"
#include "test/scale.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::OpenMode;
using interproc::platform::FaultAction;
using interproc::sync::Barrier;
using interproc::sync::Condition;
using interproc::sync::Try;
using interproc::test::all_to_be_had;
using interproc::test::Kind;
using interproc::test::LockAccount;
using interproc::test::LockPeer;
using interproc::test::LockShape;
using interproc::test::LockWork;
using interproc::test::Random;
using interproc::test::TestDirectory;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

constexpr Kind kKinds[] = {Kind::lock,      Kind::semaphore, Kind::event,
                           Kind::condition, Kind::barrier,   Kind::rw};

// Every step of every lock; but condition.lost_owner, before which nothing has been changed yet: locks.cc goes there on purpose.
constexpr const char* kPoints[] = {"barrier.break",
                                   "barrier.broken",
                                   "barrier.came",
                                   "barrier.come",
                                   "barrier.coming",
                                   "barrier.mend",
                                   "barrier.pass",
                                   "barrier.passed",
                                   "condition.end",
                                   "condition.ended",
                                   "condition.forgetting",
                                   "condition.grant",
                                   "condition.granted",
                                   "condition.passed_on",
                                   "condition.finish",
                                   "condition.finished",
                                   "condition.waiting",
                                   "event.cleared",
                                   "event.set",
                                   "event.was_set",
                                   "lock.acquire",
                                   "lock.acquired",
                                   "lock.recover",
                                   "lock.recovered",
                                   "lock.release",
                                   "lock.released",
                                   "permit.acquire",
                                   "permit.acquired",
                                   "permit.finish",
                                   "permit.finished",
                                   "permit.release",
                                   "permit.released",
                                   "permit.settle",
                                   "permit.settled",
                                   "rw.announced",
                                   "rw.claim",
                                   "rw.claimed",
                                   "rw.forget",
                                   "rw.forgotten",
                                   "rw.noted",
                                   "rw.passed_over",
                                   "rw.read",
                                   "rw.reading",
                                   "rw.recover",
                                   "rw.recovered",
                                   "rw.release_read",
                                   "rw.release_write",
                                   "rw.released_read",
                                   "rw.released_write",
                                   "rw.renewed",
                                   "rw.undone",
                                   "rw.withdrawn",
                                   "rw.write",
                                   "rw.writing",
                                   "turns.gone",
                                   "turns.lined_up",
                                   "turns.passed_over",
                                   "turns.promised"};

// In memory that outlives the killed.
struct Shared {
  LockAccount account;
  std::atomic<const char*> point{
      ""};  // the same text at the same address: a victim is a fork of this program
};

class Scene {
 public:
  static constexpr std::size_t kVictim = 2;
  static constexpr std::size_t kEarlier = 3;

  Scene(Kind kind, std::uint64_t seed)
      : kind_(kind),
        random_(seed),
        shared_(new (mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Shared),
        a_(directory_, kind, OpenMode::create, shape_),
        b_(directory_, kind, OpenMode::open, shape_),
        idle_(directory_, kind, OpenMode::open, shape_) {}
  ~Scene() { munmap(shared_, sizeof(Shared)); }

  // One dies in the middle of it before our victim comes, which so finds something to recover.
  void let_one_die_before() {
    const auto nothing = [] {};
    const pid_t child = start(nothing, [this](LockPeer& peer) {
      bool recovered = false;
      Barrier::Place place;
      std::uint64_t notified = 0;
      switch (kind_) {
        case Kind::lock:
          peer.acquire(recovered);
          break;
        case Kind::semaphore:
          peer.take_permit(recovered);
          peer.take_permit(recovered);
          break;
        case Kind::event:
          break;
        case Kind::condition:
          peer.acquire();
          peer->condition.begin_wait();
          if (random_.one_in(2)) peer->condition.notify(1, notified);
          if (random_.one_in(2)) peer->lock.release();
          break;
        case Kind::barrier:
          peer->barrier.come(place);
          break;
        case Kind::rw:
          random_.one_in(2) ? peer.read(recovered) : peer.write(recovered);
          break;
      }
      ::kill(getpid(), SIGKILL);
    });
    int status = 0;
    waitpid(child, &status, 0);
    REQUIRE(WIFSIGNALED(status));
    shared_->account.is_dead[kEarlier] = 1;
    ++deaths_;
  }

  // So that the victim takes another than that of whom died before it.
  void free_a_slot() { idle_.close(); }

  // Somebody has lined up and never comes, whatever is promised to it.
  void let_one_never_come() {
    bool recovered = false;
    if (idle_.bell().hang().code != Code::ok) return;
    if (kind_ == Kind::lock && a_.acquire(recovered) == Code::ok) {
      idle_->locking.arm(1);
      a_->lock.release();
      for (int i = 0; i < 300 && a_->lock.try_acquire(Try::quick, recovered) == Code::ok; ++i)
        a_->lock.release();
    }
    if (kind_ == Kind::rw && a_.write(recovered) == Code::ok) {
      idle_->reading.arm(1);
      a_->rw.release_write();
    }
  }

  // The victim works, killed at the `at`-th step of all or of those of this name, while the others work too. Returns where it was killed, "" if it came to its end.
  std::string run(std::uint64_t at, const char* only, std::uint64_t steps) {
    const std::uint64_t seed = random_.next();
    const auto plan = [&] {
      point_ = &shared_->point;
      interproc::platform::observe_faults([](const char* name) { *point_ = name; });
      interproc::platform::plan_fault(FaultAction::kill, at, only);
    };
    victim_ = start(plan, [&](LockPeer& peer) {
      LockWork work(peer, kind_, shape_, shared_->account, kVictim, seed);
      for (std::uint64_t i = 0; i < steps; ++i) work.step();
    });
    LockWork works[] = {{a_, kind_, shape_, shared_->account, 0, seed + 1},
                        {b_, kind_, shape_, shared_->account, 1, seed + 2}};
    for (LockWork& work : works) work.learn_of_deaths_by([this] { return learn(0) && killed_; });
    // Every other time the victim has a start, so that it is the one who meets what another has left: on idle processors it never would be.
    if (random_.one_in(2)) {
      for (int i = 0; i < 100 && !learn(WNOHANG); ++i) usleep(200);
    }
    while (!learn(WNOHANG)) works[random_.below(2)].step();
    return killed_ ? shared_->point.load() : "";
  }

  // What is wrong in the end; empty if nothing.
  std::string report() {
    if (const char* wrong = shared_->account.wrong) return wrong;
    // Their own sleepers go, the slots of the dead find new users.
    idle_.close();
    {
      LockPeer c(directory_, kind_, OpenMode::open, shape_);
      LockPeer d(directory_, kind_, OpenMode::open, shape_);
      if (const std::string wrong = all_to_be_had(kind_, shape_, c, d, told_); !wrong.empty())
        return wrong;
    }
    if (const std::string wrong = all_to_be_had(kind_, shape_, a_, b_, told_); !wrong.empty())
      return wrong;
    if (kind_ != Kind::rw && shared_->account.recovered + told_ > deaths_)
      return "more deaths were told than there were";
    return "";
  }

 private:
  template <class Plan, class Body>
  pid_t start(Plan plan, Body body) {
    const pid_t child = fork();
    if (child != 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const Watchdog watchdog("a victim");
    plan();
    {
      LockPeer peer(directory_, kind_, OpenMode::open, shape_);
      body(peer);
    }
    _exit(0);
  }

  bool learn(int how) {
    if (victim_ == 0) return true;
    int status = 0;
    if (waitpid(victim_, &status, how) != victim_) return false;
    victim_ = 0;
    killed_ = WIFSIGNALED(status);
    if (killed_) {
      shared_->account.is_dead[kVictim] = 1;
      ++deaths_;
    }
    return true;
  }

  static inline std::atomic<const char*>* point_ = nullptr;

  const LockShape shape_{.permits = 2, .parties = 2};
  Kind kind_;
  Random random_;
  Shared* shared_;
  TestDirectory directory_;
  LockPeer a_, b_, idle_;
  pid_t victim_ = 0;
  bool killed_ = false;
  std::uint64_t deaths_ = 0;
  std::uint64_t told_ = 0;
};

// Kills one in a scene of this kind; returns where.
std::string kill_one(Kind kind, std::uint64_t at, const char* only, Random& random) {
  const std::uint64_t scene_seed = random.next();
  Scene scene(kind, scene_seed);
  CAPTURE(static_cast<int>(kind));
  CAPTURE(at);
  CAPTURE(scene_seed);
  if (random.one_in(2)) scene.let_one_die_before();
  if (random.one_in(4))
    scene.let_one_never_come();
  else if (random.one_in(2))
    scene.free_a_slot();
  // Long enough to lose patience with whom something is promised to.
  const std::string point = scene.run(at, only, only != nullptr ? 40 : 4);
  CAPTURE(point);
  REQUIRE(scene.report() == "");
  return point;
}

// Whose steps have this name.
std::vector<Kind> kinds_of(const std::string& point) {
  const std::string room = point.substr(0, point.find('.'));
  if (room == "lock") return {Kind::lock, Kind::condition};
  if (room == "turns") return {Kind::lock, Kind::semaphore, Kind::rw};
  if (room == "permit") return {Kind::semaphore};
  if (room == "event") return {Kind::event};
  if (room == "condition") return {Kind::condition};
  if (room == "barrier") return {Kind::barrier};
  return {Kind::rw};
}

}  // namespace

TEST_CASE("SIGKILL at any step of a lock: the others go on, are told, and nothing stays locked") {
  const std::uint64_t seed = interproc::test::seed_for("kill at every step of a lock");
  const Watchdog watchdog("kill at every step of a lock", 800);
  std::map<std::string, std::uint64_t> kills;
  Random random(seed);
  const std::uint64_t rounds = times(2, 1, 100);
  for (const Kind kind : kKinds) {
    for (std::uint64_t round = 0; round < rounds; ++round) {
      for (std::uint64_t at = 1; at <= 80; ++at) ++kills[kill_one(kind, at, nullptr, random)];
    }
  }
  // What is met by chance only, until it was.
  for (const char* point : kPoints) {
    CAPTURE(std::string(point));
    const std::vector<Kind> kinds = kinds_of(point);
    for (int scene = 0; scene < 2'000 && kills[point] == 0; ++scene)
      ++kills[kill_one(kinds[random.below(kinds.size())], 1, point, random)];
    CHECK(kills[point] > 0);
  }
}
