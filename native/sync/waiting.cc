#include "sync/waiting.h"

#include <algorithm>

#include "platform/clock.h"
#include "platform/fault.h"

namespace interproc::sync {

bool Waiting::arm(std::uint32_t token) noexcept {
  const auto look = [this] { return awaited_.worth_trying(side_); };
  if (loop_spin_(look)) return true;
  // relaxed: published by arming.
  registry_.self_slot().token.store(token, std::memory_order_relaxed);
  awaited_.line_up(side_);
  waiters_.arm_bell(side_);
  bell_armed_ = true;
  awaited_.look_for_the_dead(side_);
  if (!look()) return false;
  // The try that follows makes up for any wake that comes in between.
  bell_armed_ = false;
  waiters_.disarm(side_);
  return true;
}

bool Waiting::answer(bool slow_look) noexcept {
  if (!bell_armed_) return false;
  if (slow_look) {
    awaited_.line_up(side_);
    awaited_.look_for_the_dead(side_);
    if (!awaited_.worth_trying(side_)) return false;
  }
  bell_armed_ = false;
  waiters_.disarm(side_);
  return true;
}

bool Waiting::wait(std::int64_t timeout_ns) noexcept {
  const auto look = [this] { return awaited_.worth_trying(side_); };
  if (blocked_spin_(look)) return true;
  const std::int64_t deadline = platform::now_ns() + std::min(timeout_ns, kSliceNs);
  const bool bell_was_armed = bell_armed_;
  if (bell_was_armed) waiters_.disarm(side_);
  awaited_.line_up(side_);
  waiters_.arm_futex(side_);
  awaited_.look_for_the_dead(side_);
  const bool slept = !look();
  if (slept) waiters_.sleep(side_, deadline);
  const bool rung = waiters_.disarm(side_);
  const bool worth = rung || look();
  // Unless it came at the last moment, somebody should have rung.
  if (slept && !rung && worth) FAULT("wait.unrung");
  if (!worth) awaited_.look_for_the_dead(side_);
  if (bell_was_armed) {
    // Our own event loop waits too: it is to look once more when we are done blocking it, for what we were told may have been meant for it.
    waiters_.arm_bell(side_);
    bell_.ring(bell_.id(), registry_.self_slot().token.load(std::memory_order_relaxed));
  }
  return rung || look();
}

void Waiting::leave() noexcept {
  if (bell_armed_) waiters_.disarm(side_);
  bell_armed_ = false;
  awaited_.give_up(side_);
}

}  // namespace interproc::sync
