#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "fuzz/script.h"
#include "memory/segment.h"
#include "ring/cursor.h"
#include "ring/ledger.h"
#include "ring/word.h"

namespace interproc::fuzz {

// Writes into a live segment what no correct participant would. A random word is nearly always nonsense at first sight; so most
// of what it writes is made of sound parts: the right lap with the wrong state, a living owner's name, a cursor one record off.
class Vandal {
 public:
  // Entries beyond these are left alone, so that who puts everything right again knows where to look.
  static constexpr std::uint32_t kEntries = 64;

  explicit Vandal(memory::Segment& segment)
      : segment_(segment),
        control_(segment.control()),
        slots_(segment.header().max_participants),
        format_(segment.header().blocks_shift),
        blocks_(std::uint64_t{1} << segment.header().blocks_shift) {}

  void strike(Script& script) {
    switch (script.below(16)) {
      case 0:
      case 1:
      case 2:
        return strike_cursor(script);
      case 3:
        return strike_flag(script);
      case 4:
        return strike_bitmap(script);
      case 5:
      case 6:
        return strike_participant(script);
      case 7:
      case 8:
      case 9:
      case 10:
        return strike_record(script);
      case 11:
        return strike_record_facts(script);
      case 12:
      case 13:
        return strike_entry(script);
      case 14:
        return strike_entry_facts(script);
      default:
        return strike_anywhere(script);
    }
  }

 private:
  memory::Word& cursor(Script& script) const {
    memory::Word* cursors[] = {&control_.tail, &control_.head, &control_.reclaim};
    return *cursors[script.below(3)];
  }

  void strike_cursor(Script& script) {
    memory::Word& word = cursor(script);
    const std::uint64_t value = word.load();
    switch (script.below(4)) {
      case 0:
        return word.store(value + static_cast<std::uint64_t>(script.step()));
      case 1:
        return word.store(value +
                          (static_cast<std::uint64_t>(script.step()) << ring::Cursor::kPosBits));
      case 2:
        return word.store(cursor(script).load());
      default:
        return word.store(script.word());
    }
  }

  void strike_flag(Script& script) {
    std::atomic<std::uint32_t>& flag = script.below(2) == 0 ? control_.ended : control_.redeliver;
    flag.store(script.below(2));
  }

  void strike_bitmap(Script& script) {
    const std::uint32_t which = script.below(1 + memory::kWaitSides);
    memory::Word* bitmap = which == 0 ? control_.ledgers : control_.listed[which - 1];
    if (script.below(2) == 0) {
      bitmap[0].fetch_xor(std::uint64_t{1} << slot(script));
    } else {
      bitmap[script.below(memory::kBitmapWords)].fetch_xor(std::uint64_t{1} << script.below(64));
    }
  }

  void strike_participant(Script& script) {
    memory::Participant& victim = segment_.participants()[script.below(slots_)];
    switch (script.below(8)) {
      case 0:
        return victim.identity.store(static_cast<std::uint32_t>(script.byte()) << 8 |
                                     script.below(2));
      case 1:
        // Nobody's bell, or another's.
        return victim.bell.store(script.below(2) == 0
                                     ? script.word()
                                     : segment_.participants()[script.below(slots_)].bell.load());
      case 2:
        return victim.need.store(script.byte());
      case 3:
        return victim.wait[script.below(memory::kWaitSides)].store(script.word());
      case 4:
        return victim.takes.store(script.byte());
      case 5:
        return victim.dones.store(static_cast<std::uint64_t>(script.byte()) << 8 | script.below(4));
      default: {
        memory::Word& wait = victim.wait[script.below(memory::kWaitSides)];
        return wait.store((wait.load() & ~std::uint64_t{7}) | script.below(8));
      }
    }
  }

  // One there is, or one just beyond.
  std::uint8_t slot(Script& script) const {
    return static_cast<std::uint8_t>(script.below(slots_ + 2));
  }

  memory::Owner owner(Script& script) const {
    const std::uint8_t named = slot(script);
    if (named >= slots_) return {named, script.byte()};
    const std::uint32_t generation = segment_.participants()[named].identity.load() >> 8;
    return {named, static_cast<std::uint8_t>(generation + script.below(2))};
  }

  // A position near one of the cursors, or a lap beside it.
  std::uint64_t position(Script& script) const {
    const std::uint64_t pos =
        ring::Cursor::pos(cursor(script).load()) + static_cast<std::uint64_t>(script.step());
    const std::uint64_t laps = script.below(8);
    return (pos + (laps < 3 ? laps - 1 : 0) * blocks_) & ring::Cursor::kPosMask;
  }

  void strike_record(Script& script) {
    const std::uint64_t pos = position(script);
    memory::Word& word = segment_.descriptors()[pos & (blocks_ - 1)].word;
    const auto state = static_cast<ring::State>(script.below(8));
    const std::uint64_t lengths[] = {0,
                                     1,
                                     2,
                                     3,
                                     format_.blocks(word.load()),
                                     blocks_,
                                     2 * blocks_ - 1,
                                     script.byte() & (2 * blocks_ - 1)};
    const std::uint64_t blocks = lengths[script.below(std::size(lengths))];
    word.store(format_.make(pos, state, blocks, owner(script)));
  }

  std::uint32_t length(Script& script) const {
    const std::uint64_t capacity = segment_.layout().payload_bytes;
    const std::uint64_t lengths[] = {0,        1,        64,  capacity,     capacity + 1,
                                     1u << 31, ~0u - 62, ~0u, script.byte()};
    return static_cast<std::uint32_t>(lengths[script.below(std::size(lengths))]);
  }

  void strike_record_facts(Script& script) {
    memory::Descriptor& record = segment_.descriptors()[position(script) & (blocks_ - 1)];
    (script.below(2) == 0 ? record.length : record.redeliveries).store(length(script));
  }

  memory::LedgerEntry& entry(Script& script) const {
    memory::Ledger& region = *segment_.ledger(script.below(slots_));
    // Most often one of those that are in use.
    const std::uint32_t index = script.below(script.below(4) == 0 ? kEntries : 3);
    if (region.watermark.load() <= index) region.watermark.store(index + 1);
    return region.entries[index];
  }

  void strike_entry(Script& script) {
    memory::LedgerEntry& victim = entry(script);
    const auto state = static_cast<ring::EntryState>(script.below(4));
    victim.word.store(ring::EntryWord::to(victim.word.load(), state, owner(script)));
    if (script.below(2) == 0) victim.pos.store(position(script));
  }

  void strike_entry_facts(Script& script) {
    memory::LedgerEntry& victim = entry(script);
    std::atomic<std::uint32_t>* facts[] = {&victim.offset, &victim.length, &victim.redeliveries};
    facts[script.below(3)]->store(length(script));
  }

  void strike_anywhere(Script& script) {
    if (script.below(8) == 0) {
      segment_.ledger(script.below(slots_))->watermark.store(length(script));
      return;
    }
    if (segment_.layout().side_slots != 0 && script.below(4) == 0) {
      memory::SideSlot& slot = segment_.sides()[script.below(4)];
      memory::Word* words[] = {&slot.word, &slot.length, &slot.kept};
      words[script.below(3)]->store(script.below(2) == 0 ? length(script) : script.word());
      return;
    }
    // Not the header, which is read only at open, nor the payload, which is only bytes.
    const std::uint64_t words =
        (segment_.layout().payload - segment_.layout().control) / sizeof(memory::Word);
    const std::uint64_t index = (std::uint64_t{script.byte()} << 8 | script.byte()) % words;
    reinterpret_cast<memory::Word*>(&control_)[index].store(script.word());
  }

  memory::Segment& segment_;
  memory::Control& control_;
  std::uint32_t slots_;
  ring::WordFormat format_;
  std::uint64_t blocks_;
};

}  // namespace interproc::fuzz
