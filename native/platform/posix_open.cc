#include "platform/posix_open.h"

#include <limits.h>

#include <cerrno>

namespace interproc::platform {

bool is_too_long(const std::string& name, std::size_t prefix) noexcept {
  return name.size() - 1 > NAME_MAX - prefix;
}

Error fail_posix(const char* syscall, int errnum) noexcept {
  Error error = fail_system(syscall, errnum);
  if (errnum == ENAMETOOLONG) {
    error.code = Code::argument;
    error.detail = "the name is too long";
  }
  return error;
}

}  // namespace interproc::platform
