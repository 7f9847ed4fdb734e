#pragma once

#include <cstdint>

#include "sync/waiters.h"

namespace interproc::sync {

// What an event loop and a blocked thread can wait for: an object with sides, of which one participant is ours.
class Waitable {
 public:
  virtual ~Waitable() = default;
  // Event-loop waits: after arm the doorbell's drain reports `token`. Returns whether to look again at once.
  virtual bool arm(Side side, std::uint32_t token) noexcept = 0;
  // No longer waiting; a wake that was in our hands is passed on.
  virtual void disarm(Side side) noexcept = 0;
  // The bell rang for us, or the slow timer did: true if `side` was armed and it is worth a look; it then is no longer armed.
  virtual bool answer(Side side, bool slow_look) noexcept = 0;
  // Blocks this thread until worth a look (true) or `timeout_ns` or one slice have passed.
  virtual bool wait(Side side, std::int64_t timeout_ns) noexcept = 0;
};

}  // namespace interproc::sync
