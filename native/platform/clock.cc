#include "platform/clock.h"

#include <sched.h>
#include <time.h>

namespace interproc::platform {

namespace {
std::int64_t read(clockid_t clock) noexcept {
  timespec at{};
  clock_gettime(clock, &at);
  return static_cast<std::int64_t>(at.tv_sec) * 1'000'000'000 + at.tv_nsec;
}
}  // namespace

std::int64_t now_ns() noexcept { return read(CLOCK_MONOTONIC); }
std::int64_t coarse_now_ns() noexcept { return read(CLOCK_MONOTONIC_COARSE); }
std::int64_t wall_ns() noexcept { return read(CLOCK_REALTIME); }

void sleep_ns(std::int64_t nanoseconds) noexcept {
  timespec span{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  nanosleep(&span, nullptr);
}

void yield() noexcept { sched_yield(); }

}  // namespace interproc::platform
