#pragma once

#include <semaphore.h>

#include <cstdint>
#include <string>
#include <utility>

#include "platform/result.h"

namespace interproc::platform {

// A named semaphore of POSIX (sem_open); closed when dropped. Its permits belong to nobody: those that a process holds when it
// dies are lost. Names: "/name".
class PosixSemaphore {
 public:
  // The largest value.
  static constexpr std::uint32_t kMaxValue = 0x7fff'ffff;

  // `permissions` as those of a file, less the umask.
  static Result<PosixSemaphore> create(const std::string& name, std::uint32_t value,
                                       std::uint32_t permissions) noexcept;
  // Code::kind: no semaphore of this C library.
  static Result<PosixSemaphore> open(const std::string& name) noexcept;
  static Result<PosixSemaphore> open_or_create(const std::string& name, std::uint32_t value,
                                               std::uint32_t permissions) noexcept;
  // Removes the name, whichever semaphore has it; those who have that open go on.
  static Error unlink(const std::string& name) noexcept;

  PosixSemaphore() noexcept = default;
  PosixSemaphore(PosixSemaphore&& other) noexcept
      : semaphore_(std::exchange(other.semaphore_, nullptr)) {}
  PosixSemaphore& operator=(PosixSemaphore&& other) noexcept;
  PosixSemaphore(const PosixSemaphore&) = delete;
  PosixSemaphore& operator=(const PosixSemaphore&) = delete;
  ~PosixSemaphore() { close(); }

  // Takes a permit if there is one.
  bool try_wait() noexcept;
  // Takes a permit as soon as there is one (true). False: there was none until CLOCK_MONOTONIC reached `deadline_ns`, or the
  // wait was interrupted.
  bool wait(std::int64_t deadline_ns) noexcept;
  // Adds a permit; Code::full at the largest value.
  Error post() noexcept;
  std::uint32_t value() const noexcept;

 private:
  explicit PosixSemaphore(sem_t* semaphore) noexcept : semaphore_(semaphore) {}
  void close() noexcept;

  sem_t* semaphore_ = nullptr;
};

}  // namespace interproc::platform
