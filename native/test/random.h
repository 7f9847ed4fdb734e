#pragma once

#include <cstdint>

namespace interproc::test {

// The numbers of a random test. splitmix64: any seed is as good as any other, so that seed + 1 is a different run.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15u;
    std::uint64_t word = state_;
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9u;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EBu;
    return word ^ (word >> 31);
  }
  // Uniform enough in [0, bound).
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  std::uint32_t below32(std::uint32_t bound) { return static_cast<std::uint32_t>(below(bound)); }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

// The seed of a random test, printed, so that a failure can be had again: INTERPROC_SEED=<number> makes it that one.
std::uint64_t seed_for(const char* test);

}  // namespace interproc::test
