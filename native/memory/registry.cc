#include "memory/registry.h"

#include "platform/fault.h"
#include "platform/process.h"

namespace interproc::memory {

namespace {
constexpr std::uint8_t generation_of(std::uint32_t identity) noexcept {
  return static_cast<std::uint8_t>(identity >> 8);
}
}  // namespace

Error Registry::join(std::uint32_t first, std::uint32_t last,
                     const std::function<void(Owner)>& sweep) noexcept {
  FAULT("registry.join");
  for (std::uint32_t index = first; index < last; ++index) {
    if (!segment_.file().try_lock(index, platform::Lock::exclusive)) continue;
    FAULT("registry.locked");
    Participant& participant = slot(index);
    // SYNC registry.identity: acquire, so that all the last user did with the slot is seen before it is swept.
    const std::uint32_t identity = participant.identity.load(std::memory_order_acquire);
    const Owner previous{static_cast<std::uint8_t>(index), generation_of(identity)};
    self_ = Owner{previous.slot, static_cast<std::uint8_t>(previous.generation + 1)};
    // Our generation stands before we sweep: were the old one to stand while we hold the lock, the dead would look alive to everybody for as
    // long as we are stopped. Should we die before the sweep is done, `used` tells the next to do it.
    // SYNC registry.identity
    participant.identity.store(static_cast<std::uint32_t>(self_.generation) << 8 | kSlotUsed,
                               std::memory_order_release);
    FAULT("registry.named");
    if ((identity & kSlotUsed) != 0) sweep(previous);
    FAULT("registry.swept");
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
