// Random operations of three handles that only try, against what a lock is by definition.

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "test/lock_peer.h"
#include "test/random.h"
#include "test/scale.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::OpenMode;
using interproc::sync::Barrier;
using interproc::sync::Condition;
using interproc::sync::Try;
using interproc::test::Kind;
using interproc::test::LockPeer;
using interproc::test::LockShape;
using interproc::test::Random;
using interproc::test::TestDirectory;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

constexpr std::size_t kPeers = 3;
constexpr LockShape kShape{.permits = 3, .parties = 2, .bounded = true};

class Handles {
 public:
  explicit Handles(Kind kind) : kind_(kind) {
    for (std::size_t i = 0; i < kPeers; ++i) reopen(i);
  }
  LockPeer& operator[](std::size_t i) { return *peers_[i]; }
  void reopen(std::size_t i) {
    peers_[i].reset();
    peers_[i] = std::make_unique<LockPeer>(directory_, kind_,
                                           created_ ? OpenMode::open : OpenMode::create, kShape);
    created_ = true;
  }

 private:
  Kind kind_;
  bool created_ = false;
  TestDirectory directory_;
  std::unique_ptr<LockPeer> peers_[kPeers];
};

// `step(handles, self, random)` for as long as the test runs.
template <class Step>
void at_random(const char* name, Kind kind, Step step) {
  const Watchdog watchdog(name);
  const std::uint64_t seed = interproc::test::seed_for(name);
  Random random(seed);
  Handles handles(kind);
  const std::uint64_t steps = times(20'000, 5'000, 1'000'000);
  for (std::uint64_t i = 0; i < steps; ++i) {
    CAPTURE(i);
    step(handles, random.below(kPeers), random);
  }
}

}  // namespace

TEST_CASE("a lock is held by nobody or by one") {
  std::size_t owner = kPeers;
  bool abandoned = false;
  at_random("lock against a reference", Kind::lock,
            [&](Handles& handles, std::size_t self, Random& random) {
              LockPeer& peer = handles[self];
              bool recovered = false;
              if (random.one_in(40)) {
                if (owner == self) {
                  owner = kPeers;
                  abandoned = true;
                }
                return handles.reopen(self);
              }
              if (random.one_in(2)) {
                REQUIRE(peer->lock.release() == (owner == self ? Code::ok : Code::not_owner));
                if (owner == self) owner = kPeers;
                return;
              }
              const Code expected = owner == self     ? Code::deadlock
                                    : owner == kPeers ? Code::ok
                                                      : Code::busy;
              REQUIRE(peer->lock.try_acquire(random.one_in(2) ? Try::quick : Try::asking,
                                             recovered) == expected);
              if (expected != Code::ok) return;
              REQUIRE(recovered == abandoned);
              abandoned = false;
              owner = self;
            });
}

TEST_CASE("a bounded semaphore's permits are free or held, and return once") {
  std::uint64_t held[kPeers] = {};
  std::uint64_t free = kShape.permits;
  bool recovered_some = false;
  at_random("semaphore against a reference", Kind::semaphore,
            [&](Handles& handles, std::size_t self, Random& random) {
              LockPeer& peer = handles[self];
              bool recovered = false;
              REQUIRE(peer->semaphore.value() == free);
              REQUIRE(peer->semaphore.held() == held[self]);
              if (random.one_in(40)) {
                // What was handed over does not return.
                std::uint64_t about = free;
                for (std::size_t i = 0; i < kPeers; ++i) about += i == self ? 0 : held[i];
                const std::uint64_t missing = about < kShape.permits ? kShape.permits - about : 0;
                const std::uint64_t returned = std::min(held[self], missing);
                free += returned;
                if (returned > 0) recovered_some = true;
                held[self] = 0;
                return handles.reopen(self);
              }
              if (random.one_in(2)) {
                const bool over = free == kShape.permits;
                REQUIRE(peer->semaphore.release() == (over ? Code::over_release : Code::ok));
                if (over) return;
                ++free;
                if (held[self] > 0) --held[self];
                return;
              }
              REQUIRE(peer->semaphore.try_acquire(Try::asking, recovered) ==
                      (free > 0 ? Code::ok : Code::busy));
              if (free == 0) return;
              REQUIRE(recovered == recovered_some);
              recovered_some = false;
              --free;
              ++held[self];
            });
}

TEST_CASE("a read-write lock has readers or one writer") {
  std::uint64_t reads[kPeers] = {};
  std::size_t writer = kPeers;
  bool note = false;
  at_random(
      "read-write lock against a reference", Kind::rw,
      [&](Handles& handles, std::size_t self, Random& random) {
        LockPeer& peer = handles[self];
        bool recovered = false;
        std::uint64_t all = 0;
        for (const std::uint64_t each : reads) all += each;
        const Try how = random.one_in(2) ? Try::quick : Try::asking;
        switch (random.below(random.one_in(10) ? 5 : 4)) {
          case 0: {
            const Code expected = writer == self     ? Code::deadlock
                                  : writer == kPeers ? Code::ok
                                                     : Code::busy;
            REQUIRE(peer->rw.try_read(how, recovered) == expected);
            if (expected != Code::ok) return;
            REQUIRE(recovered == note);
            note = false;
            ++reads[self];
            return;
          }
          case 1: {
            const bool is_free = writer == kPeers && all == 0;
            const Code expected = reads[self] > 0 || writer == self ? Code::deadlock
                                  : is_free                         ? Code::ok
                                                                    : Code::busy;
            REQUIRE(peer->rw.try_write(how, recovered) == expected);
            if (expected == Code::busy) peer->writing.leave();
            if (expected != Code::ok) return;
            REQUIRE(recovered == note);
            note = false;
            writer = self;
            return;
          }
          case 2:
            REQUIRE(peer->rw.release_read() == (reads[self] > 0 ? Code::ok : Code::not_owner));
            if (reads[self] > 0) --reads[self];
            return;
          case 3:
            REQUIRE(peer->rw.release_write() == (writer == self ? Code::ok : Code::not_owner));
            if (writer == self) writer = kPeers;
            return;
          default:
            if (reads[self] > 0 || writer == self) note = true;
            reads[self] = 0;
            if (writer == self) writer = kPeers;
            return handles.reopen(self);
        }
      });
}

TEST_CASE("a condition's notifications go to who waits, each to one") {
  std::uint64_t waiting[kPeers] = {};
  std::uint64_t given = 0;
  std::uint64_t taken = 0;
  at_random("condition against a reference", Kind::condition,
            [&](Handles& handles, std::size_t self, Random& random) {
              LockPeer& peer = handles[self];
              const auto acquire = [&] {
                bool recovered = false;
                REQUIRE(peer->lock.try_acquire(Try::quick, recovered) == Code::ok);
                REQUIRE_FALSE(recovered);
              };
              const auto all_waiting = [&] {
                std::uint64_t all = 0;
                for (const std::uint64_t each : waiting) all += each;
                return all;
              };
              switch (random.below(4)) {
                case 0:
                  acquire();
                  REQUIRE(peer->condition.begin_wait() == Code::ok);
                  ++waiting[self];
                  REQUIRE(peer->lock.release() == Code::ok);
                  return;
                case 1: {
                  acquire();
                  const std::uint64_t count =
                      random.one_in(8) ? Condition::kEverybody : random.below(3);
                  std::uint64_t notified = 0;
                  REQUIRE(peer->condition.notify(count, notified) == Code::ok);
                  REQUIRE(notified == std::min(count, all_waiting() - (given - taken)));
                  given += notified;
                  REQUIRE(peer->lock.release() == Code::ok);
                  return;
                }
                case 2:
                  if (peer->condition.take() != Code::ok) return;
                  ++taken;
                  --waiting[self];
                  REQUIRE(taken <= given);
                  return;
                default:
                  if (waiting[self] == 0) {
                    REQUIRE_FALSE(peer->condition.end_wait());
                    return;
                  }
                  --waiting[self];
                  if (peer->condition.end_wait()) ++taken;
                  REQUIRE(taken <= given);
                  return;
              }
            });
  CHECK(taken > 0);
}

TEST_CASE("a barrier's rounds pass or break as a whole") {
  struct Waiting {
    Barrier::Place place;
    std::size_t peer;
  };
  std::vector<Waiting> waiting;
  bool broken = false;
  std::uint64_t rounds = 0;
  at_random("barrier against a reference", Kind::barrier,
            [&](Handles& handles, std::size_t self, Random& random) {
              LockPeer& peer = handles[self];
              const auto all_are = [&](Code code) {
                for (const Waiting& each : waiting)
                  REQUIRE(handles[each.peer]->barrier.passed(each.place) == code);
              };
              all_are(Code::busy);
              REQUIRE(peer->barrier.broken() == broken);
              switch (random.below(random.one_in(10) ? 4 : 2)) {
                case 0:
                case 1: {
                  Barrier::Place place;
                  REQUIRE(peer->barrier.come(place) == (broken ? Code::broken : Code::ok));
                  if (broken) return;
                  REQUIRE(place.index == waiting.size());
                  REQUIRE(place.last == (waiting.size() + 1 == kShape.parties));
                  if (!place.last) return waiting.push_back({place, self});
                  REQUIRE(peer->barrier.pass(place) == Code::ok);
                  all_are(Code::ok);
                  waiting.clear();
                  ++rounds;
                  return;
                }
                case 2:
                  if (random.one_in(2)) {
                    peer->barrier.reset();
                    all_are(Code::broken);
                    broken = false;
                  } else {
                    peer->barrier.abort();
                    all_are(Code::broken);
                    broken = true;
                  }
                  waiting.clear();
                  return;
                default:
                  const bool had_come =
                      std::any_of(waiting.begin(), waiting.end(),
                                  [self](const Waiting& each) { return each.peer == self; });
                  handles.reopen(self);
                  if (!had_come) return;
                  broken = true;
                  waiting.clear();
                  return;
              }
            });
  CHECK(rounds > 0);
}
