#pragma once

#include "state/locked_state.h"

namespace interproc::state {

// Bytes and a lock: SharedMemory, ShareableList.
class PlainMemory final : public LockedState {
 public:
  PlainMemory(sync::Doorbell& bell, memory::Segment& segment) noexcept
      : LockedState(bell, segment) {}
  ~PlainMemory() override { close(); }

 private:
  bool worth_looking(sync::Side) noexcept override { return true; }
  void sweep() noexcept override {}
  void pass_on(sync::Side) noexcept override {}
};

}  // namespace interproc::state
