#pragma once

#include <cstdint>

#include "memory/layout.h"

namespace interproc::test {

// What a test says about an object it creates; the rest has the smallest value that works.
struct Shape {
  memory::Kind kind = memory::Kind::mpmc;
  std::uint64_t capacity = memory::kMinCapacity;
  std::uint32_t max_items = 0;
  std::uint32_t max_participants = 8;
  std::uint64_t max_message_bytes = 0;  // 0: the capacity
  std::uint64_t max_side_bytes = 1 << 20;
  std::uint32_t flags = 0;
  std::uint32_t block_shift = memory::kMinBlockShift;
};

inline memory::Header header_of(const Shape& shape) {
  memory::Header header{};
  header.kind = shape.kind;
  header.flags = shape.flags;
  header.block_shift = shape.block_shift;
  while ((std::uint64_t{1} << (header.block_shift + header.blocks_shift)) < shape.capacity)
    ++header.blocks_shift;
  header.max_participants = shape.kind == memory::Kind::spsc ? 2 : shape.max_participants;
  header.max_items = shape.max_items;
  header.max_message_bytes =
      shape.max_message_bytes == 0 ? shape.capacity : shape.max_message_bytes;
  header.max_side_bytes = shape.max_side_bytes;
  return header;
}

}  // namespace interproc::test
