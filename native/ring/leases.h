#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory/registry.h"
#include "ring/ledger.h"
#include "ring/mpmc_ring.h"

namespace interproc::ring {

// A record in the hands of somebody outside of this room, in place.
enum class LeaseKind : std::uint32_t {
  none = 0,
  slot = 1,     // claimed, to be filled and published: WRITING
  message = 2,  // taken, to be read and finished: READING, or HELD in a ledger
};

struct Lease {
  LeaseKind kind = LeaseKind::none;
  bool in_ledger = false;
  Record record;
  Held held;
};

// What everybody may know of a lease.
struct LeaseNotice {
  std::uint32_t pid = 0;
  LeaseKind kind = LeaseKind::none;
  std::uint32_t length = 0;
  std::int64_t age_ns = 0;
  bool own = false;
};

// { since : 30 | length : 32 | kind : 2 }, since in units of 2^24 ns (17 ms) modulo 2^30 (208 days). Nothing is decided by it.
struct LeaseWord {
  static constexpr unsigned kTickShift = 24;

  static constexpr std::uint64_t make(LeaseKind kind, std::uint32_t length,
                                      std::int64_t now_ns) noexcept {
    return static_cast<std::uint64_t>(now_ns) >> kTickShift << kSinceShift |
           std::uint64_t{length} << 2 | static_cast<std::uint64_t>(kind);
  }
  static constexpr LeaseKind kind(std::uint64_t word) noexcept {
    return static_cast<LeaseKind>(word & 3);
  }
  static constexpr std::uint32_t length(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word >> 2);
  }
  static constexpr std::int64_t age_ns(std::uint64_t word, std::int64_t now_ns) noexcept {
    const std::uint64_t ticks =
        (static_cast<std::uint64_t>(now_ns) >> kTickShift) - (word >> kSinceShift);
    return static_cast<std::int64_t>((ticks & ((std::uint64_t{1} << 30) - 1)) << kTickShift);
  }

 private:
  static constexpr unsigned kSinceShift = 34;
};

// The leases of one participant: which record each is about, and the notices in shared memory by which the others see them.
class Leases {
 public:
  explicit Leases(const memory::Registry& registry) noexcept : registry_(registry) {}

  bool any() const noexcept { return count_ > 0; }
  bool full() const noexcept { return count_ == memory::kMaxLeases; }
  // The number that names it, which no later lease of this participant has. Not when full.
  double add(const Lease& lease, std::uint32_t length) noexcept;
  // nullptr: there is none of this number.
  const Lease* find(double number) const noexcept;
  // Whether the message of this ledger entry is leased.
  bool holds(std::uint32_t region, std::uint32_t entry) const noexcept;
  // Takes it off the list. LeaseKind::none: there is none of this number.
  Lease remove(double number) noexcept;
  // The same for any that is left.
  Lease remove_any() noexcept;

  // Those of all living participants. Asks the kernel about each that has some.
  std::vector<LeaseNotice> notices() const noexcept;

 private:
  struct Entry {
    Lease lease;
    std::uint64_t serial = 0;
  };
  static constexpr unsigned kIndexBits = 3;
  static_assert(memory::kMaxLeases == 1u << kIndexBits);

  Lease clear(std::size_t index) noexcept;

  const memory::Registry& registry_;
  std::array<Entry, memory::kMaxLeases> entries_;
  std::uint32_t count_ = 0;
};

}  // namespace interproc::ring
