// What each lock does, one step at a time.

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "platform/clock.h"
#include "platform/fault.h"
#include "test/lock_peer.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::OpenMode;
using interproc::sync::Barrier;
using interproc::sync::Condition;
using interproc::sync::Doorbell;
using interproc::sync::kAcquire;
using interproc::sync::Try;
using interproc::test::Kind;
using interproc::test::LockPeer;
using interproc::test::LockShape;
using interproc::test::TestDirectory;
using interproc::test::Watchdog;

namespace {

constexpr std::int64_t kShortNs = 2'000'000;

struct Scene {
  explicit Scene(Kind kind_of, const LockShape& shape_of = {})
      : kind(kind_of), shape(shape_of), a(directory, kind, OpenMode::create, shape) {}

  std::unique_ptr<LockPeer> open() {
    return std::make_unique<LockPeer>(directory, kind, OpenMode::open, shape);
  }
  // Another process does this and is killed.
  void die_after(const std::function<void(LockPeer&)>& work) {
    const pid_t child = fork();
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      LockPeer peer(directory, kind, OpenMode::open, shape);
      work(peer);
      ::kill(getpid(), SIGKILL);
    }
    int status = 0;
    waitpid(child, &status, 0);
    REQUIRE(WIFSIGNALED(status));
  }

  Watchdog watchdog{"locks"};
  TestDirectory directory;
  Kind kind;
  LockShape shape;
  LockPeer a;
};

Code try_lock(LockPeer& peer, bool& recovered) {
  return peer->lock.try_acquire(Try::asking, recovered);
}
Code try_lock(LockPeer& peer) {
  bool recovered = false;
  return try_lock(peer, recovered);
}
Code try_permit(LockPeer& peer, bool& recovered) {
  return peer->semaphore.try_acquire(Try::asking, recovered);
}
Code try_permit(LockPeer& peer) {
  bool recovered = false;
  return try_permit(peer, recovered);
}
Code try_read(LockPeer& peer) {
  bool recovered = false;
  return peer->rw.try_read(Try::asking, recovered);
}
Code try_write(LockPeer& peer, bool& recovered) {
  return peer->rw.try_write(Try::asking, recovered);
}
Code try_write(LockPeer& peer) {
  bool recovered = false;
  return try_write(peer, recovered);
}

}  // namespace

TEST_CASE("a lock has one owner, who alone can release it") {
  Scene scene(Kind::lock);
  auto b = scene.open();
  CHECK(scene.a->lock.release() == Code::not_owner);
  CHECK(try_lock(scene.a) == Code::ok);
  CHECK(scene.a->lock.held());
  CHECK(try_lock(scene.a) == Code::deadlock);
  CHECK(try_lock(*b) == Code::busy);
  CHECK((*b)->lock.release() == Code::not_owner);
  CHECK((*b)->lock.held_by_anybody());
  CHECK(scene.a->lock.release() == Code::ok);
  CHECK(scene.a->lock.release() == Code::not_owner);
  CHECK(try_lock(*b) == Code::ok);
  CHECK_FALSE(scene.a->lock.held());
}

TEST_CASE("the lock of a killed owner goes to the next, who is told once") {
  Scene scene(Kind::lock);
  bool recovered = false;
  for (const bool blocking : {false, true}) {
    CAPTURE(blocking);
    scene.die_after([](LockPeer& peer) { try_lock(peer); });
    CHECK(scene.a->lock.try_acquire(Try::quick, recovered) == Code::busy);
    CHECK((blocking ? scene.a.acquire(recovered) : try_lock(scene.a, recovered)) == Code::ok);
    CHECK(recovered);
    CHECK(scene.a->lock.release() == Code::ok);
    CHECK(try_lock(scene.a, recovered) == Code::ok);
    CHECK_FALSE(recovered);
    CHECK(scene.a->lock.release() == Code::ok);
  }
}

TEST_CASE("the lock of a killed owner is recovered by who takes its slot") {
  Scene scene(Kind::lock);
  scene.die_after([](LockPeer& peer) { try_lock(peer); });
  auto b = scene.open();
  bool recovered = false;
  CHECK(scene.a->lock.try_acquire(Try::quick, recovered) == Code::ok);
  CHECK(recovered);
}

TEST_CASE("a handle that closes gives its lock to the next, who is told") {
  Scene scene(Kind::lock);
  auto b = scene.open();
  CHECK(try_lock(*b) == Code::ok);
  b->close();
  bool recovered = false;
  CHECK(scene.a->lock.try_acquire(Try::quick, recovered) == Code::ok);
  CHECK(recovered);
}

TEST_CASE("who waits for a lock times out, and a release rings its event loop") {
  Scene scene(Kind::lock);
  auto b = scene.open();
  REQUIRE(b->bell().hang().code == Code::ok);
  CHECK(try_lock(scene.a) == Code::ok);
  bool recovered = false;
  const std::int64_t start = interproc::platform::now_ns();
  CHECK(b->acquire(recovered, kShortNs) == Code::busy);
  CHECK(interproc::platform::now_ns() - start >= kShortNs);
  CHECK_FALSE((*b)->locking.arm(7));
  CHECK_FALSE((*b)->locking.answer(true));
  CHECK(scene.a->lock.release() == Code::ok);
  std::vector<std::uint32_t> tokens(Doorbell::kDrainBytes / 4);
  bool overflow = false;
  CHECK(b->bell().drain(tokens.data(), overflow) == 1);
  CHECK(tokens[0] == 7);
  CHECK((*b)->locking.answer(false));
  CHECK((*b)->lock.try_acquire(Try::quick, recovered) == Code::ok);
  CHECK_FALSE(recovered);
}

TEST_CASE("who is rung and leaves passes the wake on") {
  Scene scene(Kind::lock);
  auto b = scene.open();
  auto c = scene.open();
  REQUIRE(b->bell().hang().code == Code::ok);
  REQUIRE(c->bell().hang().code == Code::ok);
  CHECK(try_lock(scene.a) == Code::ok);
  CHECK_FALSE((*b)->locking.arm(1));
  CHECK_FALSE((*c)->locking.arm(2));
  CHECK(scene.a->lock.release() == Code::ok);
  std::vector<std::uint32_t> tokens(Doorbell::kDrainBytes / 4);
  bool overflow = false;
  const bool b_was_first = b->bell().drain(tokens.data(), overflow) == 1;
  LockPeer& first = b_was_first ? *b : *c;
  LockPeer& second = b_was_first ? *c : *b;
  CHECK(second.bell().drain(tokens.data(), overflow) == 0);
  first->locking.leave();
  CHECK(second.bell().drain(tokens.data(), overflow) == 1);
  CHECK(second->locking.answer(false));
  CHECK(try_lock(second) == Code::ok);
}

TEST_CASE("who sleeps while others take turns is promised the next one, and nobody else gets it") {
  Scene scene(Kind::lock);
  auto b = scene.open();
  auto c = scene.open();
  REQUIRE(b->bell().hang().code == Code::ok);
  CHECK(try_lock(scene.a) == Code::ok);
  CHECK_FALSE((*b)->locking.arm(1));
  std::uint32_t turns = 0;
  bool recovered = false;
  do {
    REQUIRE(++turns <= interproc::sync::Turns::kPatientTurns + 1);
    REQUIRE(scene.a->lock.release() == Code::ok);
  } while (scene.a->lock.try_acquire(Try::quick, recovered) == Code::ok);
  CHECK(turns >= interproc::sync::Turns::kFewTurns);
  CHECK(try_lock(*c) == Code::busy);
  CHECK((*b)->locking.answer(false));
  CHECK(try_lock(*b) == Code::ok);
  // It has had its turn.
  CHECK((*b)->lock.release() == Code::ok);
  CHECK(try_lock(*c) == Code::ok);
}

TEST_CASE(
    "what is promised to one that does not come goes to another, and the promise is not made "
    "again") {
  Scene scene(Kind::lock);
  auto b = scene.open();
  auto c = scene.open();
  REQUIRE(b->bell().hang().code == Code::ok);
  CHECK(try_lock(scene.a) == Code::ok);
  CHECK_FALSE((*b)->locking.arm(1));
  bool recovered = false;
  do {
    REQUIRE(scene.a->lock.release() == Code::ok);
  } while (scene.a->lock.try_acquire(Try::quick, recovered) == Code::ok);
  CHECK(c->acquire(recovered) == Code::ok);
  CHECK_FALSE(recovered);
  for (int i = 0; i < 1000; ++i) {
    REQUIRE((*c)->lock.release() == Code::ok);
    REQUIRE((*c)->lock.try_acquire(Try::quick, recovered) == Code::ok);
  }
  // Until it looks again: then its place still counts.
  CHECK_FALSE((*b)->locking.answer(true));
  CHECK((*c)->lock.release() == Code::ok);
  CHECK(try_lock(*c) == Code::busy);
  CHECK((*b)->locking.answer(false));
  CHECK(try_lock(*b) == Code::ok);
}

TEST_CASE("who gives up gives its promise up") {
  Scene scene(Kind::lock);
  auto b = scene.open();
  REQUIRE(b->bell().hang().code == Code::ok);
  CHECK(try_lock(scene.a) == Code::ok);
  CHECK_FALSE((*b)->locking.arm(1));
  bool recovered = false;
  do {
    REQUIRE(scene.a->lock.release() == Code::ok);
  } while (scene.a->lock.try_acquire(Try::quick, recovered) == Code::ok);
  SUBCASE("by leaving") { (*b)->locking.leave(); }
  SUBCASE("by closing") { b->close(); }
  CHECK(scene.a->lock.try_acquire(Try::quick, recovered) == Code::ok);
}

TEST_CASE("a semaphore has as many permits as it began with, and each holder an account") {
  Scene scene(Kind::semaphore, {.permits = 2});
  auto b = scene.open();
  CHECK(scene.a->semaphore.value() == 2);
  CHECK(try_permit(scene.a) == Code::ok);
  CHECK(try_permit(scene.a) == Code::ok);
  CHECK(scene.a->semaphore.held() == 2);
  CHECK(try_permit(*b) == Code::busy);
  CHECK(scene.a->semaphore.release() == Code::ok);
  CHECK(try_permit(*b) == Code::ok);
  CHECK((*b)->semaphore.held() == 1);
  CHECK(scene.a->semaphore.held() == 1);
  CHECK(scene.a->semaphore.value() == 0);
}

TEST_CASE(
    "a bounded semaphore takes no more than it gave, any other does up to what a word can hold") {
  {
    Scene scene(Kind::semaphore, {.permits = 1, .bounded = true});
    CHECK(scene.a->semaphore.release() == Code::over_release);
    CHECK(try_permit(scene.a) == Code::ok);
    CHECK(scene.a->semaphore.release() == Code::ok);
    CHECK(scene.a->semaphore.release() == Code::over_release);
  }
  Scene scene(Kind::semaphore, {.permits = interproc::sync::kMaxPermits - 1});
  CHECK(scene.a->semaphore.release() == Code::ok);
  CHECK(scene.a->semaphore.value() == interproc::sync::kMaxPermits);
  CHECK(scene.a->semaphore.release() == Code::over_release);
}

TEST_CASE("a permit that comes while another is promised rings another") {
  Scene scene(Kind::semaphore, {.permits = 1});
  auto b = scene.open();
  auto c = scene.open();
  bool recovered = false;
  for (LockPeer* peer : {b.get(), c.get()}) REQUIRE(peer->bell().hang().code == Code::ok);
  CHECK(try_permit(scene.a) == Code::ok);
  CHECK_FALSE((*b)->permitting.arm(1));
  do {
    REQUIRE(scene.a->semaphore.release() == Code::ok);
  } while (scene.a->semaphore.try_acquire(Try::quick, recovered) == Code::ok);
  CHECK_FALSE((*c)->permitting.arm(2));
  CHECK(scene.a->semaphore.release() == Code::ok);
  std::vector<std::uint32_t> tokens(Doorbell::kDrainBytes / 4);
  bool overflow = false;
  CHECK(c->bell().drain(tokens.data(), overflow) == 1);
  CHECK((*c)->permitting.answer(false));
  CHECK((*c)->semaphore.try_acquire(Try::quick, recovered) == Code::ok);
  // The one that is left is promised.
  CHECK(try_permit(scene.a) == Code::busy);
  CHECK((*b)->permitting.answer(false));
  CHECK(try_permit(*b) == Code::ok);
}

TEST_CASE("the permits of the killed and of the closed return, and the next is told once") {
  Scene scene(Kind::semaphore, {.permits = 3});
  CHECK(try_permit(scene.a) == Code::ok);
  bool recovered = false;
  SUBCASE("killed, met by who waits") {
    scene.die_after([](LockPeer& peer) { try_permit(peer), try_permit(peer); });
    CHECK(scene.a->semaphore.try_acquire(Try::quick, recovered) == Code::busy);
    CHECK(scene.a.take_permit(recovered) == Code::ok);
  }
  SUBCASE("killed, met by who only tries") {
    scene.die_after([](LockPeer& peer) { try_permit(peer), try_permit(peer); });
    CHECK(try_permit(scene.a, recovered) == Code::ok);
  }
  SUBCASE("killed, met by who takes the slot") {
    scene.die_after([](LockPeer& peer) { try_permit(peer), try_permit(peer); });
    scene.open();
    CHECK(scene.a->semaphore.try_acquire(Try::quick, recovered) == Code::ok);
  }
  SUBCASE("closed") {
    auto b = scene.open();
    CHECK(try_permit(*b) == Code::ok);
    CHECK(try_permit(*b) == Code::ok);
    b->close();
    CHECK(scene.a->semaphore.try_acquire(Try::quick, recovered) == Code::ok);
  }
  CHECK(recovered);
  CHECK(try_permit(scene.a, recovered) == Code::ok);
  CHECK_FALSE(recovered);
  CHECK(try_permit(scene.a) == Code::busy);
}

TEST_CASE("permits that were handed over or sent as signals do not return") {
  bool recovered = false;
  {
    // Handed over: the other releases what the dead one took.
    Scene scene(Kind::semaphore, {.permits = 1});
    scene.die_after([&](LockPeer& peer) {
      try_permit(peer);
      scene.a->semaphore.release();
    });
    CHECK(scene.a->semaphore.value() == 1);
    CHECK(scene.open() != nullptr);
    CHECK(scene.a->semaphore.value() == 1);
  }
  // A signal for each item: who takes one has no permit to give back.
  Scene scene(Kind::semaphore, {.permits = 0});
  for (int i = 0; i < 5; ++i) CHECK(scene.a->semaphore.release() == Code::ok);
  scene.die_after([](LockPeer& peer) { try_permit(peer), try_permit(peer); });
  CHECK(scene.open() != nullptr);
  CHECK(scene.a->semaphore.value() == 3);
  for (int i = 0; i < 3; ++i) CHECK(try_permit(scene.a, recovered) == Code::ok);
  CHECK_FALSE(recovered);
  CHECK(try_permit(scene.a) == Code::busy);
}

TEST_CASE("an event is seen by all who wait, and by who waited though it was cleared at once") {
  Scene scene(Kind::event);
  auto b = scene.open();
  CHECK_FALSE(scene.a->event.is_set());
  CHECK(b->await_event(kShortNs) == Code::busy);
  const std::uint64_t begun = (*b)->event.sets();
  scene.a->event.set();
  CHECK((*b)->event.is_set());
  CHECK(b->await_event() == Code::ok);
  scene.a->event.set();
  scene.a->event.clear();
  CHECK_FALSE((*b)->event.is_set());
  CHECK((*b)->event.happened(begun));
  CHECK_FALSE((*b)->event.happened((*b)->event.sets()));
}

TEST_CASE("setting an event rings every sleeper") {
  Scene scene(Kind::event);
  auto b = scene.open();
  auto c = scene.open();
  for (LockPeer* peer : {b.get(), c.get()}) {
    REQUIRE(peer->bell().hang().code == Code::ok);
    (*peer)->event.await((*peer)->event.sets());
    CHECK_FALSE((*peer)->eventually.arm(1));
  }
  scene.a->event.set();
  scene.a->event.clear();
  CHECK((*b)->eventually.answer(true));
  CHECK((*c)->eventually.answer(true));
}

TEST_CASE("a condition notifies as many as it is told, in turns, and only under its lock") {
  Scene scene(Kind::condition);
  auto b = scene.open();
  std::uint64_t notified = 0;
  CHECK(scene.a->condition.begin_wait() == Code::not_owner);
  CHECK(scene.a->condition.notify(1, notified) == Code::not_owner);
  for (LockPeer* peer : {&scene.a, b.get(), b.get()}) {
    REQUIRE(try_lock(*peer) == Code::ok);
    CHECK((*peer)->condition.begin_wait() == Code::ok);
    CHECK((*peer)->lock.release() == Code::ok);
  }
  CHECK(scene.a->condition.take() == Code::busy);
  REQUIRE(try_lock(scene.a) == Code::ok);
  CHECK(scene.a->condition.notify(2, notified) == Code::ok);
  CHECK(notified == 2);
  CHECK(scene.a->condition.take() == Code::ok);
  CHECK(scene.a->condition.take() == Code::busy);
  CHECK((*b)->condition.take() == Code::ok);
  CHECK((*b)->condition.take() == Code::busy);
  CHECK(scene.a->condition.notify(Condition::kEverybody, notified) == Code::ok);
  CHECK(notified == 1);
  CHECK((*b)->condition.take() == Code::ok);
  CHECK(scene.a->condition.notify(1, notified) == Code::ok);
  CHECK(notified == 0);
}

TEST_CASE(
    "a time-out leaves the notification to another that waits here, or takes it if it is the only "
    "one") {
  Scene scene(Kind::condition);
  auto b = scene.open();
  std::uint64_t notified = 0;
  REQUIRE(try_lock(*b) == Code::ok);
  CHECK((*b)->condition.begin_wait() == Code::ok);
  CHECK((*b)->condition.begin_wait() == Code::ok);
  CHECK((*b)->condition.notify(1, notified) == Code::ok);
  CHECK_FALSE((*b)->condition.end_wait());
  CHECK((*b)->condition.end_wait());
  CHECK((*b)->condition.take() == Code::busy);
  CHECK((*b)->condition.notify(1, notified) == Code::ok);
  CHECK(notified == 0);
}

TEST_CASE("a condition that claims to have millions of waiters is notified in a few rounds") {
  Scene scene(Kind::condition);
  const std::uint64_t millions = interproc::sync::AwaitingWord::Waiting::kMax;
  scene.a.registry().self_slot().leases[interproc::sync::kAwaiting].fetch_add(millions);
  REQUIRE(try_lock(scene.a) == Code::ok);
  interproc::platform::plan_fault(interproc::platform::FaultAction::none, 0);
  std::uint64_t notified = 0;
  CHECK(scene.a->condition.notify(millions - 1, notified) == Code::ok);
  CHECK(notified == millions - 1);
  CHECK(interproc::platform::faults_passed() < 1'000);
}

TEST_CASE("waiters that were killed are forgotten, and what they were notified of goes to others") {
  Scene scene(Kind::condition);
  std::uint64_t notified = 0;
  const auto wait = [](LockPeer& peer) {
    try_lock(peer);
    peer->condition.begin_wait();
    peer->lock.release();
  };
  scene.die_after(wait);
  wait(scene.a);
  SUBCASE("killed before it was notified") {}
  SUBCASE("killed after it was notified") {
    scene.die_after([&](LockPeer& peer) {
      wait(peer);
      // By another, who waits too and looks at the dead as any sleeper does.
      auto b = scene.open();
      try_lock(*b);
      (*b)->condition.notify(1, notified);
      b->close();
    });
    scene.a->condition.look_for_the_dead(interproc::sync::kChange);
  }
  REQUIRE(try_lock(scene.a) == Code::ok);
  CHECK(scene.a->condition.notify(1, notified) == Code::ok);
  CHECK(scene.a->condition.take() == Code::ok);
  CHECK(scene.a->condition.notify(Condition::kEverybody, notified) == Code::ok);
  CHECK(notified == 0);
}

TEST_CASE("who waits for a condition wakes up, and is told, when one dies with the lock") {
  Scene scene(Kind::condition);
  bool recovered = false;
  REQUIRE(try_lock(scene.a) == Code::ok);
  REQUIRE(scene.a->condition.begin_wait() == Code::ok);
  REQUIRE(scene.a->lock.release() == Code::ok);
  SUBCASE("killed") {
    scene.die_after([](LockPeer& peer) { try_lock(peer); });
  }
  SUBCASE("closed") {
    auto b = scene.open();
    REQUIRE(try_lock(*b) == Code::ok);
    b->close();
  }
  CHECK(scene.a.until(scene.a->notified, interproc::platform::now_ns() + LockPeer::kFarNs,
                      [&] { return scene.a->condition.take(); }) == Code::ok);
  CHECK(scene.a.acquire(recovered) == Code::ok);
  CHECK(recovered);
}

TEST_CASE("a barrier lets all go when all have come, each with an index of its own") {
  Scene scene(Kind::barrier, {.parties = 3});
  auto b = scene.open();
  for (int round = 0; round < 3; ++round) {
    Barrier::Place first, second, third, early;
    CHECK(scene.a->barrier.come(first) == Code::ok);
    CHECK((*b)->barrier.come(second) == Code::ok);
    CHECK(scene.a->barrier.waiting() == 2);
    CHECK(scene.a->barrier.passed(first) == Code::busy);
    CHECK_FALSE(second.last);
    CHECK(scene.a->barrier.come(third) == Code::ok);
    CHECK(third.last);
    CHECK((first.index == 0 && second.index == 1 && third.index == 2));
    // Its action runs.
    CHECK((*b)->barrier.come(early) == Code::busy);
    CHECK((*b)->barrier.passed(second) == Code::busy);
    CHECK(scene.a->barrier.pass(third) == Code::ok);
    CHECK(scene.a->barrier.passed(first) == Code::ok);
    CHECK((*b)->barrier.passed(second) == Code::ok);
  }
}

TEST_CASE("a barrier is broken by who gives up, aborts, dies or closes, and mended by reset") {
  Scene scene(Kind::barrier, {.parties = 3});
  auto b = scene.open();
  Barrier::Place place, other;
  CHECK(scene.a->barrier.come(place) == Code::ok);
  SUBCASE("given up") {
    CHECK((*b)->barrier.come(other) == Code::ok);
    CHECK((*b)->barrier.give_up_place(other) == Code::broken);
  }
  SUBCASE("aborted") { (*b)->barrier.abort(); }
  SUBCASE("killed") {
    scene.die_after([](LockPeer& peer) {
      Barrier::Place its;
      peer->barrier.come(its);
    });
    scene.a->barrier.await(place.phase);
    CHECK_FALSE(scene.a->barrier.worth_trying(interproc::sync::kChange));
    scene.a->barrier.look_for_the_dead(interproc::sync::kChange);
  }
  SUBCASE("killed, met by who takes the slot") {
    scene.die_after([](LockPeer& peer) {
      Barrier::Place its;
      peer->barrier.come(its);
    });
    scene.open();
  }
  SUBCASE("closed") {
    CHECK((*b)->barrier.come(other) == Code::ok);
    b->close();
  }
  CHECK(scene.a->barrier.passed(place) == Code::broken);
  CHECK(scene.a->barrier.broken());
  CHECK(scene.a->barrier.come(other) == Code::broken);
  scene.a->barrier.reset();
  CHECK_FALSE(scene.a->barrier.broken());
  CHECK(scene.a->barrier.passed(place) == Code::broken);
  CHECK(scene.a->barrier.come(other) == Code::ok);
  // A reset while somebody waits tells him, and mends it at once.
  scene.a->barrier.reset();
  CHECK(scene.a->barrier.passed(other) == Code::broken);
  CHECK(scene.a->barrier.come(other) == Code::ok);
}

TEST_CASE("who has passed a barrier and closes does not break it for the next") {
  Scene scene(Kind::barrier, {.parties = 2});
  auto b = scene.open();
  auto c = scene.open();
  Barrier::Place one, two;
  CHECK((*b)->barrier.come(one) == Code::ok);
  CHECK(scene.a->barrier.come(two) == Code::ok);
  CHECK(scene.a->barrier.pass(two) == Code::ok);
  CHECK((*c)->barrier.come(two) == Code::ok);
  b->close();
  CHECK_FALSE(scene.a->barrier.broken());
  CHECK((*c)->barrier.passed(two) == Code::busy);
}

TEST_CASE("many read, or one writes") {
  Scene scene(Kind::rw);
  auto b = scene.open();
  CHECK(scene.a->rw.release_read() == Code::not_owner);
  CHECK(scene.a->rw.release_write() == Code::not_owner);
  CHECK(try_read(scene.a) == Code::ok);
  CHECK(try_read(scene.a) == Code::ok);
  CHECK(try_read(*b) == Code::ok);
  CHECK(try_write(*b) == Code::deadlock);
  CHECK((*b)->rw.release_read() == Code::ok);
  CHECK(try_write(*b) == Code::busy);
  (*b)->writing.leave();
  CHECK(scene.a->rw.release_read() == Code::ok);
  CHECK(try_write(*b) == Code::busy);
  CHECK(scene.a->rw.release_read() == Code::ok);
  CHECK(try_write(*b) == Code::ok);
  CHECK((*b)->rw.writing());
  CHECK(try_write(*b) == Code::deadlock);
  CHECK(try_read(*b) == Code::deadlock);
  CHECK(try_read(scene.a) == Code::busy);
  CHECK(try_write(scene.a) == Code::busy);
  CHECK((*b)->rw.release_write() == Code::ok);
  CHECK(try_read(scene.a) == Code::ok);
}

TEST_CASE("a writer that waits keeps new readers out until it gives up") {
  Scene scene(Kind::rw);
  auto b = scene.open();
  auto c = scene.open();
  bool recovered = false;
  CHECK(try_read(scene.a) == Code::ok);
  CHECK(try_write(*b) == Code::busy);
  CHECK(try_read(*c) == Code::busy);
  CHECK(scene.a->rw.try_read(Try::quick, recovered) == Code::busy);
  (*b)->writing.leave();
  CHECK(try_read(*c) == Code::ok);
}

TEST_CASE("readers that waited while somebody wrote come before the next writer") {
  Scene scene(Kind::rw);
  auto b = scene.open();
  auto c = scene.open();
  REQUIRE(b->bell().hang().code == Code::ok);
  REQUIRE(c->bell().hang().code == Code::ok);
  CHECK(try_write(scene.a) == Code::ok);
  CHECK_FALSE((*b)->reading.arm(1));
  CHECK_FALSE((*c)->writing.arm(2));
  CHECK(scene.a->rw.release_write() == Code::ok);
  CHECK(try_write(scene.a) == Code::busy);
  CHECK_FALSE((*c)->writing.answer(true));
  CHECK((*b)->reading.answer(false));
  CHECK(try_read(*b) == Code::ok);
  std::vector<std::uint32_t> tokens(Doorbell::kDrainBytes / 4);
  bool overflow = false;
  CHECK(c->bell().drain(tokens.data(), overflow) == 0);
  CHECK((*b)->rw.release_read() == Code::ok);
  CHECK(c->bell().drain(tokens.data(), overflow) == 1);
  CHECK((*c)->writing.answer(false));
  CHECK(try_write(*c) == Code::ok);
}

TEST_CASE("readers that waited and do not come are passed over") {
  Scene scene(Kind::rw);
  auto b = scene.open();
  REQUIRE(b->bell().hang().code == Code::ok);
  CHECK(try_write(scene.a) == Code::ok);
  CHECK_FALSE((*b)->reading.arm(1));
  CHECK(scene.a->rw.release_write() == Code::ok);
  CHECK(try_write(scene.a) == Code::busy);
  bool recovered = false;
  CHECK(scene.a.write(recovered) == Code::ok);
}

TEST_CASE("what a killed writer or reader leaves is recovered, and the next writer is told") {
  Scene scene(Kind::rw);
  bool recovered = false;
  SUBCASE("a writer, met by a writer") {
    scene.die_after([](LockPeer& peer) { try_write(peer); });
    CHECK(scene.a.write(recovered) == Code::ok);
    CHECK(recovered);
  }
  SUBCASE("a writer, met by a reader") {
    scene.die_after([](LockPeer& peer) { try_write(peer); });
    CHECK(scene.a.read(recovered) == Code::ok);
    CHECK(recovered);
    CHECK(scene.a->rw.release_read() == Code::ok);
    CHECK(try_write(scene.a, recovered) == Code::ok);
    CHECK_FALSE(recovered);
  }
  SUBCASE("a reader") {
    scene.die_after([](LockPeer& peer) { try_read(peer); });
    CHECK(scene.a.write(recovered) == Code::ok);
    CHECK(recovered);
  }
  SUBCASE("a reader, met by who takes the slot") {
    scene.die_after([](LockPeer& peer) { try_read(peer); });
    scene.open();
    CHECK(try_write(scene.a, recovered) == Code::ok);
    CHECK(recovered);
  }
  SUBCASE("one that had claimed it") {
    CHECK(try_read(scene.a) == Code::ok);
    scene.die_after([](LockPeer& peer) { try_write(peer); });
    auto b = scene.open();
    CHECK(b->read(recovered) == Code::ok);
    CHECK_FALSE(recovered);
  }
}
