#pragma once

#include <cstdint>

#include "platform/result.h"
#include "sync/awaited.h"
#include "sync/party.h"

namespace interproc::sync {

// Parties wait for each other, on kChange. Who is killed or closes while it waits breaks the barrier for all that wait, and so does who times
// out: it stays broken until reset().
class Barrier final : public Awaited {
 public:
  // A task's place in one passing of the barrier.
  struct Place {
    std::uint64_t phase = 0;
    std::uint32_t index = 0;  // 0 for the first that came
    bool last = false;        // all have come: run the action, then pass()
  };

  explicit Barrier(Party& party) noexcept : party_(party) {}

  // Of a new object. 1 <= parties <= kMaxParties.
  static void initialise(LockWords& words, std::uint64_t parties) noexcept;
  // After joining, before anything else.
  void start() noexcept;

  // One task comes. ok; broken; busy: all parties of this time have come, and their action is still running: wait, with await(), for
  // it to change.
  Code come(Place& place) noexcept;
  // The last that came has run its action: the others go on. ok; broken: it was broken meanwhile.
  Code pass(const Place& place) noexcept;
  // ok: everybody came and the action is done; busy: not yet; broken: somebody gave up.
  Code passed(const Place& place) noexcept;
  // This task does not wait any longer: breaks the barrier, unless it has been passed.
  // ok: it was passed after all; broken.
  Code give_up_place(const Place& place) noexcept;
  // What the side's sleepers of this handle wait for: that this phase ends.
  void await(std::uint64_t phase) noexcept { awaited_ = phase; }
  std::uint64_t phase() const noexcept;

  void abort() noexcept;
  // Those who wait are told that it broke; afterwards it is as new.
  void reset() noexcept;
  std::uint64_t parties() const noexcept { return parties_; }
  std::uint64_t waiting() const noexcept;
  bool broken() const noexcept;

  void sweep(memory::Owner last) noexcept;
  void close() noexcept;

  bool worth_trying(Side side) noexcept override;
  void look_for_the_dead(Side side) noexcept override;
  void line_up(Side) noexcept override {}
  void give_up(Side) noexcept override {}

 private:
  bool break_phase(std::uint64_t phase, bool stays_broken) noexcept;

  Party& party_;
  std::uint64_t parties_ = 0;
  std::uint64_t awaited_ = 0;
};

}  // namespace interproc::sync
