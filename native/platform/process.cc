#include "platform/process.h"

#include <sys/random.h>
#include <unistd.h>

#include "platform/clock.h"

namespace interproc::platform {

std::uint32_t process_id() noexcept { return static_cast<std::uint32_t>(getpid()); }

std::uint64_t random_word() noexcept {
  std::uint64_t word = 0;
  // Early in boot the kernel may have no randomness yet; names then still differ by time and process.
  if (getrandom(&word, sizeof word, GRND_NONBLOCK) != sizeof word) {
    word = static_cast<std::uint64_t>(now_ns()) * 0x9E3779B97F4A7C15u ^ process_id();
  }
  return word;
}

std::uint32_t page_bytes() noexcept { return static_cast<std::uint32_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace interproc::platform
