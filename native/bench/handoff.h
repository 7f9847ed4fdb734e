// Two processes take turns under one lock: who has released it does not come back before the other has got it, so every release is met by one who waits. What is
// measured is the time from a release to the moment at which the other has it: for one who has waited a short while, and for one who has waited so long that it sleeps.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <new>

#include "command_line.h"
#include "round_trip_report.h"
#include "two_processes.h"

namespace interproc::bench {

// Written under the lock only, but read without it by who waits for the other's turn.
struct HandoffCourt {
  alignas(128) std::atomic<std::uint64_t> turns{0};
  alignas(128) std::uint64_t released_at = 0;
};

inline void pass_time(std::uint64_t nanoseconds) {
  const std::uint64_t until = monotonic_nanoseconds() + nanoseconds;
  while (monotonic_nanoseconds() < until) {
  }
}

// `make_lock()` runs in each process, and returns what has acquire() and release(). A line for each of the two ways of waiting.
template <class MakeLock>
bool measure_handoff(const CommandLine& line, MakeLock make_lock) {
  constexpr std::uint64_t kWarmUp = 100;
  bool all_right = true;
  for (const std::uint64_t held_ns : {2'000u, 200'000u}) {
    const std::uint64_t turns = 2 * (line.count + kWarmUp);
    HandoffCourt* const court = new (map_shared(sizeof(HandoffCourt))) HandoffCourt;
    RoundTripReport report(line.count);
    const auto play = [&](std::uint64_t self) {
      const auto lock = make_lock();
      for (std::uint64_t turn = self; turn < turns; turn += 2) {
        // It is the other's turn, and it has the lock: now we may come.
        while (court->turns.load(std::memory_order_acquire) < turn) {
        }
        lock->acquire();
        const std::uint64_t now = monotonic_nanoseconds();
        if (self == 0 && turn >= 2 * kWarmUp) report.add(now - court->released_at);
        court->turns.store(turn + 1, std::memory_order_release);
        pass_time(held_ns);
        court->released_at = monotonic_nanoseconds();
        lock->release();
      }
      return court->turns.load() >= turns - 1;
    };
    const bool right = run_in_two_processes(
        line.cpus, [&] { return play(0); }, [&] { return play(1); });
    std::printf("{\"heldUs\":%g}", static_cast<double>(held_ns) / 1e3);
    report.print(right);
    all_right = all_right && right;
  }
  return all_right;
}

}  // namespace interproc::bench
