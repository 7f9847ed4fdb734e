#pragma once

#include <cstdint>

#include "memory/segment.h"
#include "ring/cursor.h"
#include "ring/word.h"

namespace interproc::test {

// Sets an empty ring as if `pos` blocks and `items` records had gone through it, so that a test can start just before a
// field wraps. Nobody else may be using it.
inline void move_ring(memory::Segment& segment, std::uint64_t pos, std::uint64_t items = 0) {
  const ring::WordFormat format(segment.header().blocks_shift);
  const std::uint64_t blocks = std::uint64_t{1} << segment.header().blocks_shift;
  // Every block was last used in the lap that ends at `pos`.
  for (std::uint64_t back = 1; back <= blocks; ++back) {
    const std::uint64_t at = (pos - back) & ring::Cursor::kPosMask;
    segment.descriptors()[at & (blocks - 1)].word.store(format.make(at, ring::State::done, 1));
  }
  memory::Control& control = segment.control();
  control.tail.store(items << ring::Cursor::kPosBits | pos);
  control.head.store(items << ring::Cursor::kPosBits | pos);
  control.reclaim.store(pos);
}

}  // namespace interproc::test
