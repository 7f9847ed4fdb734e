// Measures one round trip between two processes that sleep: store a word, FUTEX_WAKE, FUTEX_WAIT on the other word.
//
// The reference for a blocking round trip, because nothing that lets the other side sleep can do with less: each hop is
// one store, one wake and one context switch. It never spins: whoever finds nothing new sleeps at once, which is what a
// program pays whose peer has been asleep for a while.
//
//   futex_ping_pong [--count N] [--cpus A,B]
#include <new>

#include "command_line.h"
#include "futex_wait.h"
#include "round_trip_report.h"
#include "two_processes.h"

namespace {

using interproc::bench::SharedWord;

constexpr std::uint32_t kWarmUp = 1000;

// Each word on a line of its own: the two sides would otherwise also measure the fight over one.
struct Court {
  alignas(128) SharedWord ping{0};
  alignas(128) SharedWord pong{0};
};

void say(SharedWord& word, std::uint32_t number) {
  word.store(number, std::memory_order_release);
  interproc::bench::futex_wake_one(word);
}

// Returns the first number that is not `previous`.
std::uint32_t hear(SharedWord& word, std::uint32_t previous) {
  for (;;) {
    const std::uint32_t number = word.load(std::memory_order_acquire);
    if (number != previous) return number;
    interproc::bench::futex_wait(word, previous);
  }
}

}  // namespace

int main(int argc, char** argv) {
  using namespace interproc::bench;
  const CommandLine line =
      parse_command_line(argc, argv, {.bytes = 64, .count = 100'000, .cpus = {}});
  const auto rounds = static_cast<std::uint32_t>(line.count) + kWarmUp;
  Court* const court = new (map_shared(sizeof(Court))) Court;
  RoundTripReport report(line.count);

  const bool verified = run_in_two_processes(
      line.cpus,
      [&] {
        bool right = true;
        for (std::uint32_t i = 1; i <= rounds; ++i) {
          const auto round_trip = [&] {
            say(court->ping, i);
            right &= hear(court->pong, i - 1) == i;
          };
          if (i <= kWarmUp) {
            round_trip();
          } else {
            report.time(round_trip);
          }
        }
        return right;
      },
      [&] {
        bool right = true;
        for (std::uint32_t i = 1; i <= rounds; ++i) {
          right &= hear(court->ping, i - 1) == i;
          say(court->pong, i);
        }
        return right;
      });

  report.print(verified);
  return verified ? 0 : 1;
}
