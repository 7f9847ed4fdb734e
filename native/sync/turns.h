#pragma once

#include <cstdint>

#include "sync/party.h"

namespace interproc::sync {

// Keeps waiting for kAcquire finite. A lock that is free may be taken by whoever comes, asleep before or not: that is fast, and unfair. So
// whoever gives something back while others wait looks who has waited longest, and if that one has been passed by too often,
// promises it the next turn: the others keep away from what is promised to another.
//
// A promise is no possession: who is promised to may be stopped, or dead. What it has not taken after kPatienceNs goes to whoever
// is there, and it is not promised anything more until it has looked again itself.
class Turns {
 public:
  // A promise costs the time in which a sleeper wakes up, some 50 us; a turn of a short section takes 0.2 us.
  static constexpr std::uint32_t kPatientTurns = 256;
  // Of long sections nobody should wait for 256: after this time, a few are enough.
  static constexpr std::uint32_t kPatientMs = 4;
  static constexpr std::uint32_t kFewTurns = 4;
  // Longer than it takes to wake up on a busy machine, shorter than a slice, so that a sleeper's second look is past it.
  static constexpr std::int64_t kPatienceNs = 20'000'000;

  explicit Turns(Party& party) noexcept : party_(party) {}

  // Whether one of `free` units may be taken by us: none of them is promised to another. Call it after the load of the word
  // whose CAS will take it.
  bool may_take(std::uint64_t free = 1) noexcept;
  // We have got what we waited for.
  void took() noexcept;
  // We are about to sleep.
  void line_up() noexcept;
  // We wait no longer.
  void give_up() noexcept;
  // Before something is given back.
  void pass() noexcept {
    const memory::Word* lined_up = party_.words().lined_up;
    std::uint64_t all = 0;
    // relaxed: who has just lined up waits one turn more.
    for (std::size_t i = 0; i < memory::kBitmapWords; ++i)
      all |= lined_up[i].load(std::memory_order_relaxed);
    if (all != 0) pass_those();
  }
  // Afterwards: rings whom it is promised to, or anybody.
  void wake(std::uint32_t count = 1) noexcept;
  // The users of a slot are gone: nothing is promised to them any more.
  void forget(std::uint8_t slot) noexcept;

 private:
  void pass_those() noexcept;
  void vacate(std::uint32_t slot) noexcept;
  bool revoke(std::uint64_t promise) noexcept;
  void withdraw(std::uint8_t slot) noexcept;

  Party& party_;
  bool waiting_ = false;
  std::uint64_t since_ = 0;  // our place, which we keep if somebody passes us over
  std::uint64_t seen_promise_ = 0;
  std::int64_t seen_at_ns_ = 0;
};

}  // namespace interproc::sync
