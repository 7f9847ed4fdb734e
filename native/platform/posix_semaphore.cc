#include "platform/posix_semaphore.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <time.h>

#include <cerrno>

#include "platform/clock.h"
#include "platform/file.h"
#include "platform/posix_open.h"

namespace interproc::platform {

static_assert(PosixSemaphore::kMaxValue == SEM_VALUE_MAX);

namespace {

// How the C library calls the file of a semaphore among the shared memory objects.
#if defined(__GLIBC__)
constexpr char kPrefix[] = "/sem.";
#else
constexpr char kPrefix[] = "/";
#endif
constexpr std::size_t kPrefixBytes = sizeof kPrefix - sizeof "/";

// glibc maps whatever has the name; touching one that is too short would end the process.
Error check_file(const std::string& name) noexcept {
  const File file(shm_open((kPrefix + name.substr(1)).c_str(), O_RDONLY | O_NONBLOCK, 0));
  if (!file.is_open()) return fail_posix("sem_open", errno);
  auto facts = file.facts();
  if (!facts.ok()) return facts.error();
  if (!facts.value().regular || facts.value().bytes != sizeof(sem_t))
    return fail(Code::kind, "what has this name is no semaphore of this C library and word size");
  return {};
}

timespec at(std::int64_t time_ns) noexcept {
  return timespec{time_ns / 1'000'000'000, time_ns % 1'000'000'000};
}

}  // namespace

Result<PosixSemaphore> PosixSemaphore::create(const std::string& name, std::uint32_t value,
                                              std::uint32_t permissions) noexcept {
  if (is_too_long(name, kPrefixBytes)) return fail_posix("sem_open", ENAMETOOLONG);
  // The C library makes it under another name and links it: it is complete, or not there.
  sem_t* made = sem_open(name.c_str(), O_CREAT | O_EXCL, static_cast<mode_t>(permissions), value);
  if (made == SEM_FAILED) return fail_posix("sem_open", errno);
  return PosixSemaphore(made);
}

Result<PosixSemaphore> PosixSemaphore::open(const std::string& name) noexcept {
  if (is_too_long(name, kPrefixBytes)) return fail_posix("sem_open", ENAMETOOLONG);
  if (Error error = check_file(name); error.code != Code::ok) return error;
  sem_t* opened = sem_open(name.c_str(), 0);
  if (opened == SEM_FAILED) return fail_posix("sem_open", errno);
  return PosixSemaphore(opened);
}

Result<PosixSemaphore> PosixSemaphore::open_or_create(const std::string& name, std::uint32_t value,
                                                      std::uint32_t permissions) noexcept {
  return open_or_create_posix([&] { return open(name); },
                              [&] { return create(name, value, permissions); });
}

Error PosixSemaphore::unlink(const std::string& name) noexcept {
  if (is_too_long(name, kPrefixBytes)) return fail_posix("sem_unlink", ENAMETOOLONG);
  if (sem_unlink(name.c_str()) != 0) return fail_posix("sem_unlink", errno);
  return {};
}

PosixSemaphore& PosixSemaphore::operator=(PosixSemaphore&& other) noexcept {
  if (this != &other) {
    close();
    semaphore_ = std::exchange(other.semaphore_, nullptr);
  }
  return *this;
}

void PosixSemaphore::close() noexcept {
  if (semaphore_ != nullptr) sem_close(std::exchange(semaphore_, nullptr));
}

bool PosixSemaphore::try_wait() noexcept { return sem_trywait(semaphore_) == 0; }

bool PosixSemaphore::wait(std::int64_t deadline_ns) noexcept {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 30)
  const timespec deadline = at(deadline_ns);
  return sem_clockwait(semaphore_, CLOCK_MONOTONIC, &deadline) == 0;
#else
  // Others know deadlines of the wall clock only: while that is set back, the wait is longer.
  const timespec deadline = at(wall_ns() + (deadline_ns - now_ns()));
  return sem_timedwait(semaphore_, &deadline) == 0;
#endif
}

Error PosixSemaphore::post() noexcept {
  if (sem_post(semaphore_) == 0) return {};
  Error error = fail_posix("sem_post", errno);
  if (error.errnum == EOVERFLOW) error.code = Code::full;
  return error;
}

std::uint32_t PosixSemaphore::value() const noexcept {
  int value = 0;
  sem_getvalue(semaphore_, &value);
  return value > 0 ? static_cast<std::uint32_t>(value) : 0;
}

}  // namespace interproc::platform
