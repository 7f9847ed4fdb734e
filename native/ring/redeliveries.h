#pragma once

#include <cstdint>

namespace interproc::ring {

// What a descriptor, and a ledger entry, says of its message beside the length: { count : 31 | carries : 1 }. The count is how
// often it was delivered and came back. A message carries if there are tickets in it (memory/ticket.h): then it leaves the queue
// by way of a ledger only. The flag stands below the count, which may be below 0 for a moment, so that no carry reaches it.
struct Redeliveries {
  static constexpr std::uint32_t kOne = 2;

  std::uint32_t word = 0;

  static constexpr Redeliveries none(bool carries) noexcept { return {carries ? 1u : 0u}; }
  constexpr std::uint32_t count() const noexcept { return word >> 1; }
  constexpr bool carries() const noexcept { return (word & 1) != 0; }
};

// What a look does about a message that carries.
enum class Carrying {
  take,   // as any other
  leave,  // says so, and leaves it where it is
};

}  // namespace interproc::ring
