// What a contended lock between two processes costs at least: the smallest mutex that can be made of a futex (Drepper, "Futexes are tricky", the third one). It knows
// no owner, no death and no fairness, and it never spins.
//
//   futex_handoff [--count N] [--cpus A,B]
#include "futex_wait.h"
#include "handoff.h"

namespace {

using interproc::bench::SharedWord;

class FutexMutex {
 public:
  explicit FutexMutex(SharedWord& word) : word_(word) {}

  void acquire() {
    std::uint32_t seen = 0;
    if (word_.compare_exchange_strong(seen, kHeld, std::memory_order_acquire)) return;
    if (seen != kHeldAndWaited) seen = word_.exchange(kHeldAndWaited, std::memory_order_acquire);
    while (seen != 0) {
      interproc::bench::futex_wait(word_, kHeldAndWaited);
      seen = word_.exchange(kHeldAndWaited, std::memory_order_acquire);
    }
  }
  void release() {
    if (word_.exchange(0, std::memory_order_release) == kHeldAndWaited)
      interproc::bench::futex_wake_one(word_);
  }

 private:
  static constexpr std::uint32_t kHeld = 1;
  static constexpr std::uint32_t kHeldAndWaited = 2;
  SharedWord& word_;
};

}  // namespace

int main(int argc, char** argv) {
  using namespace interproc::bench;
  const CommandLine line =
      parse_command_line(argc, argv, {.bytes = 0, .count = 100'000, .cpus = {}});
  SharedWord* const word = new (map_shared(128)) SharedWord(0);
  return measure_handoff(line, [&] { return std::make_unique<FutexMutex>(*word); }) ? 0 : 1;
}
