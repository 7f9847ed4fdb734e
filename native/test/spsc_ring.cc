#include "ring/spsc_ring.h"

#include <doctest/doctest.h>

#include <deque>
#include <thread>

#include "platform/clock.h"
#include "test/bare_segment.h"
#include "test/message.h"
#include "test/random.h"
#include "test/scale.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::memory::Kind;
using interproc::ring::SpscRing;
using interproc::test::BareSegment;
using interproc::test::Message;
using interproc::test::Random;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

struct RingOf {
  RingOf() : opened(directory.open()), bare(BareSegment::create(opened, {.kind = Kind::spsc})) {}
  // Both sides as if `bytes` had gone through.
  void move(std::uint64_t bytes) {
    bare->control().tail.store(bytes);
    bare->control().head.store(bytes);
  }

  TestDirectory directory;
  interproc::platform::Directory opened;
  std::unique_ptr<BareSegment> bare;
};

bool push(SpscRing& ring, std::uint64_t id, std::uint32_t length) {
  const auto message = Message::make(length, id);
  return ring.push(message.data(), length);
}

}  // namespace

TEST_CASE("a new byte ring has nothing, and what is pushed comes out in order") {
  RingOf of;
  SpscRing producer(of.bare->segment());
  SpscRing consumer(of.bare->segment());
  const std::byte* bytes = nullptr;
  std::uint32_t length = 0;
  CHECK(consumer.front(bytes, length) == SpscRing::Found::nothing);
  CHECK_FALSE(consumer.worth_popping());
  for (std::uint64_t id = 1; id <= 3; ++id) REQUIRE(push(producer, id, 100));
  CHECK(consumer.worth_popping());
  for (std::uint64_t id = 1; id <= 3; ++id) {
    REQUIRE(consumer.front(bytes, length) == SpscRing::Found::message);
    std::uint64_t got = 0;
    REQUIRE(Message::read(bytes, length, got));
    CHECK(got == id);
    consumer.pop(length);
  }
  CHECK(consumer.front(bytes, length) == SpscRing::Found::nothing);
  CHECK(SpscRing::used_bytes(of.bare->control()) == 0);
}

TEST_CASE("a byte-ring message of every size, the largest included, goes through unchanged") {
  RingOf of;
  SpscRing producer(of.bare->segment());
  SpscRing consumer(of.bare->segment());
  for (std::uint32_t size = 0; size <= producer.max_message_bytes(); ++size) {
    CAPTURE(size);
    std::vector<std::byte> message(size + 1);
    if (size >= Message::kMinBytes) Message::write(message.data(), size, size);
    REQUIRE(producer.push(message.data(), size));
    const std::byte* bytes = nullptr;
    std::uint32_t length = 0;
    REQUIRE(consumer.front(bytes, length) == SpscRing::Found::message);
    REQUIRE(length == size);
    std::uint64_t id = size;
    if (size >= Message::kMinBytes) REQUIRE(Message::read(bytes, length, id));
    REQUIRE(id == size);
    consumer.pop(length);
  }
}

TEST_CASE("a byte ring is full exactly when a message and its header do not fit") {
  RingOf of;
  for (std::uint32_t size : {0u, 1u, 4u, 5u, 12u, 13u, 100u, 1000u}) {
    CAPTURE(size);
    of.move(4096 * 3 + 8 * 5);
    SpscRing producer(of.bare->segment());
    SpscRing consumer(of.bare->segment());
    const std::vector<std::byte> message(size + 1);
    const std::uint64_t fit = 4096 / SpscRing::footprint(size);
    for (std::uint64_t i = 0; i < fit; ++i) REQUIRE(producer.push(message.data(), size));
    CHECK_FALSE(producer.push(message.data(), size));
    CHECK_FALSE(producer.worth_pushing(size));
    CHECK(SpscRing::used_bytes(of.bare->control()) == fit * SpscRing::footprint(size));
    const std::byte* bytes = nullptr;
    std::uint32_t length = 0;
    REQUIRE(consumer.front(bytes, length) == SpscRing::Found::message);
    consumer.pop(length);
    CHECK(producer.worth_pushing(size));
    CHECK(producer.push(message.data(), size));
  }
}

TEST_CASE("a byte ring goes on when its position wraps the whole 64 bits") {
  RingOf of;
  of.move(0 - std::uint64_t{4096 * 2});
  SpscRing producer(of.bare->segment());
  SpscRing consumer(of.bare->segment());
  for (std::uint64_t id = 1; id < 100; ++id) {
    REQUIRE(push(producer, id, 700));
    const std::byte* bytes = nullptr;
    std::uint32_t length = 0;
    REQUIRE(consumer.front(bytes, length) == SpscRing::Found::message);
    std::uint64_t got = 0;
    REQUIRE(Message::read(bytes, length, got));
    REQUIRE(got == id);
    consumer.pop(length);
  }
}

TEST_CASE("a byte-ring length that cannot be is told, not followed") {
  RingOf of;
  SpscRing producer(of.bare->segment());
  REQUIRE(push(producer, 1, 100));
  const std::uint32_t wrong = 101;
  std::memcpy(of.bare->segment().payload(), &wrong, sizeof wrong);
  const std::byte* bytes = nullptr;
  std::uint32_t length = 0;
  {
    SpscRing consumer(of.bare->segment());
    CHECK(consumer.front(bytes, length) == SpscRing::Found::corrupt);
  }
  of.bare->control().tail.store(4096 + 8);
  SpscRing consumer(of.bare->segment());
  CHECK(consumer.front(bytes, length) == SpscRing::Found::corrupt);
}

TEST_CASE("random pushes and pops keep what a plain queue would") {
  const std::uint64_t seed = interproc::test::seed_for("spsc random calls");
  Random random(seed);
  RingOf of;
  of.move(random.next() & ~std::uint64_t{7});
  SpscRing producer(of.bare->segment());
  SpscRing consumer(of.bare->segment());
  std::deque<std::pair<std::uint64_t, std::uint32_t>> expected;
  std::uint64_t used = 0;
  const std::uint64_t calls = times(300'000, 30'000, 30'000'000);
  for (std::uint64_t call = 1; call <= calls; ++call) {
    if (random.one_in(2)) {
      const std::uint32_t length = 8 + random.below32(random.one_in(10) ? 4'080 : 300);
      const bool fits = used + SpscRing::footprint(length) <= 4096;
      REQUIRE(push(producer, call, length) == fits);
      if (!fits) continue;
      expected.emplace_back(call, length);
      used += SpscRing::footprint(length);
    } else {
      const std::byte* bytes = nullptr;
      std::uint32_t length = 0;
      const auto found = consumer.front(bytes, length);
      REQUIRE((found == SpscRing::Found::message) == !expected.empty());
      if (expected.empty()) continue;
      REQUIRE(length == expected.front().second);
      std::uint64_t id = 0;
      REQUIRE(Message::read(bytes, length, id));
      REQUIRE(id == expected.front().first);
      used -= SpscRing::footprint(length);
      expected.pop_front();
      consumer.pop(length);
    }
  }
}

TEST_CASE("two threads over one mapping pass every byte in order") {
  const std::uint64_t seed = interproc::test::seed_for("spsc threads");
  const Watchdog watchdog("spsc threads");
  const std::uint64_t messages = times(3'000'000, 300'000, 100'000'000);
  RingOf of;
  std::uint64_t torn = 0;
  std::uint64_t unordered = 0;
  std::thread consuming([&] {
    SpscRing ring(of.bare->segment());
    for (std::uint64_t expected = 1; expected <= messages;) {
      const std::byte* bytes = nullptr;
      std::uint32_t length = 0;
      const auto found = ring.front(bytes, length);
      if (found == SpscRing::Found::corrupt) {
        ++torn;
        return;
      }
      if (found == SpscRing::Found::nothing) {
        interproc::platform::yield();
        continue;
      }
      std::uint64_t id = 0;
      if (!Message::read(bytes, length, id)) ++torn;
      if (id != expected) ++unordered;
      ring.pop(length);
      ++expected;
    }
  });
  SpscRing ring(of.bare->segment());
  Random random(seed);
  std::vector<std::byte> message(4096);
  for (std::uint64_t id = 1; id <= messages; ++id) {
    const std::uint32_t length = 8 + random.below32(random.one_in(20) ? 2'000 : 100);
    Message::write(message.data(), length, id);
    while (!ring.push(message.data(), length)) interproc::platform::yield();
  }
  consuming.join();
  CHECK(torn == 0);
  CHECK(unordered == 0);
  CHECK(SpscRing::used_bytes(of.bare->control()) == 0);
}
