#include "ring/leases.h"

#include <utility>

#include "platform/clock.h"

namespace interproc::ring {

double Leases::add(const Lease& lease, std::uint32_t length) noexcept {
  std::size_t index = 0;
  while (entries_[index].lease.kind != LeaseKind::none) ++index;
  Entry& entry = entries_[index];
  entry.lease = lease;
  ++entry.serial;
  ++count_;
  // relaxed: for people; orders nothing.
  registry_.self_slot().leases[index].store(
      LeaseWord::make(lease.kind, length, platform::coarse_now_ns()), std::memory_order_relaxed);
  return static_cast<double>(entry.serial << kIndexBits | index);
}

const Lease* Leases::find(double number) const noexcept {
  if (!(number >= 0 && number < 9007199254740992.0)) return nullptr;
  const auto whole = static_cast<std::uint64_t>(number);
  const Entry& entry = entries_[whole & (memory::kMaxLeases - 1)];
  const bool found = entry.lease.kind != LeaseKind::none && entry.serial == whole >> kIndexBits;
  return found ? &entry.lease : nullptr;
}

bool Leases::holds(std::uint32_t region, std::uint32_t entry) const noexcept {
  for (const Entry& own : entries_) {
    if (own.lease.in_ledger && own.lease.held.region == region && own.lease.held.entry == entry)
      return true;
  }
  return false;
}

Lease Leases::remove(double number) noexcept {
  if (find(number) == nullptr) return {};
  return clear(static_cast<std::uint64_t>(number) & (memory::kMaxLeases - 1));
}

Lease Leases::remove_any() noexcept {
  for (std::size_t index = 0; index < entries_.size(); ++index) {
    if (entries_[index].lease.kind != LeaseKind::none) return clear(index);
  }
  return {};
}

Lease Leases::clear(std::size_t index) noexcept {
  --count_;
  // relaxed: as in add.
  registry_.self_slot().leases[index].store(0, std::memory_order_relaxed);
  return std::exchange(entries_[index].lease, Lease{});
}

std::vector<LeaseNotice> Leases::notices() const noexcept {
  std::vector<LeaseNotice> notices;
  const std::int64_t now = platform::coarse_now_ns();
  for (std::uint32_t slot = 0; slot < registry_.count(); ++slot) {
    const memory::Participant& participant = registry_.slot(slot);
    bool asked = false;
    for (const memory::Word& notice : participant.leases) {
      // relaxed: for people. Whatever a word holds is shown, not followed.
      const std::uint64_t word = notice.load(std::memory_order_relaxed);
      const LeaseKind kind = LeaseWord::kind(word);
      if (kind != LeaseKind::slot && kind != LeaseKind::message) continue;
      // What the dead held is nobody's any more, recovered or about to be.
      if (!asked && registry_.vacant(slot)) break;
      asked = true;
      notices.push_back({participant.pid.load(std::memory_order_relaxed), kind,
                         LeaseWord::length(word), LeaseWord::age_ns(word, now),
                         slot == registry_.self().slot});
    }
  }
  return notices;
}

}  // namespace interproc::ring
