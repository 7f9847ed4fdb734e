// Threads under one lock, each a participant: what the lock guards is written plainly, so that ThreadSanitizer sees whether it really guards it. The shared words are
// those of one mapping; each thread's own words are behind its own.

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "test/lock_work.h"
#include "test/scale.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::OpenMode;
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

constexpr std::size_t kThreads = 4;

template <class Body>
void in_threads(Kind kind, const LockShape& shape, Body body) {
  TestDirectory directory;
  LockPeer first(directory, kind, OpenMode::create, shape);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      LockPeer peer(directory, kind, OpenMode::open, shape, &first.words());
      body(peer, i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("plain increments under a lock are all counted") {
  const Watchdog watchdog("increments under a lock");
  const std::uint64_t each = times(20'000, 3'000, 1'000'000);
  std::uint64_t counter = 0;
  in_threads(Kind::lock, {}, [&](LockPeer& peer, std::size_t) {
    for (std::uint64_t i = 0; i < each; ++i) {
      if (peer.acquire() != Code::ok) std::abort();
      ++counter;
      if (peer->lock.release() != Code::ok) std::abort();
    }
  });
  CHECK(counter == each * kThreads);
}

TEST_CASE("plain increments under a semaphore of one permit are all counted") {
  const Watchdog watchdog("increments under a semaphore");
  const std::uint64_t each = times(10'000, 2'000, 500'000);
  std::uint64_t counter = 0;
  in_threads(Kind::semaphore, {.permits = 1}, [&](LockPeer& peer, std::size_t) {
    for (std::uint64_t i = 0; i < each; ++i) {
      bool recovered = false;
      if (peer.take_permit(recovered) != Code::ok || recovered) std::abort();
      ++counter;
      if (peer->semaphore.release() != Code::ok) std::abort();
    }
  });
  CHECK(counter == each * kThreads);
}

TEST_CASE("what each party did before a barrier is seen by all after it") {
  const Watchdog watchdog("a barrier");
  const std::uint64_t rounds = times(2'000, 300, 100'000);
  std::uint64_t done[kThreads] = {};
  std::atomic<std::uint64_t> firsts{0};
  in_threads(Kind::barrier, {.parties = kThreads}, [&](LockPeer& peer, std::size_t self) {
    for (std::uint64_t round = 1; round <= rounds; ++round) {
      interproc::sync::Barrier::Place place;
      done[self] = round;
      if (peer.await_barrier(place) != Code::ok) std::abort();
      if (place.index == 0) ++firsts;
      for (const std::uint64_t of : done)
        if (of != round) std::abort();
      if (peer.await_barrier(place) != Code::ok) std::abort();
      if (place.index == 0) ++firsts;
    }
  });
  CHECK(firsts == 2 * rounds);
}

TEST_CASE("what a condition hands from thread to thread arrives, each once") {
  const Watchdog watchdog("a condition");
  const std::uint64_t each = times(5'000, 1'000, 200'000);
  std::uint64_t stock = 0;
  std::uint64_t taken = 0;
  in_threads(Kind::condition, {}, [&](LockPeer& peer, std::size_t self) {
    bool recovered = false;
    for (std::uint64_t i = 0; i < each; ++i) {
      if (peer.acquire() != Code::ok) std::abort();
      if (self % 2 == 0) {
        std::uint64_t notified = 0;
        ++stock;
        if (peer->condition.notify(1, notified) != Code::ok) std::abort();
      } else {
        // Without a deadline that could come: a lost notification is a hang.
        while (stock == 0)
          if (peer.await_condition(recovered) != Code::ok) std::abort();
        --stock;
        ++taken;
      }
      if (peer->lock.release() != Code::ok) std::abort();
    }
  });
  CHECK(stock == 0);
  CHECK(taken == each * kThreads / 2);
}

TEST_CASE("whatever threads do at random with a lock, nobody is where another must be alone") {
  const Watchdog watchdog("random work");
  const std::uint64_t seed = interproc::test::seed_for("random work under locks");
  for (const Kind kind :
       {Kind::lock, Kind::semaphore, Kind::event, Kind::condition, Kind::barrier, Kind::rw}) {
    CAPTURE(static_cast<int>(kind));
    const LockShape shape{.permits = 2, .parties = 2};
    LockAccount account;
    in_threads(kind, shape, [&](LockPeer& peer, std::size_t self) {
      LockWork work(peer, kind, shape, account, self, seed + self);
      const std::uint64_t steps = kind == Kind::barrier ? 200 : times(2'000, 300, 100'000);
      for (std::uint64_t i = 0; i < steps; ++i) work.step();
    });
    CHECK(account.wrong.load() == nullptr);
    CHECK(account.recovered == 0);
    std::uint64_t done = 0;
    for (const auto& each : account.done) done += each;
    CHECK(done > 0);
  }
}
