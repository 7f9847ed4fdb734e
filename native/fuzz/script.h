#pragma once

#include <cstddef>
#include <cstdint>

namespace interproc::fuzz {

// A fuzzer's input, read as decisions from the front. Behind its end every decision is 0, so that each prefix of an input is
// an input, and the fuzzer can shorten what it found.
class Script {
 public:
  Script() = default;
  Script(const std::uint8_t* bytes, std::size_t count) : at_(bytes), end_(bytes + count) {}

  bool over() const { return at_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  const std::uint8_t* rest() const { return at_; }

  std::uint8_t byte() { return over() ? std::uint8_t{0} : *at_++; }
  std::uint32_t below(std::uint32_t bound) { return byte() % bound; }
  // Small steps to either side are what makes two words contradict each other.
  std::int64_t step() { return static_cast<std::int8_t>(byte()); }
  std::uint64_t word() {
    std::uint64_t word = 0;
    for (int i = 0; i < 8; ++i) word = word << 8 | byte();
    return word;
  }

 private:
  const std::uint8_t* at_ = nullptr;
  const std::uint8_t* end_ = nullptr;
};

}  // namespace interproc::fuzz
