#pragma once

#include <cstdint>

#include "platform/result.h"
#include "sync/awaited.h"
#include "sync/lock.h"
#include "sync/party.h"

namespace interproc::sync {

// Waits, on kChange, for a notification that is given under a lock. Each participant's word says how many of its tasks wait and how
// many of them have been notified: a notification is given to somebody, not to whoever wakes up first. Who waits is notified too when whoever
// held the lock died or closed with it.
//
//   begin_wait (lock held);  lock.release;  wait on kChange until take() is ok, or end_wait at a time-out;  acquire the lock again
class Condition final : public Awaited {
 public:
  Condition(Party& party, Lock& lock) noexcept : party_(party), lock_(lock) {}

  // After joining, before anything else.
  void start() noexcept;

  // One task of this handle will wait. ok; not_owner: the lock is not held.
  Code begin_wait() noexcept;
  // ok: one of our waiting tasks has been notified, and waits no longer; busy.
  Code take() noexcept;
  // A task stops waiting. True: the only notification there was for all that wait here is its own, so it has been notified.
  bool end_wait() noexcept;
  static constexpr std::uint64_t kEverybody = ~std::uint64_t{0};
  // Notifies up to `count` waiting tasks; the dead are forgotten. ok; not_owner.
  Code notify(std::uint64_t count, std::uint64_t& notified) noexcept;

  void sweep(memory::Owner last) noexcept;
  void close() noexcept;

  bool worth_trying(Side side) noexcept override;
  void look_for_the_dead(Side side) noexcept override;
  void line_up(Side) noexcept override {}
  void give_up(Side) noexcept override {}

 private:
  std::uint64_t grant(std::uint64_t count) noexcept;
  void forget(std::uint32_t slot, std::uint64_t word) noexcept;

  Party& party_;
  Lock& lock_;
};

}  // namespace interproc::sync
