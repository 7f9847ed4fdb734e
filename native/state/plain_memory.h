#pragma once

#include "state/shared_state.h"

namespace interproc::state {

// Bytes and nothing else: SharedMemory. Nobody waits for anything here.
class PlainMemory final : public SharedState {
 public:
  PlainMemory(sync::Doorbell& bell, memory::Segment& segment) noexcept
      : SharedState(bell, segment) {}
  ~PlainMemory() override { close(); }

 private:
  bool worth_looking(sync::Side) noexcept override { return true; }
  void sweep() noexcept override {}
  void give_back() noexcept override {}
  void pass_on(sync::Side) noexcept override {}
};

}  // namespace interproc::state
