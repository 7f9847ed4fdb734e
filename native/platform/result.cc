#include "platform/result.h"

#include <cerrno>

namespace interproc {

Error fail_system(const char* syscall, int errnum) noexcept {
  Code code = Code::system;
  switch (errnum) {
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
    // Something else stands in the place of our file or directory: a directory, a file, a socket.
    case EISDIR:
    case ENOTDIR:
    case ENXIO:
      code = Code::permission;
      break;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ENOMEM:
      code = Code::no_space;
      break;
    case EEXIST:
      code = Code::exists;
      break;
    case ENOENT:
      code = Code::not_found;
      break;
    default:
      break;
  }
  return Error{code, errnum, syscall, ""};
}

}  // namespace interproc
