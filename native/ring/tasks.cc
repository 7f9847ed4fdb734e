#include "ring/tasks.h"

namespace interproc::ring {

using memory::Owner;
using memory::Participant;

namespace {

// { count : 56 | generation : 8 }. The generation says whose count it is: what a dead user of the slot owed is void as soon
// as the next one's generation stands, whoever is killed between the two.
struct Dones {
  static constexpr std::uint64_t make(std::uint64_t count, Owner owner) noexcept {
    return count << 8 | owner.generation;
  }
  static constexpr std::uint64_t next(std::uint64_t dones) noexcept { return dones + (1u << 8); }
  static constexpr bool is_of(std::uint64_t dones, Owner owner) noexcept {
    return static_cast<std::uint8_t>(dones) == owner.generation;
  }
  static constexpr bool all(std::uint64_t dones, std::uint64_t takes) noexcept {
    return dones >> 8 == (takes & (~std::uint64_t{0} >> 8));
  }
};

}  // namespace

void Tasks::begin() noexcept {
  Participant& self = registry_.self_slot();
  self.takes.store(0, std::memory_order_relaxed);  // relaxed: published by the next store
  FAULT("tasks.cleared");
  // SYNC tasks.done
  self.dones.store(Dones::make(0, registry_.self()), std::memory_order_release);
}

bool Tasks::any_own() const noexcept {
  const Participant& self = registry_.self_slot();
  // relaxed: only we write the two.
  return !Dones::all(self.dones.load(std::memory_order_relaxed),
                     self.takes.load(std::memory_order_relaxed));
}

bool Tasks::done() noexcept {
  if (!any_own()) return false;
  Participant& self = registry_.self_slot();
  const std::uint64_t dones = self.dones.load(std::memory_order_relaxed);  // relaxed: as above
  FAULT("tasks.done");
  // SYNC tasks.done: release, so that who sees this done also sees what we put before. seq_cst, because our next step is to
  // look for joiners (waiters.listed): the two must not be reordered.
  self.dones.store(Dones::next(dones), std::memory_order_seq_cst);
  FAULT("tasks.marked");
  return true;
}

void Tasks::drop() noexcept {
  Participant& self = registry_.self_slot();
  const std::uint64_t takes =
      self.takes.load(std::memory_order_relaxed);  // relaxed: only we write it
  FAULT("tasks.drop");
  // SYNC tasks.done: seq_cst as in done().
  self.dones.store(Dones::make(takes, registry_.self()), std::memory_order_seq_cst);
  FAULT("tasks.dropped");
}

bool Tasks::any() const noexcept {
  for (std::uint32_t index = 0; index < registry_.count(); ++index) {
    const auto user = registry_.user(index);
    if (!user) continue;
    const Participant& slot = registry_.slot(index);
    // SYNC tasks.done: seq_cst: a joiner's look after it has listed itself (waiters.listed).
    const std::uint64_t dones = slot.dones.load(std::memory_order_seq_cst);
    // Another's count: this user has taken nothing yet.
    if (!Dones::is_of(dones, *user)) continue;
    // relaxed: what has left the ring and the ledgers was counted before it did (SYNC ring.finish, ledger.free), and nothing is
    // taken after that unless something was put, which the caller finds out.
    if (Dones::all(dones, slot.takes.load(std::memory_order_relaxed))) continue;
    if (!registry_.dead(*user)) return true;
  }
  return false;
}

}  // namespace interproc::ring
