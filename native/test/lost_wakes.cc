// Nobody sleeps while there is something for it to do. Sleepers and ringers meet at random phases; a sleeper that is missed
// would look by itself after 50 ms and hide it, so these tests either look at how a wait ended, or sleep without such looks
// until a deadline far beyond any need.

#include <doctest/doctest.h>
#include <poll.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "platform/clock.h"
#include "platform/fault.h"
#include "sync/waiters.h"
#include "test/bare_segment.h"
#include "test/peer.h"
#include "test/random.h"
#include "test/scale.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::OpenMode;
using interproc::memory::Registry;
using interproc::platform::now_ns;
using interproc::platform::sleep_ns;
using interproc::ring::Look;
using interproc::ring::MpmcRing;
using interproc::ring::Record;
using interproc::sync::Doorbell;
using interproc::sync::kJoin;
using interproc::sync::kPut;
using interproc::sync::kSliceNs;
using interproc::sync::kTake;
using interproc::sync::Side;
using interproc::sync::Waiters;
using interproc::test::BareSegment;
using interproc::test::Got;
using interproc::test::header_of;
using interproc::test::Message;
using interproc::test::Peer;
using interproc::test::Random;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

constexpr std::int64_t kFarNs = 60'000'000'000;

// Not at all, for a moment, or long enough for the others to fall asleep.
void pause_at_random(Random& random) {
  switch (random.below(4)) {
    case 0:
      return;
    case 1:
      for (std::uint64_t i = 0, turns = random.below(2'000); i < turns; ++i)
        interproc::platform::relax();
      return;
    default:
      sleep_ns(static_cast<std::int64_t>(random.below(60'000)));
  }
}

// When each participant last came back from a call, and whether it is in one.
struct Activity {
  std::atomic<bool> busy{false};
  std::atomic<std::int64_t> returned_ns{0};
};

// Waits in the queue. Returns whether that wait was missed: it ended by its own look, though everybody who could have given
// it something to do had come back from doing so before its slice was over.
bool was_missed(Peer& peer, Side side, const std::vector<Activity>& others) {
  const std::int64_t start = now_ns();
  interproc::platform::plan_fault(interproc::platform::FaultAction::none, 0, "queue.unrung");
  peer.queue().wait(side, kFarNs);
  if (interproc::platform::faults_passed() == 0) return false;
  for (const Activity& other : others) {
    if (other.busy || other.returned_ns >= start + kSliceNs) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a reader asleep on a futex is rung by every put that finds it asleep") {
  const std::uint64_t seed = interproc::test::seed_for("readers on a futex");
  const Watchdog watchdog("readers on a futex", 1'000);
  const std::uint64_t messages = times(60'000, 6'000, 5'000'000);
  TestDirectory directory;
  Peer reader(directory, "q", OpenMode::create);
  std::vector<Activity> writers(2);
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < writers.size(); ++i) {
    threads.emplace_back([&, i] {
      Peer peer(directory, "q", OpenMode::open);
      Random random(seed + i);
      for (std::uint64_t sequence = 1; sequence <= messages / 2;) {
        pause_at_random(random);
        writers[i].busy = true;
        const Code code = peer.put(Message::id(i, sequence));
        writers[i].returned_ns = now_ns();
        writers[i].busy = false;
        sequence += code == Code::ok ? 1 : 0;
      }
    });
  }
  std::uint64_t missed = 0;
  for (std::uint64_t taken = 0; taken < messages;) {
    if (reader.take().code == Code::ok) {
      ++taken;
    } else if (was_missed(reader, kTake, writers)) {
      ++missed;
    }
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(missed == 0);
  const std::uint64_t waits = reader.queue().stats().waits;
  MESSAGE(waits << " waits");
  CHECK(waits > 0);
}

TEST_CASE("a writer asleep for room is rung by every take that makes enough") {
  const std::uint64_t seed = interproc::test::seed_for("writers on a futex");
  const Watchdog watchdog("writers on a futex", 1'000);
  for (std::uint32_t max_items : {0u, 2u}) {
    const std::uint64_t messages = times(20'000, 3'000, 2'000'000);
    TestDirectory directory;
    Peer writer(directory, "q", OpenMode::create, Shape{.max_items = max_items});
    std::vector<Activity> readers(2);
    std::atomic<std::uint64_t> left{messages};
    std::vector<std::thread> threads;
    for (std::uint32_t i = 0; i < readers.size(); ++i) {
      threads.emplace_back([&, i] {
        Peer peer(directory, "q", OpenMode::open);
        Random random(seed + i);
        while (left.load() > 0) {
          pause_at_random(random);
          readers[i].busy = true;
          if (peer.take().code == Code::ok) --left;
          readers[i].returned_ns = now_ns();
          readers[i].busy = false;
        }
      });
    }
    Random random(seed);
    std::uint64_t missed = 0;
    for (std::uint64_t sequence = 1; sequence <= messages;) {
      // From an eighth of the ring to half of it.
      if (writer.put(Message::id(9, sequence), 512 + random.below(1'536)) == Code::ok) {
        ++sequence;
      } else if (was_missed(writer, kPut, readers)) {
        ++missed;
      }
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(missed == 0);
    const std::uint64_t waits = writer.queue().stats().waits;
    MESSAGE(waits << " waits");
    CHECK(waits > 0);
  }
}

TEST_CASE("a joiner asleep on a futex is rung by whoever finishes the last message") {
  const std::uint64_t seed = interproc::test::seed_for("joiners on a futex");
  const Watchdog watchdog("joiners on a futex", 1'000);
  const std::uint64_t rounds = times(4'000, 600, 300'000);
  TestDirectory directory;
  Peer joiner(directory, "q", OpenMode::create);
  std::vector<Activity> workers(3);
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < workers.size(); ++i) {
    threads.emplace_back([&, i] {
      auto peer = std::make_unique<Peer>(directory, "q", OpenMode::open);
      Random random(seed + i);
      while (!stop.load()) {
        const bool receives = random.one_in(2);
        const Got got = receives ? peer->receive() : peer->take();
        pause_at_random(random);
        // Who found nothing owes nobody a wake.
        if (got.code != Code::ok) continue;
        workers[i].busy = true;
        if (receives) {
          random.one_in(4) ? peer->queue().nack(got.taken.receipt)
                           : peer->queue().ack(got.taken.receipt);
        } else if (random.one_in(8)) {
          peer = std::make_unique<Peer>(directory, "q", OpenMode::open);
        } else {
          peer->queue().task_done();
        }
        workers[i].returned_ns = now_ns();
        workers[i].busy = false;
      }
    });
  }
  Random random(seed);
  std::uint64_t missed = 0;
  for (std::uint32_t round = 1; round <= rounds; ++round) {
    const std::uint64_t messages = 1 + random.below(3);
    for (std::uint64_t i = 1; i <= messages; ++i)
      REQUIRE(joiner.put(Message::id(round, i)) == Code::ok);
    while (!joiner.queue().finished()) missed += was_missed(joiner, kJoin, workers) ? 1 : 0;
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(missed == 0);
  const std::uint64_t waits = joiner.queue().stats().waits;
  MESSAGE(waits << " waits");
  CHECK(waits > 0);
}

TEST_CASE(
    "of many sleepers without looks of their own none is left behind, whoever leaves in between") {
  const std::uint64_t seed = interproc::test::seed_for("many on a futex");
  const Watchdog watchdog("many on a futex", 1'000);
  const std::uint64_t messages = times(60'000, 6'000, 5'000'000);
  TestDirectory directory;
  const auto opened = directory.open();
  const auto bare = BareSegment::create(opened, Shape{});
  std::atomic<std::uint64_t> left{messages};
  std::atomic<std::uint64_t> missed{0};
  std::atomic<std::uint64_t> waits{0};
  std::atomic<std::uint32_t> sleepers{3};
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < 3; ++i) {
    Registry& registry = bare->join();
    threads.emplace_back([&, i] {
      Doorbell bell(directory.open());
      MpmcRing ring(bare->segment(), registry);
      Waiters waiters(bare->segment(), registry, bell);
      Random random(seed + i);
      while (left.load() > 0) {
        Record record;
        if (ring.take(record, ~std::size_t{0}) == Look::ok) {
          ring.finish(record);
          --left;
          continue;
        }
        const bool leaves = random.one_in(8);
        const std::int64_t deadline =
            now_ns() + (leaves ? static_cast<std::int64_t>(random.below(200'000)) : kFarNs);
        waiters.arm_futex(kTake);
        if (!ring.worth_taking() && left.load() > 0) waiters.sleep(kTake, deadline);
        ++waits;
        const bool rung = waiters.disarm(kTake);
        if (!rung && !leaves && now_ns() >= deadline) ++missed;
        // One that leaves without having looked passes the wake on.
        if (leaves && rung && waiters.anyone(kTake)) waiters.wake(kTake, 1);
        if (leaves) pause_at_random(random);
      }
      --sleepers;
    });
  }
  for (std::uint32_t i = 0; i < 2; ++i) {
    Registry& registry = bare->join();
    threads.emplace_back([&, i] {
      Doorbell bell(directory.open());
      MpmcRing ring(bare->segment(), registry);
      Waiters waiters(bare->segment(), registry, bell);
      Random random(seed + 100 + i);
      for (std::uint64_t sequence = 0; sequence < messages / 2;) {
        pause_at_random(random);
        Record record;
        if (ring.claim(8, record) != Look::ok) continue;
        if (!ring.publish(record, 8)) ++missed;
        if (waiters.anyone(kTake)) waiters.wake(kTake, 1);
        ++sequence;
      }
      // The last message has no successor that would ring the others: they are told that it is over.
      while (sleepers.load() > 0) {
        if (left.load() == 0) waiters.wake_all(kTake);
        sleep_ns(1'000'000);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(missed.load() == 0);
  MESSAGE(waits.load() << " waits");
}

TEST_CASE(
    "event loops that wait for nothing but their bell miss nothing, whoever gives up in between") {
  const std::uint64_t seed = interproc::test::seed_for("event loops");
  const Watchdog watchdog("event loops", 1'000);
  const std::uint64_t messages = times(40'000, 4'000, 5'000'000);
  constexpr std::uint32_t kReaders = 3;
  constexpr std::uint32_t kWriters = 2;
  TestDirectory directory;
  // So small that the writers wait as often as the readers.
  Peer first(directory, "q", OpenMode::create, Shape{.max_items = 3});
  std::atomic<std::uint64_t> missed{0};
  std::atomic<std::uint64_t> waits{0};
  std::atomic<std::uint64_t> taken{0};
  std::atomic<std::uint32_t> writing{kWriters};

  // What an event loop does between arming and its next look.
  const auto wait_for_bell = [&](Peer& peer, Side side, Random& random) {
    if (peer.queue().arm(side, 1)) return;
    ++waits;
    std::vector<std::uint32_t> tokens(Doorbell::kDrainBytes / sizeof(std::uint32_t));
    bool overflow = false;
    const bool gives_up = random.one_in(8);
    const std::int64_t until = now_ns() + kFarNs;
    while (peer.queue().armed(side)) {
      pollfd polled{peer.bell().descriptor(), POLLIN, 0};
      const int ready = poll(&polled, 1, gives_up ? static_cast<int>(random.below(2)) : 60'000);
      if (ready > 0) {
        peer.bell().drain(tokens.data(), overflow);
        // A ring that came for an earlier wait is no news: it is looked at, and the wait goes on.
        peer.queue().answer(side, false);
      } else if (gives_up) {
        peer.queue().disarm(side);
      } else if (now_ns() >= until) {
        ++missed;
        peer.queue().disarm(side);
      }
    }
    if (gives_up) pause_at_random(random);
  };

  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < kReaders; ++i) {
    threads.emplace_back([&, i] {
      Peer peer(directory, "q", OpenMode::open);
      peer.bell().hang();
      Random random(seed + i);
      for (;;) {
        const Got got = peer.take();
        if (got.code == Code::ended) return;
        if (got.code == Code::ok) {
          ++taken;
          if (random.one_in(4)) pause_at_random(random);
        } else {
          wait_for_bell(peer, kTake, random);
        }
      }
    });
  }
  for (std::uint32_t i = 0; i < kWriters; ++i) {
    threads.emplace_back([&, i] {
      Peer peer(directory, "q", OpenMode::open);
      peer.bell().hang();
      Random random(seed + 100 + i);
      for (std::uint64_t sequence = 1; sequence <= messages / kWriters;) {
        if (random.one_in(2)) pause_at_random(random);
        if (peer.put(Message::id(i, sequence), 8 + random.below(300)) == Code::ok) {
          ++sequence;
        } else {
          wait_for_bell(peer, kPut, random);
        }
      }
      if (--writing == 0) peer.queue().end();
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(missed.load() == 0);
  CHECK(taken.load() == messages);
  MESSAGE(waits.load() << " waits");
}
