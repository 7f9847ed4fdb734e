#pragma once

#include "state/locked_state.h"
#include "sync/barrier.h"
#include "sync/condition.h"
#include "sync/event.h"
#include "sync/rw_lock.h"
#include "sync/semaphore.h"

// Objects of state that are a lock and nothing else. Each waits by sync::Waiting, which also looks for the dead.

namespace interproc::state {

class LockState final : public LockedState {
 public:
  LockState(sync::Doorbell& bell, memory::Segment& segment) noexcept : LockedState(bell, segment) {}
  ~LockState() override { close(); }

 private:
  bool worth_looking(sync::Side) noexcept override { return true; }
  void sweep() noexcept override {}
  void pass_on(sync::Side) noexcept override {}
};

class ConditionState final : public LockedState {
 public:
  ConditionState(sync::Doorbell& bell, memory::Segment& segment) noexcept
      : LockedState(bell, segment), condition_(party_, lock_) {}
  ~ConditionState() override { close(); }
  sync::Condition* condition() noexcept override { return &condition_; }

 private:
  void begin() noexcept override { condition_.start(); }
  sync::Waiting* waiting(sync::Side side) noexcept override {
    return side == sync::kChange ? &changing_ : LockedState::waiting(side);
  }
  void sweep_last(memory::Owner last) noexcept override {
    condition_.sweep(last);
    LockedState::sweep_last(last);
  }
  void give_back() noexcept override {
    condition_.close();
    LockedState::give_back();
  }
  bool worth_looking(sync::Side) noexcept override { return true; }
  void sweep() noexcept override {}
  void pass_on(sync::Side) noexcept override {}

  sync::Condition condition_;
  sync::Waiting changing_{registry_, waiters_, bell_, condition_, sync::kChange};
};

// What the other kinds have in common: `Primitive` waits on one side, or on two.
template <class Primitive, sync::Side... Sides>
class PrimitiveState : public SharedState {
 protected:
  template <class... More>
  PrimitiveState(sync::Doorbell& bell, memory::Segment& segment, More... more) noexcept
      : SharedState(bell, segment), primitive_(party_, more...) {}

  void begin() noexcept override {
    if constexpr (requires { primitive_.start(); }) primitive_.start();
  }
  sync::Waiting* waiting(sync::Side side) noexcept override {
    for (Place& place : waits_)
      if (place.side == side) return &place.waiting;
    return nullptr;
  }
  void sweep_last([[maybe_unused]] memory::Owner last) noexcept override {
    if constexpr (requires { primitive_.sweep(last); }) primitive_.sweep(last);
  }
  void give_back() noexcept override {
    if constexpr (requires { primitive_.close(); }) primitive_.close();
  }
  bool worth_looking(sync::Side) noexcept override { return true; }
  void sweep() noexcept override {}
  void pass_on(sync::Side) noexcept override {}

 private:
  struct Place {
    sync::Side side;
    sync::Waiting waiting;
    Place(PrimitiveState& state, sync::Side on) noexcept
        : side(on), waiting(state.registry_, state.waiters_, state.bell_, state.primitive_, on) {}
  };

  sync::Party party_{registry_, shared_.lock_words<sync::LockWords>(), waiters_};

 protected:
  Primitive primitive_;

 private:
  Place waits_[sizeof...(Sides)]{{*this, Sides}...};
};

class SemaphoreState final : public PrimitiveState<sync::Semaphore, sync::kAcquire> {
 public:
  SemaphoreState(sync::Doorbell& bell, memory::Segment& segment) noexcept
      : PrimitiveState(bell, segment, segment.header().kind == memory::Kind::bounded_semaphore) {}
  ~SemaphoreState() override { close(); }
  sync::Semaphore* semaphore() noexcept override { return &primitive_; }
};

class EventState final : public PrimitiveState<sync::Event, sync::kChange> {
 public:
  EventState(sync::Doorbell& bell, memory::Segment& segment) noexcept
      : PrimitiveState(bell, segment) {}
  ~EventState() override { close(); }
  sync::Event* event() noexcept override { return &primitive_; }
};

class BarrierState final : public PrimitiveState<sync::Barrier, sync::kChange> {
 public:
  BarrierState(sync::Doorbell& bell, memory::Segment& segment) noexcept
      : PrimitiveState(bell, segment) {}
  ~BarrierState() override { close(); }
  sync::Barrier* barrier() noexcept override { return &primitive_; }
};

class RwLockState final : public PrimitiveState<sync::RwLock, sync::kAcquire, sync::kShare> {
 public:
  RwLockState(sync::Doorbell& bell, memory::Segment& segment) noexcept
      : PrimitiveState(bell, segment) {}
  ~RwLockState() override { close(); }
  sync::RwLock* rw_lock() noexcept override { return &primitive_; }
};

}  // namespace interproc::state
