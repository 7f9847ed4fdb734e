#include "ring/word.h"

#include <doctest/doctest.h>

#include "test/random.h"

using interproc::memory::Owner;
using interproc::ring::Cursor;
using interproc::ring::State;
using interproc::ring::WordFormat;
using interproc::test::Random;

namespace {
constexpr State kStates[] = {State::none,     State::writing, State::ready, State::reading,
                             State::returned, State::done,    State::end,   State::interior};
}  // namespace

TEST_CASE("a word gives back what it was made of, for every size of ring") {
  const std::uint64_t seed = interproc::test::seed_for("word round trip");
  Random random(seed);
  for (std::uint32_t k = 1; k <= 20; ++k) {
    CAPTURE(k);
    const WordFormat format(k);
    for (int i = 0; i < 500; ++i) {
      const std::uint64_t pos = random.next() & Cursor::kPosMask;
      const std::uint64_t blocks = 1 + random.below(std::uint64_t{1} << k);
      const Owner owner{static_cast<std::uint8_t>(random.next()),
                        static_cast<std::uint8_t>(random.next())};
      const State state = kStates[random.below(8)];
      const std::uint64_t word = format.make(pos, state, blocks, owner);
      REQUIRE(WordFormat::state(word) == state);
      REQUIRE(WordFormat::owner(word) == owner);
      REQUIRE(format.blocks(word) == blocks);
      REQUIRE(format.age(word, pos) == 0);
    }
  }
}

TEST_CASE("the largest record, the whole ring, has room in the word") {
  for (std::uint32_t k = 1; k <= 20; ++k) {
    CAPTURE(k);
    const WordFormat format(k);
    const std::uint64_t blocks = std::uint64_t{1} << k;
    const std::uint64_t word = format.make(Cursor::kPosMask, State::ready, blocks, {255, 255});
    CHECK(format.blocks(word) == blocks);
    CHECK(format.age(word, Cursor::kPosMask) == 0);
    CHECK(WordFormat::owner(word) == Owner{255, 255});
  }
}

TEST_CASE("another state keeps the lap and the blocks and replaces the owner") {
  const WordFormat format(6);
  const std::uint64_t pos = 12'345;
  const std::uint64_t writing = format.make(pos, State::writing, 3, {7, 9});
  const std::uint64_t ready = WordFormat::to(writing, State::ready);
  CHECK(WordFormat::state(ready) == State::ready);
  CHECK(WordFormat::owner(ready) == Owner{});
  CHECK(format.blocks(ready) == 3);
  CHECK(format.age(ready, pos) == 0);
  const std::uint64_t reading = WordFormat::to(ready, State::reading, {200, 1});
  CHECK(WordFormat::owner(reading) == Owner{200, 1});
  CHECK(format.blocks(reading) == 3);
}

TEST_CASE("a word of the lap before is older, one of the lap after is newer, across the wrap too") {
  for (std::uint32_t k = 1; k <= 20; ++k) {
    CAPTURE(k);
    const WordFormat format(k);
    const std::uint64_t lap = std::uint64_t{1} << k;
    for (std::uint64_t pos : {std::uint64_t{0}, lap - 1, lap, lap * 5 + 1, Cursor::kPosMask,
                              Cursor::kPosMask - lap, Cursor::kPosMask - lap + 1}) {
      CAPTURE(pos);
      const std::uint64_t word = format.make(pos, State::done, 1);
      CHECK(format.age(word, pos) == 0);
      CHECK(format.age(word, (pos + lap) & Cursor::kPosMask) == -1);
      CHECK(format.age(word, (pos - lap) & Cursor::kPosMask) == 1);
      CHECK(format.age(word, (pos + 1000 * lap) & Cursor::kPosMask) == -1000);
    }
  }
}

TEST_CASE("a zeroed word is older than the first lap of a ring") {
  for (std::uint32_t k = 1; k <= 20; ++k) {
    const WordFormat format(k);
    const std::uint64_t first = std::uint64_t{1} << k;
    CHECK(format.age(0, first) < 0);
    CHECK(format.age(0, 2 * first - 1) < 0);
  }
}

TEST_CASE("ages are told apart for half of all laps, at least 2^23 of them") {
  for (std::uint32_t k = 1; k <= 20; ++k) {
    CAPTURE(k);
    const WordFormat format(k);
    const std::int64_t half = std::int64_t{1} << (Cursor::kPosBits - k - 1);
    REQUIRE(half >= 1 << 23);
    const std::uint64_t word = format.make(0, State::done, 1);
    const std::uint64_t far = (static_cast<std::uint64_t>(half) - 1) << k;
    CHECK(format.age(word, far) == -(half - 1));
    CHECK(format.age(format.make(far, State::done, 1), 0) == half - 1);
  }
}
