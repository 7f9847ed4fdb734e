#include "platform/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bit>

namespace interproc::platform {

// The futex is the low half of the word: its first four bytes, on a little-endian machine only.
static_assert(std::endian::native == std::endian::little);
static_assert(sizeof(std::atomic<std::uint64_t>) == 8);

void futex_wait(const std::atomic<std::uint64_t>& word, std::uint32_t expected,
                std::int64_t deadline_ns) noexcept {
  timespec deadline{deadline_ns / 1'000'000'000, deadline_ns % 1'000'000'000};
  // WAIT_BITSET takes an absolute deadline; plain FUTEX_WAIT would restart its span after every signal.
  syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, expected, &deadline, nullptr,
          FUTEX_BITSET_MATCH_ANY);
}

bool futex_wake(std::atomic<std::uint64_t>& word) noexcept {
  return syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0) > 0;
}

}  // namespace interproc::platform
