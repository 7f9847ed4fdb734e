// A participant is killed at every instruction of what one can do with a lock. Who comes after has all of it, and is told if the dead one held it.

#include <doctest/doctest.h>

#include <memory>

#include "platform/fault.h"
#include "test/instruction_killer.h"
#include "test/lock_soundness.h"

using interproc::Code;
using interproc::memory::OpenMode;
using interproc::sync::Barrier;
using interproc::sync::Try;
using interproc::test::all_to_be_had;
using interproc::test::every;
using interproc::test::Killer;
using interproc::test::Kind;
using interproc::test::LockPeer;
using interproc::test::LockShape;
using interproc::test::Operate;
using interproc::test::TestDirectory;
using interproc::test::World;

namespace {

struct Operation {
  Kind kind;
  // Before the child is there, by the survivor.
  std::function<void(LockPeer&)> prepare = [](LockPeer&) {};
  // In the child, at full speed; then the operation.
  std::function<void(LockPeer&)> set_out = [](LockPeer&) {};
  std::function<void(LockPeer&)> operate;
  // By the survivor while the child stands before the operation, and after its death.
  std::function<void(LockPeer&)> meanwhile = [](LockPeer&) {};
  std::function<void(LockPeer&)> afterwards = [](LockPeer&) {};
  // Told of a death by the end: 0 or 1 if it never got so far or always; 2 if that depends on where.
  int told_if_completed = 2;
};

class LockWorld : public World {
 public:
  explicit LockWorld(const Operation& operation)
      : operation_(operation),
        survivor_(directory_, operation.kind, OpenMode::create, kShape),
        other_(directory_, operation.kind, OpenMode::open, kShape) {
    operation_.prepare(survivor_);
  }

  Operate set_out() override {
    auto* peer = new LockPeer(directory_, operation_.kind, OpenMode::open, kShape);
    operation_.set_out(*peer);
    return [this, peer] { operation_.operate(*peer); };
  }
  void meanwhile() override { operation_.meanwhile(survivor_); }
  void expect_sound(bool completed, std::uint64_t n) override {
    operation_.afterwards(survivor_);
    std::uint64_t told = 0;
    // Either those who were there meet what the dead one left, or who takes its slot.
    if (n % 2 == 0) {
      LockPeer newcomer(directory_, operation_.kind, OpenMode::open, kShape);
      CHECK(all_to_be_had(operation_.kind, kShape, newcomer, other_, told) == "");
    } else {
      CHECK(all_to_be_had(operation_.kind, kShape, survivor_, other_, told) == "");
    }
    CHECK(told <= 1);
    if (completed && operation_.told_if_completed != 2)
      CHECK(told == static_cast<std::uint64_t>(operation_.told_if_completed));
  }

 private:
  static constexpr LockShape kShape{.permits = 2, .parties = 2};

  const Operation& operation_;
  TestDirectory directory_;
  LockPeer survivor_;
  LockPeer other_;
};

void kill_anywhere(const char* name, std::uint64_t samples, const Operation& operation) {
  Killer(name, [&] { return std::make_unique<LockWorld>(operation); }).run(samples);
}

void acquire(LockPeer& peer) {
  bool recovered = false;
  peer->lock.try_acquire(Try::quick, recovered);
}
void release(LockPeer& peer) { peer->lock.release(); }
void take_permit(LockPeer& peer) {
  bool recovered = false;
  peer->semaphore.try_acquire(Try::quick, recovered);
}
void read(LockPeer& peer) {
  bool recovered = false;
  peer->rw.try_read(Try::quick, recovered);
}
void write(LockPeer& peer) {
  bool recovered = false;
  peer->rw.try_write(Try::quick, recovered);
}
// Else it would look some thousand times before it gets to what it leaves behind, and be stepped through them for each kill.
void give_up_spinning(LockPeer& peer) {
  for (std::uint32_t budget = interproc::sync::kBlockedSpin;
       budget > interproc::sync::Spinner::kMin; budget /= 2)
    peer->locking.wait(1);
  peer->locking.leave();
}
void begin_wait(LockPeer& peer) {
  acquire(peer);
  peer->condition.begin_wait();
  release(peer);
}

}  // namespace

TEST_CASE("killed within acquiring a lock") {
  kill_anywhere("acquire", every(),
                {.kind = Kind::lock, .operate = acquire, .told_if_completed = 1});
}

TEST_CASE("killed within releasing a lock") {
  kill_anywhere(
      "release", every(),
      {.kind = Kind::lock, .set_out = acquire, .operate = release, .told_if_completed = 0});
}

TEST_CASE("killed within a release that promises the lock to one that waits, and rings it") {
  kill_anywhere(
      "release that promises", every(),
      {.kind = Kind::lock,
       .prepare = [](LockPeer& survivor) { REQUIRE(survivor.bell().hang().code == Code::ok); },
       .set_out = acquire,
       .operate = release,
       .meanwhile =
           [](LockPeer& survivor) {
             REQUIRE_FALSE(survivor->locking.arm(1));
             survivor.words().turns.fetch_add(interproc::sync::Turns::kPatientTurns);
           },
       .afterwards = [](LockPeer& survivor) { survivor->locking.leave(); }});
}

TEST_CASE("killed within waiting for a lock") {
  kill_anywhere("wait", every(),
                {.kind = Kind::lock,
                 .prepare = acquire,
                 .set_out = give_up_spinning,
                 .operate = [](LockPeer& peer) { peer->locking.wait(1); },
                 .afterwards = release});
}

TEST_CASE("killed within leaving what it waited for, with the lock promised to it") {
  kill_anywhere("leave", every(),
                {.kind = Kind::lock,
                 .prepare = acquire,
                 .set_out =
                     [](LockPeer& peer) {
                       peer.bell().hang();
                       peer->locking.arm(1);
                     },
                 .operate = [](LockPeer& peer) { peer->locking.leave(); },
                 .meanwhile =
                     [](LockPeer& survivor) {
                       survivor.words().turns.fetch_add(interproc::sync::Turns::kPatientTurns);
                       release(survivor);
                     },
                 .told_if_completed = 0});
}

TEST_CASE("killed within taking a permit and giving it back") {
  kill_anywhere("take a permit", every(),
                {.kind = Kind::semaphore, .operate = take_permit, .told_if_completed = 1});
  kill_anywhere("give a permit back", every(),
                {.kind = Kind::semaphore,
                 .set_out = take_permit,
                 .operate = [](LockPeer& peer) { peer->semaphore.release(); },
                 .told_if_completed = 0});
}

TEST_CASE("killed within closing with permits") {
  kill_anywhere("close with permits", every(),
                {.kind = Kind::semaphore,
                 .set_out =
                     [](LockPeer& peer) {
                       take_permit(peer);
                       take_permit(peer);
                     },
                 .operate = [](LockPeer& peer) { peer->semaphore.close(); },
                 .told_if_completed = 1});
}

TEST_CASE("killed within setting and clearing an event") {
  kill_anywhere("set", every(), {.kind = Kind::event, .operate = [](LockPeer& peer) {
                                   peer->event.set();
                                   peer->event.clear();
                                 }});
}

TEST_CASE("killed within waiting for a condition, and within notifying one") {
  kill_anywhere("begin to wait", every(), {.kind = Kind::condition, .operate = begin_wait});
  kill_anywhere("notify", every(),
                {.kind = Kind::condition,
                 .prepare = begin_wait,
                 .set_out = acquire,
                 .operate =
                     [](LockPeer& peer) {
                       std::uint64_t notified = 0;
                       peer->condition.notify(1, notified);
                     },
                 .afterwards =
                     [](LockPeer& survivor) {
                       if (survivor->condition.take() != Code::ok) survivor->condition.end_wait();
                     },
                 .told_if_completed = 1});
}

TEST_CASE("killed within coming to a barrier and opening it") {
  kill_anywhere("come", every(), {.kind = Kind::barrier, .operate = [](LockPeer& peer) {
                                    Barrier::Place place;
                                    peer->barrier.come(place);
                                  }});
  kill_anywhere("come last", every(),
                {.kind = Kind::barrier,
                 .prepare =
                     [](LockPeer& survivor) {
                       Barrier::Place place;
                       REQUIRE(survivor->barrier.come(place) == Code::ok);
                     },
                 .operate =
                     [](LockPeer& peer) {
                       Barrier::Place place;
                       peer->barrier.come(place);
                       peer->barrier.pass(place);
                     }});
}

TEST_CASE("killed within reading and writing under a read-write lock") {
  kill_anywhere("read", every(), {.kind = Kind::rw, .operate = [](LockPeer& peer) {
                                    read(peer);
                                    peer->rw.release_read();
                                  }});
  kill_anywhere("write", every(), {.kind = Kind::rw, .operate = [](LockPeer& peer) {
                                     write(peer);
                                     peer->rw.release_write();
                                   }});
}
