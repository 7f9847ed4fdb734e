// What each call of a queue promises, between participants that are all alive.

#include "ring/queue.h"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "platform/clock.h"
#include "test/once_at.h"
#include "test/peer.h"
#include "test/test_directory.h"
#include "test/two.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::OpenMode;
using interproc::ring::Leased;
using interproc::sync::kPut;
using interproc::sync::kTake;
using interproc::test::Got;
using interproc::test::OnceAt;
using interproc::test::Peer;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::Two;
using interproc::test::Watchdog;

namespace {

// Two environments with the same queue open.
// Lets what is due every few milliseconds become due.
void let_time_pass() { interproc::platform::sleep_ns(15'000'000); }

}  // namespace

TEST_CASE("a message put is taken once, by whoever comes first") {
  Two two;
  REQUIRE(two.a.put(1, 100) == Code::ok);
  const Got got = two.b.take();
  CHECK(got.whole);
  CHECK(got.id == 1);
  CHECK(got.taken.length == 100);
  CHECK(got.taken.deliveries == 1);
  CHECK(two.a.take().code == Code::empty);
  CHECK(two.b.take().code == Code::empty);
}

TEST_CASE("a put says full, too large, ended; nothing of it is in the queue then") {
  Two two(Shape{.max_items = 2, .max_message_bytes = 1'000});
  CHECK(two.a.put(1, 1'001) == Code::too_large);
  CHECK(two.a.put(1, 1'000) == Code::ok);
  CHECK(two.a.put(2, 8) == Code::ok);
  CHECK(two.a.put(3, 8) == Code::full);
  CHECK(two.b.put(3, 8) == Code::full);
  CHECK(two.b.queue().is_full());
  CHECK(two.b.take().id == 1);
  CHECK_FALSE(two.a.queue().is_full());
  two.b.queue().end();
  CHECK(two.a.put(4, 8) == Code::ended);
  CHECK(two.a.take().id == 2);
  CHECK(two.a.take().code == Code::ended);
}

TEST_CASE("a message too large for the buffer stays first, and its length is told") {
  Two two;
  REQUIRE(two.a.put(1, 500) == Code::ok);
  std::byte small[100];
  interproc::ring::Taken taken;
  CHECK(two.b.queue().take(small, sizeof small, taken) == Code::too_large);
  CHECK(taken.length == 500);
  CHECK(two.b.queue().receive(small, sizeof small, taken) == Code::too_large);
  CHECK(taken.length == 500);
  CHECK(two.b.queue().take_another(small, sizeof small, taken) == Code::empty);
  CHECK(two.b.take().id == 1);
  // The same of one that was given back, in a ledger.
  REQUIRE(two.a.put(2, 500) == Code::ok);
  REQUIRE(two.b.queue().nack(two.b.receive().taken.receipt) == Code::ok);
  CHECK(two.a.queue().take(small, sizeof small, taken) == Code::too_large);
  CHECK(taken.length == 500);
  CHECK(two.a.queue().receive(small, sizeof small, taken) == Code::too_large);
  const Got got = two.a.take();
  CHECK(got.id == 2);
  CHECK(got.taken.deliveries == 2);
}

TEST_CASE("a received message is nobody else's until it is acknowledged, and gone then") {
  Two two;
  REQUIRE(two.a.put(1, 300) == Code::ok);
  const Got got = two.b.receive();
  REQUIRE(got.whole);
  CHECK(got.taken.deliveries == 1);
  CHECK(two.a.take().code == Code::empty);
  CHECK(two.a.queue().stats().unacknowledged == 1);
  CHECK(two.a.queue().size() == 0);
  CHECK(two.b.queue().ack(got.taken.receipt) == Code::ok);
  CHECK(two.b.queue().ack(got.taken.receipt) == Code::not_owner);
  CHECK(two.b.queue().nack(got.taken.receipt) == Code::not_owner);
  CHECK(two.a.queue().stats().unacknowledged == 0);
  let_time_pass();
  CHECK(two.a.take().code == Code::empty);
}

TEST_CASE("a held message pins no room in the ring") {
  Two two;
  std::vector<double> receipts;
  for (std::uint64_t id = 1; id <= 64; ++id) {
    REQUIRE(two.a.put(id) == Code::ok);
    const Got got = two.b.receive();
    REQUIRE(got.id == id);
    receipts.push_back(got.taken.receipt);
  }
  CHECK(two.a.put(100, 4096) == Code::ok);
  CHECK(two.a.take().id == 100);
  for (double receipt : receipts) CHECK(two.b.queue().ack(receipt) == Code::ok);
}

TEST_CASE("what is given back comes first, oldest first, to anyone, and is marked") {
  Two two;
  for (std::uint64_t id = 1; id <= 5; ++id) REQUIRE(two.a.put(id) == Code::ok);
  const double one = two.b.receive().taken.receipt;
  const double second = two.a.receive().taken.receipt;
  const double third = two.b.receive().taken.receipt;
  CHECK(two.b.queue().nack(third) == Code::ok);
  CHECK(two.b.queue().nack(one) == Code::ok);
  CHECK(two.a.queue().size() == 4);
  const Got first_again = two.a.take();
  CHECK(first_again.id == 1);
  CHECK(first_again.taken.deliveries == 2);
  CHECK(two.a.queue().nack(second) == Code::ok);
  const Got second_again = two.b.receive();
  CHECK(second_again.id == 2);
  CHECK(second_again.taken.deliveries == 2);
  CHECK(two.b.queue().nack(second_again.taken.receipt) == Code::ok);
  CHECK(two.a.take().taken.deliveries == 3);
  CHECK(two.a.take().id == 3);
  const Got fourth = two.b.take();
  CHECK(fourth.id == 4);
  CHECK(fourth.taken.deliveries == 1);
  CHECK(two.b.take().id == 5);
  CHECK(two.b.take().code == Code::empty);
  CHECK(two.b.queue().stats().redelivered == 4);
}

TEST_CASE("take_another takes only what was never delivered") {
  Two two;
  for (std::uint64_t id = 1; id <= 3; ++id) REQUIRE(two.a.put(id) == Code::ok);
  const double receipt = two.b.receive().taken.receipt;
  CHECK(two.b.take_another().id == 2);
  CHECK(two.b.queue().nack(receipt) == Code::ok);
  CHECK(two.b.take_another().code == Code::empty);
  CHECK(two.b.take().id == 1);
  CHECK(two.b.take_another().id == 3);
  CHECK(two.b.take_another().code == Code::empty);
  two.a.queue().end();
  CHECK(two.b.take_another().code == Code::empty);
}

TEST_CASE("closing gives back what was held, and the next delivery is marked") {
  Two two;
  for (std::uint64_t id = 1; id <= 3; ++id) REQUIRE(two.a.put(id) == Code::ok);
  REQUIRE(two.b.receive().id == 1);
  REQUIRE(two.b.receive().id == 2);
  two.b.close();
  CHECK(two.a.queue().size() == 3);
  for (std::uint64_t id = 1; id <= 3; ++id) {
    const Got got = two.a.take();
    CHECK(got.id == id);
    CHECK(got.taken.deliveries == (id < 3 ? 2 : 1));
  }
}

TEST_CASE(
    "a taken-over message goes back when its holder closes too, though it lies in another's "
    "region") {
  Two two;
  REQUIRE(two.a.put(1) == Code::ok);
  REQUIRE(two.a.queue().nack(two.a.receive().taken.receipt) == Code::ok);
  REQUIRE(two.b.receive().id == 1);
  two.b.close();
  const Got got = two.a.take();
  CHECK(got.id == 1);
  CHECK(got.taken.deliveries == 3);
}

TEST_CASE("a receiver at its limit is told so, loses nothing, and goes on when it has let go") {
  Two two;
  std::vector<double> receipts;
  for (std::uint64_t id = 1; id <= 64; ++id) {
    REQUIRE(two.a.put(id) == Code::ok);
    receipts.push_back(two.b.receive().taken.receipt);
  }
  REQUIRE(two.a.put(65) == Code::ok);
  for (int i = 0; i < 3; ++i) CHECK(two.b.receive().code == Code::unacked);
  CHECK(two.a.queue().size() == 1);
  CHECK(two.b.queue().ack(receipts[10]) == Code::ok);
  const Got got = two.b.receive();
  CHECK(got.id == 65);
  CHECK(got.taken.deliveries == 1);
  // What it cannot hold, another can have.
  REQUIRE(two.a.put(66) == Code::ok);
  CHECK(two.b.receive().code == Code::unacked);
  CHECK(two.a.take().id == 66);
}

TEST_CASE("a receiver at its limit leaves room for a put that waits for it") {
  Two two(Shape{.max_items = 1});
  for (std::uint64_t id = 1; id <= 64; ++id) {
    REQUIRE(two.a.put(id) == Code::ok);
    REQUIRE(two.b.receive().id == id);
  }
  REQUIRE(two.a.put(65) == Code::ok);
  REQUIRE(two.a.put(66) == Code::full);
  REQUIRE(two.a.bell().hang().code == Code::ok);
  REQUIRE_FALSE(two.a.queue().arm(kPut, 1));
  REQUIRE(two.b.receive().code == Code::unacked);
  std::vector<std::uint32_t> tokens(interproc::sync::Doorbell::kDrainBytes / 4);
  bool overflow = false;
  CHECK(two.a.bell().drain(tokens.data(), overflow) == 1);
  CHECK(two.a.queue().answer(kPut, false));
  CHECK(two.a.put(66) == Code::ok);
}

TEST_CASE("no receipt but one's own is taken, whatever number it is") {
  Two two;
  REQUIRE(two.a.put(1) == Code::ok);
  const double receipt = two.b.receive().taken.receipt;
  for (double wrong : {0.0, -1.0, 1e300, -1e300, receipt + 1, receipt - 1, receipt + 0.5, 1e15,
                       std::nan(""), static_cast<double>(INFINITY)}) {
    CAPTURE(wrong);
    if (std::trunc(wrong) == receipt) continue;
    CHECK(two.b.queue().ack(wrong) == Code::not_owner);
    CHECK(two.b.queue().nack(wrong) == Code::not_owner);
  }
  CHECK(two.a.queue().ack(receipt) == Code::not_owner);
  CHECK(two.b.queue().ack(receipt) == Code::ok);
  // A number is never used again for another message.
  for (std::uint64_t id = 2; id < 1'000; ++id) {
    REQUIRE(two.a.put(id) == Code::ok);
    const double next = two.b.receive().taken.receipt;
    REQUIRE(next != receipt);
    REQUIRE(two.b.queue().ack(receipt) == Code::not_owner);
    REQUIRE(two.b.queue().ack(next) == Code::ok);
  }
}

TEST_CASE("size counts what can be had: given back included, held and taken not") {
  Two two;
  CHECK(two.a.queue().size() == 0);
  for (std::uint64_t id = 1; id <= 4; ++id) REQUIRE(two.a.put(id) == Code::ok);
  CHECK(two.b.queue().size() == 4);
  REQUIRE(two.b.take().id == 1);
  CHECK(two.b.queue().size() == 3);
  const double receipt = two.b.receive().taken.receipt;
  CHECK(two.a.queue().size() == 2);
  REQUIRE(two.b.queue().nack(receipt) == Code::ok);
  CHECK(two.a.queue().size() == 3);
}

TEST_CASE("the counters tell what was done, over all participants and beyond their leaving") {
  Two two;
  for (std::uint64_t id = 1; id <= 10; ++id) REQUIRE(two.a.put(id, 100) == Code::ok);
  for (int i = 0; i < 4; ++i) REQUIRE(two.b.take().code == Code::ok);
  const auto stats = two.a.queue().stats();
  CHECK(stats.puts == 10);
  CHECK(stats.put_bytes == 1'000);
  CHECK(stats.gets == 4);
  CHECK(stats.got_bytes == 400);
  CHECK(stats.participants == 2);
  CHECK(stats.high_water >= 6);
  two.b.close();
  CHECK(two.a.queue().stats().gets == 4);
  CHECK(two.a.queue().stats().participants == 1);
}

TEST_CASE("the slots are as many as were asked for, and a place that is left can be taken") {
  TestDirectory directory;
  Peer first(directory, "q", OpenMode::create, Shape{.max_participants = 3});
  auto second = std::make_unique<Peer>(directory, "q", OpenMode::open);
  Peer third(directory, "q", OpenMode::open);
  CHECK(Peer(directory, "q", OpenMode::open).error().code == Code::no_slot);
  second.reset();
  CHECK(Peer(directory, "q", OpenMode::open).ok());
}

TEST_CASE("a wait ends at once when there is something to do") {
  const Watchdog watchdog("a wait with something to do");
  Two two;
  REQUIRE(two.a.put(1) == Code::ok);
  CHECK(two.b.queue().wait(kTake, 600'000'000'000));
  CHECK(two.b.queue().wait(kPut, 600'000'000'000));
  REQUIRE(two.b.queue().nack(two.b.receive().taken.receipt) == Code::ok);
  CHECK(two.a.queue().wait(kTake, 600'000'000'000));
  CHECK(two.a.take().id == 1);
}

TEST_CASE("a wait that finds nothing ends at its time-out, not before it") {
  const Watchdog watchdog("a wait with nothing to do");
  Two two;
  const std::int64_t start = interproc::platform::now_ns();
  CHECK_FALSE(two.b.queue().wait(kTake, 20'000'000));
  CHECK(interproc::platform::now_ns() >= start + 20'000'000);
  CHECK_FALSE(two.b.queue().wait(kTake, 0));
  while (two.a.put(1, 64) == Code::ok) continue;
  CHECK_FALSE(two.a.queue().wait(kPut, 0));
}

TEST_CASE("a blocked taker that sees a large message being written stays awake until it is there") {
  Two two(Shape{.capacity = 1 << 18});
  const auto take_while_written = [&two](std::size_t bytes) {
    Leased slot;
    REQUIRE(two.a.reserve(1, bytes, bytes, slot) == Code::ok);
    const OnceAt watching("queue.watching", [&] { two.a.queue().commit(slot.lease, bytes); });
    const bool watched = two.b.queue().wait(kTake, 1'000'000) && watching.ran();
    if (!watched) two.a.queue().commit(slot.lease, bytes);
    CHECK(two.b.take().whole);
    return watched;
  };
  CHECK(take_while_written(1 << 16));
  CHECK(two.b.queue().stats().waits == 0);
  CHECK_FALSE(take_while_written((1 << 16) - 64));
  CHECK(two.b.queue().stats().waits == 1);
}

TEST_CASE("an armed event loop hears of a put, a nack, room and the end by its bell") {
  Two two;
  REQUIRE(two.b.bell().hang().code == Code::ok);
  std::vector<std::uint32_t> tokens(interproc::sync::Doorbell::kDrainBytes / 4);
  bool overflow = false;
  const auto heard = [&] { return two.b.bell().drain(tokens.data(), overflow); };

  REQUIRE_FALSE(two.b.queue().arm(kTake, 77));
  CHECK(two.b.queue().armed(kTake));
  CHECK_FALSE(two.b.queue().answer(kTake, true));
  REQUIRE(two.a.put(1) == Code::ok);
  REQUIRE(heard() == 1);
  CHECK(tokens[0] == 77);
  CHECK(two.b.queue().answer(kTake, false));
  CHECK_FALSE(two.b.queue().armed(kTake));
  CHECK_FALSE(two.b.queue().answer(kTake, false));

  const double receipt = two.a.receive().taken.receipt;
  REQUIRE_FALSE(two.b.queue().arm(kTake, 78));
  REQUIRE(two.a.queue().nack(receipt) == Code::ok);
  CHECK(heard() == 1);
  CHECK(two.b.queue().answer(kTake, false));
  CHECK(two.b.take().id == 1);

  while (two.b.put(2, 640) == Code::ok) continue;
  REQUIRE_FALSE(two.b.queue().arm(kPut, 79));
  REQUIRE(two.a.take().code == Code::ok);
  CHECK(heard() == 1);
  CHECK(two.b.queue().answer(kPut, false));
  CHECK(two.b.put(3, 640) == Code::ok);
  while (two.a.take().code == Code::ok) continue;

  REQUIRE_FALSE(two.b.queue().arm(kTake, 80));
  two.a.queue().end();
  CHECK(heard() == 1);
  CHECK(two.b.queue().answer(kTake, false));
  CHECK(two.b.take().code == Code::ended);
}

TEST_CASE("arming says when there is something to do already, and is not armed then") {
  Two two;
  REQUIRE(two.b.bell().hang().code == Code::ok);
  REQUIRE(two.a.put(1) == Code::ok);
  CHECK(two.b.queue().arm(kTake, 1));
  CHECK_FALSE(two.b.queue().armed(kTake));
  CHECK(two.b.queue().arm(kPut, 1));
  CHECK_FALSE(two.b.queue().armed(kPut));
  // It may come between listing oneself and looking again.
  REQUIRE(two.b.take().id == 1);
  const OnceAt moment("wait.armed", [&] { CHECK(two.a.put(2) == Code::ok); });
  CHECK(two.b.queue().arm(kTake, 1));
  CHECK(moment.ran());
}

TEST_CASE("one that leaves with a wake in its hands passes it on") {
  TestDirectory directory;
  Peer a(directory, "q", OpenMode::create);
  Peer b(directory, "q", OpenMode::open);
  Peer c(directory, "q", OpenMode::open);
  std::vector<std::uint32_t> tokens(interproc::sync::Doorbell::kDrainBytes / 4);
  bool overflow = false;
  for (Peer* peer : {&b, &c}) {
    REQUIRE(peer->bell().hang().code == Code::ok);
    REQUIRE_FALSE(peer->queue().arm(kTake, 1));
  }
  REQUIRE(a.put(1) == Code::ok);
  Peer* rung = b.bell().drain(tokens.data(), overflow) == 1 ? &b : &c;
  Peer* other = rung == &b ? &c : &b;
  CHECK(other->bell().drain(tokens.data(), overflow) == 0);
  SUBCASE("by disarming") { rung->queue().disarm(kTake); }
  SUBCASE("by closing") { rung->close(); }
  CHECK(other->bell().drain(tokens.data(), overflow) == 1);
  CHECK(other->queue().answer(kTake, false));
  CHECK(other->take().id == 1);
}

TEST_CASE("one that waits for room and leaves passes the room on") {
  TestDirectory directory;
  Peer a(directory, "q", OpenMode::create);
  Peer b(directory, "q", OpenMode::open);
  Peer c(directory, "q", OpenMode::open);
  std::vector<std::uint32_t> tokens(interproc::sync::Doorbell::kDrainBytes / 4);
  bool overflow = false;
  while (a.put(1) == Code::ok) continue;
  for (Peer* peer : {&b, &c}) {
    REQUIRE(peer->put(2) == Code::full);
    REQUIRE(peer->bell().hang().code == Code::ok);
    REQUIRE_FALSE(peer->queue().arm(kPut, 1));
  }
  REQUIRE(a.take().code == Code::ok);
  Peer* rung = b.bell().drain(tokens.data(), overflow) == 1 ? &b : &c;
  Peer* other = rung == &b ? &c : &b;
  CHECK(other->bell().drain(tokens.data(), overflow) == 0);
  rung->queue().disarm(kPut);
  CHECK(other->bell().drain(tokens.data(), overflow) == 1);
  CHECK(other->queue().answer(kPut, false));
  CHECK(other->put(3) == Code::ok);
}

TEST_CASE("a blocking wait under a pending asynchronous one leaves that armed and told") {
  Two two;
  REQUIRE(two.b.bell().hang().code == Code::ok);
  REQUIRE_FALSE(two.b.queue().arm(kTake, 5));
  CHECK_FALSE(two.b.queue().wait(kTake, 1'000'000));
  CHECK(two.b.queue().armed(kTake));
  REQUIRE(two.a.put(1) == Code::ok);
  CHECK(two.b.queue().wait(kTake, 1'000'000));
  CHECK(two.b.queue().armed(kTake));
  std::vector<std::uint32_t> tokens(interproc::sync::Doorbell::kDrainBytes / 4);
  bool overflow = false;
  REQUIRE(two.b.bell().drain(tokens.data(), overflow) >= 1);
  CHECK(tokens[0] == 5);
  CHECK(two.b.queue().answer(kTake, false));
  CHECK(two.b.take().id == 1);
}

TEST_CASE("two that look for what was given back at the same time get it once, between them") {
  for (const char* point : {"queue.hint_cleared", "ledger.take_over", "ledger.taken_over"}) {
    CAPTURE(std::string(point));
    Two two;
    for (std::uint64_t id = 1; id <= 2; ++id) REQUIRE(two.a.put(id) == Code::ok);
    const double receipts[2] = {two.a.receive().taken.receipt, two.a.receive().taken.receipt};
    for (double receipt : receipts) REQUIRE(two.a.queue().nack(receipt) == Code::ok);
    Got inner;
    const OnceAt moment(point, [&] { inner = two.b.take(); });
    const Got outer = two.a.take();
    REQUIRE(moment.ran());
    REQUIRE(outer.code == Code::ok);
    // The other may have found no hint just then; the message is there all the same.
    if (inner.code != Code::ok) inner = two.b.take();
    REQUIRE(inner.code == Code::ok);
    CHECK(inner.id != outer.id);
    CHECK(two.a.take().code == Code::empty);
  }
}
