// A message whose receiver can tell that it is whole, in order and the right one, without reading every byte of it:
// the C++ side of bench/harness/verified-message.mjs, byte for byte and check for check, so that checking costs all
// contenders the same share.
//
//   A message is cut into pages of 4 KiB (a shorter message is one page). In the page with index k of message `id`:
//
//     word 0                     id + k
//     word last                  mix(id + k)
//     word i between             pattern(i), written once, the same in all messages
//
//   The receiver checks word 0 and the last of every page, and adds one word of it, at a place that moves with `id`, to
//   a checksum: over the run, every word of the message is looked at.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace interproc::bench {

constexpr std::size_t kPageBytes = 4096;

constexpr std::uint32_t mix(std::uint32_t id) { return (id ^ (id >> 15)) * 0x9E3779B1u; }
constexpr std::uint32_t pattern(std::uint32_t index) { return index * 0x85EBCA6Bu; }

// A power of two from 16, or whole pages.
constexpr bool can_verify(std::uint64_t bytes) {
  const std::uint64_t page_bytes = std::min<std::uint64_t>(bytes, kPageBytes);
  return bytes >= 16 && (page_bytes & (page_bytes - 1)) == 0 && bytes % page_bytes == 0;
}

// What both sides add up over all messages; equal at the end, or something was lost, doubled or changed.
struct MessageTotals {
  std::uint64_t count = 0;
  std::uint32_t ids = 0;
  std::uint32_t mixes = 0;
  std::uint32_t samples = 0;

  friend bool operator==(const MessageTotals&, const MessageTotals&) = default;
};

namespace detail {

struct PageGeometry {
  explicit PageGeometry(std::size_t bytes)
      : page_bytes(std::min(bytes, kPageBytes)),
        pages(static_cast<std::uint32_t>(bytes / page_bytes)),
        page_words(static_cast<std::uint32_t>(page_bytes / 4)) {}

  // Where in each of its pages message `id` is sampled.
  std::size_t sampled_offset(std::uint32_t id) const { return (id & (page_words - 1)) * 4; }

  std::size_t page_bytes;
  std::uint32_t pages;
  std::uint32_t page_words;
};

inline void store_word(std::byte* page, std::size_t offset, std::uint32_t word) {
  std::memcpy(page + offset, &word, sizeof word);
}

inline std::uint32_t load_word(const std::byte* page, std::size_t offset) {
  std::uint32_t word;
  std::memcpy(&word, page + offset, sizeof word);
  return word;
}

}  // namespace detail

// Writes messages 0, 1, 2 … into a buffer of the sender's own.
class MessageSource {
 public:
  MessageSource(std::byte* message, std::size_t bytes) : message_(message), geometry_(bytes) {
    for (std::uint32_t k = 0; k < geometry_.pages; ++k) {
      for (std::uint32_t i = 0; i < geometry_.page_words; ++i) {
        detail::store_word(page(k), i * 4, pattern(i));
      }
    }
  }

  void stamp() {
    const auto id = static_cast<std::uint32_t>(totals_.count);
    const std::size_t sampled = geometry_.sampled_offset(id);
    for (std::uint32_t k = 0; k < geometry_.pages; ++k) {
      detail::store_word(page(k), 0, id + k);
      detail::store_word(page(k), geometry_.page_bytes - 4, mix(id + k));
      totals_.samples += detail::load_word(page(k), sampled);
    }
    totals_.count += 1;
    totals_.ids += id;
    totals_.mixes += mix(id);
  }

  const MessageTotals& totals() const { return totals_; }

 private:
  std::byte* page(std::uint32_t k) const { return message_ + k * geometry_.page_bytes; }

  std::byte* message_;
  detail::PageGeometry geometry_;
  MessageTotals totals_;
};

// Checks messages 0, 1, 2 … in that order. A wrong one is remembered, not thrown: the run goes on to its end, so that
// the other side is not left waiting.
class MessageCheck {
 public:
  explicit MessageCheck(std::size_t bytes) : bytes_(bytes), geometry_(bytes) {}

  void accept(const std::byte* message, std::size_t length) {
    const auto id = static_cast<std::uint32_t>(totals_.count);
    totals_.count += 1;
    if (length != bytes_) {
      right_ = false;
      return;
    }
    const std::size_t sampled = geometry_.sampled_offset(id);
    for (std::uint32_t k = 0; k < geometry_.pages; ++k) {
      const std::byte* const page = message + k * geometry_.page_bytes;
      right_ &= detail::load_word(page, 0) == id + k;
      right_ &= detail::load_word(page, geometry_.page_bytes - 4) == mix(id + k);
      totals_.samples += detail::load_word(page, sampled);
    }
    totals_.ids += detail::load_word(message, 0);
    totals_.mixes += detail::load_word(message, geometry_.page_bytes - 4);
  }

  bool right() const { return right_; }
  const MessageTotals& totals() const { return totals_; }

 private:
  std::size_t bytes_;
  detail::PageGeometry geometry_;
  MessageTotals totals_;
  bool right_ = true;
};

}  // namespace interproc::bench
