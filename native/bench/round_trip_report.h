// The line a ping-pong program prints: the time of each round trip, in order of size.
#pragma once

#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "two_processes.h"

namespace interproc::bench {

class RoundTripReport {
 public:
  explicit RoundTripReport(std::uint64_t count) { nanoseconds_.reserve(count); }

  // Times one call of `round_trip`.
  template <class RoundTrip>
  void time(RoundTrip round_trip) {
    const std::uint64_t start = monotonic_nanoseconds();
    round_trip();
    add(monotonic_nanoseconds() - start);
  }
  // A time that was taken otherwise.
  void add(std::uint64_t nanoseconds) { nanoseconds_.push_back(nanoseconds); }

  void print(bool verified) {
    std::sort(nanoseconds_.begin(), nanoseconds_.end());
    std::uint64_t sum = 0;
    for (const std::uint64_t time : nanoseconds_) sum += time;
    const double mean = static_cast<double>(sum) / static_cast<double>(nanoseconds_.size());
    std::printf(
        "{\"count\":%zu,\"seconds\":%.9f,\"meanUs\":%.3f,\"p50Us\":%.3f,\"p99Us\":%.3f,"
        "\"verified\":%s}\n",
        nanoseconds_.size(), static_cast<double>(sum) / 1e9, mean / 1e3, percentile_us(50),
        percentile_us(99), verified ? "true" : "false");
  }

 private:
  // Nearest rank, as bench/harness/statistics.mjs.
  double percentile_us(std::size_t percent) const {
    const std::size_t rank = (nanoseconds_.size() * percent + 99) / 100;
    return static_cast<double>(nanoseconds_[std::max<std::size_t>(rank, 1) - 1]) / 1e3;
  }

  std::vector<std::uint64_t> nanoseconds_;
};

}  // namespace interproc::bench
