// Two processes, each on its own core, that share memory mapped before the fork.
#pragma once

#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>

namespace interproc::bench {

[[noreturn]] inline void stop_on_error(const char* what) {
  std::perror(what);
  std::exit(1);
}

// Zeroed, shared with children forked later, and present: no page fault is left for the measured part.
inline void* map_shared(std::size_t bytes) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) stop_on_error("mmap");
  return memory;
}

inline void pin_to_cpu(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) stop_on_error("sched_setaffinity");
}

inline std::uint64_t monotonic_nanoseconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

// Runs `here` in this process and `there` in a child. Both return whether what they saw was right; so does this.
// The child dies with its parent; a child that dies first leaves the parent waiting, which the caller's watchdog ends.
template <class Here, class There>
bool run_in_two_processes(const std::optional<std::pair<int, int>>& cpus, Here here, There there) {
  const pid_t parent = getpid();
  if (cpus) pin_to_cpu(cpus->second);  // the child inherits it
  const pid_t child = fork();
  if (child < 0) stop_on_error("fork");
  if (child == 0) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) stop_on_error("prctl");
    if (getppid() != parent) _exit(1);  // it died before it could be asked to take us along
    _exit(there() ? 0 : 1);
  }
  if (cpus) pin_to_cpu(cpus->first);
  const bool right = here();
  int status = 0;
  if (waitpid(child, &status, 0) != child) stop_on_error("waitpid");
  return right && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace interproc::bench
