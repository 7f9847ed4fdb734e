// Nobody who waits at an end of a pipe sleeps while there is something for it to do. Senders and receivers meet at random phases; one that
// is missed would look by itself after 50 ms and hide it, so these tests look at how a wait ended.

#include <doctest/doctest.h>
#include <poll.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "platform/clock.h"
#include "platform/fault.h"
#include "test/pipe_peer.h"
#include "test/random.h"
#include "test/scale.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::Ticket;
using interproc::platform::now_ns;
using interproc::platform::sleep_ns;
using interproc::ring::redeem;
using interproc::sync::kPut;
using interproc::sync::kSliceNs;
using interproc::sync::kTake;
using interproc::sync::Side;
using interproc::test::PipePair;
using interproc::test::PipePeer;
using interproc::test::Random;
using interproc::test::TestDirectory;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

constexpr std::int64_t kFarNs = 60'000'000'000;

// Not at all, for a moment, or long enough for the other to fall asleep.
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

// When the other last came back from a call, and whether it is in one.
struct Activity {
  std::atomic<bool> busy{false};
  std::atomic<std::int64_t> returned_ns{0};

  template <class Act>
  auto during(Act act) {
    busy = true;
    const auto result = act();
    returned_ns = now_ns();
    busy = false;
    return result;
  }
};

// Waits at the end. Returns whether that wait was missed: it ended by its own look, though the other had come back from what it
// did before the slice was over.
bool was_missed(PipePeer& peer, Side side, const Activity& other) {
  const std::int64_t start = now_ns();
  interproc::platform::plan_fault(interproc::platform::FaultAction::none, 0, "wait.unrung");
  peer.end().wait(side, kFarNs);
  return interproc::platform::faults_passed() != 0 && !other.busy &&
         other.returned_ns < start + kSliceNs;
}

}  // namespace

TEST_CASE(
    "a receiver asleep is rung by every message, and by the end; a sender by all room that is "
    "made") {
  const std::uint64_t seed = interproc::test::seed_for("pipe on a futex");
  const Watchdog watchdog("pipe on a futex", 1'000);
  const std::uint64_t messages = times(40'000, 4'000, 4'000'000);
  TestDirectory directory;
  PipePair pair(directory);
  Activity sender;
  Activity receiver;
  std::uint64_t missed_room = 0;
  // Now this one is slow and the ring full, now that one and it is empty.
  std::thread sending([&] {
    Random random(seed);
    for (std::uint64_t id = 1; id <= messages;) {
      if ((id / 512) % 2 == 0) pause_at_random(random);
      const std::size_t length = 8 + random.below((id / 512) % 2 == 0 ? 100 : 2'000);
      const Code code = sender.during([&] { return pair.b.send(id, length); });
      if (code == Code::ok) ++id;
      if (code == Code::full) missed_room += was_missed(pair.b, kPut, receiver) ? 1 : 0;
    }
    sender.during([&] {
      pair.b.end().retire();
      return 0;
    });
  });
  Random random(seed + 1);
  std::uint64_t missed = 0;
  std::uint64_t expected = 1;
  for (;;) {
    if ((expected / 512) % 2 == 1) pause_at_random(random);
    const std::uint64_t id = receiver.during([&] { return pair.a.receive(); });
    if (id != 0) CHECK(id == expected++);
    if (pair.a.code == Code::ended) break;
    if (pair.a.code == Code::empty) missed += was_missed(pair.a, kTake, sender) ? 1 : 0;
  }
  sending.join();
  CHECK(expected == messages + 1);
  CHECK(missed == 0);
  CHECK(missed_room == 0);
  const auto waits = [](PipePeer& peer) {
    return peer.end().segment().participants()[peer.end().slot()].waits.load();
  };
  CHECK(waits(pair.a) > 0);
  CHECK(waits(pair.b) > 0);
  MESSAGE(waits(pair.a) << " and " << waits(pair.b) << " waits");
}

TEST_CASE("an event loop is rung wherever its peer's end moves") {
  const std::uint64_t seed = interproc::test::seed_for("pipe on a bell");
  const Watchdog watchdog("pipe on a bell", 1'000);
  const std::uint64_t rounds = times(1'500, 150, 50'000);
  TestDirectory directory;
  PipePeer reader(directory);
  reader.create("m", 0);
  auto first = std::make_unique<PipePeer>(directory);
  first->claim("m", 1);
  REQUIRE(reader.bell().hang().code == Code::ok);
  std::thread moving([&] {
    Random random(seed);
    PipePair carrier(directory, "c");
    std::unique_ptr<PipePeer> owner = std::move(first);
    for (std::uint64_t id = 1; id <= rounds; ++id) {
      pause_at_random(random);
      if (random.one_in(2)) {
        Ticket ticket;
        if (carrier.a.send_end(id, *owner, ticket) != Code::ok) return;
        pause_at_random(random);
        carrier.b.receive();
        owner = std::make_unique<PipePeer>(directory);
        owner->arrive("m", ticket);
        redeem(carrier.b.bell(), ticket.file_name());
        carrier.b.end().finish();
      }
      while (owner->send(id) == Code::full) owner->end().wait(kPut, 1'000'000);
    }
    pause_at_random(random);
  });
  // Without looks of its own: only a ring ends a wait.
  std::vector<std::uint32_t> tokens(interproc::sync::Doorbell::kDrainBytes / sizeof(std::uint32_t));
  std::uint64_t slept = 0;
  for (std::uint64_t expected = 1;;) {
    const std::uint64_t id = reader.receive();
    if (id != 0) {
      CHECK(id == expected++);
      continue;
    }
    if (reader.code == Code::ended) {
      CHECK(expected == rounds + 1);
      break;
    }
    if (reader.end().arm(kTake, 7)) continue;
    ++slept;
    pollfd bell{reader.bell().descriptor(), POLLIN, 0};
    REQUIRE(poll(&bell, 1, 30'000) == 1);
    bool overflow = false;
    reader.bell().drain(tokens.data(), overflow);
    REQUIRE(reader.end().answer(kTake, false));
  }
  moving.join();
  MESSAGE(slept << " sleeps");
  CHECK(slept > 0);
}
