#pragma once

#include <cstddef>
#include <cstdint>

#include "platform/result.h"

namespace interproc::state {

enum class CellType : std::uint32_t {
  int8,
  uint8,
  int16,
  uint16,
  int32,
  uint32,
  int64,
  uint64,
  float32,
  float64,
};
inline constexpr std::uint32_t kCellTypes = 10;

enum class CellOperation : std::uint32_t {
  load,
  store,
  add,
  sub,
  bit_and,
  bit_or,
  bit_xor,
  exchange,
  compare_exchange,
};
inline constexpr std::uint32_t kCellOperations = 9;

// What an operation takes and gives: each value in the low bytes of a word, as it stands in memory.
struct Operands {
  std::uint64_t value;     // to store, to add, to exchange for
  std::uint64_t expected;  // of compare_exchange
  std::uint64_t previous;  // what was there
};

std::size_t cell_bytes(CellType type) noexcept;

// One operation on the cell at `at`, which is aligned to its size. `load` and `store` are single accesses that order nothing, the
// others one atomic step, sequentially consistent. Integers wrap. Two floats are equal to compare_exchange if they have the same bits or both
// are NaN. False: floats have no such operation.
bool operate(CellOperation operation, CellType type, std::byte* at, Operands& operands) noexcept;

}  // namespace interproc::state
