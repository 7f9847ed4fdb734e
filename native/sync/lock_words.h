#pragma once

#include <cstddef>
#include <cstdint>

#include "memory/layout.h"
#include "memory/registry.h"

// The words of all locks. An object has them once, on its control page; each kind uses those that it needs.
// ARCHITECTURE.md section 8 has the state tables.

namespace interproc::sync {

// Zeroed words are a free lock, no permits, a cleared event and a barrier nobody has come to.
struct LockWords {
  // A lock, the writer of a read-write lock, and who is to be the next owner of either.
  alignas(memory::kLine) memory::Word owner;    // OwnerWord
  memory::Word promised;                        // PromiseWord
  memory::Word turns;                           // releases that somebody was waiting for; wraps
  memory::Word lined_up[memory::kBitmapWords];  // who has a place among the waiting, asleep or not
  // A semaphore's permits, an event's flag, a barrier's parties that have come.
  alignas(memory::kLine) memory::Word state;
  memory::Word limit;  // permits at first, parties; never changed
  memory::Word rotor;  // the slot a condition notifies next; under its lock
  // Which slots have ever read under a read-write lock; who looks for readers asks these only.
  alignas(memory::kLine) memory::Word readers[memory::kBitmapWords];
  alignas(memory::kLine) std::uint64_t reserved[12 * memory::kLine / sizeof(std::uint64_t)];
};
static_assert(sizeof(LockWords) == memory::kLockWordsBytes &&
              memory::kLockWordsAt % alignof(LockWords) == 0);
static_assert(offsetof(LockWords, state) == memory::kLine &&
              offsetof(LockWords, readers) == 2 * memory::kLine);

// A participant's own words in its slot (Participant::leases, which objects without a ring do not use otherwise).
enum OwnWord : std::uint32_t {
  kSince = 0,       // since when it has been waiting for kAcquire
  kSinceShare = 1,  // ... for kShare
  kHeld = 2,        // permits, or how often it reads
  kAwaiting = 3,    // how many of it wait for a condition, or at a barrier
};
static_assert(kAwaiting < memory::kMaxLeases);

// A field of a packed word.
template <unsigned Shift, unsigned Bits>
struct Field {
  static constexpr std::uint64_t kMax = (std::uint64_t{1} << Bits) - 1;
  static constexpr std::uint64_t get(std::uint64_t word) noexcept { return word >> Shift & kMax; }
  static constexpr std::uint64_t put(std::uint64_t value) noexcept {
    return (value & kMax) << Shift;
  }
  static constexpr std::uint64_t set(std::uint64_t word, std::uint64_t value) noexcept {
    return (word & ~(kMax << Shift)) | put(value);
  }
};

constexpr memory::Owner owner_from(std::uint64_t slot, std::uint64_t generation) noexcept {
  return {static_cast<std::uint8_t>(slot), static_cast<std::uint8_t>(generation)};
}

// { serial : 44 | readers first : 1 | abandoned : 1 | state : 2 | generation : 8 | slot : 8 }. The serial grows with every new owner, so
// that whoever loaded the word before a release cannot take the lock after it without having looked again.
struct OwnerWord {
  using Slot = Field<0, 8>;
  using Generation = Field<8, 8>;
  using State = Field<16, 2>;
  using Abandoned = Field<18, 1>;     // the last owner never said that it was done
  using ReadersFirst = Field<19, 1>;  // those who waited to read while somebody wrote come next
  using Serial = Field<20, 44>;
  static constexpr std::uint64_t kFree = 0;
  static constexpr std::uint64_t kHeldState = 1;
  static constexpr std::uint64_t kClaimed = 2;  // a writer waits until the last reader has gone

  static constexpr memory::Owner owner(std::uint64_t word) noexcept {
    return owner_from(Slot::get(word), Generation::get(word));
  }
  // The word after `word` in which `owner` has it; nothing remains of what was noted in it.
  static constexpr std::uint64_t taken(std::uint64_t word, memory::Owner owner,
                                       std::uint64_t state = kHeldState) noexcept {
    return Serial::put(Serial::get(word) + 1) | State::put(state) |
           Generation::put(owner.generation) | Slot::put(owner.slot);
  }
  static constexpr std::uint64_t freed(std::uint64_t word, bool abandoned) noexcept {
    return Serial::put(Serial::get(word)) | Abandoned::put(abandoned ? 1 : 0);
  }
};

// { serial : 47 | valid : 1 | generation : 8 | slot : 8 }
struct PromiseWord {
  using Slot = Field<0, 8>;
  using Generation = Field<8, 8>;
  using Valid = Field<16, 1>;
  using Serial = Field<17, 47>;

  static constexpr memory::Owner owner(std::uint64_t word) noexcept {
    return owner_from(Slot::get(word), Generation::get(word));
  }
  static constexpr std::uint64_t to(std::uint64_t word, memory::Owner owner) noexcept {
    return Serial::put(Serial::get(word) + 1) | Valid::put(1) | Generation::put(owner.generation) |
           Slot::put(owner.slot);
  }
  static constexpr std::uint64_t none(std::uint64_t word) noexcept {
    return Serial::put(Serial::get(word));
  }
};

// { milliseconds : 32 | turn : 31 | waiting : 1 }
struct SinceWord {
  using Waiting = Field<0, 1>;
  using Turn = Field<1, 31>;
  using Milliseconds = Field<32, 32>;
};

// { permits : 24 | operation : 20 | recovered : 1 | kind : 3 | generation : 8 | slot : 8 }. The word names the last operation and whose
// account it changes, so that whoever comes next can finish it.
struct PermitWord {
  using Slot = Field<0, 8>;
  using Generation = Field<8, 8>;
  using Kind = Field<16, 3>;
  using Recovered = Field<19, 1>;   // some of the permits are a dead one's
  using Operation = Field<20, 20>;  // the account's number of it, modulo
  using Permits = Field<40, 24>;
  enum Kinds : std::uint64_t { kNone = 0, kAcquired = 1, kReleased = 2, kSettled = 3 };

  static constexpr memory::Owner subject(std::uint64_t word) noexcept {
    return owner_from(Slot::get(word), Generation::get(word));
  }
};
inline constexpr std::uint64_t kMaxPermits = PermitWord::Permits::kMax;

// { operations : 32 | generation : 8 | held : 24 }
struct AccountWord {
  using Held = Field<0, 24>;
  using Generation = Field<24, 8>;
  using Operations = Field<32, 32>;
};

// { sets : 63 | set : 1 }
struct EventWord {
  using Set = Field<0, 1>;
  using Sets = Field<1, 63>;
};

// { phase : 24 | last break : 24 | come : 15 | broken : 1 }
struct BarrierWord {
  using Broken = Field<0, 1>;
  using Come = Field<1, 15>;
  using LastBreak = Field<16, 24>;
  using Phase = Field<40, 24>;
};
inline constexpr std::uint64_t kMaxParties = BarrierWord::Come::kMax;

// { generation : 8 | granted : 28 | waiting : 28 } of a condition, { generation : 8 | phase : 24 | come : 32 } of a barrier,
// { generation : 8 | count : 56 } of a reader.
struct AwaitingWord {
  using Waiting = Field<0, 28>;
  using Granted = Field<28, 28>;
  using Generation = Field<56, 8>;
};
struct ComeWord {
  using Count = Field<0, 32>;
  using Phase = Field<32, 24>;
  using Generation = Field<56, 8>;
};
struct ReadingWord {
  using Count = Field<0, 56>;
  using Generation = Field<56, 8>;
};

}  // namespace interproc::sync
