#pragma once

#include <cstdint>

#include "memory/registry.h"

namespace interproc::ring {

// Who has an end of a pipe: { serial : 45 | generation : 8 | slot : 8 | state : 3 }. The serial grows with every change, so that a CAS that was
// begun before fails. ARCHITECTURE.md section 6 has the state table.
enum class EndState : std::uint64_t {
  unclaimed = 0,  // of a pipe that is being made: its maker's
  owned = 1,      // (slot, generation) has it
  offered = 2,    // the same, about to give it away in a message
  flying = 3,     // in a message
  closed = 4,     // for good
};

struct EndWord {
  static constexpr EndState state(std::uint64_t word) noexcept {
    return static_cast<EndState>(word & 7);
  }
  static constexpr memory::Owner owner(std::uint64_t word) noexcept {
    return {static_cast<std::uint8_t>(word >> 3), static_cast<std::uint8_t>(word >> 11)};
  }
  static constexpr std::uint64_t next(std::uint64_t word, EndState state,
                                      memory::Owner owner = {}) noexcept {
    return ((word >> 19) + 1) << 19 | std::uint64_t{owner.generation} << 11 |
           std::uint64_t{owner.slot} << 3 | static_cast<std::uint64_t>(state);
  }
  static constexpr bool is_somebodys(std::uint64_t word) noexcept {
    return state(word) == EndState::owned || state(word) == EndState::offered;
  }
};

}  // namespace interproc::ring
