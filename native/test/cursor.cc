#include "ring/cursor.h"

#include <doctest/doctest.h>

#include "test/random.h"

using interproc::ring::Cursor;
using interproc::test::Random;

namespace {
constexpr std::uint64_t kPositions = std::uint64_t{1} << 44;
constexpr std::uint64_t kItems = std::uint64_t{1} << 20;

constexpr std::uint64_t cursor(std::uint64_t items, std::uint64_t pos) { return items << 44 | pos; }
}  // namespace

TEST_CASE("a step moves the position by the record's blocks and counts one record") {
  const std::uint64_t after = Cursor::after(cursor(5, 100), 7);
  CHECK(Cursor::pos(after) == 107);
  CHECK(Cursor::items_between(cursor(5, 100), after) == 1);
}

TEST_CASE("the position wraps at 2^44 without touching the records") {
  const std::uint64_t before = cursor(9, kPositions - 3);
  const std::uint64_t after = Cursor::after(before, 8);
  CHECK(Cursor::pos(after) == 5);
  CHECK(Cursor::distance(before, after) == 8);
  CHECK(Cursor::distance(after, before) == -8);
  CHECK(Cursor::items_between(before, after) == 1);
}

TEST_CASE("the count of records wraps at 2^20 without touching the position") {
  const std::uint64_t before = cursor(kItems - 1, 1'000);
  const std::uint64_t after = Cursor::after(before, 1);
  CHECK(after == cursor(0, 1'001));
  CHECK(Cursor::items_between(before, after) == 1);
}

TEST_CASE("both wrap in the same step") {
  const std::uint64_t before = cursor(kItems - 1, kPositions - 1);
  const std::uint64_t after = Cursor::after(before, 1);
  CHECK(after == 0);
  CHECK(Cursor::items_between(before, after) == 1);
  CHECK(Cursor::distance(before, after) == 1);
}

TEST_CASE("a full ring of 2^20 records is not taken for an empty one") {
  const std::uint64_t head = cursor(77, 500);
  std::uint64_t tail = head;
  for (std::uint64_t i = 0; i < kItems; ++i) tail = Cursor::after(tail, 1);
  CHECK(Cursor::items_between(head, tail) == kItems);
  CHECK(Cursor::items_between(head, head) == 0);
}

TEST_CASE("the distance is the number of blocks walked, wherever the walk starts") {
  const std::uint64_t seed = interproc::test::seed_for("cursor distance");
  Random random(seed);
  for (int i = 0; i < 10'000; ++i) {
    // Every other walk starts so that it crosses the wrap.
    const std::uint64_t from =
        cursor(random.below(kItems),
               i % 2 == 0 ? random.below(kPositions) : kPositions - 1 - random.below(512));
    std::uint64_t to = from;
    std::int64_t blocks = 0;
    const std::uint64_t steps = random.below(200);
    for (std::uint64_t step = 0; step < steps; ++step) {
      const std::uint64_t n = 1 + random.below(64);
      to = Cursor::after(to, n);
      blocks += static_cast<std::int64_t>(n);
    }
    REQUIRE(Cursor::distance(from, to) == blocks);
    REQUIRE(Cursor::distance(to, from) == -blocks);
    REQUIRE(Cursor::items_between(from, to) == steps);
  }
}

TEST_CASE("half of all positions lie ahead and half behind") {
  CHECK(Cursor::distance(0, kPositions / 2 - 1) > 0);
  CHECK(Cursor::distance(0, kPositions / 2 + 1) < 0);
  CHECK(Cursor::distance(kPositions - 1, kPositions / 2 - 2) > 0);
  CHECK(Cursor::distance(cursor(3, 8), cursor(kItems - 1, 8)) == 0);
}
