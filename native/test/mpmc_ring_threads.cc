// The ring between threads over one mapping: the same addresses, so that ThreadSanitizer checks every hand-over of bytes.

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "platform/clock.h"
#include "ring/mpmc_ring.h"
#include "test/bare_segment.h"
#include "test/message.h"
#include "test/moved_ring.h"
#include "test/random.h"
#include "test/scale.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::ring::Cursor;
using interproc::ring::Look;
using interproc::ring::MpmcRing;
using interproc::ring::Record;
using interproc::test::BareSegment;
using interproc::test::Message;
using interproc::test::Random;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

struct Crew {
  std::uint32_t producers;
  std::uint32_t consumers;
  std::uint32_t max_items;
  std::uint64_t start;     // position the ring starts at
  std::uint64_t messages;  // of each producer
  bool give_back;          // consumers do not always keep what they take
};

// What went wrong in a thread, counted; the assertions are made by the test's own.
struct Findings {
  std::atomic<std::uint64_t> torn{0};
  std::atomic<std::uint64_t> repeated{0};
  std::atomic<std::uint64_t> unordered{0};
  std::atomic<std::uint64_t> corrupt{0};
  std::atomic<std::uint64_t> too_many_items{0};
};

void produce(MpmcRing ring, std::uint32_t self, const Crew& crew, std::uint64_t seed,
             Findings& findings) {
  Random random(seed);
  for (std::uint64_t sequence = 1; sequence <= crew.messages;) {
    const std::uint32_t length = 8 + random.below32(random.one_in(16) ? 1'500 : 120);
    Record record;
    const Look look = ring.claim(length, record);
    if (look == Look::corrupt) {
      ++findings.corrupt;
      return;
    }
    if (look != Look::ok) {
      interproc::platform::yield();
      continue;
    }
    if (random.one_in(32)) {
      ring.abandon(record);
      continue;
    }
    Message::write(ring.data(record.pos), length, Message::id(self, sequence));
    if (!ring.publish(record, length)) ++findings.corrupt;
    if (crew.max_items != 0 && ring.size() > crew.max_items) ++findings.too_many_items;
    ++sequence;
  }
}

void consume(MpmcRing ring, const Crew& crew, std::uint64_t seed,
             std::vector<std::vector<std::atomic<std::uint8_t>>>& seen,
             std::atomic<std::uint64_t>& left, Findings& findings) {
  Random random(seed);
  std::vector<std::uint64_t> last(crew.producers);
  while (left.load(std::memory_order_relaxed) > 0) {
    Record record;
    Look look = Look::empty;
    std::uint64_t pos = 0;
    bool more = false;
    if (crew.give_back && random.one_in(4) && ring.find_returned(pos, more))
      look = ring.take_returned(pos, record, ~std::size_t{0});
    if (look == Look::empty) look = ring.take(record, ~std::size_t{0});
    if (look == Look::corrupt) {
      ++findings.corrupt;
      return;
    }
    if (look != Look::ok) {
      interproc::platform::yield();
      continue;
    }
    if (crew.give_back && random.one_in(8)) {
      ring.give_back(record, true);
      continue;
    }
    std::uint64_t id = 0;
    if (!Message::read(ring.data(record.pos), record.length, id)) {
      ++findings.torn;
    } else {
      const std::uint32_t producer = Message::producer(id);
      const std::uint64_t sequence = Message::sequence(id);
      if (seen[producer][sequence].fetch_add(1, std::memory_order_relaxed) != 0)
        ++findings.repeated;
      if (record.redeliveries.count() == 0) {
        if (sequence <= last[producer]) ++findings.unordered;
        last[producer] = sequence;
      }
    }
    ring.finish(record);
    left.fetch_sub(1, std::memory_order_relaxed);
  }
}

void run(const Crew& crew, std::uint64_t seed) {
  CAPTURE(crew.producers);
  CAPTURE(crew.consumers);
  CAPTURE(crew.max_items);
  CAPTURE(crew.start);
  TestDirectory directory;
  const auto opened = directory.open();
  const auto bare =
      BareSegment::create(opened, Shape{.max_items = crew.max_items, .max_participants = 16});
  interproc::test::move_ring(bare->segment(), crew.start, Cursor::kItemsMask - 1'000);

  std::vector<std::vector<std::atomic<std::uint8_t>>> seen;
  for (std::uint32_t i = 0; i < crew.producers; ++i) seen.emplace_back(crew.messages + 1);
  std::atomic<std::uint64_t> left{crew.messages * crew.producers};
  Findings findings;
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < crew.producers; ++i) {
    threads.emplace_back(produce, MpmcRing(bare->segment(), bare->join()), i, std::cref(crew),
                         seed + i, std::ref(findings));
  }
  for (std::uint32_t i = 0; i < crew.consumers; ++i) {
    threads.emplace_back(consume, MpmcRing(bare->segment(), bare->join()), std::cref(crew),
                         seed + 100 + i, std::ref(seen), std::ref(left), std::ref(findings));
  }
  for (std::thread& thread : threads) thread.join();

  CHECK(findings.torn == 0);
  CHECK(findings.repeated == 0);
  CHECK(findings.unordered == 0);
  CHECK(findings.corrupt == 0);
  CHECK(findings.too_many_items == 0);
  CHECK(left == 0);
  MpmcRing ring(bare->segment(), bare->join());
  // Records given up at the end are nobody's messages, but head has to pass them.
  Record record;
  CHECK(ring.take(record, 0) == Look::empty);
  CHECK(ring.size() == 0);
  CHECK(ring.room() == ring.blocks());
}

}  // namespace

TEST_CASE("threads put and take every message once, whole, and in the order of its producer") {
  const std::uint64_t seed = interproc::test::seed_for("ring threads");
  const Watchdog watchdog("ring threads");
  const std::uint64_t messages = times(1'000'000, 100'000, 50'000'000);
  for (std::uint32_t side : {1u, 2u, 4u}) {
    run({side, side, 0, 64, messages / side, false}, seed);
    run({side, side, 3, 64, messages / side, false}, seed + 1);
    run({side, side, 0, Cursor::kPosMask - 64 * 300, messages / side, false}, seed + 2);
  }
  run({4, 1, 0, 64, messages / 4, false}, seed + 3);
  run({1, 4, 0, 64, messages, false}, seed + 4);
}

TEST_CASE("threads that give messages back lose none and keep none twice") {
  const std::uint64_t seed = interproc::test::seed_for("ring threads giving back");
  const Watchdog watchdog("ring threads giving back");
  const std::uint64_t messages = times(300'000, 40'000, 20'000'000);
  for (std::uint32_t side : {1u, 2u, 4u}) run({side, side, 0, 64, messages / side, true}, seed);
}
