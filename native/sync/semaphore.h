#pragma once

#include <cstdint>

#include "platform/result.h"
#include "sync/awaited.h"
#include "sync/lock.h"
#include "sync/party.h"
#include "sync/turns.h"

namespace interproc::sync {

// Permits, of which each participant's account says how many it holds, so that those of the dead, and of handles that close, return.
// Waits on kAcquire.
//
// Who holds none may give one back too: that is how a permit is handed over, or a signal sent. Nobody knows then whose it was; so
// when the holder of h permits dies, no more return than are missing from what the semaphore began with: at most h, and only so many
// that free ones and those that others hold come to the initial value. A semaphore that begins with 0, whose consumers only ever
// acquire, therefore returns nothing.
class Semaphore final : public Awaited {
 public:
  Semaphore(Party& party, bool bounded) noexcept
      : party_(party), turns_(party), bounded_(bounded) {}

  // Of a new object, before anybody else sees it. permits <= kMaxPermits.
  static void initialise(LockWords& words, std::uint64_t permits) noexcept;
  // After joining, before anything else.
  void start() noexcept;

  // ok; busy. `recovered`: permits of a dead holder have returned since the last acquire.
  Code try_acquire(Try how, bool& recovered) noexcept;
  // ok; over_release: a bounded one has all its permits, or no word could hold more.
  Code release() noexcept;
  // Free permits.
  std::uint64_t value() const noexcept;
  // What this handle's account says.
  std::uint64_t held() const noexcept;

  void sweep(memory::Owner last) noexcept;
  void close() noexcept;

  bool worth_trying(Side side) noexcept override;
  void look_for_the_dead(Side side) noexcept override;
  void line_up(Side side) noexcept override;
  void give_up(Side side) noexcept override;

 private:
  enum class Settled : std::uint8_t { yes, try_again };
  void finish(std::uint64_t state) noexcept;
  Settled try_settle(memory::Owner holder) noexcept;
  void settle(std::uint32_t slot) noexcept;

  Party& party_;
  Turns turns_;
  bool bounded_;
  std::uint64_t initial_ = 0;
};

}  // namespace interproc::sync
