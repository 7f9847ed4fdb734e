#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace interproc::test {

// A message that says who sent it and as which, and every byte of which can be checked: the rest is a pattern that follows
// from the id and the length, so that a torn, mixed or shortened message is seen for what it is.
struct Message {
  static constexpr std::size_t kMinBytes = 8;

  static constexpr std::uint64_t id(std::uint32_t producer, std::uint64_t sequence) {
    return std::uint64_t{producer} << 40 | sequence;
  }
  static constexpr std::uint32_t producer(std::uint64_t id) {
    return static_cast<std::uint32_t>(id >> 40);
  }
  static constexpr std::uint64_t sequence(std::uint64_t id) {
    return id & ((std::uint64_t{1} << 40) - 1);
  }

  // `length` is at least kMinBytes.
  static void write(std::byte* into, std::size_t length, std::uint64_t id) {
    std::memcpy(into, &id, sizeof id);
    std::uint64_t word = start(id, length);
    for (std::size_t at = sizeof id; at < length; at += sizeof word) {
      word = step(word);
      std::memcpy(into + at, &word, length - at < sizeof word ? length - at : sizeof word);
    }
  }
  static std::vector<std::byte> make(std::size_t length, std::uint64_t id) {
    std::vector<std::byte> bytes(length);
    write(bytes.data(), length, id);
    return bytes;
  }
  // Whether every byte is right; `id` is then whose it is.
  static bool read(const std::byte* bytes, std::size_t length, std::uint64_t& id) {
    if (length < kMinBytes) return false;
    std::memcpy(&id, bytes, sizeof id);
    std::uint64_t word = start(id, length);
    for (std::size_t at = sizeof id; at < length; at += sizeof word) {
      word = step(word);
      if (std::memcmp(bytes + at, &word, length - at < sizeof word ? length - at : sizeof word) !=
          0)
        return false;
    }
    return true;
  }

 private:
  static constexpr std::uint64_t start(std::uint64_t id, std::size_t length) {
    return id * 0x9E3779B97F4A7C15u ^ length;
  }
  static constexpr std::uint64_t step(std::uint64_t word) {
    word ^= word << 13;
    word ^= word >> 7;
    return (word ^ word << 17) + 1;
  }
};

}  // namespace interproc::test
