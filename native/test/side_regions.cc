// Messages larger than the ring: what each call promises of them, between participants that are all alive; and what comes of a
// place beside the ring that somebody else has been at. Who dies on the way: kill_anywhere.cc.

#include "memory/side_regions.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "platform/clock.h"
#include "ring/catalog.h"
#include "test/bare_segment.h"
#include "test/once_at.h"
#include "test/peer.h"
#include "test/test_directory.h"
#include "test/two.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::OpenMode;
using interproc::memory::SideRef;
using interproc::memory::SideSlot;
using interproc::memory::SideState;
using interproc::memory::SideWord;
using interproc::sync::kPut;
using interproc::test::BareSegment;
using interproc::test::Got;
using interproc::test::header_of;
using interproc::test::OnceAt;
using interproc::test::Peer;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::Watchdog;

namespace {

constexpr std::uint64_t kCapacity = interproc::memory::kMinCapacity;
constexpr Shape kShape{.max_message_bytes = 1 << 20, .max_side_bytes = 4 * kCapacity};

// And the words of their queue.
struct Two : interproc::test::Two {
  explicit Two(const Shape& shape = kShape)
      : interproc::test::Two(shape),
        bare(BareSegment::open(opened, "q", OpenMode::open, header_of(shape))) {}

  SideSlot& slot(std::uint32_t index) { return bare->segment().sides()[index]; }
  SideState state(std::uint32_t index) { return SideWord::state(slot(index).word.load()); }
  std::uint64_t memory() const {
    struct stat status {};
    REQUIRE(stat(directory.path_of("q").c_str(), &status) == 0);
    return static_cast<std::uint64_t>(status.st_blocks) * 512;
  }
  void cut(std::uint64_t bytes) const {
    REQUIRE(truncate(directory.path_of("q").c_str(), static_cast<off_t>(bytes)) == 0);
  }

  interproc::platform::Directory opened = directory.open();
  std::unique_ptr<BareSegment> bare;
};

void check_that_it_goes_on(Two& two) {
  REQUIRE(two.a.put(1'000, 2 * kCapacity) == Code::ok);
  REQUIRE(two.a.put(1'001) == Code::ok);
  const Got large = two.b.take();
  CHECK(large.id == 1'000);
  CHECK(large.whole);
  CHECK(two.b.take().id == 1'001);
}

}  // namespace

TEST_CASE("messages of every size around the ring's come out whole and in order") {
  Two two;
  std::uint64_t id = 0;
  for (std::uint64_t size : {kCapacity - 1, kCapacity, kCapacity + 1, 2 * kCapacity, 3 * kCapacity,
                             std::uint64_t{1} << 20}) {
    CAPTURE(size);
    REQUIRE(two.a.put(++id, size) == Code::ok);
    if (size > kCapacity) {
      REQUIRE(two.a.put(++id) == Code::ok);
      const Got large = two.b.take();
      CHECK(large.id == id - 1);
      CHECK(large.whole);
      CHECK(large.taken.length == size);
    }
    CHECK(two.b.take().id == id);
  }
  const std::vector<std::byte> more((1 << 20) + 1);
  CHECK(two.a.queue().put(more.data(), more.size()) == Code::too_large);
}

TEST_CASE("what the ring takes uses nothing beside it") {
  Two two;
  const std::uint64_t before = two.memory();
  REQUIRE(two.a.put(1, kCapacity) == Code::ok);
  CHECK(two.memory() == before);
  CHECK(two.bare->segment().control().sides_used == 0);
}

TEST_CASE("a queue whose largest message fits the ring has no places beside it") {
  Two two(Shape{});
  CHECK(two.a.queue().layout().side_slots == 0);
  CHECK(two.a.put(1, kCapacity) == Code::ok);
  CHECK(two.a.queue().stats().puts == 1);
}

TEST_CASE("a large message too large for the buffer stays first, and its length is told") {
  Two two;
  REQUIRE(two.a.put(1, 2 * kCapacity) == Code::ok);
  std::byte small[100];
  interproc::ring::Taken taken;
  CHECK(two.b.queue().take(small, sizeof small, taken) == Code::too_large);
  CHECK(taken.length == 2 * kCapacity);
  CHECK(two.b.queue().receive(small, sizeof small, taken) == Code::too_large);
  CHECK(two.b.take_another().code == Code::empty);
  REQUIRE(two.b.queue().nack(two.b.receive().taken.receipt) == Code::ok);
  CHECK(two.b.queue().take(small, sizeof small, taken) == Code::too_large);
  CHECK(taken.length == 2 * kCapacity);
  const Got got = two.b.take();
  CHECK(got.whole);
  CHECK(got.taken.deliveries == 2);
}

TEST_CASE("the quota bounds what stands beside the ring, and held messages are among it") {
  Two two;
  REQUIRE(two.a.put(1, 2 * kCapacity) == Code::ok);
  REQUIRE(two.a.put(2, 2 * kCapacity) == Code::ok);
  CHECK(two.a.put(3, kCapacity + 1) == Code::full);
  CHECK_FALSE(two.a.queue().is_full());
  CHECK(two.a.put(4) == Code::ok);  // the ring has room
  const Got held = two.b.receive();
  CHECK(held.id == 1);
  CHECK(two.a.put(3, kCapacity + 1) == Code::full);
  REQUIRE(two.b.queue().ack(held.taken.receipt) == Code::ok);
  CHECK(two.a.put(3, kCapacity + 1) == Code::ok);
  for (std::uint64_t id : {2, 4, 3}) CHECK(two.b.take().id == id);
}

TEST_CASE("a message larger than the quota is let in where it finds no other") {
  Two two;
  REQUIRE(two.a.put(1, 1 << 20) == Code::ok);
  CHECK(two.a.put(2, kCapacity + 1) == Code::full);
  CHECK(two.b.take().whole);
  REQUIRE(two.a.put(3, kCapacity + 1) == Code::ok);
  CHECK(two.a.put(4, 1 << 20) == Code::full);
  CHECK(two.b.take().id == 3);
  CHECK(two.a.put(4, 1 << 20) == Code::ok);
}

TEST_CASE("those who ask at the same moment are admitted to the quota and no further") {
  const Watchdog watchdog("asking at the same moment");
  constexpr std::uint64_t kQuota = 4 * kCapacity;
  Two two(Shape{.max_message_bytes = kQuota, .max_side_bytes = kQuota});
  constexpr std::uint32_t kAskers = 4;
  std::atomic<std::uint64_t> standing{0};
  std::atomic<std::uint64_t> most{0};
  std::vector<std::thread> askers;
  for (std::uint32_t who = 0; who < kAskers; ++who) {
    askers.emplace_back([&, who] {
      const auto directory = two.directory.open();
      auto opened = interproc::test::BareSegment::open(
          directory, "q", OpenMode::open,
          header_of(Shape{.max_message_bytes = kQuota, .max_side_bytes = kQuota}));
      interproc::memory::SideRegions sides(opened->segment(), opened->join());
      // Any two fit, no three do, and one of them alone is as large as the quota.
      const std::uint64_t length = who == 0 ? kQuota : 2 * kCapacity;
      const std::vector<std::byte> bytes(length);
      for (int left = 500; left > 0;) {
        SideRef ref;
        if (sides.put(bytes.data(), length, ref).code != Code::ok) {
          interproc::platform::yield();
          continue;
        }
        --left;
        const std::uint64_t now = standing.fetch_add(length) + length;
        for (std::uint64_t seen = most.load();
             seen < now && !most.compare_exchange_weak(seen, now);)
          continue;
        interproc::platform::yield();  // so that the others ask while it stands
        standing.fetch_sub(length);
        sides.withdraw(ref);
      }
    });
  }
  for (std::thread& asker : askers) asker.join();
  CHECK(most.load() <= kQuota);
  CHECK(most.load() == kQuota);
}

TEST_CASE("of two that ask at once the one in front is admitted, if both are too many") {
  Two two;
  // Without the look that a put takes first.
  interproc::memory::SideRegions behind(two.bare->segment(), two.bare->join());
  const std::vector<std::byte> bytes(3 * kCapacity);
  SideRef ref;
  Code code = Code::ok;
  {
    const OnceAt moment("side.asking",
                        [&] { code = behind.put(bytes.data(), bytes.size(), ref).code; });
    CHECK(two.a.put(1, 3 * kCapacity) == Code::ok);
    REQUIRE(moment.ran());
  }
  CHECK(code == Code::full);
  REQUIRE(two.b.take().id == 1);
  {
    const OnceAt moment("side.asking",
                        [&] { code = behind.put(bytes.data(), 2 * kCapacity, ref).code; });
    CHECK(two.a.put(1, 2 * kCapacity) == Code::ok);
  }
  CHECK(code == Code::ok);
  behind.withdraw(ref);
}

TEST_CASE("one that is stopped while it asks counts as what it asks for") {
  Two two;
  two.bare->segment().control().sides_used = 2;
  two.slot(1).length = 3 * kCapacity;
  two.slot(1).word = SideWord::make(1, SideState::asking, {0, 1});  // the first to join lives
  CHECK(two.b.put(1, 2 * kCapacity) == Code::full);
  CHECK(two.state(0) == SideState::free);
  // An asking one whose length could be had besides keeps nobody waiting.
  two.slot(1).length = 2 * kCapacity;
  CHECK(two.b.put(1, 2 * kCapacity) == Code::ok);
  CHECK(two.state(0) == SideState::standing);
}

TEST_CASE("there are so many places and no more") {
  Two two(Shape{.capacity = 1 << 15, .max_message_bytes = 1 << 16, .max_side_bytes = 1 << 30});
  for (std::uint32_t id = 1; id <= interproc::memory::kSideSlots; ++id)
    REQUIRE(two.a.put(id, (1 << 15) + 1) == Code::ok);
  CHECK(two.a.put(1'000, (1 << 15) + 1) == Code::full);
  CHECK(two.b.take().whole);
  CHECK(two.a.put(1'000, (1 << 15) + 1) == Code::ok);
}

TEST_CASE(
    "a put that waits for room beside the ring is rung when a large message goes, and only then") {
  const Watchdog watchdog("waiting for room beside the ring");
  Two two;
  REQUIRE(two.a.bell().hang().code == Code::ok);
  REQUIRE(two.a.put(1) == Code::ok);
  REQUIRE(two.a.put(2, 4 * kCapacity) == Code::ok);
  REQUIRE(two.a.put(3, 2 * kCapacity) == Code::full);
  REQUIRE_FALSE(two.a.queue().arm(kPut, 7));
  CHECK(two.b.take().id == 1);
  CHECK(two.a.rings() == 0);
  CHECK(two.b.take().id == 2);
  CHECK(two.a.rings() == 1);
  CHECK(two.a.queue().answer(kPut, false));
  CHECK(two.a.put(3, 2 * kCapacity) == Code::ok);
}

TEST_CASE("the memory of a message that is gone serves the next, and is given back after a while") {
  Two two;
  const std::uint64_t before = two.memory();
  REQUIRE(two.a.put(1, 3 * kCapacity) == Code::ok);
  CHECK(two.memory() == before + 3 * kCapacity);
  CHECK(two.b.take().whole);
  CHECK(two.memory() == before + 3 * kCapacity);
  REQUIRE(two.a.put(2, 2 * kCapacity) == Code::ok);
  CHECK(two.memory() == before + 3 * kCapacity);
  CHECK(two.b.take().whole);
  // More than the queue may keep: gone at once, but for one alone.
  REQUIRE(two.a.put(3, 20 * kCapacity) == Code::ok);
  CHECK(two.b.take().whole);
  CHECK(two.memory() == before + 20 * kCapacity);
  interproc::platform::sleep_ns(1'200'000'000);
  two.b.queue().sweep();
  CHECK(two.memory() == before);
  check_that_it_goes_on(two);
}

TEST_CASE("the kept memory of several regions is no more than the quota") {
  Two two(Shape{.max_message_bytes = 1 << 20, .max_side_bytes = 1 << 20});
  const std::uint64_t before = two.memory();
  for (std::uint64_t id = 1; id <= 2; ++id) REQUIRE(two.a.put(id, 1 << 19) == Code::ok);
  for (int i = 0; i < 2; ++i) CHECK(two.b.take().whole);
  REQUIRE(two.a.put(3, 1 << 20) == Code::ok);  // takes over one of them, which grows
  CHECK(two.b.take().whole);
  CHECK(two.memory() <= before + (1 << 20));
}

TEST_CASE("an unlinked queue keeps its large messages for those who have it open") {
  Two two;
  REQUIRE(two.a.put(1, 3 * kCapacity) == Code::ok);
  REQUIRE(two.a.queue().unlink().code == Code::ok);
  two.a.close();
  CHECK(two.directory.names().empty());
  CHECK(two.b.take().whole);
  REQUIRE(two.b.put(2, 3 * kCapacity) == Code::ok);
  CHECK(two.b.take().whole);
}

TEST_CASE("a queue that stays with large messages has them for who comes later") {
  TestDirectory directory;
  {
    Peer peer(directory, "q", OpenMode::create, kShape);
    REQUIRE(peer.put(1, 2 * kCapacity) == Code::ok);
    REQUIRE(peer.put(2, 2 * kCapacity) == Code::ok);
    REQUIRE(peer.receive().id == 1);  // comes back with the close
  }
  Peer peer(directory, "q", OpenMode::open);
  const Got first = peer.take();
  CHECK(first.id == 1);
  CHECK(first.taken.deliveries == 2);
  CHECK(peer.take().id == 2);
  peer.close();
  CHECK(directory.names().empty());
}

TEST_CASE("a record that names what is not there is lost with an error, and the queue goes on") {
  Two two;
  REQUIRE(two.a.put(1, 2 * kCapacity) == Code::ok);
  REQUIRE(two.a.put(2) == Code::ok);
  auto* const reference = reinterpret_cast<SideRef*>(two.bare->segment().payload());
  const SideRef sound = SideRef::read(two.bare->segment().payload());
  SUBCASE("another message") { ++reference->serial; }
  SUBCASE("a slot that there is not") { reference->slot = ~0u; }
  SUBCASE("a slot that is free") { reference->slot = 5; }
  SUBCASE("a slot that says it is free") {
    two.slot(sound.slot).word = SideWord::make(sound.serial, SideState::free);
  }
  SUBCASE("another length than it says") { two.slot(sound.slot).length = kCapacity + 5; }
  SUBCASE("a file that was cut") { two.cut(two.a.queue().layout().side_data + 100); }
  SUBCASE("a file without what is beside the ring") { two.cut(two.a.queue().layout().total); }
  bool received = false;
  SUBCASE("received: another message") {
    ++reference->serial;
    received = true;
  }
  SUBCASE("received: a file that was cut") {
    two.cut(two.a.queue().layout().side_data + 100);
    received = true;
  }
  CHECK((received ? two.b.receive() : two.b.take()).code == Code::lost);
  CHECK(two.b.take().id == 2);
  CHECK(two.b.queue().stats().unacknowledged == 0);
  // What nobody can name any more, which only a hostile peer brings about, stays where it is and takes of the quota.
  two.slot(sound.slot).length = 0;
  check_that_it_goes_on(two);
}

TEST_CASE("an absurd length is no length") {
  Two two;
  REQUIRE(two.a.put(1, 100) == Code::ok);
  two.bare->segment().descriptors()[0].length = ~0u;
  const Got got = two.b.take();
  CHECK(got.code == Code::ok);
  CHECK(got.taken.length == 128);  // no more than its blocks hold
}

TEST_CASE("what a message was held for is gone when it is acknowledged, whoever had it first") {
  Two two;
  REQUIRE(two.a.put(1, 2 * kCapacity) == Code::ok);
  REQUIRE(two.a.queue().nack(two.a.receive().taken.receipt) == Code::ok);
  const Got got = two.b.receive();
  CHECK(got.whole);
  CHECK(got.taken.deliveries == 2);
  CHECK(two.state(0) == SideState::standing);
  REQUIRE(two.b.queue().ack(got.taken.receipt) == Code::ok);
  CHECK(two.state(0) == SideState::free);
  CHECK(two.b.queue().ack(got.taken.receipt) == Code::not_owner);
}

TEST_CASE("who has a dead one's message in hand frees its place, though the dead seem to live") {
  Two two;
  REQUIRE(two.a.put(1, 2 * kCapacity) == Code::ok);
  // One takes it, makes the place its own and dies; a sweeper gives the record back, and is stopped before it comes to the place.
  interproc::memory::Registry& dead = two.bare->join();
  interproc::ring::MpmcRing ring(two.bare->segment(), dead);
  interproc::memory::SideRegions sides(two.bare->segment(), dead);
  interproc::ring::Record record;
  REQUIRE(ring.take(record, ~0u) == interproc::ring::Look::ok);
  REQUIRE(sides.own(SideRef::read(ring.data(record.pos))));
  dead.leave();
  REQUIRE(ring.recover_reading(record.pos, record.word, false));
  two.bare->control().redeliver = 1;
  // The lock of the dead one's slot is held, and nothing says yet that it is another who holds it.
  auto joiner = two.opened.open_file("q");
  REQUIRE(joiner.ok());
  REQUIRE(joiner.value().try_lock(dead.self().slot, interproc::platform::Lock::exclusive));
  const Got got = two.b.take();
  CHECK(got.whole);
  CHECK(got.taken.deliveries == 2);
  CHECK(two.state(0) == SideState::free);
  check_that_it_goes_on(two);
}

TEST_CASE("the list tells of the memory beside the ring and in the ledgers too") {
  Two two;
  const auto total = [&] {
    auto entries = interproc::ring::list(two.opened);
    REQUIRE(entries.ok());
    REQUIRE(entries.value().size() == 1);
    return entries.value()[0].total_bytes;
  };
  const std::uint64_t before = total();
  CHECK(before == two.a.queue().layout().ledgers);
  REQUIRE(two.a.put(1, 3 * kCapacity) == Code::ok);
  CHECK(total() == before + 3 * kCapacity);
  REQUIRE(two.b.receive().id == 1);
  CHECK(total() == before + 3 * kCapacity + two.a.queue().layout().ledger_bytes);
}
