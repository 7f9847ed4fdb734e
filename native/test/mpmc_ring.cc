#include "ring/mpmc_ring.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <vector>

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
using interproc::ring::State;
using interproc::ring::WordFormat;
using interproc::test::BareSegment;
using interproc::test::Message;
using interproc::test::move_ring;
using interproc::test::Random;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::Watchdog;

namespace {

constexpr std::size_t kAny = ~std::size_t{0};

struct RingOf {
  explicit RingOf(const Shape& shape = {})
      : opened(directory.open()),
        bare(BareSegment::create(opened, shape)),
        registry(bare->join()),
        ring(bare->segment(), registry) {}

  // Starts again as if `pos` blocks and `items` records had gone through.
  MpmcRing moved(std::uint64_t pos, std::uint64_t items = 0) {
    move_ring(bare->segment(), pos, items);
    return MpmcRing(bare->segment(), registry);
  }

  TestDirectory directory;
  interproc::platform::Directory opened;
  std::unique_ptr<BareSegment> bare;
  interproc::memory::Registry& registry;
  MpmcRing ring;
};

bool put(MpmcRing& ring, std::uint64_t id, std::uint32_t length = 8) {
  Record record;
  if (ring.claim(length, record) != Look::ok) return false;
  Message::write(ring.data(record.pos), length, id);
  return ring.publish(record, length);
}

// The id of the message taken, or ~0.
std::uint64_t take(MpmcRing& ring) {
  Record record;
  if (ring.take(record, kAny) != Look::ok) return ~std::uint64_t{0};
  std::uint64_t id = 0;
  if (!Message::read(ring.data(record.pos), record.length, id)) id = ~std::uint64_t{0};
  ring.finish(record);
  return id;
}

}  // namespace

TEST_CASE("a new ring is empty and all of it is room") {
  RingOf of;
  Record record;
  CHECK(of.ring.take(record, kAny) == Look::empty);
  CHECK(of.ring.size() == 0);
  CHECK(of.ring.room() == of.ring.blocks());
  CHECK(of.ring.quiet());
  CHECK_FALSE(of.ring.is_full());
  CHECK_FALSE(of.ring.worth_taking());
  CHECK_FALSE(of.ring.at_end());
}

TEST_CASE("messages come out in the order they were claimed, not published") {
  RingOf of;
  Record first;
  Record second;
  REQUIRE(of.ring.claim(8, first) == Look::ok);
  REQUIRE(of.ring.claim(8, second) == Look::ok);
  Message::write(of.ring.data(second.pos), 8, 2);
  REQUIRE(of.ring.publish(second, 8));
  Record record;
  CHECK(of.ring.take(record, kAny) == Look::writing);
  CHECK(record.word == first.word);
  CHECK_FALSE(of.ring.worth_taking());
  Message::write(of.ring.data(first.pos), 8, 1);
  REQUIRE(of.ring.publish(first, 8));
  CHECK(of.ring.worth_taking());
  CHECK(take(of.ring) == 1);
  CHECK(take(of.ring) == 2);
}

TEST_CASE("the room of the next record is known while it is being written, and only then") {
  RingOf of;
  CHECK(of.ring.bytes_being_written() == 0);
  Record first;
  Record second;
  REQUIRE(of.ring.claim(1000, first) == Look::ok);
  REQUIRE(of.ring.claim(8, second) == Look::ok);
  CHECK(of.ring.bytes_being_written() == 1024);
  Message::write(of.ring.data(first.pos), 1000, 1);
  REQUIRE(of.ring.publish(first, 1000));
  CHECK(of.ring.bytes_being_written() == 0);
  CHECK(take(of.ring) == 1);
  CHECK(of.ring.bytes_being_written() == 64);
}

TEST_CASE("a record of every size from nothing to the whole capacity goes through unchanged") {
  RingOf of;
  Record record;
  for (std::uint32_t length = 0; length <= 4096; ++length) {
    CAPTURE(length);
    REQUIRE(of.ring.claim(length, record) == Look::ok);
    if (length >= Message::kMinBytes) Message::write(of.ring.data(record.pos), length, length);
    REQUIRE(of.ring.publish(record, length));
    REQUIRE(of.ring.size() == 1);
    Record taken;
    REQUIRE(of.ring.take(taken, kAny) == Look::ok);
    REQUIRE(taken.length == length);
    std::uint64_t id = length;
    if (length >= Message::kMinBytes)
      REQUIRE(Message::read(of.ring.data(taken.pos), taken.length, id));
    REQUIRE(id == length);
    of.ring.finish(taken);
  }
  CHECK(of.ring.room() == of.ring.blocks());
}

TEST_CASE("a record larger than what is left before the wrap lies in one piece") {
  RingOf of;
  // From every block of the ring a record of every size.
  for (std::uint32_t start = 0; start < 64; ++start) {
    for (std::uint32_t blocks = 1; blocks <= 64; ++blocks) {
      MpmcRing ring = of.moved(64 * 3 + start);
      Record record;
      REQUIRE(ring.claim(blocks * 64, record) == Look::ok);
      REQUIRE(ring.data(record.pos) == of.bare->segment().payload() + start * 64);
      Message::write(ring.data(record.pos), blocks * 64, start * 1000 + blocks);
      REQUIRE(ring.publish(record, blocks * 64));
      REQUIRE(take(ring) == start * 1000 + blocks);
    }
  }
}

TEST_CASE("the payload is the same memory twice, side by side") {
  RingOf of;
  std::byte* payload = of.bare->segment().payload();
  const std::size_t bytes = of.bare->segment().layout().payload_bytes;
  for (std::size_t i = 0; i < bytes; i += 97) {
    payload[i] = std::byte{0x5A};
    REQUIRE(payload[i + bytes] == std::byte{0x5A});
    payload[i + bytes] = std::byte{0xA5};
    REQUIRE(payload[i] == std::byte{0xA5});
  }
}

TEST_CASE("a record of another participant is seen by it, and by nobody else as its own") {
  RingOf of;
  MpmcRing other(of.bare->segment(), of.bare->join());
  Record mine;
  REQUIRE(of.ring.claim(8, mine) == Look::ok);
  CHECK(WordFormat::owner(mine.word).slot == 0);
  Record theirs;
  REQUIRE(other.claim(8, theirs) == Look::ok);
  CHECK(WordFormat::owner(theirs.word).slot == 1);
  CHECK(theirs.pos == mine.pos + 1);
}

TEST_CASE("full is said exactly when the blocks do not suffice") {
  RingOf of;
  Record record;
  for (std::uint64_t used = 0; used <= 64; ++used) {
    MpmcRing ring = of.moved(64 * 7 + 13);
    for (std::uint64_t i = 0; i < used; ++i) REQUIRE(put(ring, i));
    const std::uint64_t left = 64 - used;
    CHECK(ring.room() == left);
    CHECK(ring.is_full() == (left == 0));
    CHECK(ring.has_room(left));
    CHECK_FALSE(ring.has_room(left + 1));
    CHECK(ring.claim(static_cast<std::uint32_t>(left * 64 + 1), record) == Look::full);
    if (left > 0) CHECK(ring.claim(static_cast<std::uint32_t>(left * 64), record) == Look::ok);
  }
}

TEST_CASE("room comes back in the order of the records, when the oldest has been finished") {
  RingOf of;
  for (std::uint64_t i = 0; i < 64; ++i) REQUIRE(put(of.ring, i));
  Record first;
  Record second;
  Record claimed;
  REQUIRE(of.ring.take(first, kAny) == Look::ok);
  REQUIRE(of.ring.take(second, kAny) == Look::ok);
  CHECK(of.ring.size() == 62);
  CHECK(of.ring.claim(1, claimed) == Look::full);
  of.ring.finish(second);
  CHECK(of.ring.claim(1, claimed) == Look::full);
  of.ring.finish(first);
  CHECK(of.ring.room() == 2);
  CHECK(of.ring.claim(128, claimed) == Look::ok);
}

TEST_CASE("maxItems is exact: so many messages and not one more, whatever room is left") {
  for (std::uint32_t max : {1u, 2u, 5u, 63u}) {
    CAPTURE(max);
    RingOf of(Shape{.max_items = max});
    for (int lap = 0; lap < 300; ++lap) {
      for (std::uint32_t i = 0; i < max; ++i) {
        REQUIRE(of.ring.has_room(1));
        REQUIRE(put(of.ring, i));
      }
      Record record;
      REQUIRE(of.ring.claim(1, record) == Look::full);
      REQUIRE(of.ring.is_full());
      REQUIRE_FALSE(of.ring.has_room(1));
      REQUIRE(of.ring.size() == max);
      for (std::uint32_t i = 0; i < max; ++i) REQUIRE(take(of.ring) == i);
      REQUIRE(of.ring.size() == 0);
    }
  }
}

TEST_CASE("maxItems does not count a message that somebody is reading, nor one given up") {
  RingOf of(Shape{.max_items = 1});
  Record record;
  REQUIRE(of.ring.claim(8, record) == Look::ok);
  of.ring.abandon(record);
  CHECK(of.ring.has_room(1));
  REQUIRE(put(of.ring, 1));
  Record reading;
  REQUIRE(of.ring.take(reading, kAny) == Look::ok);
  CHECK(put(of.ring, 2));
  CHECK_FALSE(put(of.ring, 3));
  of.ring.finish(reading);
  CHECK_FALSE(put(of.ring, 3));
}

TEST_CASE("a record given up becomes empty space and no message, wherever it lies") {
  RingOf of;
  Record records[4];
  for (Record& record : records) REQUIRE(of.ring.claim(200, record) == Look::ok);
  of.ring.abandon(records[0]);
  of.ring.abandon(records[2]);
  Message::write(of.ring.data(records[1].pos), 200, 1);
  Message::write(of.ring.data(records[3].pos), 200, 3);
  REQUIRE(of.ring.publish(records[1], 200));
  REQUIRE(of.ring.publish(records[3], 200));
  CHECK(take(of.ring) == 1);
  CHECK(take(of.ring) == 3);
  CHECK(of.ring.size() == 0);
  CHECK(of.ring.room() == of.ring.blocks());
}

TEST_CASE("a message too large for the taker stays, and its length is told") {
  RingOf of;
  REQUIRE(put(of.ring, 7, 500));
  Record record;
  CHECK(of.ring.take(record, 499) == Look::too_large);
  CHECK(record.length == 500);
  CHECK(of.ring.size() == 1);
  CHECK(of.ring.take(record, 500) == Look::ok);
}

TEST_CASE("a message given back is found, oldest first, and says how often it was delivered") {
  RingOf of;
  for (std::uint64_t i = 0; i < 3; ++i) REQUIRE(put(of.ring, i));
  Record records[3];
  for (Record& record : records) REQUIRE(of.ring.take(record, kAny) == Look::ok);
  std::uint64_t pos = 0;
  bool more = true;
  CHECK_FALSE(of.ring.find_returned(pos, more));
  of.ring.give_back(records[2], true);
  REQUIRE(of.ring.find_returned(pos, more));
  CHECK(pos == records[2].pos);
  CHECK_FALSE(more);
  of.ring.give_back(records[0], true);
  REQUIRE(of.ring.find_returned(pos, more));
  CHECK(pos == records[0].pos);
  CHECK(more);

  Record again;
  CHECK(of.ring.take_returned(pos, again, 7) == Look::too_large);
  CHECK(again.length == 8);
  REQUIRE(of.ring.take_returned(pos, again, kAny) == Look::ok);
  CHECK(again.redeliveries.count() == 1);
  CHECK(of.ring.take_returned(pos, again, kAny) == Look::empty);
  of.ring.give_back(again, true);
  REQUIRE(of.ring.take_returned(pos, again, kAny) == Look::ok);
  CHECK(again.redeliveries.count() == 2);
  of.ring.give_back(again, false);
  REQUIRE(of.ring.take_returned(pos, again, kAny) == Look::ok);
  CHECK(again.redeliveries.count() == 2);
  of.ring.finish(again);

  REQUIRE(of.ring.take_returned(records[2].pos, again, kAny) == Look::ok);
  of.ring.finish(again);
  of.ring.finish(records[1]);
  CHECK(of.ring.room() == of.ring.blocks());
  CHECK_FALSE(of.ring.find_returned(pos, more));
}

TEST_CASE("a message that comes back uncounted was never delivered") {
  RingOf of;
  REQUIRE(put(of.ring, 1));
  Record record;
  REQUIRE(of.ring.take(record, kAny) == Look::ok);
  of.ring.give_back(record, false);
  REQUIRE(of.ring.take_returned(record.pos, record, kAny) == Look::ok);
  CHECK(record.redeliveries.count() == 0);
}

TEST_CASE("after END nothing is claimed, and what was there before comes out") {
  RingOf of;
  REQUIRE(put(of.ring, 1));
  CHECK(of.ring.seal());
  CHECK(of.ring.seal());
  Record record;
  CHECK(of.ring.claim(8, record) == Look::ended);
  CHECK_FALSE(of.ring.at_end());
  CHECK(take(of.ring) == 1);
  CHECK(of.ring.take(record, kAny) == Look::ended);
  CHECK(of.ring.at_end());
  CHECK(of.ring.size() == 0);
  CHECK(of.ring.room() == of.ring.blocks());
  CHECK(of.ring.quiet());
  CHECK_FALSE(of.ring.worth_taking());
  CHECK(of.ring.claim(8, record) == Look::ended);
}

TEST_CASE("END needs a block: a full ring cannot be sealed until something has left") {
  RingOf of;
  for (std::uint64_t i = 0; i < 64; ++i) REQUIRE(put(of.ring, i));
  CHECK_FALSE(of.ring.seal());
  CHECK(take(of.ring) == 0);
  CHECK(of.ring.seal());
  for (std::uint64_t i = 1; i < 64; ++i) CHECK(take(of.ring) == i);
  Record record;
  CHECK(of.ring.take(record, kAny) == Look::ended);
}

TEST_CASE("END is not counted by maxItems") {
  RingOf of(Shape{.max_items = 1});
  REQUIRE(put(of.ring, 1));
  CHECK(of.ring.seal());
  CHECK(of.ring.size() == 1);
}

TEST_CASE("a dead producer's record is skipped, whichever step it died at") {
  RingOf of;
  // Claimed, tail moved.
  Record dead;
  REQUIRE(of.ring.claim(300, dead) == Look::ok);
  REQUIRE(put(of.ring, 1));
  std::vector<std::pair<std::uint64_t, std::uint64_t>> seen;
  of.ring.each([&](std::uint64_t pos, std::uint64_t word) { seen.emplace_back(pos, word); });
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].first == dead.pos);
  of.ring.skip(seen[0].first, seen[0].second);
  CHECK(take(of.ring) == 1);
  CHECK(of.ring.room() == of.ring.blocks());

  // Claimed, tail not yet moved: as if it had been killed between its two CASes.
  const std::uint64_t tail = of.bare->control().tail.load();
  REQUIRE(of.ring.claim(300, dead) == Look::ok);
  of.bare->control().tail.store(tail);
  seen.clear();
  of.ring.each([&](std::uint64_t pos, std::uint64_t word) { seen.emplace_back(pos, word); });
  REQUIRE(seen.size() == 1);
  of.ring.skip(seen[0].first, seen[0].second);
  CHECK(Cursor::pos(of.bare->control().tail.load()) == dead.pos + 5);
  REQUIRE(put(of.ring, 2));
  CHECK(take(of.ring) == 2);
  CHECK(of.ring.room() == of.ring.blocks());
}

TEST_CASE("a dead consumer's record is delivered again, or dropped if its ledger has it") {
  RingOf of;
  for (std::uint64_t i = 0; i < 2; ++i) REQUIRE(put(of.ring, i));
  Record records[2];
  for (Record& record : records) REQUIRE(of.ring.take(record, kAny) == Look::ok);
  CHECK(of.ring.recover_reading(records[0].pos, records[0].word, false));
  CHECK_FALSE(of.ring.recover_reading(records[0].pos, records[0].word, false));
  CHECK_FALSE(of.ring.recover_reading(records[1].pos, records[1].word, true));
  std::uint64_t pos = 0;
  bool more = true;
  REQUIRE(of.ring.find_returned(pos, more));
  CHECK(pos == records[0].pos);
  CHECK_FALSE(more);
  Record again;
  REQUIRE(of.ring.take_returned(pos, again, kAny) == Look::ok);
  CHECK(again.redeliveries.count() == 1);
  of.ring.finish(again);
  CHECK(of.ring.room() == of.ring.blocks());
}

TEST_CASE("a record that is in a ledger is finished only for the reader who put it there") {
  RingOf of;
  REQUIRE(put(of.ring, 1));
  Record record;
  REQUIRE(of.ring.take(record, kAny) == Look::ok);
  const interproc::memory::Owner me = WordFormat::owner(record.word);
  of.ring.finish_for(record.pos, {static_cast<std::uint8_t>(me.slot + 1), me.generation});
  of.ring.finish_for(record.pos, {me.slot, static_cast<std::uint8_t>(me.generation + 1)});
  of.ring.finish_for(record.pos + 64, me);
  CHECK_FALSE(of.ring.quiet());
  of.ring.finish_for(record.pos, me);
  CHECK(of.ring.room() == of.ring.blocks());
}

TEST_CASE("a step that the dead left undone is done by whoever comes next") {
  RingOf of;
  // Tail behind a claimed record.
  std::uint64_t tail = of.bare->control().tail.load();
  REQUIRE(put(of.ring, 1));
  of.bare->control().tail.store(tail);
  REQUIRE(put(of.ring, 2));
  CHECK(of.ring.size() == 2);
  // Head behind a record that is taken, and then behind one that is finished.
  Record record;
  std::uint64_t head = of.bare->control().head.load();
  REQUIRE(of.ring.take(record, kAny) == Look::ok);
  of.bare->control().head.store(head);
  CHECK(take(of.ring) == 2);
  of.ring.finish(record);
  CHECK(of.ring.room() == of.ring.blocks());
  REQUIRE(put(of.ring, 3));
  head = of.bare->control().head.load();
  CHECK(take(of.ring) == 3);
  of.bare->control().head.store(head);
  CHECK(of.ring.room() == of.ring.blocks());
  CHECK(of.ring.quiet());
}

TEST_CASE("every record from reclaim on is visited once, in order") {
  RingOf of;
  std::vector<std::uint64_t> expected;
  for (std::uint32_t i = 0; i < 8; ++i) {
    Record record;
    REQUIRE(of.ring.claim(i * 64 + 1, record) == Look::ok);
    expected.push_back(record.pos);
  }
  std::vector<std::uint64_t> seen;
  of.ring.each([&](std::uint64_t pos, std::uint64_t) { seen.push_back(pos); });
  CHECK(seen == expected);
}

TEST_CASE("a full ring of the most records there can be is full and counts them all") {
  RingOf of(Shape{.capacity = std::uint64_t{1} << 26});
  REQUIRE(of.ring.blocks() == 1u << 20);
  Record record;
  for (std::uint64_t i = 0; i < of.ring.blocks(); ++i) {
    REQUIRE(of.ring.claim(8, record) == Look::ok);
    REQUIRE(of.ring.publish(record, 8));
  }
  CHECK(of.ring.claim(8, record) == Look::full);
  CHECK(of.ring.size() == 1u << 20);
  CHECK(of.ring.is_full());
}

TEST_CASE("words that are no ring are told, not followed") {
  RingOf of;
  auto& word = of.bare->segment().descriptors()[0].word;
  const WordFormat format(6);
  Record record;
  for (State state : {State::none, State::interior, State::ready, State::done, State::reading}) {
    CAPTURE(static_cast<int>(state));
    MpmcRing ring = of.moved(64);
    word.store(format.make(64, state, 0));  // a record of no blocks
    CHECK(ring.take(record, kAny) == Look::corrupt);
    CHECK(ring.corrupt());
  }
  MpmcRing ring = of.moved(64);
  word.store(format.make(64, State::ready, 100));  // more than there are
  CHECK(ring.take(record, kAny) == Look::corrupt);
  CHECK(ring.claim(8, record) == Look::corrupt);
  // A length beyond the record's blocks is cut to them.
  move_ring(of.bare->segment(), 64);
  word.store(format.make(64, State::ready, 2));
  of.bare->segment().descriptors()[0].length.store(1u << 30);
  REQUIRE(of.ring.take(record, kAny) == Look::ok);
  CHECK(record.length == 128);
}

namespace {

// What a ring with these calls behind it must hold: the same protocol, by the letter of ARCHITECTURE.md, in one thread.
class Expected {
 public:
  struct Item {
    std::uint64_t id;
    std::uint64_t blocks;
    State state;
    Record record;
    std::uint32_t redeliveries = 0;
  };

  explicit Expected(std::uint64_t blocks, std::uint32_t max_items)
      : blocks_(blocks), max_items_(max_items) {}

  std::deque<Item>& items() { return items_; }
  std::uint64_t used() const {
    std::uint64_t used = 0;
    for (const Item& item : items_) used += item.blocks;
    return used;
  }
  std::uint64_t size() const {
    return static_cast<std::uint64_t>(
        std::count_if(items_.begin(), items_.end(), [](const Item& item) {
          return item.state == State::writing || item.state == State::ready;
        }));
  }
  bool full_for(std::uint64_t blocks) const {
    return used() + blocks > blocks_ || (max_items_ != 0 && size() >= max_items_);
  }
  // The first that is not yet taken; what lies before it has been passed by head.
  Item* head() {
    const auto found = std::find_if(items_.begin(), items_.end(), [](const Item& item) {
      return item.state == State::writing || item.state == State::ready;
    });
    return found == items_.end() ? nullptr : &*found;
  }
  Item* oldest_returned() { return some(State::returned, 0); }
  // One of those in this state.
  Item* some(State state, std::uint64_t choice) {
    std::vector<Item*> candidates;
    for (Item& item : items_) {
      if (item.state == state) candidates.push_back(&item);
    }
    return candidates.empty() ? nullptr : candidates[choice % candidates.size()];
  }
  void reclaim() {
    while (!items_.empty() && items_.front().state == State::done) items_.pop_front();
  }

 private:
  std::uint64_t blocks_;
  std::uint32_t max_items_;
  std::deque<Item> items_;
};

void run_random_calls(RingOf& of, MpmcRing ring, std::uint32_t max_items, Random& random,
                      int calls) {
  Expected expected(ring.blocks(), max_items);
  std::uint64_t next_id = 1;
  for (int call = 0; call < calls; ++call) {
    CAPTURE(call);
    Record record;
    switch (random.below(8)) {
      case 0:
      case 1:
      case 2: {
        const std::uint32_t length = random.one_in(8)
                                         ? random.below32(4097)
                                         : 8 + random.below32(random.one_in(2) ? 100 : 600);
        const std::uint64_t blocks = ring.blocks_for(length);
        const Look look = ring.claim(length, record);
        REQUIRE(look == (expected.full_for(blocks) ? Look::full : Look::ok));
        if (look != Look::ok) break;
        const std::uint64_t id = next_id++;
        if (length >= Message::kMinBytes) Message::write(ring.data(record.pos), length, id);
        expected.items().push_back({id, blocks, State::writing, record});
        if (random.one_in(2)) {
          REQUIRE(ring.publish(record, length));
          expected.items().back().state = State::ready;
        }
        break;
      }
      case 3: {
        Expected::Item* item = expected.some(State::writing, random.next());
        if (item == nullptr) break;
        // maxItems counts a record given up until head has passed it: exact only without.
        if (max_items == 0 && random.one_in(3)) {
          ring.abandon(item->record);
          item->state = State::done;
        } else {
          REQUIRE(ring.publish(item->record, item->record.length));
          item->state = State::ready;
        }
        break;
      }
      case 4:
      case 5: {
        const Look look = ring.take(record, kAny);
        Expected::Item* head = expected.head();
        if (head == nullptr) {
          REQUIRE(look == Look::empty);
        } else if (head->state == State::writing) {
          REQUIRE(look == Look::writing);
        } else {
          REQUIRE(look == Look::ok);
          REQUIRE(record.pos == head->record.pos);
          REQUIRE(record.length == head->record.length);
          std::uint64_t id = head->id;
          if (record.length >= Message::kMinBytes)
            REQUIRE(Message::read(ring.data(record.pos), record.length, id));
          REQUIRE(id == head->id);
          head->record = record;
          head->state = State::reading;
        }
        break;
      }
      case 6: {
        Expected::Item* item = expected.some(State::reading, random.next());
        if (item == nullptr) break;
        if (random.one_in(3)) {
          ring.give_back(item->record, true);
          item->state = State::returned;
        } else {
          ring.finish(item->record);
          item->state = State::done;
        }
        break;
      }
      default: {
        std::uint64_t pos = 0;
        bool more = false;
        Expected::Item* item = expected.oldest_returned();
        REQUIRE(ring.find_returned(pos, more) == (item != nullptr));
        if (item == nullptr) break;
        REQUIRE(pos == item->record.pos);
        REQUIRE(ring.take_returned(pos, record, kAny) == Look::ok);
        REQUIRE(record.redeliveries.count() == item->redeliveries + 1);
        item->redeliveries = record.redeliveries.count();
        item->record = record;
        item->state = State::reading;
        break;
      }
    }
    expected.reclaim();
    if (random.one_in(4)) REQUIRE(ring.room() == ring.blocks() - expected.used());
    REQUIRE_FALSE(ring.corrupt());
  }
  for (Expected::Item& item : expected.items()) {
    Record record = item.record;
    if (item.state == State::ready) {
      REQUIRE(ring.take(record, kAny) == Look::ok);
      ring.finish(record);
    } else if (item.state == State::writing) {
      ring.abandon(record);
    } else if (item.state == State::returned) {
      REQUIRE(ring.take_returned(item.record.pos, record, kAny) == Look::ok);
      ring.finish(record);
    } else if (item.state == State::reading) {
      ring.finish(record);
    }
  }
  REQUIRE(ring.room() == ring.blocks());
  REQUIRE(of.bare->control().reclaim.load() == Cursor::pos(of.bare->control().tail.load()));
}

}  // namespace

TEST_CASE("random calls in one thread do exactly what the protocol says, across every wrap") {
  const std::uint64_t seed = interproc::test::seed_for("mpmc random calls");
  const Watchdog watchdog("mpmc random calls");
  const int calls = static_cast<int>(interproc::test::times(20'000, 3'000, 2'000'000));
  for (std::uint32_t max_items : {0u, 1u, 6u}) {
    CAPTURE(max_items);
    RingOf of(Shape{.max_items = max_items, .max_participants = 16});
    Random random(seed + max_items);
    run_random_calls(of, of.ring, max_items, random, calls);
    // The positions and the laps wrap.
    run_random_calls(of, of.moved(Cursor::kPosMask - 1'000), max_items, random, calls);
    run_random_calls(of, of.moved(Cursor::kPosMask), max_items, random, calls);
    // The count of records wraps, alone and together with the positions.
    run_random_calls(of, of.moved(64 * 1'000, Cursor::kItemsMask - 300), max_items, random, calls);
    run_random_calls(of, of.moved(Cursor::kPosMask - 500, Cursor::kItemsMask - 100), max_items,
                     random, calls);
    // The lap that is stamped comes and goes.
    run_random_calls(of, of.moved(64 * (MpmcRing::kStampLaps * 5 - 2)), max_items, random, calls);
  }
}

TEST_CASE("no word inside records is ever more than the stamping laps behind") {
  RingOf of;
  const WordFormat format(6);
  // Records of the whole ring: only the word of block 0 is ever claimed.
  MpmcRing ring = of.moved(64 * 10);
  for (std::uint64_t lap = 10; lap < 10 + 3 * MpmcRing::kStampLaps; ++lap) {
    REQUIRE(put(ring, lap, 4096));
    REQUIRE(take(ring) == lap);
    for (std::uint64_t block = 0; block < 64; ++block) {
      const std::uint64_t word = of.bare->segment().descriptors()[block].word.load();
      REQUIRE(format.age(word, lap * 64 + block) >=
              -static_cast<std::int64_t>(MpmcRing::kStampLaps));
    }
  }
  // And when the producers of that lap all die.
  MpmcRing dying = of.moved(64 * (MpmcRing::kStampLaps * 7));
  for (std::uint64_t block = 0; block < 64; ++block)
    of.bare->segment().descriptors()[block].word.store(format.make(64, State::done, 1));
  Record record;
  REQUIRE(dying.claim(4096, record) == Look::ok);
  // As if it had been killed before it stamped.
  for (std::uint64_t block = 1; block < 64; ++block)
    of.bare->segment().descriptors()[block].word.store(format.make(64, State::done, 1));
  dying.skip(record.pos, record.word);
  for (std::uint64_t block = 0; block < 64; ++block)
    CHECK(format.age(of.bare->segment().descriptors()[block].word.load(), record.pos + block) == 0);
}
