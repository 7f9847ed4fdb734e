#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "platform/mapping.h"
#include "platform/result.h"

namespace interproc::platform {

enum class PosixAccess { read_only, read_write };

// A shared memory object of POSIX (shm_open), mapped whole; unmapped when dropped. It lasts until its name is removed and
// nobody has it mapped: no process's end does that. Names: "/name".
class PosixShm {
 public:
  // All of `bytes` are zero and real at once: no touch of them can raise SIGBUS for want of space. The object has its name only
  // when it is complete, whenever its maker is killed. `permissions` as those of a file, less the umask.
  static Result<PosixShm> create(const std::string& name, std::uint64_t bytes,
                                 std::uint32_t permissions) noexcept;
  // Code::kind: no shared memory; Code::corrupt: it has no bytes (yet).
  static Result<PosixShm> open(const std::string& name, PosixAccess access) noexcept;
  static Result<PosixShm> open_or_create(const std::string& name, std::uint64_t bytes,
                                         std::uint32_t permissions) noexcept;
  // Removes the name, whichever object has it; those who have that open go on.
  static Error unlink(const std::string& name) noexcept;

  PosixShm() noexcept = default;

  std::byte* data() const noexcept { return mapping_.data(); }
  std::size_t bytes() const noexcept { return mapping_.bytes(); }
  bool is_read_only() const noexcept { return access_ == PosixAccess::read_only; }

 private:
  PosixShm(Mapping mapping, PosixAccess access) noexcept
      : mapping_(std::move(mapping)), access_(access) {}

  Mapping mapping_;
  PosixAccess access_ = PosixAccess::read_write;
};

}  // namespace interproc::platform
