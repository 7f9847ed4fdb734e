// Messages with tickets in them leave the queue by way of a ledger only, wherever they have been before.

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "ring/redeliveries.h"
#include "test/account.h"
#include "test/peer.h"
#include "test/two.h"
#include "test/victim.h"

using interproc::Code;
using interproc::ring::Redeliveries;
using interproc::test::Account;
using interproc::test::Got;
using interproc::test::Peer;
using interproc::test::Program;
using interproc::test::Shape;
using interproc::test::Two;
using interproc::test::Victim;

namespace {

constexpr std::size_t kBeside = 6'000;

Shape with_room_beside() { return Shape{.max_message_bytes = 10'000}; }

// Message 1 carries: no take takes it, and a receive does.
void check_carries(Peer& peer, std::uint32_t deliveries) {
  for (int i = 0; i < 2; ++i) CHECK(peer.take().code == Code::carries);
  CHECK(peer.take_another().code == Code::empty);
  const Got got = peer.receive();
  REQUIRE(got.code == Code::ok);
  CHECK(got.whole);
  CHECK(got.id == 1);
  CHECK(got.taken.deliveries == deliveries);
  CHECK(peer.queue().ack_as_taken(got.taken.receipt) == Code::ok);
}

}  // namespace

TEST_CASE("the flag outlasts every count, also one that goes below 0") {
  for (const bool carries : {false, true}) {
    Redeliveries redeliveries = Redeliveries::none(carries);
    redeliveries.word -= Redeliveries::kOne;
    CHECK(redeliveries.carries() == carries);
    redeliveries.word += 3 * Redeliveries::kOne;
    CHECK(redeliveries.carries() == carries);
    CHECK(redeliveries.count() == 2);
  }
}

TEST_CASE("one that carries is left where it is by a take, and received as any other") {
  for (const std::size_t length : {std::size_t{0}, std::size_t{64}, std::size_t{2'048}, kBeside}) {
    CAPTURE(length);
    Two two(with_room_beside());
    REQUIRE(two.a.put_carrying(1, length) == Code::ok);
    REQUIRE(two.a.put(2, kBeside) == Code::ok);
    CHECK(two.b.take().code == Code::carries);
    CHECK(two.b.queue().size() == 2);
    if (length == 0) {
      CHECK(two.b.take().code == Code::carries);
      CHECK(two.b.queue().ack(two.b.receive().taken.receipt) == Code::ok);
    } else {
      check_carries(two.b, 1);
    }
    CHECK(two.b.take().id == 2);
    CHECK(two.b.take().code == Code::empty);
  }
}

TEST_CASE("one that carries and does not fit says first that it carries") {
  Two two;
  REQUIRE(two.a.put_carrying(1, 500) == Code::ok);
  std::byte small[64];
  interproc::ring::Taken taken;
  CHECK(two.b.queue().take(small, sizeof small, taken) == Code::carries);
  CHECK(two.b.queue().receive(small, sizeof small, taken) == Code::too_large);
  CHECK(taken.length == 500);
  check_carries(two.b, 1);
}

TEST_CASE("a batch stops in front of one that carries, and goes on behind it") {
  Two two;
  REQUIRE(two.a.put(7) == Code::ok);
  REQUIRE(two.a.put_carrying(1) == Code::ok);
  REQUIRE(two.a.put(8) == Code::ok);
  CHECK(two.b.take().id == 7);
  check_carries(two.b, 1);
  CHECK(two.b.take_another().id == 8);
}

TEST_CASE("what does not carry never says so, whatever becomes of it") {
  Two two;
  REQUIRE(two.a.put_carrying(1) == Code::ok);
  check_carries(two.b, 1);
  // Where the other stood too, a lap later.
  for (std::uint64_t id = 100; id < 200; ++id) {
    REQUIRE(two.a.put(id) == Code::ok);
    CHECK(two.b.take().id == id);
  }
  // Given back, uncounted and counted.
  REQUIRE(two.a.put(2) == Code::ok);
  REQUIRE(two.b.queue().undeliver(two.b.receive().taken.receipt) == Code::ok);
  REQUIRE(two.b.queue().nack(two.b.receive().taken.receipt) == Code::ok);
  const Got got = two.b.take();
  CHECK(got.id == 2);
  CHECK(got.taken.deliveries == 2);
}

TEST_CASE("that it carries is known wherever the message has been") {
  struct Way {
    const char* name;
    std::function<void(Two&)> go;
    std::uint32_t deliveries;
  };
  const Way ways[] = {
      {"given back", [](Two& two) { two.b.queue().nack(two.b.receive().taken.receipt); }, 2},
      {"given back uncounted",
       [](Two& two) { two.b.queue().undeliver(two.b.receive().taken.receipt); }, 1},
      {"given back twice, from another's ledger",
       [](Two& two) {
         two.b.queue().nack(two.b.receive().taken.receipt);
         two.a.queue().nack(two.a.receive().taken.receipt);
       },
       3},
      {"held by one that closes",
       [](Two& two) {
         two.b.receive();
         two.b.close();
       },
       2},
  };
  for (const Way& way : ways) {
    for (const std::size_t length : {std::size_t{64}, kBeside}) {
      CAPTURE(way.name);
      CAPTURE(length);
      Two two(with_room_beside());
      REQUIRE(two.a.put_carrying(1, length) == Code::ok);
      way.go(two);
      check_carries(two.a, way.deliveries);
    }
  }
}

TEST_CASE("that it carries is known after a lease of it was given back") {
  Two two;
  REQUIRE(two.a.put_carrying(1) == Code::ok);
  for (int i = 0; i < 2; ++i) {  // in the ring both times
    const Got leased = two.b.peek();
    REQUIRE(leased.id == 1);
    REQUIRE(two.b.queue().abandon(leased.taken.receipt) == Code::ok);
  }
  check_carries(two.a, 3);
}

TEST_CASE("one that a full ledger had no room for carries as before, and counts no delivery") {
  Two two;
  std::vector<double> receipts;
  for (std::uint64_t id = 2; id <= 65; ++id) {
    REQUIRE(two.a.put(id) == Code::ok);
    receipts.push_back(two.b.receive().taken.receipt);
  }
  REQUIRE(two.a.put_carrying(1) == Code::ok);
  for (int i = 0; i < 2; ++i) {
    CHECK(two.b.take().code == Code::carries);
    CHECK(two.b.receive().code == Code::unacked);
  }
  REQUIRE(two.b.queue().ack(receipts[3]) == Code::ok);
  check_carries(two.b, 1);
}

TEST_CASE("that it carries is known when its receiver was killed, at whatever step") {
  for (const char* point : {"ring.taken", "queue.kept", "ledger.filled", "ledger.held",
                            "ring.leave", "ring.left", "ledger.ack"}) {
    CAPTURE(std::string(point));
    Two two;
    REQUIRE(two.a.put_carrying(1) == Code::ok);
    REQUIRE(two.a.put(2) == Code::ok);
    Account account;
    Victim victim(two.directory, account, 10, 1);
    victim.start(Program::receive_and_ack, {.at = 1, .only = point});
    victim.wait();
    REQUIRE(victim.point() == point);
    two.a.queue().sweep();
    check_carries(two.b, 2);
    CHECK(two.b.take().id == 2);
  }
}
