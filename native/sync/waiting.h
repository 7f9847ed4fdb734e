#pragma once

#include <cstdint>

#include "sync/awaited.h"
#include "sync/doorbell.h"
#include "sync/spin.h"
#include "sync/waiters.h"

namespace interproc::sync {

// How one handle waits for one of its sides: blocked, or by its event loop's doorbell. Always: try; if that says busy, wait or
// arm; when told to look, try again; leave() when it ends without having got it.
class Waiting {
 public:
  Waiting(memory::Registry& registry, Waiters& waiters, Doorbell& bell, Awaited& awaited,
          Side side) noexcept
      : registry_(registry), waiters_(waiters), bell_(bell), awaited_(awaited), side_(side) {}
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  // Event loop: from now on the doorbell's drain reports `token`. True: try again at once instead, nothing is armed. The bell hangs.
  bool arm(std::uint32_t token) noexcept;
  // The bell rang for us, or the slow timer did: true if armed and worth another try; nothing is armed then.
  bool answer(bool slow_look) noexcept;
  bool armed() const noexcept { return bell_armed_; }
  // Blocks this thread until worth another try (true), or `timeout_ns` or one slice have passed.
  bool wait(std::int64_t timeout_ns) noexcept;
  // The last who waited on this side goes without having got it: timed out, aborted, closed. Harmless when nothing was waited for.
  void leave() noexcept;

 private:
  memory::Registry& registry_;
  Waiters& waiters_;
  Doorbell& bell_;
  Awaited& awaited_;
  Side side_;
  bool bell_armed_ = false;
  Spinner blocked_spin_{kBlockedSpin};
  Spinner loop_spin_{kLoopSpin};
};

}  // namespace interproc::sync
