#pragma once

#include <cstdint>

namespace interproc::ring {

// { items : 20 | pos : 44 }: a block position that only grows (modulo 2^44) and the number of records before it (modulo 2^20).
// One word, so that the number of messages is the difference of two loads.
struct Cursor {
  static constexpr unsigned kPosBits = 44;
  static constexpr std::uint64_t kPosMask = (std::uint64_t{1} << kPosBits) - 1;
  static constexpr std::uint64_t kItemsMask = (std::uint64_t{1} << 20) - 1;

  static constexpr std::uint64_t pos(std::uint64_t cursor) noexcept { return cursor & kPosMask; }

  // The cursor behind a record of `blocks` blocks.
  static constexpr std::uint64_t after(std::uint64_t cursor, std::uint64_t blocks) noexcept {
    return ((cursor >> kPosBits) + 1) << kPosBits | ((cursor + blocks) & kPosMask);
  }

  // How far `to` lies ahead of `from`; negative if behind.
  static constexpr std::int64_t distance(std::uint64_t from, std::uint64_t to) noexcept {
    return static_cast<std::int64_t>((to - from) << (64 - kPosBits)) >> (64 - kPosBits);
  }

  // A ring holds at most 2^20 records: that many leave the count where it was, but not the position.
  static constexpr std::uint64_t items_between(std::uint64_t from, std::uint64_t to) noexcept {
    const std::uint64_t items = ((to >> kPosBits) - (from >> kPosBits)) & kItemsMask;
    return items == 0 && pos(from) != pos(to) ? kItemsMask + 1 : items;
  }
};

}  // namespace interproc::ring
