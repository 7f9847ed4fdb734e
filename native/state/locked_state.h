#pragma once

#include "state/shared_state.h"
#include "sync/lock.h"
#include "sync/lock_words.h"
#include "sync/party.h"
#include "sync/waiting.h"

namespace interproc::state {

// An object with a lock: a Lock or an RLock, whose whole it is, and what has one beside its bytes.
class LockedState : public SharedState {
 public:
  ~LockedState() override;
  sync::Lock* lock() noexcept final { return &lock_; }

 protected:
  LockedState(sync::Doorbell& bell, memory::Segment& segment) noexcept
      : SharedState(bell, segment),
        party_(registry_, segment.lock_words<sync::LockWords>(), waiters_),
        lock_(party_),
        acquiring_(registry_, waiters_, bell, lock_, sync::kAcquire) {}

  sync::Waiting* waiting(sync::Side side) noexcept override {
    return side == sync::kAcquire ? &acquiring_ : nullptr;
  }
  void sweep_last(memory::Owner last) noexcept override { lock_.sweep(last); }
  void give_back() noexcept override { lock_.close(); }

  sync::Party party_;
  sync::Lock lock_;

 private:
  sync::Waiting acquiring_;
};

}  // namespace interproc::state
