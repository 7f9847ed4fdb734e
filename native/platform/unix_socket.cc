#include "platform/unix_socket.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdio>

namespace interproc::platform {

bool is_listened_to(const Directory& directory, const std::string& name) noexcept {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // By the directory's descriptor: the address has room for 107 bytes.
  const int length = std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s",
                                   directory.descriptor(), name.c_str());
  if (length < 0 || static_cast<std::size_t>(length) >= sizeof address.sun_path) return true;
  const File socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return true;
  if (connect(socket.descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
      0)
    return true;
  if (errno == ECONNREFUSED) return false;
  // Anything else must not look like a death: too many want to connect, say, or there is no /proc.
  return errno != ENOENT || directory.facts_of(name).ok();
}

}  // namespace interproc::platform
