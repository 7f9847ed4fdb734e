#pragma once

#include <cstdint>

#include "memory/registry.h"
#include "platform/fault.h"

namespace interproc::ring {

// What was taken by a get and is not done yet, as join() wants to know it; ARCHITECTURE.md, section "Unfinished messages".
//
// Each participant counts for itself, in two words that only it writes: `takes`, and { dones, generation }. Who asks goes
// through the living. No counter is shared: a kill between two steps would leave it wrong for ever.
class Tasks {
 public:
  explicit Tasks(const memory::Registry& registry) noexcept : registry_(registry) {}

  // Under a new name, before the first take: what the slot's last user took is no business of ours.
  void begin() noexcept;

  // One more is ours to do. To be called while the message still is in the ring or in a ledger, so that there is no moment
  // at which it is in neither count.
  void take() noexcept {
    memory::Word& takes = registry_.self_slot().takes;
    // relaxed: only we write it, and the message leaves its place (SYNC ring.finish, ledger.free) after this.
    takes.store(takes.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    FAULT("tasks.taken");
  }

  // One of ours is done. False: none is left.
  bool done() noexcept;
  // Whether one of ours is left.
  bool any_own() const noexcept;
  // None of ours will be done any more.
  void drop() noexcept;

  // Whether a living participant has taken something and not done it, of what was taken before the call. Asks the kernel about
  // those that have.
  bool any() const noexcept;

 private:
  const memory::Registry& registry_;
};

}  // namespace interproc::ring
