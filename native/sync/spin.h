#pragma once

#include <algorithm>
#include <cstdint>

#include "platform/clock.h"

namespace interproc::sync {

// The longest a blocked thread sleeps before it looks by itself: wakes are lost when the one who carried them is killed, and
// JavaScript can be interrupted only between two native calls.
inline constexpr std::int64_t kSliceNs = 50'000'000;

// Looking for a while before going to sleep. Between two running processes an answer comes within 1-3 us. A sleep and a wake cost 6-8 us there and
// back on one core, and 30-40 us across two virtual ones, where the sleeper's core has halted (the bare futex and FIFO
// ping-pongs of the benchmark). So it pays to stay awake for about as long as a sleep would cost, as long as it tends to succeed: the
// budget follows what the last successes needed, halves with every failure, so that processes that share a core do not burn
// it, and is tried in full now and then, so that it can recover.
class Spinner {
 public:
  // In looks, of 20-50 ns each.
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

  // It was worth staying awake for longer than the budget allowed.
  void encourage() noexcept { budget_ = max_; }

 private:
  std::uint32_t max_;
  std::uint32_t budget_;
  std::uint32_t tries_ = 0;
};

// A blocked thread has nothing else to do. An event loop has, but must try for longer than a peer takes to wake up, or two loops that
// have once both slept would go on sleeping: with 512 looks a round trip took 68 us at the median, with 1,024 it took 3 us.
inline constexpr std::uint32_t kBlockedSpin = 2048;
inline constexpr std::uint32_t kLoopSpin = 1024;

// Looking on while a large message is being written: it will be there soon, and to wake a sleeper costs the writer 10 us, a sixth of the
// 57 us that he needs for 1 MiB (a Xeon with looks of 15 ns). So who sees one stays for about twice as long as it takes to write, unless that
// was in vain a few times in a row: then the writers are slow, or share the core.
class WriterWatch {
 public:
  // What is smaller is written before a Spinner gives up.
  static constexpr std::uint64_t kMinBytes = 64 << 10;
  static constexpr std::uint32_t kBytesPerLook = 128;
  // As many as for 1 MiB: what takes longer is hardly delayed by a wake.
  static constexpr std::uint32_t kMax = 8192;
  static constexpr std::uint32_t kForgiven = 4;

  // Looks until `look` is true, or longer than `bytes` are worth (false).
  template <class Look>
  bool operator()(std::uint64_t bytes, Look look) noexcept {
    const bool probe = ++tries_ % Spinner::kProbeEvery == 0;
    if (failures_ >= kForgiven && !probe) return false;
    const std::uint64_t limit = std::min<std::uint64_t>(bytes / kBytesPerLook, kMax);
    for (std::uint64_t i = 0; i < limit; ++i) {
      if (look()) {
        failures_ = 0;
        return true;
      }
      platform::relax();
    }
    if (failures_ < kForgiven) ++failures_;
    return false;
  }

 private:
  std::uint32_t failures_ = 0;
  std::uint32_t tries_ = 0;
};

}  // namespace interproc::sync
