#pragma once

#include <algorithm>
#include <cstdint>

#include "platform/clock.h"

namespace interproc::sync {

// The longest a blocked thread sleeps before it looks by itself: wakes are lost when the one who carried them is killed, and
// JavaScript can be interrupted only between two native calls.
inline constexpr std::int64_t kSliceNs = 50'000'000;

// Spinning before sleeping, in looks of some 20 ns. A hand-over between two running processes takes under a microsecond, a
// sleep and a wake 5-15 us (a futex ping-pong measured 13-15 us there and back): staying awake for a comparable time
// is worth it while it tends to succeed. The budget halves with every failure, so that processes that share a processor do not burn it.
inline constexpr std::uint32_t kMinSpin = 16;
inline constexpr std::uint32_t kMaxSpin = 2048;

// Looks until `look` is true or the budget is spent; adapts the budget.
template <class Look>
bool spin(std::uint32_t& budget, Look look) noexcept {
  for (std::uint32_t i = 0; i < budget; ++i) {
    if (look()) {
      budget = std::min(budget + budget / 4 + 1, kMaxSpin);
      return true;
    }
    platform::relax();
  }
  budget = std::max(budget / 2, kMinSpin);
  return false;
}

}  // namespace interproc::sync
