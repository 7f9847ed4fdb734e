#include "memory/registry.h"

#include "platform/fault.h"
#include "platform/process.h"

namespace interproc::memory {

namespace {
constexpr std::uint8_t generation_of(std::uint32_t identity) noexcept {
  return static_cast<std::uint8_t>(identity >> 8);
}

// 0 is nobody's: who looks after what the dead left without having joined signs with it.
constexpr std::uint8_t next_generation(std::uint8_t generation) noexcept {
  return generation == 255 ? std::uint8_t{1} : static_cast<std::uint8_t>(generation + 1);
}
}  // namespace

// The name passes on while nobody holds the slot's own lock: were that taken first, the last user, whose name it still is, would
// look alive to everybody for as long as the newcomer is stopped between the two.
bool Registry::move_in(std::uint32_t index, Owner& previous, bool& used) noexcept {
  platform::File& file = segment_.file();
  if (file.is_locked_by_others(index)) return false;
  FAULT("registry.vacant");
  if (!file.try_lock(kJoiningByte + index, platform::Lock::exclusive)) return false;
  FAULT("registry.alone");
  // Once more: another may have moved in since.
  bool ours = !file.is_locked_by_others(index);
  if (ours) {
    Participant& participant = slot(index);
    // SYNC registry.identity: acquire, so that all the last user did with the slot is seen before it is swept.
    const std::uint32_t identity = participant.identity.load(std::memory_order_acquire);
    previous = Owner{static_cast<std::uint8_t>(index), generation_of(identity)};
    used = (identity & kSlotUsed) != 0;
    self_ = Owner{previous.slot, next_generation(previous.generation)};
    // From now on the last user is dead for good. Should we die before it is swept, `used` tells the next to do it.
    // SYNC registry.identity
    participant.identity.store(static_cast<std::uint32_t>(self_.generation) << 8 | kSlotUsed,
                               std::memory_order_release);
    FAULT("registry.named");
    // Nobody else may try. Should the kernel have no memory for a lock, the next one will sweep for us.
    ours = file.try_lock(index, platform::Lock::exclusive);
    FAULT("registry.locked");
  }
  file.unlock(kJoiningByte + index);
  return ours;
}

Error Registry::join(std::uint32_t first, std::uint32_t last,
                     const std::function<void(Owner)>& sweep) noexcept {
  FAULT("registry.join");
  for (std::uint32_t index = first; index < last; ++index) {
    Owner previous;
    bool used = false;
    if (!move_in(index, previous, used)) continue;
    if (used) sweep(previous);
    FAULT("registry.swept");
    Participant& participant = slot(index);
    // relaxed: these are for people, or published by arming.
    participant.pid.store(platform::process_id(), std::memory_order_relaxed);
    participant.bell.store(0, std::memory_order_relaxed);
    participant.need.store(0, std::memory_order_relaxed);
    for (Word& lease : participant.leases) lease.store(0, std::memory_order_relaxed);
    joined_ = true;
    FAULT("registry.joined");
    return {};
  }
  return fail(Code::no_slot, "all participant slots are taken");
}

void Registry::leave() noexcept {
  if (!joined_) return;
  joined_ = false;
  Participant& participant = self_slot();
  participant.bell.store(0, std::memory_order_relaxed);  // relaxed: as in join
  // SYNC registry.identity
  participant.identity.store(static_cast<std::uint32_t>(self_.generation) << 8,
                             std::memory_order_release);
  FAULT("registry.left");
  segment_.file().unlock(self_.slot);
}

std::optional<Owner> Registry::user(std::uint32_t index) const noexcept {
  // SYNC registry.identity
  const std::uint32_t identity = slot(index).identity.load(std::memory_order_acquire);
  if ((identity & kSlotUsed) == 0) return std::nullopt;
  return Owner{static_cast<std::uint8_t>(index), generation_of(identity)};
}

bool Registry::dead(Owner owner) const noexcept {
  if (joined_ && owner == self_) return false;
  if (owner.slot >= count()) return true;  // no such slot: nobody living can have written this
  // Generation first: the last user of a slot that has passed on is dead, whoever holds its lock now.
  // SYNC registry.identity
  if (generation_of(slot(owner.slot).identity.load(std::memory_order_acquire)) != owner.generation)
    return true;
  return !segment_.file().is_locked_by_others(owner.slot);
}

bool Registry::vacant(std::uint32_t index) const noexcept {
  return !(joined_ && index == self_.slot) && !segment_.file().is_locked_by_others(index);
}

std::uint32_t Registry::living() const noexcept {
  std::uint32_t living = 0;
  for (std::uint32_t index = 0; index < count(); ++index) {
    if (!vacant(index)) ++living;
  }
  return living;
}

}  // namespace interproc::memory
