#include "platform/posix_shm.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "platform/fault.h"
#include "platform/file.h"
#include "platform/posix_open.h"

namespace interproc::platform {

namespace {

// Where shm_open of Linux's C libraries has its objects.
constexpr char kDirectory[] = "/dev/shm";

}  // namespace

Result<PosixShm> PosixShm::create(const std::string& name, std::uint64_t bytes,
                                  std::uint32_t permissions) noexcept {
  // shm_open(O_CREAT) would show everybody an object without bytes, and leave it behind if this process is killed before it
  // has some. So the object is made without a name and gets it when it is complete.
  File file(::open(kDirectory, O_TMPFILE | O_RDWR | O_CLOEXEC, static_cast<mode_t>(permissions)));
  if (!file.is_open()) return fail_posix("open(O_TMPFILE)", errno);
  FAULT("posix_shm.made");
  // What could not be had would else be taken from everybody else until it is given back.
  if (!file.has_room_for(bytes)) return fail_posix("posix_fallocate", ENOSPC);
  if (Error error = file.reserve(0, bytes); error.code != Code::ok) return error;
  FAULT("posix_shm.reserved");
  auto mapping = Mapping::of(file, 0, bytes);
  if (!mapping.ok()) return mapping.error();
  char self[64];
  std::snprintf(self, sizeof self, "/proc/self/fd/%d", file.descriptor());
  const File directory(::open(kDirectory, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.is_open()) return fail_posix("open", errno);
  FAULT("posix_shm.mapped");
  if (linkat(AT_FDCWD, self, directory.descriptor(), name.c_str() + 1, AT_SYMLINK_FOLLOW) != 0)
    return fail_posix("linkat", errno);
  FAULT("posix_shm.linked");
  return PosixShm(std::move(mapping.value()), PosixAccess::read_write);
}

Result<PosixShm> PosixShm::open(const std::string& name, PosixAccess access) noexcept {
  const bool read_only = access == PosixAccess::read_only;
  // O_NONBLOCK: a FIFO that stands in this place must not hang us.
  const File file(shm_open(name.c_str(), (read_only ? O_RDONLY : O_RDWR) | O_NONBLOCK, 0));
  if (!file.is_open()) {
    Error error = fail_posix("shm_open", errno);
    // The C library's word for a directory.
    if (error.errnum == EINVAL || error.errnum == EISDIR) error.code = Code::kind;
    return error;
  }
  auto facts = file.facts();
  if (!facts.ok()) return facts.error();
  if (!facts.value().regular) return fail(Code::kind, "what has this name is no shared memory");
  if (facts.value().bytes == 0)
    return fail(Code::corrupt, "it has no bytes: its maker has not given it any yet, or died");
  auto mapping = read_only ? Mapping::to_read(file, 0, facts.value().bytes)
                           : Mapping::of(file, 0, facts.value().bytes);
  if (!mapping.ok()) return mapping.error();
  return PosixShm(std::move(mapping.value()), access);
}

Result<PosixShm> PosixShm::open_or_create(const std::string& name, std::uint64_t bytes,
                                          std::uint32_t permissions) noexcept {
  return open_or_create_posix([&] { return open(name, PosixAccess::read_write); },
                              [&] { return create(name, bytes, permissions); });
}

Error PosixShm::unlink(const std::string& name) noexcept {
  if (is_too_long(name)) return fail_posix("shm_unlink", ENAMETOOLONG);
  if (shm_unlink(name.c_str()) != 0) return fail_posix("shm_unlink", errno);
  return {};
}

}  // namespace interproc::platform
