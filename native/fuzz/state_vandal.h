#pragma once

#include <cstdint>
#include <iterator>

#include "fuzz/script.h"
#include "memory/registry.h"
#include "memory/segment.h"
#include "state/cells.h"
#include "sync/lock_words.h"

namespace interproc::fuzz {

// What Vandal is to a queue, to an object of state: it knows where the words stand that decide something, and where in each of them
// stands whom it names, so that most of what it writes is nearly right.
class StateVandal {
 public:
  explicit StateVandal(memory::Segment& segment)
      : segment_(segment), slots_(segment.header().max_participants) {}

  void strike(Script& script) {
    switch (script.below(8)) {
      case 0:
      case 1:
      case 2:
        return strike_lock(script);
      case 3:
        return strike_cells(script);
      case 4:
      case 5:
        return strike_own(script);
      case 6:
        return strike_participant(script);
      default:
        return strike_anywhere(script);
    }
  }

 private:
  void strike_lock(Script& script) {
    auto& words = segment_.lock_words<sync::LockWords>();
    switch (script.below(8)) {
      case 0:
      case 1:
        return spoil(words.owner, 0, script);
      case 2:
        return spoil(words.promised, 0, script);
      case 3:
      case 4:
        return spoil(words.state, 0, script);
      case 5:
        return flip(words.lined_up, script);
      case 6:
        return flip(words.readers, script);
      default: {
        memory::Word* const counts[] = {&words.turns, &words.limit, &words.rotor};
        return spoil(*counts[script.below(std::size(counts))], 0, script);
      }
    }
  }

  void strike_cells(Script& script) {
    auto& words = segment_.cell_words<state::CellWords>();
    switch (script.below(4)) {
      case 0:
        return words.watch.store(static_cast<std::uint32_t>(script.word()));
      case 1:
        return spoil(words.changes, 0, script);
      default:
        return spoil(words.writing, 3, script);
    }
  }

  // What a lock keeps for each participant: a generation at bit 24 or 56.
  void strike_own(Script& script) {
    const std::uint32_t slot = participant(script);
    memory::Word& word = segment_.participants()[slot].leases[script.below(4)];
    const std::uint64_t generation = segment_.participants()[slot].identity.load() >> 8 & 0xFF;
    switch (script.below(4)) {
      case 0:
        return word.store(script.word() >> 8 | generation << 56);
      case 1:
        return word.store((script.word() & ~(std::uint64_t{0xFF} << 24)) | generation << 24);
      case 2:
        return word.store(script.byte() | std::uint64_t{script.byte()} << 28 | generation << 56);
      default:
        return spoil(word, 0, script);
    }
  }

  void strike_participant(Script& script) {
    memory::Participant& victim = segment_.participants()[participant(script)];
    switch (script.below(4)) {
      case 0:
        return victim.identity.store(static_cast<std::uint32_t>(script.byte()) << 8 |
                                     script.below(2));
      case 1:
        // Nobody's bell, or another's.
        return victim.bell.store(script.below(2) == 0
                                     ? script.word()
                                     : segment_.participants()[participant(script)].bell.load());
      case 2:
        return flip(segment_.control().listed[script.below(memory::kWaitSides)], script);
      default: {
        memory::Word& wait = victim.wait[script.below(memory::kWaitSides)];
        return wait.store((wait.load() & ~std::uint64_t{7}) | script.below(8));
      }
    }
  }

  void strike_anywhere(Script& script) {
    // Not the header, which is read only at open.
    const bool payload = segment_.layout().payload_bytes > 0 && script.below(4) == 0;
    auto* const words = reinterpret_cast<memory::Word*>(
        payload ? segment_.payload() : reinterpret_cast<std::byte*>(&segment_.control()));
    const std::uint64_t bytes = payload ? segment_.layout().payload_bytes
                                        : segment_.layout().payload - segment_.layout().control;
    const std::uint64_t index = std::uint64_t{script.byte()} << 8 | script.byte();
    words[index % (bytes / sizeof(memory::Word))].store(script.word());
  }

  // `named_at`: the bit where { generation : 8 | slot : 8 } begins, of whom the word names; a state may stand on either side.
  void spoil(memory::Word& word, unsigned named_at, Script& script) {
    const std::uint64_t before = word.load();
    const std::uint64_t kind = script.byte();
    switch (script.below(5)) {
      case 0:
        return word.store(script.word());
      case 1:
        return word.store(before + static_cast<std::uint64_t>(script.step()));
      case 2:
        return word.store(before ^ std::uint64_t{1} << kind % 64);
      default: {
        const std::uint64_t above = (script.below(2) == 0 ? before : script.word())
                                    << (named_at + 24);
        const std::uint64_t state = kind << (named_at + 16) | (kind & ((1u << named_at) - 1));
        return word.store(above | state | name(script) << named_at);
      }
    }
  }

  void flip(memory::Word* bitmap, Script& script) {
    const std::uint32_t slot = script.below(4) == 0 ? script.byte() : any_slot(script);
    bitmap[slot / 64].fetch_xor(std::uint64_t{1} << slot % 64);
  }

  // Of the two there are, of one more, and of the last.
  std::uint32_t participant(Script& script) const {
    const std::uint32_t slots[] = {0, 1, 2, slots_ - 1};
    return slots[script.below(std::size(slots))];
  }
  // ... and of those there are not.
  std::uint32_t any_slot(Script& script) const {
    const std::uint32_t slots[] = {0, 1, 2, slots_ - 1, slots_, memory::kMaxParticipants - 1};
    return slots[script.below(std::size(slots))];
  }

  // Of a participant there is, of its successor, or of nobody.
  std::uint64_t name(Script& script) const {
    const std::uint32_t slot = any_slot(script);
    const std::uint32_t generation =
        slot < slots_ ? segment_.participants()[slot].identity.load() >> 8 : script.byte();
    return std::uint64_t{(generation + script.below(2)) & 0xFF} << 8 | slot;
  }

  memory::Segment& segment_;
  std::uint32_t slots_;
};

}  // namespace interproc::fuzz
