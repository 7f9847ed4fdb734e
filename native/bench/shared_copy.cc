// Measures large messages that are copied exactly twice: from the sender's private memory into a shared buffer, and from
// there into the receiver's private memory, by two processes at the same time.
//
// The reference for large messages, because a queue that hands the caller bytes of his own cannot copy less. Two shared
// buffers, so that one is filled while the other is emptied. The hand-over is as cheap as can be: a word per buffer, a
// short spin, then a futex.
//
//   shared_copy [--bytes N] [--count N] [--cpus A,B]
#include <algorithm>
#include <new>
#include <vector>

#include "command_line.h"
#include "futex_wait.h"
#include "two_processes.h"
#include "verified_message.h"

namespace {

using interproc::bench::SharedWord;

// About as long as the copy of a few KiB: long enough to meet a peer that is copying, too short to starve one that
// shares the core.
constexpr int kSpins = 2000;

enum : std::uint32_t { kEmpty = 0, kFull = 1 };
constexpr std::uint32_t kAwaited = 2;  // with either: the peer sleeps until it becomes the other

void relax_core() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

class HandOver {
 public:
  // Returns when the buffer is in `state`. The peer may by then be asleep until it is not: that is its bit, and set()
  // looks at it.
  void await(std::uint32_t state) {
    for (int i = 0; i < kSpins; ++i) {
      if (is_in(state, word_.load(std::memory_order_acquire))) return;
      relax_core();
    }
    const std::uint32_t asleep = (state ^ 1) | kAwaited;
    for (;;) {
      std::uint32_t seen = state ^ 1;
      if (!word_.compare_exchange_strong(seen, asleep, std::memory_order_acquire) &&
          is_in(state, seen))
        return;
      interproc::bench::futex_wait(word_, asleep);
    }
  }

  void set(std::uint32_t state) {
    const std::uint32_t before = word_.exchange(state, std::memory_order_acq_rel);
    if ((before & kAwaited) != 0) interproc::bench::futex_wake_one(word_);
  }

 private:
  static bool is_in(std::uint32_t state, std::uint32_t word) { return (word & ~kAwaited) == state; }

  alignas(128) SharedWord word_{kEmpty};
};

constexpr std::size_t kBuffers = 2;

struct Shared {
  HandOver buffers[kBuffers];
  interproc::bench::MessageTotals sent;  // handed over like one more message
};

}  // namespace

int main(int argc, char** argv) {
  using namespace interproc::bench;
  const CommandLine line =
      parse_command_line(argc, argv, {.bytes = 1 << 20, .count = 10'000, .cpus = {}});
  if (!can_verify(line.bytes)) {
    std::fprintf(stderr, "--bytes must be a power of two from 16, or a multiple of %zu\n",
                 kPageBytes);
    return 2;
  }
  const std::uint64_t warm_up = std::max<std::uint64_t>(line.count / 10, kBuffers);
  const std::uint64_t rounds = line.count + warm_up;
  Shared* const shared = new (map_shared(sizeof(Shared))) Shared;
  std::byte* const payload = static_cast<std::byte*>(map_shared(line.bytes * kBuffers));

  // The receiver is the process that prints, so it is `here`, on the second core.
  std::optional<std::pair<int, int>> cpus;
  if (line.cpus) cpus.emplace(line.cpus->second, line.cpus->first);
  double seconds = 0;
  const bool verified = run_in_two_processes(
      cpus,
      [&] {
        std::vector<std::byte> message(line.bytes);
        MessageCheck check(message.size());
        std::uint64_t started_at = 0;
        for (std::uint64_t i = 0; i < rounds; ++i) {
          if (i == warm_up) started_at = monotonic_nanoseconds();
          HandOver& buffer = shared->buffers[i % kBuffers];
          buffer.await(kFull);
          std::memcpy(message.data(), payload + i % kBuffers * line.bytes, line.bytes);
          buffer.set(kEmpty);
          check.accept(message.data(), message.size());
        }
        seconds = static_cast<double>(monotonic_nanoseconds() - started_at) / 1e9;
        shared->buffers[rounds % kBuffers].await(kFull);
        return check.right() && check.totals() == shared->sent;
      },
      [&] {
        std::vector<std::byte> message(line.bytes);
        MessageSource source(message.data(), message.size());
        for (std::uint64_t i = 0; i < rounds; ++i) {
          source.stamp();
          HandOver& buffer = shared->buffers[i % kBuffers];
          buffer.await(kEmpty);
          std::memcpy(payload + i % kBuffers * line.bytes, message.data(), line.bytes);
          buffer.set(kFull);
        }
        HandOver& last = shared->buffers[rounds % kBuffers];
        last.await(kEmpty);
        shared->sent = source.totals();
        last.set(kFull);
        return true;
      });

  std::printf("{\"seconds\":%.9f,\"count\":%llu,\"verified\":%s}\n", seconds,
              static_cast<unsigned long long>(line.count), verified ? "true" : "false");
  return verified ? 0 : 1;
}
