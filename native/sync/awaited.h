#pragma once

#include "sync/waiters.h"

namespace interproc::sync {

// What a thread or an event loop can wait for: what Waiting wants to know of it.
class Awaited {
 public:
  // Whether trying again may succeed. Cheap: asked while spinning.
  virtual bool worth_trying(Side side) noexcept = 0;
  // Before each sleep, and every 50 ms (blocked) or 500 ms (event loop) during it: asks the kernel who is dead and recovers what they
  // held.
  virtual void look_for_the_dead(Side side) noexcept = 0;
  // We are about to sleep: from now on our place among the waiting counts.
  virtual void line_up(Side side) noexcept = 0;
  // We wait no longer, and have not got it: gives up our place, and the wake that may have been meant for us goes to another.
  virtual void give_up(Side side) noexcept = 0;

 protected:
  ~Awaited() = default;
};

}  // namespace interproc::sync
