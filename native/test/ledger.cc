#include "ring/ledger.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "test/bare_segment.h"
#include "test/message.h"
#include "test/random.h"
#include "test/scale.h"
#include "test/test_directory.h"

using interproc::Code;
using interproc::memory::kLedgerEntries;
using interproc::memory::OpenMode;
using interproc::memory::Owner;
using interproc::memory::Registry;
using interproc::ring::EntryState;
using interproc::ring::EntryWord;
using interproc::ring::Held;
using interproc::ring::Ledger;
using interproc::ring::Redeliveries;
using interproc::test::BareSegment;
using interproc::test::header_of;
using interproc::test::Message;
using interproc::test::Random;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::times;

namespace {

constexpr std::uint64_t kTail = 1'000'000;

struct Keeper {
  Keeper(const TestDirectory& directory, OpenMode mode, std::uint64_t capacity = 4096)
      : opened(directory.open()),
        bare(BareSegment::open(opened, "bare", mode, header_of(Shape{.capacity = capacity}))),
        registry(bare->segment()),
        ledger(bare->segment(), registry) {
    if (registry.join([](Owner) {}).code != Code::ok) std::abort();
  }
  ~Keeper() { registry.leave(); }

  // A message in our region, or one without bytes.
  Held keep(std::uint64_t pos, std::uint32_t length = 64, std::uint32_t redeliveries = 0) {
    std::byte* at = ledger.place(length);
    if (at == nullptr) return {};
    Message::write(at, length, pos);
    return ledger.hold(pos, length, Redeliveries{redeliveries * Redeliveries::kOne});
  }

  interproc::platform::Directory opened;
  std::unique_ptr<BareSegment> bare;
  Registry registry;
  Ledger ledger;
};

bool is_whole(const Held& held) {
  std::uint64_t id = 0;
  return held.bytes != nullptr && Message::read(held.bytes, held.length, id) && id == held.pos;
}

}  // namespace

TEST_CASE(
    "an entry's word says state and owner, and never means another message once it has been seen") {
  const Owner me{3, 4};
  std::uint64_t word = 0;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1'000; ++i) {
    word = EntryWord::next(word, me);
    CHECK(EntryWord::state(word) == EntryState::held);
    CHECK(EntryWord::owner(word) == me);
    CHECK(seen.insert(word).second);
    const std::uint64_t returned = EntryWord::to(word, EntryState::returned);
    CHECK(EntryWord::state(returned) == EntryState::returned);
    CHECK(EntryWord::owner(returned) == Owner{});
    const std::uint64_t taken = EntryWord::to(returned, EntryState::held, {9, 9});
    CHECK(EntryWord::owner(taken) == Owner{9, 9});
    word = EntryWord::to(taken, EntryState::free);
    CHECK(EntryWord::state(word) == EntryState::free);
  }
}

TEST_CASE("a message in the ledger is whole, until it is released and no longer") {
  TestDirectory directory;
  Keeper keeper(directory, OpenMode::create);
  CHECK_FALSE(keeper.ledger.any_region());
  REQUIRE(keeper.ledger.open_own().code == Code::ok);
  CHECK(keeper.ledger.any_region());
  const Held held = keeper.keep(7, 300);
  CHECK(is_whole(held));
  CHECK(keeper.ledger.count().held == 1);
  CHECK(keeper.ledger.count().held_by_others == 0);
  CHECK(keeper.ledger.holds(keeper.registry.self(), 7));
  CHECK_FALSE(keeper.ledger.holds(keeper.registry.self(), 8));
  CHECK_FALSE(keeper.ledger.holds(Owner{0, 99}, 7));
  CHECK(keeper.ledger.release(held));
  CHECK(keeper.ledger.count().held == 0);
  CHECK_FALSE(keeper.ledger.release(held));
  CHECK_FALSE(keeper.ledger.give_back(held, true));
  CHECK_FALSE(keeper.ledger.holds(keeper.registry.self(), 7));
}

TEST_CASE("a message given back is found by everybody, and goes to one of them, where it lies") {
  TestDirectory directory;
  Keeper first(directory, OpenMode::create);
  Keeper second(directory, OpenMode::open);
  REQUIRE(first.ledger.open_own().code == Code::ok);
  const Held held = first.keep(7, 300);
  CHECK(second.ledger.count().held_by_others == 1);
  REQUIRE(first.ledger.give_back(held, true));
  CHECK(first.ledger.count().returned == 1);
  Held mine;
  Held theirs;
  bool more = true;
  REQUIRE(first.ledger.find_returned(kTail, mine, more));
  CHECK_FALSE(more);
  REQUIRE(second.ledger.find_returned(kTail, theirs, more));
  REQUIRE(second.ledger.take_over(theirs));
  CHECK_FALSE(first.ledger.take_over(mine));
  CHECK(is_whole(theirs));
  CHECK(theirs.region == 0);
  CHECK(theirs.redeliveries.count() == 1);
  CHECK(first.ledger.count().held_by_others == 1);
  CHECK_FALSE(first.ledger.holds(first.registry.self(), 7));
  // It is the other's now.
  CHECK_FALSE(first.ledger.release(held));
  CHECK(second.ledger.release(theirs));
  CHECK(first.ledger.count().held == 0);
}

TEST_CASE(
    "the oldest is redelivered first, from whatever region, across the wrap of positions too") {
  TestDirectory directory;
  Keeper first(directory, OpenMode::create);
  Keeper second(directory, OpenMode::open);
  REQUIRE(first.ledger.open_own().code == Code::ok);
  REQUIRE(second.ledger.open_own().code == Code::ok);
  const std::uint64_t wrap = std::uint64_t{1} << 44;
  for (std::uint64_t tail : {std::uint64_t{5'000}, std::uint64_t{50}}) {
    CAPTURE(tail);
    // In the order 3, 1, 4, 2 before the tail.
    const std::uint64_t pos[4] = {(tail + wrap - 75) % wrap, (tail + wrap - 99) % wrap,
                                  (tail + wrap - 60) % wrap, (tail + wrap - 80) % wrap};
    std::vector<Held> held = {first.keep(pos[0]), second.keep(pos[1]), first.keep(pos[2]),
                              second.keep(pos[3])};
    REQUIRE(first.ledger.give_back(held[0], true));
    REQUIRE(second.ledger.give_back(held[1], true));
    REQUIRE(first.ledger.give_back(held[2], true));
    REQUIRE(second.ledger.give_back(held[3], true));
    for (std::uint64_t expected : {pos[1], pos[3], pos[0], pos[2]}) {
      Held found;
      bool more = false;
      REQUIRE(second.ledger.find_returned(tail, found, more));
      CHECK(found.pos == expected);
      CHECK(more == (expected != pos[2]));
      REQUIRE(second.ledger.take_over(found));
      REQUIRE(second.ledger.release(found));
    }
    Held found;
    bool more = false;
    CHECK_FALSE(second.ledger.find_returned(tail, found, more));
  }
}

TEST_CASE("redeliveries go on counting from what the ring had counted") {
  TestDirectory directory;
  Keeper keeper(directory, OpenMode::create);
  REQUIRE(keeper.ledger.open_own().code == Code::ok);
  Held held = keeper.keep(7, 64, 5);
  CHECK(held.redeliveries.count() == 5);
  for (std::uint32_t expected = 6; expected < 10; ++expected) {
    REQUIRE(keeper.ledger.give_back(held, true));
    bool more = false;
    REQUIRE(keeper.ledger.find_returned(kTail, held, more));
    REQUIRE(keeper.ledger.take_over(held));
    CHECK(held.redeliveries.count() == expected);
  }
}

TEST_CASE("a region holds as many messages as it has entries, and not one more") {
  TestDirectory directory;
  Keeper keeper(directory, OpenMode::create, 1 << 17);
  REQUIRE(keeper.ledger.open_own().code == Code::ok);
  std::vector<Held> held;
  for (std::uint32_t i = 0; i < kLedgerEntries; ++i) {
    held.push_back(keeper.keep(i, 8));
    REQUIRE(held.back().bytes != nullptr);
  }
  CHECK(keeper.ledger.place(8) == nullptr);
  CHECK(keeper.ledger.count().held == kLedgerEntries);
  REQUIRE(keeper.ledger.release(held[500]));
  CHECK(is_whole(keeper.keep(9'999, 8)));
  CHECK(keeper.ledger.place(8) == nullptr);
  for (std::uint32_t i = 0; i < kLedgerEntries; ++i)
    if (i != 500) REQUIRE(is_whole(held[i]));
}

TEST_CASE("a region holds as many bytes as the ring, in one piece or in many") {
  for (std::uint32_t length : {4096u, 2048u, 64u, 65u, 8u, 1'000u}) {
    CAPTURE(length);
    TestDirectory directory;
    Keeper keeper(directory, OpenMode::create);
    REQUIRE(keeper.ledger.open_own().code == Code::ok);
    std::vector<Held> held;
    for (;;) {
      const Held next = keeper.keep(held.size(), length);
      if (next.bytes == nullptr) break;
      held.push_back(next);
    }
    CHECK(held.size() == 64 / ((length + 63) / 64));
    for (const Held& each : held) REQUIRE(is_whole(each));
    // Room in the middle is found.
    const std::size_t middle = held.size() / 2;
    REQUIRE(keeper.ledger.release(held[middle]));
    const Held again = keeper.keep(middle, length);
    CHECK(is_whole(again));
    held[middle] = again;
    for (const Held& each : held) REQUIRE(keeper.ledger.release(each));
  }
}

TEST_CASE("room that others have freed is found again") {
  TestDirectory directory;
  Keeper first(directory, OpenMode::create);
  Keeper second(directory, OpenMode::open);
  REQUIRE(first.ledger.open_own().code == Code::ok);
  for (int round = 0; round < 5; ++round) {
    std::vector<Held> held;
    for (std::uint32_t i = 0; i < 64; ++i) held.push_back(first.keep(i));
    REQUIRE(first.ledger.place(64) == nullptr);
    for (Held& each : held) {
      REQUIRE(first.ledger.give_back(each, true));
      Held taken;
      bool more = false;
      REQUIRE(second.ledger.find_returned(kTail, taken, more));
      REQUIRE(second.ledger.take_over(taken));
      REQUIRE(is_whole(taken));
      REQUIRE(second.ledger.release(taken));
    }
    const Held whole = first.keep(round, 4096);
    CHECK(is_whole(whole));
    REQUIRE(first.ledger.release(whole));
  }
}

TEST_CASE("the next user of a slot inherits its region and leaves alone what is still held in it") {
  TestDirectory directory;
  Keeper other(directory, OpenMode::create);
  Held kept;
  {
    Keeper first(directory, OpenMode::open);
    REQUIRE(first.ledger.open_own().code == Code::ok);
    REQUIRE(first.ledger.give_back(first.keep(1, 1'000), true));
    bool more = false;
    REQUIRE(other.ledger.find_returned(kTail, kept, more));
    REQUIRE(other.ledger.take_over(kept));
  }
  Keeper heir(directory, OpenMode::open);
  CHECK(heir.registry.self() == Owner{1, 2});
  REQUIRE(heir.ledger.open_own().code == Code::ok);
  CHECK(heir.ledger.count().held_by_others == 1);
  std::vector<Held> held;
  for (;;) {
    const Held next = heir.keep(10 + held.size(), 64);
    if (next.bytes == nullptr) break;
    held.push_back(next);
  }
  CHECK(held.size() == 64 - 16);
  CHECK(is_whole(kept));
  REQUIRE(other.ledger.release(kept));
  CHECK(is_whole(heir.keep(99, 1'000)));
  for (const Held& each : held) CHECK(is_whole(each));
}

TEST_CASE("what a dead holder had can be had again, once") {
  TestDirectory directory;
  Keeper keeper(directory, OpenMode::create);
  REQUIRE(keeper.ledger.open_own().code == Code::ok);
  const Held held = keeper.keep(3, 200);
  int recovered = 0;
  for (int i = 0; i < 2; ++i) {
    keeper.ledger.each(
        [&](std::uint32_t region, std::uint32_t, interproc::memory::LedgerEntry& entry) {
          CHECK(region == 0);
          recovered += keeper.ledger.recover(entry, held.word) ? 1 : 0;
        });
  }
  CHECK(recovered == 1);
  Held found;
  bool more = false;
  REQUIRE(keeper.ledger.find_returned(kTail, found, more));
  REQUIRE(keeper.ledger.take_over(found));
  CHECK(is_whole(found));
  CHECK(found.redeliveries.count() == 1);
}

TEST_CASE("random holding, returning and releasing keeps every message whole and loses no room") {
  const std::uint64_t seed = interproc::test::seed_for("random ledger");
  Random random(seed);
  TestDirectory directory;
  Keeper keepers[2] = {{directory, OpenMode::create}, {directory, OpenMode::open}};
  for (Keeper& keeper : keepers) REQUIRE(keeper.ledger.open_own().code == Code::ok);
  struct Holding {
    Held held;
    std::size_t holder;
  };
  std::vector<Holding> held;
  std::multiset<std::uint64_t> returned;
  std::uint64_t next_pos = 1;
  const std::uint64_t calls = times(40'000, 5'000, 4'000'000);
  for (std::uint64_t call = 0; call < calls; ++call) {
    const std::size_t i = random.below(2);
    Keeper& keeper = keepers[i];
    switch (random.below(5)) {
      case 0:
      case 1: {
        const std::uint32_t length = 8 + random.below32(random.one_in(6) ? 2'000 : 150);
        const Held next = keeper.keep(next_pos, length);
        if (next.bytes == nullptr) break;
        ++next_pos;
        held.push_back({next, i});
        break;
      }
      case 2:
      case 3: {
        if (held.empty()) break;
        const std::size_t at = random.below(held.size());
        const Holding message = held[at];
        REQUIRE(is_whole(message.held));
        held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
        Ledger& ledger = keepers[message.holder].ledger;
        if (random.one_in(2)) {
          REQUIRE(ledger.release(message.held));
        } else {
          REQUIRE(ledger.give_back(message.held, true));
          returned.insert(message.held.pos);
        }
        break;
      }
      default: {
        Held found;
        bool more = false;
        REQUIRE(keeper.ledger.find_returned(next_pos, found, more) == !returned.empty());
        if (returned.empty()) break;
        REQUIRE(found.pos == *returned.begin());
        REQUIRE(more == (returned.size() > 1));
        REQUIRE(keeper.ledger.take_over(found));
        REQUIRE(is_whole(found));
        returned.erase(returned.begin());
        held.push_back({found, i});
        break;
      }
    }
  }
  for (const Holding& message : held) {
    REQUIRE(is_whole(message.held));
    REQUIRE(keepers[message.holder].ledger.release(message.held));
  }
  for (std::uint64_t pos : returned) {
    Held found;
    bool more = false;
    REQUIRE(keepers[0].ledger.find_returned(next_pos, found, more));
    CHECK(found.pos == pos);
    REQUIRE(keepers[0].ledger.take_over(found));
    REQUIRE(keepers[0].ledger.release(found));
  }
  for (Keeper& keeper : keepers) CHECK(is_whole(keeper.keep(1, 4096)));
}

TEST_CASE("an entry that was spoiled from outside is never followed out of the region") {
  TestDirectory directory;
  Keeper keeper(directory, OpenMode::create);
  Keeper other(directory, OpenMode::open);
  REQUIRE(keeper.ledger.open_own().code == Code::ok);
  const Held held = keeper.keep(3, 200);
  REQUIRE(keeper.ledger.give_back(held, true));
  auto& entry = keeper.bare->segment().ledger(0)->entries[held.entry];
  for (const auto& spoiled : std::vector<std::pair<std::uint32_t, std::uint32_t>>{
           {0, 4097}, {63, 65}, {64, 1}, {~0u, 8}, {0, ~0u}}) {
    const std::uint32_t offset = spoiled.first;
    const std::uint32_t length = spoiled.second;
    CAPTURE(offset);
    CAPTURE(length);
    entry.offset.store(offset);
    entry.length.store(length);
    Held found;
    bool more = false;
    REQUIRE(other.ledger.find_returned(kTail, found, more));
    CHECK(found.length == 0);
    const std::byte* data = other.bare->segment().ledger_data(other.bare->segment().ledger(0));
    CHECK(found.bytes >= data);
    CHECK(found.bytes + found.length <= data + 4096);
  }
}
