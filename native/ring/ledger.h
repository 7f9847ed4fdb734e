#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory/registry.h"
#include "memory/segment.h"
#include "memory/side_regions.h"
#include "ring/redeliveries.h"

namespace interproc::ring {

enum class EntryState : std::uint64_t { free = 0, held = 1, returned = 2 };

// { seq : 45 | generation : 8 | slot : 8 | state : 3 }. seq grows with every new message in the entry, so that a word once seen never means another message.
struct EntryWord {
  static constexpr EntryState state(std::uint64_t word) noexcept {
    return static_cast<EntryState>(word & 7);
  }
  static constexpr memory::Owner owner(std::uint64_t word) noexcept {
    return {static_cast<std::uint8_t>(word >> 3), static_cast<std::uint8_t>(word >> 11)};
  }
  static constexpr std::uint64_t to(std::uint64_t word, EntryState state,
                                    memory::Owner owner = {}) noexcept {
    return (word & ~kOwnerAndState) | std::uint64_t{owner.generation} << 11 |
           std::uint64_t{owner.slot} << 3 | static_cast<std::uint64_t>(state);
  }
  static constexpr std::uint64_t next(std::uint64_t word, memory::Owner owner) noexcept {
    return to(word + (kOwnerAndState + 1), EntryState::held, owner);
  }

 private:
  static constexpr std::uint64_t kOwnerAndState = (std::uint64_t{1} << 19) - 1;
};

// One message in a ledger: whose region, which entry, and the word it had.
struct Held {
  std::uint32_t region = 0;
  std::uint32_t entry = 0;
  std::uint64_t word = 0;
  std::uint64_t pos = 0;
  std::uint32_t length = 0;
  Redeliveries redeliveries;
  // The message, or what stands in its place if it is beside the ring.
  std::byte* bytes = nullptr;
};

// The messages that were received and not yet acknowledged; ARCHITECTURE.md section 4. Every participant that receives has a
// region of its own, in which only it places messages; taking over and giving back happen in place, by anyone.
class Ledger {
 public:
  Ledger(memory::Segment& segment, const memory::Registry& registry) noexcept
      : segment_(segment), registry_(registry) {}

  // Makes sure that our own region exists.
  Error open_own() noexcept;
  // Space for a message of `length` bytes in our region; what the ring has of it goes to the returned address. nullptr: no
  // entry or no room.
  std::byte* place(std::uint32_t length) noexcept;
  // The message now is in the ledger: the commit point of a receive.
  Held hold(std::uint64_t pos, std::uint32_t length, Redeliveries redeliveries) noexcept;

  // False: the message is not ours any more (no correct program sees this).
  bool release(const Held& held) noexcept;
  // `counted`: as a delivery.
  bool give_back(const Held& held, bool counted) noexcept;

  // Finds the oldest RETURNED entry of all regions; `tail` orders positions. `more`: there are others.
  bool find_returned(std::uint64_t tail, Held& oldest, bool& more) noexcept;
  // Whether the entry still is what find_returned saw.
  bool unchanged(const Held& held) noexcept;
  // Makes it ours: RETURNED -> HELD in place.
  bool take_over(Held& held) noexcept;

  // Whether `owner`'s own region holds the message of this position.
  bool holds(memory::Owner owner, std::uint64_t pos) noexcept;

  // Whether a message that somebody holds, or that waits to be had again, stands there beside the ring.
  memory::Named names(const memory::SideRef& ref) noexcept;

  struct Counts {
    std::uint32_t held = 0;
    std::uint32_t held_by_others = 0;
    std::uint32_t returned = 0;
  };
  Counts count() noexcept;
  bool any_region() const noexcept;

  // Calls `visit(region, index, entry)` for every entry ever used.
  template <class Visit>
  void each(Visit visit) noexcept {
    for (std::uint32_t slot = 0; slot < registry_.count(); ++slot) {
      memory::Ledger* region = opened(slot);
      if (region == nullptr) continue;
      const std::uint32_t used = watermark(*region);
      for (std::uint32_t i = 0; i < used; ++i) visit(slot, i, region->entries[i]);
    }
  }
  // A dead holder's message can be had again. The caller has made sure that the ring does not have it too.
  bool recover(memory::LedgerEntry& entry, std::uint64_t word) noexcept;

 private:
  // The region of `slot` if it has one.
  memory::Ledger* opened(std::uint32_t slot) noexcept;
  static std::uint32_t watermark(const memory::Ledger& region) noexcept;
  void rebuild() noexcept;
  bool find_extent(std::uint32_t blocks, std::uint32_t& start) noexcept;
  // Of a message of that length.
  std::uint32_t blocks_of(std::uint32_t length) const noexcept;
  Held describe(std::uint32_t slot, memory::Ledger* region, std::uint32_t index,
                std::uint64_t word) noexcept;

  static constexpr std::uint32_t kBlock = 64;
  static constexpr std::uint32_t kNone = ~0u;

  memory::Segment& segment_;
  const memory::Registry& registry_;
  // Our own region's allocator: private, rebuilt from the entries when it runs out, since others free entries too.
  memory::Ledger* own_ = nullptr;
  std::vector<std::uint16_t> owner_of_block_;  // entry + 1, or 0
  std::uint32_t cursor_ = 0;
  std::uint32_t next_entry_ = kNone;
  std::uint32_t next_start_ = 0;
};

}  // namespace interproc::ring
