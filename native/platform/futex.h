#pragma once

#include <atomic>
#include <cstdint>

namespace interproc::platform {

// Sleeps while the low half of `word` equals `expected`, until woken or until CLOCK_MONOTONIC reaches `deadline_ns`.
// Between processes: never FUTEX_PRIVATE. May return for no reason; the caller looks at its own condition.
void futex_wait(const std::atomic<std::uint64_t>& word, std::uint32_t expected,
                std::int64_t deadline_ns) noexcept;

// Wakes one sleeper on `word`. Returns whether there was one.
bool futex_wake(std::atomic<std::uint64_t>& word) noexcept;

}  // namespace interproc::platform
