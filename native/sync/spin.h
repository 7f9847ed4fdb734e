#pragma once

#include <algorithm>
#include <cstdint>

#include "platform/clock.h"

namespace interproc::sync {

// The longest a blocked thread sleeps before it looks by itself: wakes are lost when the one who carried them is killed, and
// JavaScript can be interrupted only between two native calls.
inline constexpr std::int64_t kSliceNs = 50'000'000;

// Looking for a while before going to sleep. Between two running processes an answer comes within 1-3 us; a sleep and a wake cost 5-15 us
// (a futex ping-pong measured 6-15 us there and back on one core, several times that across virtual cores). So it pays to stay awake for
// about as long as a sleep would cost, as long as it tends to succeed: the budget follows what the last successes needed, halves with
// every failure, so that processes that share a core do not burn it, and is tried in full now and then, so that it can recover.
class Spinner {
 public:
  // Looks take about 20 ns each.
  static constexpr std::uint32_t kMin = 8;
  static constexpr std::uint32_t kProbeEvery = 32;

  explicit Spinner(std::uint32_t max) noexcept : max_(max), budget_(max) {}

  // Looks until `look` is true, or the budget is spent (false).
  template <class Look>
  bool operator()(Look look) noexcept {
    const bool probe = ++tries_ % kProbeEvery == 0;
    const std::uint32_t limit = probe ? max_ : budget_;
    for (std::uint32_t i = 0; i < limit; ++i) {
      if (look()) {
        budget_ = std::min(std::max(budget_ - budget_ / 8, 2 * i + kMin), max_);
        return true;
      }
      platform::relax();
    }
    if (!probe) budget_ = std::max(budget_ / 2, kMin);
    return false;
  }

 private:
  std::uint32_t max_;
  std::uint32_t budget_;
  std::uint32_t tries_ = 0;
};

// A blocked thread has nothing else to do; an event loop has.
inline constexpr std::uint32_t kBlockedSpin = 2048;
inline constexpr std::uint32_t kLoopSpin = 512;

}  // namespace interproc::sync
