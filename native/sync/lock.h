#pragma once

#include <cstdint>

#include "platform/result.h"
#include "sync/awaited.h"
#include "sync/party.h"
#include "sync/turns.h"

namespace interproc::sync {

// How thorough a try is: `asking` also asks the kernel whether an owner lives, 0.6 us when it fails. For a try that is not followed by
// waiting, which asks by itself.
enum class Try : std::uint8_t { quick, asking };

// Mutual exclusion between handles. One handle is one owner, whatever the number of tasks that use it; an RLock is this too, and
// its holder counts by itself. Waits on kAcquire.
//
// Uncontended, acquiring and releasing are one CAS each. The owner's death, or its closing, gives the lock to the next one, which
// is told: what the lock guards may be half-written. Who is merely stopped keeps it.
class Lock final : public Awaited {
 public:
  explicit Lock(Party& party) noexcept : party_(party), turns_(party) {}

  // ok; busy; deadlock: this handle holds it. `recovered`: the last owner never released it.
  Code try_acquire(Try how, bool& recovered) noexcept;
  // ok; not_owner.
  Code release() noexcept;
  bool held() const noexcept;             // by this handle
  bool held_by_anybody() const noexcept;  // a living one or not

  // Its last owner died or closed with it, and nobody has been told yet. Asks the kernel.
  bool lost_its_owner() const noexcept;

  // The registry's sweep of our slot's last user, which died; and of those before it, should a sweep have been cut short.
  void sweep(memory::Owner last) noexcept;
  // Before the handle leaves: what it holds goes to the next, which is told.
  void close() noexcept;

  bool worth_trying(Side side) noexcept override;
  void look_for_the_dead(Side side) noexcept override;
  void line_up(Side side) noexcept override;
  void give_up(Side side) noexcept override;

 private:
  void recover(std::uint64_t word) noexcept;
  void recover_slot(std::uint8_t slot) noexcept;

  Party& party_;
  Turns turns_;
};

}  // namespace interproc::sync
