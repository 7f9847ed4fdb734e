#include "state/cell.h"

#include <atomic>
#include <bit>
#include <cstring>
#include <type_traits>

namespace interproc::state {

namespace {

template <class T>
T from_word(std::uint64_t word) noexcept {
  T value;
  std::memcpy(&value, &word, sizeof value);
  return value;
}

template <class T>
std::uint64_t to_word(T value) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, &value, sizeof value);
  return word;
}

// seq_cst throughout: JavaScript's Atomics are, and who has written looks next whether anybody waits.
constexpr auto kOrder = std::memory_order_seq_cst;

template <class T>
bool operate_on_integer(CellOperation operation, T* at, Operands& operands) noexcept {
  static_assert(std::atomic_ref<T>::is_always_lock_free);
  const std::atomic_ref<T> cell(*at);
  const T value = from_word<T>(operands.value);
  T previous{};
  switch (operation) {
    case CellOperation::load:
      previous = cell.load(std::memory_order_relaxed);  // relaxed: a plain load, but never torn
      break;
    case CellOperation::store:
      cell.store(value, std::memory_order_relaxed);  // relaxed: the same
      break;
    case CellOperation::add:
      previous = cell.fetch_add(value, kOrder);
      break;
    case CellOperation::sub:
      previous = cell.fetch_sub(value, kOrder);
      break;
    case CellOperation::bit_and:
      previous = cell.fetch_and(value, kOrder);
      break;
    case CellOperation::bit_or:
      previous = cell.fetch_or(value, kOrder);
      break;
    case CellOperation::bit_xor:
      previous = cell.fetch_xor(value, kOrder);
      break;
    case CellOperation::exchange:
      previous = cell.exchange(value, kOrder);
      break;
    case CellOperation::compare_exchange:
      previous = from_word<T>(operands.expected);
      cell.compare_exchange_strong(previous, value, kOrder);
      break;
  }
  operands.previous = to_word(previous);
  return true;
}

template <class F, class Bits>
bool operate_on_float(CellOperation operation, std::byte* at, Operands& operands) noexcept {
  static_assert(sizeof(F) == sizeof(Bits));
  Bits* const bits = reinterpret_cast<Bits*>(at);
  const std::atomic_ref<Bits> cell(*bits);
  const F value = from_word<F>(operands.value);
  switch (operation) {
    case CellOperation::load:
    case CellOperation::store:
    case CellOperation::exchange:
      return operate_on_integer<Bits>(operation, bits, operands);
    case CellOperation::add:
    case CellOperation::sub: {
      Bits seen = cell.load(kOrder);
      for (;;) {
        const F there = std::bit_cast<F>(seen);
        const F next = operation == CellOperation::add ? there + value : there - value;
        if (cell.compare_exchange_weak(seen, std::bit_cast<Bits>(next), kOrder)) break;
      }
      operands.previous = to_word(seen);
      return true;
    }
    case CellOperation::compare_exchange: {
      const F expected = from_word<F>(operands.expected);
      Bits seen = cell.load(kOrder);
      for (;;) {
        const F there = std::bit_cast<F>(seen);
        const bool same =
            seen == std::bit_cast<Bits>(expected) || (there != there && expected != expected);
        if (!same || cell.compare_exchange_weak(seen, std::bit_cast<Bits>(value), kOrder)) break;
      }
      operands.previous = to_word(seen);
      return true;
    }
    default:
      return false;
  }
}

}  // namespace

std::size_t cell_bytes(CellType type) noexcept {
  switch (type) {
    case CellType::int8:
    case CellType::uint8:
      return 1;
    case CellType::int16:
    case CellType::uint16:
      return 2;
    case CellType::int32:
    case CellType::uint32:
    case CellType::float32:
      return 4;
    default:
      return 8;
  }
}

bool operate(CellOperation operation, CellType type, std::byte* at, Operands& operands) noexcept {
  switch (type) {
    case CellType::int8:
    case CellType::uint8:
      return operate_on_integer(operation, reinterpret_cast<std::uint8_t*>(at), operands);
    case CellType::int16:
    case CellType::uint16:
      return operate_on_integer(operation, reinterpret_cast<std::uint16_t*>(at), operands);
    case CellType::int32:
    case CellType::uint32:
      return operate_on_integer(operation, reinterpret_cast<std::uint32_t*>(at), operands);
    case CellType::int64:
    case CellType::uint64:
      return operate_on_integer(operation, reinterpret_cast<std::uint64_t*>(at), operands);
    case CellType::float32:
      return operate_on_float<float, std::uint32_t>(operation, at, operands);
    case CellType::float64:
      return operate_on_float<double, std::uint64_t>(operation, at, operands);
  }
  return false;
}

}  // namespace interproc::state
