#pragma once

#include <cstdint>

#include "memory/registry.h"
#include "sync/doorbell.h"
#include "sync/wait_word.h"

namespace interproc::sync {

// What is waited for. In a queue: a message, room, and that all messages are finished.
enum Side : std::uint32_t { kTake = 0, kPut = 1, kJoin = 2 };
// In an object of shared state: that something changes (a value, an event, a condition, a barrier), a lock (a permit, the right to
// write), and the right to read.
inline constexpr Side kChange = kTake;
inline constexpr Side kAcquire = kPut;
inline constexpr Side kShare = kJoin;
inline constexpr std::uint32_t kSides = memory::kWaitSides;

// Sleeping and waking for one participant of one segment.
class Waiters {
 public:
  // What a put waits for that wants room beside the ring, in place of a number of blocks.
  static constexpr std::uint32_t kNeedBeside = ~0u;

  Waiters(memory::Segment& segment, memory::Registry& registry, Doorbell& bell) noexcept
      : segment_(segment), registry_(registry), bell_(bell) {}

  // After this whoever publishes rings us; the caller looks once more before it sleeps. Bell: the doorbell hangs already.
  void arm_futex(Side side) noexcept { arm(side, WaitState::armed_futex); }
  void arm_bell(Side side) noexcept { arm(side, WaitState::armed_bell); }
  // Returns whether a wake had been put into our hands; who then leaves without having looked passes it on with wake().
  bool disarm(Side side) noexcept;
  // Sleeps, armed by arm_futex, until rung or until the deadline.
  void sleep(Side side, std::int64_t deadline_ns) noexcept;

  // Whether anybody may be asleep: all that a hot path asks. Call it after a sequentially consistent RMW.
  bool anyone(Side side) const noexcept {
    const memory::Word* listed = segment_.control().listed[side];
    std::uint64_t all = 0;
    // SYNC waiters.listed: seq_cst against arm(): either we see the bit, or the waiter's second look sees what we published.
    for (std::size_t i = 0; i < memory::kBitmapWords; ++i)
      all |= listed[i].load(std::memory_order_seq_cst);
    return all != 0;
  }
  // Who may be asleep, a bit for each slot.
  const memory::Word* listed(Side side) const noexcept { return segment_.control().listed[side]; }
  // Rings up to `count` sleepers; for kPut only those whose need is at most `room` blocks, which it uses up.
  void wake(Side side, std::uint32_t count, std::uint32_t room = kNeedBeside - 1) noexcept {
    wake(Whom::fitting, side, count, room);
  }
  // Rings this one. Whether it slept, and nobody had rung it yet.
  bool wake_slot(Side side, std::uint32_t slot) noexcept { return ring(side, slot) == Rang::yes; }
  // Rings every sleeper of the side.
  void wake_all(Side side) noexcept { wake(Whom::all, side, ~0u, 0); }
  // Rings every put that waits for room beside the ring: they are few, and sort it out among themselves.
  void wake_beside() noexcept { wake(Whom::beside, kPut, ~0u, 0); }

  // Takes off the list of the side who died in the middle of a wait on a futex, where a ring cannot tell. A system call for each that is listed.
  void unlist_vacant(Side side) noexcept;
  // Takes the last user of a slot off the lists and its bell from the wall. Only for who holds the slot's lock, or is alone.
  void forget(std::uint8_t slot) noexcept;

 private:
  enum class Whom { fitting, beside, all };
  void wake(Whom whom, Side side, std::uint32_t count, std::uint32_t room) noexcept;
  void arm(Side side, WaitState state) noexcept;
  void unlist_if_vacant(Side side, std::uint32_t slot) noexcept;
  memory::Word& word(Side side, std::uint32_t slot) const noexcept {
    return segment_.participants()[slot].wait[side];
  }
  enum class Rang { yes, again, no };
  Rang ring(Side side, std::uint32_t slot) noexcept;
  // Delivers the ring itself. False: nobody is there to hear it.
  bool deliver(memory::Word& word, std::uint32_t slot, WaitState ringing) noexcept;

  memory::Segment& segment_;
  memory::Registry& registry_;
  Doorbell& bell_;
  std::uint32_t rotor_ =
      0;  // where the next search for a sleeper starts, so that all get their turn
};

}  // namespace interproc::sync
