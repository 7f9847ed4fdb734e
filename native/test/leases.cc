// Records that are filled and read in place: what each call promises, and what the others see of it.

#include "ring/leases.h"

#include <doctest/doctest.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "test/account.h"
#include "test/bare_segment.h"
#include "test/moved_ring.h"
#include "test/peer.h"
#include "test/test_directory.h"
#include "test/two.h"
#include "test/victim.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::kMaxLeases;
using interproc::memory::OpenMode;
using interproc::ring::Leased;
using interproc::ring::LeaseKind;
using interproc::ring::LeaseNotice;
using interproc::ring::LeaseWord;
using interproc::sync::kPut;
using interproc::sync::kTake;
using interproc::test::Account;
using interproc::test::BareSegment;
using interproc::test::Got;
using interproc::test::header_of;
using interproc::test::Message;
using interproc::test::move_ring;
using interproc::test::Peer;
using interproc::test::Program;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::Two;
using interproc::test::Victim;
using interproc::test::Watchdog;

namespace {}  // namespace

TEST_CASE("a notice carries its kind, length and age, whatever the clock says") {
  constexpr std::int64_t kTick = std::int64_t{1} << LeaseWord::kTickShift;
  for (const std::int64_t ticks :
       {std::int64_t{5}, (std::int64_t{1} << 30) - 1, (std::int64_t{1} << 31) + 3}) {
    const std::int64_t now = ticks * kTick;
    for (const std::uint32_t length : {0u, 1u, ~0u}) {
      for (const LeaseKind kind : {LeaseKind::slot, LeaseKind::message}) {
        const std::uint64_t word = LeaseWord::make(kind, length, now);
        CHECK(LeaseWord::kind(word) == kind);
        CHECK(LeaseWord::length(word) == length);
        CHECK(LeaseWord::age_ns(word, now) == 0);
        CHECK(LeaseWord::age_ns(word, now + 3 * kTick) == 3 * kTick);
      }
    }
  }
}

TEST_CASE("a lease is named once: its number means nothing after its end") {
  Two two;
  Leased slot;
  REQUIRE(two.a.queue().reserve(64, slot) == Code::ok);
  CHECK(two.b.queue().abandon(slot.lease) == Code::not_owner);
  CHECK(two.a.queue().release(slot.lease) == Code::not_owner);
  CHECK(two.a.queue().commit(slot.lease, 65) == Code::too_large);
  CHECK(two.a.queue().abandon(slot.lease) == Code::ok);
  Leased next;
  REQUIRE(two.a.queue().reserve(64, next) == Code::ok);
  CHECK(next.lease != slot.lease);
  for (const double number :
       {slot.lease, -1.0, 1e300, std::numeric_limits<double>::quiet_NaN(), next.lease + 1}) {
    CHECK(two.a.queue().abandon(number) == Code::not_owner);
    CHECK(two.a.queue().commit(number, 0) == Code::not_owner);
    CHECK(two.a.queue().release(number) == Code::not_owner);
  }
  Message::write(next.bytes, 64, 7);
  CHECK(two.a.queue().commit(next.lease, 64) == Code::ok);
  const Got view = two.b.peek();
  CHECK(two.b.queue().commit(view.taken.receipt, 0) == Code::not_owner);
  CHECK(two.b.queue().release(view.taken.receipt) == Code::ok);
  CHECK(two.b.queue().release(view.taken.receipt) == Code::not_owner);
}

TEST_CASE("a record around the end of the ring is one piece") {
  TestDirectory directory;
  const auto opened = directory.open();
  const auto bare = BareSegment::open(opened, "q", OpenMode::create, header_of({}));
  move_ring(bare->segment(), 64 * 1'000 + 60);
  Peer a(directory, "q", OpenMode::open);
  Peer b(directory, "q", OpenMode::open);
  CHECK(a.put_in_place(3, 4'096) == Code::ok);
  const Got got = b.take_in_place();
  CHECK(got.whole);
  CHECK(got.taken.length == 4'096);
}

TEST_CASE("notices are of the living, and of this life") {
  TestDirectory directory;
  Account account;
  Peer a(directory, "q", OpenMode::create);
  REQUIRE(a.put(1) == Code::ok);
  REQUIRE(a.put(2) == Code::ok);
  // It dies in the middle of its close: with two messages in place, the slot already given up.
  Victim victim(directory, account, 10, 1);
  victim.start(Program::close_leasing, {.at = 1, .only = "lease.aborted", .stops = true});
  victim.wait();
  REQUIRE(victim.point() == "lease.aborted");
  const std::vector<LeaseNotice> seen = a.queue().leases();
  REQUIRE(seen.size() == 2);
  for (const LeaseNotice& notice : seen) {
    CHECK(notice.kind == LeaseKind::message);
    CHECK(notice.length == 64);
    CHECK_FALSE(notice.own);
    CHECK(notice.pid != 0);
  }
  victim.kill();
  CHECK(a.queue().leases().empty());
  // Whoever has its slot now does not pass for the holder.
  Peer b(directory, "q", OpenMode::open);
  CHECK(a.queue().leases().empty());
  Leased slot;
  REQUIRE(b.queue().reserve(10, slot) == Code::ok);
  CHECK(a.queue().leases().size() == 1);
  CHECK(b.queue().leases()[0].own);
  CHECK(b.queue().abandon(slot.lease) == Code::ok);
  for (int i = 0; i < 2; ++i) CHECK(a.take().taken.deliveries == 2);
}

TEST_CASE("a dead holder's slot is no message, and what it hid can be had") {
  for (const char* point : {"lease.reserved", "ring.written", "ring.leave"}) {
    CAPTURE(std::string(point));
    const Watchdog watchdog(point);
    TestDirectory directory;
    Account account;
    Peer a(directory, "q", OpenMode::create);
    const Program program = std::string(point) == "ring.leave" ? Program::reserve_and_abort
                                                               : Program::reserve_and_commit;
    Victim victim(directory, account, 10, 1);
    victim.start(program, {.at = 1, .only = point, .stops = true});
    victim.wait();
    REQUIRE(victim.point() == point);
    REQUIRE(a.put(1) == Code::ok);
    a.queue().sweep();
    CHECK(a.take().code == Code::empty);  // it lives
    victim.kill();
    a.queue().sweep();
    const Got got = a.take();
    CHECK(got.id == 1);
    CHECK(a.take().code == Code::empty);
    CHECK(a.put(2, a.capacity()) == Code::ok);
  }
}

TEST_CASE("a dead holder's message is delivered again, marked, and once") {
  for (const char* point : {"lease.peeked", "ring.leave"}) {
    CAPTURE(std::string(point));
    TestDirectory directory;
    Account account;
    Peer a(directory, "q", OpenMode::create);
    REQUIRE(a.put(1) == Code::ok);
    Victim victim(directory, account, 10, 1);
    victim.start(Program::peek_and_release, {.at = 1, .only = point, .stops = true});
    victim.wait();
    REQUIRE(victim.point() == point);
    a.queue().sweep();
    CHECK(a.take().code == Code::empty);  // it lives
    victim.kill();
    a.queue().sweep();
    const Got got = a.peek();
    CHECK(got.id == 1);
    CHECK(got.taken.deliveries == 2);
    CHECK(a.queue().release(got.taken.receipt) == Code::ok);
    CHECK(a.take().code == Code::empty);
    CHECK(a.put(2, a.capacity()) == Code::ok);
  }
}

TEST_CASE("an abort rings for the messages that it hid, and for its room") {
  Two two;
  two.b.bell().hang();
  Leased slot;
  REQUIRE(two.a.queue().reserve(64, slot) == Code::ok);
  REQUIRE(two.a.put(1) == Code::ok);
  REQUIRE_FALSE(two.b.queue().arm(kTake, 1));
  REQUIRE_FALSE(two.b.rings() > 0);
  CHECK(two.a.queue().abandon(slot.lease) == Code::ok);
  CHECK(two.b.rings() > 0);
  CHECK(two.b.queue().answer(kTake, false));
  CHECK(two.b.take().id == 1);
  REQUIRE(two.a.queue().reserve(two.a.capacity(), slot) == Code::ok);
  REQUIRE(two.b.put(2) == Code::full);
  REQUIRE_FALSE(two.b.queue().arm(kPut, 1));
  CHECK(two.a.queue().abandon(slot.lease) == Code::ok);
  CHECK(two.b.rings() > 0);
  CHECK(two.b.queue().answer(kPut, false));
  CHECK(two.b.put(2) == Code::ok);
}

TEST_CASE("a peek rings who waits for its place among maxItems, its end who waits for its room") {
  Two two(Shape{.max_items = 1});
  two.b.bell().hang();
  REQUIRE(two.a.put(1, 2'000) == Code::ok);
  REQUIRE(two.b.put(2) == Code::full);
  REQUIRE_FALSE(two.b.queue().arm(kPut, 1));
  const Got got = two.a.peek();
  CHECK(two.b.rings() > 0);
  CHECK(two.b.queue().answer(kPut, false));
  REQUIRE(two.b.put(2, 3'000) == Code::full);
  REQUIRE_FALSE(two.b.queue().arm(kPut, 1));
  CHECK(two.a.queue().release(got.taken.receipt) == Code::ok);
  CHECK(two.b.rings() > 0);
  CHECK(two.b.queue().answer(kPut, false));
  CHECK(two.b.put(2, 3'000) == Code::ok);
}

TEST_CASE("what is given back, and the last that is released at the end, rings") {
  Two two;
  two.b.bell().hang();
  REQUIRE(two.a.put(1) == Code::ok);
  Got got = two.a.peek();
  REQUIRE_FALSE(two.b.queue().arm(kTake, 1));
  CHECK(two.a.queue().abandon(got.taken.receipt) == Code::ok);
  CHECK(two.b.rings() > 0);
  CHECK(two.b.queue().answer(kTake, false));
  got = two.a.peek();
  two.a.queue().end();
  REQUIRE(two.b.take().code == Code::empty);
  REQUIRE_FALSE(two.b.queue().arm(kTake, 1));
  CHECK(two.a.queue().release(got.taken.receipt) == Code::ok);
  CHECK(two.b.rings() > 0);
  CHECK(two.b.queue().answer(kTake, false));
  CHECK(two.b.take().code == Code::ended);
}

TEST_CASE("closing ends every lease, and gives back what lies in a ledger too") {
  Two two;
  REQUIRE(two.b.put(1) == Code::ok);
  REQUIRE(two.b.put(2) == Code::ok);
  const Got received = two.b.receive();
  REQUIRE(two.b.queue().nack(received.taken.receipt) == Code::ok);
  const Got in_ledger = two.a.peek();
  const Got in_ring = two.a.peek();
  CHECK(in_ledger.id == 1);
  CHECK(in_ring.id == 2);
  Leased slot;
  REQUIRE(two.a.queue().reserve(100, slot) == Code::ok);
  REQUIRE(two.b.put(3) == Code::ok);
  two.a.close();
  std::vector<std::uint64_t> ids;
  std::vector<std::uint32_t> deliveries;
  for (Got got = two.b.take(); got.code == Code::ok; got = two.b.take()) {
    ids.push_back(got.id);
    deliveries.push_back(got.taken.deliveries);
  }
  CHECK(ids == std::vector<std::uint64_t>{1, 2, 3});
  CHECK(deliveries == std::vector<std::uint32_t>{3, 2, 1});
  CHECK(two.b.put(4, two.b.capacity()) == Code::ok);
}

TEST_CASE("retiring gives back all but leases") {
  Two two;
  for (std::uint64_t id = 1; id <= 3; ++id) REQUIRE(two.b.put(id) == Code::ok);
  const Got returned = two.b.receive();
  REQUIRE(two.b.queue().nack(returned.taken.receipt) == Code::ok);
  const Got in_ledger = two.a.peek();
  const Got in_ring = two.a.peek();
  REQUIRE(two.a.receive().id == 3);
  two.a.queue().retire();
  const Got got = two.b.take();
  CHECK(got.id == 3);
  CHECK(two.b.take().code == Code::empty);
  CHECK(two.a.queue().abandon(in_ledger.taken.receipt) == Code::ok);
  CHECK(two.b.take().id == 1);
  CHECK(two.a.queue().release(in_ring.taken.receipt) == Code::ok);
  CHECK(two.b.take().code == Code::empty);
}
