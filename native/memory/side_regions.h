#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "memory/registry.h"
#include "memory/segment.h"

namespace interproc::memory {

// Whether a message of that length is kept beside the ring, and how many bytes of it the ring then has.
inline bool stands_beside(const Layout& layout, std::uint64_t length) noexcept {
  return length > layout.payload_bytes && layout.side_slots != 0;
}

// Names a message beside the ring: what stands in its record, and in its ledger entry.
struct SideRef {
  std::uint32_t slot = 0;
  std::uint32_t reserved = 0;
  std::uint64_t serial = 0;

  bool operator==(const SideRef&) const = default;

  // From and to shared memory; what is read is checked by who uses it.
  static SideRef read(const std::byte* from) noexcept {
    SideRef ref;
    std::memcpy(&ref, from, sizeof ref);
    return ref;
  }
  void write(std::byte* to) const noexcept { std::memcpy(to, this, sizeof *this); }
};
static_assert(sizeof(SideRef) == 16);

inline std::uint64_t stored_bytes(const Layout& layout, std::uint64_t length) noexcept {
  return stands_beside(layout, length) ? sizeof(SideRef) : length;
}

// Whether some record names a place. Unknown: not all of them could be seen.
enum class Named { no, yes, unknown };

enum class SideState : std::uint64_t { free = 0, owned = 1, asking = 2, filling = 3, standing = 4 };

// { serial : 45 | generation : 8 | slot : 8 | state : 3 }. The serial grows with every message, so that a reference never means
// another one.
struct SideWord {
  static constexpr SideState state(std::uint64_t word) noexcept {
    return static_cast<SideState>(word & 7);
  }
  static constexpr Owner owner(std::uint64_t word) noexcept {
    return {static_cast<std::uint8_t>(word >> 3), static_cast<std::uint8_t>(word >> 11)};
  }
  static constexpr std::uint64_t serial(std::uint64_t word) noexcept { return word >> 19; }
  static constexpr std::uint64_t make(std::uint64_t serial, SideState state,
                                      Owner owner = {}) noexcept {
    return serial << 19 | std::uint64_t{owner.generation} << 11 | std::uint64_t{owner.slot} << 3 |
           static_cast<std::uint64_t>(state);
  }
};

// Places for messages that are larger than the ring: regions of the segment's own file, behind everything that is mapped, that
// have memory behind them while they are used. They are read and written by system calls, so that neither a full file system
// nor a file that somebody has cut can be a SIGBUS; and they go with the file, however everybody ends. ARCHITECTURE.md
// section 5 has the table of who may change which state to what. One object per participant; not for use by two threads.
class SideRegions {
 public:
  SideRegions(Segment& segment, const Registry& registry) noexcept
      : segment_(segment), registry_(registry), count_(segment.layout().side_slots) {}

  // Writes a message beside the ring, to be published under `ref`: ok, full (by the quota, or no slot is free), no_space, or what
  // the system said.
  Error put(const std::byte* bytes, std::uint64_t length, SideRef& ref) noexcept;
  // Its record is published: it stands for who takes that.
  void published(const SideRef& ref) noexcept;
  // There is no record of it.
  void withdraw(const SideRef& ref) noexcept;
  // Whether a put of that length could have its place now.
  bool has_room(std::uint64_t length) const noexcept;

  // The next four are for who has the message's record in hand.
  // Reads it: ok, lost (nothing of that name and length is there), or what the system said; the message then still stands.
  Error read(const SideRef& ref, std::byte* into, std::uint64_t length) noexcept;
  // Makes the place ours, before the record is let go of: who finds neither a record nor an owner knows that it is free. False:
  // it is not there.
  bool own(const SideRef& ref) noexcept;
  // Once the record is gone.
  void free(const SideRef& ref) noexcept;
  // The record was given back after all.
  void disown(const SideRef& ref) noexcept;

  // Frees the places of the dead that `named(ref)` says no record names. Returns whether there were any.
  template <class NamedBy>
  bool recover(NamedBy named) noexcept;
  // Gives memory back that has been kept for the next message, and not been used for a while.
  void drop_idle() noexcept;
  // The same of all that is free. Returns whether there was any.
  bool drop_free() noexcept { return drop_free_for(0); }
  // Whether free places were ours for a moment since this was asked last, to give their memory back: who looked for one then
  // may have found none, and waits.
  bool was_in_the_way() noexcept { return std::exchange(in_the_way_, false); }

 private:
  SideSlot& at(std::uint32_t index) const noexcept { return segment_.sides()[index]; }
  std::uint32_t used() const noexcept;
  std::uint64_t offset(std::uint32_t index) const noexcept {
    return segment_.layout().side_data + segment_.layout().side_stride * index;
  }
  std::uint64_t kept(const SideSlot& slot) const noexcept;
  bool claim(std::uint64_t length, std::uint32_t& index, std::uint64_t& serial) noexcept;
  bool admitted(std::uint32_t index, std::uint64_t length) const noexcept;
  Error fill(std::uint32_t index, const std::byte* bytes, std::uint64_t length) noexcept;
  bool keeps(std::uint32_t index) const noexcept;
  // Whether memory was given back.
  bool empty(std::uint32_t index) noexcept;
  void release(std::uint32_t index, std::uint64_t word) noexcept;
  bool drop_free_for(std::int64_t idle_ms) noexcept;
  std::uint64_t mine(std::uint64_t serial, SideState state) const noexcept {
    return SideWord::make(serial, state, registry_.self());
  }

  Segment& segment_;
  const Registry& registry_;
  std::uint32_t count_;
  bool in_the_way_ = false;
};

template <class NamedBy>
bool SideRegions::recover(NamedBy named) noexcept {
  bool any = false;
  for (std::uint32_t index = 0, end = used(); index < end; ++index) {
    // SYNC side.word
    std::uint64_t word = at(index).word.load(std::memory_order_seq_cst);
    const SideState state = SideWord::state(word);
    if (state == SideState::free || state == SideState::standing) continue;
    if (!registry_.dead(SideWord::owner(word))) continue;
    const std::uint64_t serial = SideWord::serial(word);
    // The dead publish nothing more, and who lets go of a record has made the place its own before: if no record names it and
    // the word is what it was, none ever will.
    const Named by = named(SideRef{index, 0, serial});
    if (by == Named::unknown) continue;
    const std::uint64_t next = by == Named::yes ? SideWord::make(serial, SideState::standing)
                                                : mine(serial, SideState::owned);
    if (!at(index).word.compare_exchange_strong(word, next, std::memory_order_seq_cst)) continue;
    if (by == Named::yes) continue;
    release(index, next);
    any = true;
  }
  return any;
}

}  // namespace interproc::memory
