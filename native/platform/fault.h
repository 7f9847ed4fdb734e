#pragma once

// Named points at which a test may kill, stop or interrupt this process: one at every step of every protocol. They are
// there only in builds with INTERPROC_FAULTS; a release build contains none of them.

#if defined(INTERPROC_FAULTS)

#include <cstdint>

namespace interproc::platform {

enum class FaultAction : std::uint8_t { none, kill, stop };

// Passing the `at`-th fault point from now (1 = the next) does `action` to this process. `only` restricts the count to points of that name.
void plan_fault(FaultAction action, std::uint64_t at, const char* only = nullptr) noexcept;
// How many points have been passed since the last plan.
std::uint64_t faults_passed() noexcept;
// The name of the point passed last.
const char* last_fault() noexcept;
void pass_fault(const char* name) noexcept;
// Calls `observer` at every point, before the action. A forked child can so leave behind what it went through until it was killed.
void observe_faults(void (*observer)(const char* name)) noexcept;
// Reads INTERPROC_FAULT="kill|stop:N[:name]" once, so that a whole Node program can be told from outside.
void plan_fault_from_environment() noexcept;

}  // namespace interproc::platform

#define FAULT(name) ::interproc::platform::pass_fault(name)

#else

#define FAULT(name) static_cast<void>(0)

#endif
