#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "memory/segment.h"

namespace interproc::memory {

// A participant as words name it.
struct Owner {
  std::uint8_t slot = 0;
  std::uint8_t generation = 0;

  bool operator==(const Owner&) const = default;
};

// Who takes part in a segment, and who of them is dead. Asking costs a system call (~560 ns): slow paths only.
class Registry {
 public:
  explicit Registry(Segment& segment) noexcept : segment_(segment) {}

  // Takes a free slot among [first, last). `sweep` recovers what the slot's last user left if it did not leave cleanly; nothing else is
  // done under the new name before that is finished.
  Error join(std::uint32_t first, std::uint32_t last,
             const std::function<void(Owner)>& sweep) noexcept;
  Error join(const std::function<void(Owner)>& sweep) noexcept { return join(0, count(), sweep); }
  // Everything of ours has been given back: the next user need not sweep.
  void leave() noexcept;

  Owner self() const noexcept { return self_; }
  std::uint32_t count() const noexcept { return segment_.header().max_participants; }
  Participant& self_slot() const noexcept { return segment_.participants()[self_.slot]; }
  Participant& slot(std::uint32_t index) const noexcept { return segment_.participants()[index]; }

  // Whom the slot belongs to by its own word, unless that one left cleanly; whether it lives is another question.
  std::optional<Owner> user(std::uint32_t index) const noexcept;
  // The kernel's verdict. True is for ever; false may be out of date at once.
  bool dead(Owner owner) const noexcept;
  // Nobody, we included, holds the slot at this moment.
  bool vacant(std::uint32_t index) const noexcept;
  // Slots whose lock somebody holds.
  std::uint32_t living() const noexcept;

 private:
  // Makes a vacant slot ours. False: it is not vacant, or another is moving in.
  bool move_in(std::uint32_t index, Owner& previous, bool& used) noexcept;

  Segment& segment_;
  Owner self_;
  bool joined_ = false;
};

}  // namespace interproc::memory
