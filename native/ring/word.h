#pragma once

#include <cstdint>

#include "memory/registry.h"
#include "ring/cursor.h"

namespace interproc::ring {

// What a descriptor's word says about the record that starts at its block. ARCHITECTURE.md section 3 has the table of who
// may change which state to what.
enum class State : std::uint64_t {
  none = 0,
  writing = 1,
  ready = 2,
  reading = 3,
  returned = 4,
  done = 5,
  end = 6,
  interior = 7,
};

// { lap : 44-k | blocks : k+1 | generation : 8 | slot : 8 | state : 3 } for a ring of 2^k blocks.
class WordFormat {
 public:
  explicit WordFormat(std::uint32_t blocks_shift) noexcept
      : k_(blocks_shift),
        lap_shift_(kBlocksShift + blocks_shift + 1),
        lap_bits_(Cursor::kPosBits - blocks_shift) {}

  std::uint64_t make(std::uint64_t pos, State state, std::uint64_t blocks,
                     memory::Owner owner = {}) const noexcept {
    return (pos >> k_) << lap_shift_ | blocks << kBlocksShift |
           std::uint64_t{owner.generation} << 11 | std::uint64_t{owner.slot} << 3 |
           static_cast<std::uint64_t>(state);
  }
  // The same record in another state.
  static constexpr std::uint64_t to(std::uint64_t word, State state,
                                    memory::Owner owner = {}) noexcept {
    return (word & ~kOwnerAndState) | std::uint64_t{owner.generation} << 11 |
           std::uint64_t{owner.slot} << 3 | static_cast<std::uint64_t>(state);
  }

  static constexpr State state(std::uint64_t word) noexcept { return static_cast<State>(word & 7); }
  static constexpr memory::Owner owner(std::uint64_t word) noexcept {
    return {static_cast<std::uint8_t>(word >> 3), static_cast<std::uint8_t>(word >> 11)};
  }
  std::uint64_t blocks(std::uint64_t word) const noexcept {
    return (word >> kBlocksShift) & ((std::uint64_t{2} << k_) - 1);
  }
  std::uint64_t lap(std::uint64_t pos) const noexcept { return pos >> k_; }
  // Positive: the word is of a newer lap than `pos`; negative: of an older one; 0: of this lap.
  std::int64_t age(std::uint64_t word, std::uint64_t pos) const noexcept {
    const std::uint64_t difference = (word >> lap_shift_) - (pos >> k_);
    return static_cast<std::int64_t>(difference << (64 - lap_bits_)) >> (64 - lap_bits_);
  }

 private:
  static constexpr unsigned kBlocksShift = 19;
  static constexpr std::uint64_t kOwnerAndState = (std::uint64_t{1} << kBlocksShift) - 1;

  unsigned k_;
  unsigned lap_shift_;
  unsigned lap_bits_;
};

}  // namespace interproc::ring
