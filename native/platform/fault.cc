#include "platform/fault.h"

#if defined(INTERPROC_FAULTS)

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace interproc::platform {

namespace {

struct Plan {
  FaultAction action = FaultAction::none;
  std::uint64_t at = 0;
  const char* only = nullptr;
  std::uint64_t passed = 0;
  const char* last = "";
};

// A thread plans for itself: participants that run as threads of one test must not trip each other's faults.
thread_local Plan plan;
thread_local void (*observe)(const char* name) = nullptr;

}  // namespace

void plan_fault(FaultAction action, std::uint64_t at, const char* only) noexcept {
  plan = Plan{action, at, only, 0, ""};
}

std::uint64_t faults_passed() noexcept { return plan.passed; }

const char* last_fault() noexcept { return plan.last; }

void observe_faults(void (*observer)(const char* name)) noexcept { observe = observer; }

void pass_fault(const char* name) noexcept {
  if (observe != nullptr) observe(name);
  if (plan.only != nullptr && std::strcmp(plan.only, name) != 0) return;
  plan.last = name;
  if (++plan.passed != plan.at || plan.action == FaultAction::none) return;
  kill(getpid(), plan.action == FaultAction::kill ? SIGKILL : SIGSTOP);
}

void plan_fault_from_environment() noexcept {
  const char* text = std::getenv("INTERPROC_FAULT");
  if (text == nullptr) return;
  const char* colon = std::strchr(text, ':');
  if (colon == nullptr) return;
  char* end = nullptr;
  const std::uint64_t at = std::strtoull(colon + 1, &end, 10);
  const char* only = *end == ':' && end[1] != '\0' ? end + 1 : nullptr;
  plan_fault(text[0] == 's' ? FaultAction::stop : FaultAction::kill, at, only);
}

}  // namespace interproc::platform

#endif
