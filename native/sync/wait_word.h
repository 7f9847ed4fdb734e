#pragma once

#include <cstdint>

namespace interproc::sync {

// { epoch : 61 | state : 3 }. The epoch grows with every arming, so that a ringer that was stopped between its load and its
// CAS cannot mark a waiter that has armed anew. ARCHITECTURE.md section 7 has the state table.
enum class WaitState : std::uint64_t {
  awake = 0,
  armed_futex = 1,
  armed_bell = 2,
  ringing_futex = 3,
  ringing_bell = 4,
  rung = 5,
};

constexpr WaitState state_of(std::uint64_t word) noexcept {
  return static_cast<WaitState>(word & 7);
}
constexpr std::uint64_t with_state(std::uint64_t word, WaitState state) noexcept {
  return (word & ~std::uint64_t{7}) | static_cast<std::uint64_t>(state);
}
constexpr std::uint64_t next_epoch(std::uint64_t word, WaitState state) noexcept {
  return ((word >> 3) + 1) << 3 | static_cast<std::uint64_t>(state);
}
constexpr bool is_armed(WaitState state) noexcept {
  return state == WaitState::armed_futex || state == WaitState::armed_bell;
}
constexpr bool is_ringing(WaitState state) noexcept {
  return state == WaitState::ringing_futex || state == WaitState::ringing_bell;
}

}  // namespace interproc::sync
