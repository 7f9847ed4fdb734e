#pragma once

#include <cstdint>

namespace interproc::platform {

// CLOCK_MONOTONIC, so that a change of the wall clock moves no deadline.
std::int64_t now_ns() noexcept;

// The same clock at tick resolution (some milliseconds), for a few nanoseconds: to decide whether a slow duty is due.
std::int64_t coarse_now_ns() noexcept;

// Wall clock, for people reading `list()`; nothing is decided by it.
std::int64_t wall_ns() noexcept;

void sleep_ns(std::int64_t nanoseconds) noexcept;

// One turn of a spin loop.
inline void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

// Lets another runnable thread have this processor.
void yield() noexcept;

}  // namespace interproc::platform
