#pragma once

#include <cstdint>

#include "sync/awaited.h"
#include "sync/party.h"

namespace interproc::sync {

// A flag to wait for. Waits on kChange. Who was waiting when it was set has seen it, however soon it is cleared again.
class Event final : public Awaited {
 public:
  explicit Event(Party& party) noexcept : party_(party) {}

  bool is_set() const noexcept;
  void set() noexcept;
  void clear() noexcept;
  // What a waiter remembers from its beginning. Exact in a double for 285 years of a million sets a second.
  std::uint64_t sets() const noexcept;
  // Whether it is set, or has been since `sets` was `begun`.
  bool happened(std::uint64_t begun) const noexcept;
  // Whom the side's sleepers wait for: the oldest `begun` of this handle.
  void await(std::uint64_t begun) noexcept { begun_ = begun; }

  bool worth_trying(Side) noexcept override { return happened(begun_); }
  void look_for_the_dead(Side) noexcept override {}
  void line_up(Side) noexcept override {}
  // Everybody is rung by a set: no wake is anybody's own.
  void give_up(Side) noexcept override {}

 private:
  Party& party_;
  std::uint64_t begun_ = 0;
};

}  // namespace interproc::sync
