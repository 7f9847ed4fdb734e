#pragma once

#include <cstdint>

#include "memory/registry.h"
#include "sync/lock_words.h"
#include "sync/waiters.h"

namespace interproc::sync {

// One handle's part in the locks of its segment: who it is, their words, and how to wake the others. All locks of one handle share it.
class Party {
 public:
  Party(memory::Registry& registry, LockWords& words, Waiters& waiters) noexcept
      : registry_(registry), words_(words), waiters_(waiters) {}
  Party(const Party&) = delete;
  Party& operator=(const Party&) = delete;

  LockWords& words() const noexcept { return words_; }
  Waiters& waiters() const noexcept { return waiters_; }
  memory::Registry& registry() const noexcept { return registry_; }
  memory::Owner self() const noexcept { return registry_.self(); }
  memory::Word& own(OwnWord which) const noexcept { return registry_.self_slot().leases[which]; }
  memory::Word& own(OwnWord which, std::uint32_t slot) const noexcept {
    return registry_.slot(slot).leases[which];
  }
  std::uint32_t count() const noexcept { return registry_.count(); }
  bool dead(memory::Owner owner) const noexcept { return registry_.dead(owner); }

  // Rings one who sleeps on the side, if anybody does. After a sequentially consistent RMW.
  void wake(Side side, std::uint32_t count = 1) const noexcept {
    if (waiters_.anyone(side)) waiters_.wake(side, count);
  }
  void wake_all(Side side) const noexcept {
    if (waiters_.anyone(side)) waiters_.wake_all(side);
  }

 private:
  memory::Registry& registry_;
  LockWords& words_;
  Waiters& waiters_;
};

}  // namespace interproc::sync
