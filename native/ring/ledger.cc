#include "ring/ledger.h"

#include <algorithm>

#include "platform/fault.h"
#include "ring/cursor.h"

namespace interproc::ring {

using memory::kLedgerEntries;
using memory::LedgerEntry;
using memory::Owner;

std::uint32_t Ledger::blocks_of(std::uint32_t length) const noexcept {
  const std::uint64_t bytes = memory::stored_bytes(segment_.layout(), length);
  return std::max(1u, static_cast<std::uint32_t>((bytes + kBlock - 1) / kBlock));
}

std::uint32_t Ledger::watermark(const memory::Ledger& region) noexcept {
  // SYNC ledger.watermark
  return std::min(region.watermark.load(std::memory_order_acquire), kLedgerEntries);
}

memory::Ledger* Ledger::opened(std::uint32_t slot) noexcept {
  if (slot >= registry_.count()) return nullptr;  // a spoiled word may name any slot
  // SYNC ledger.opened: the region's memory is there before its bit.
  const std::uint64_t bits = segment_.control().ledgers[slot / 64].load(std::memory_order_acquire);
  return (bits >> (slot % 64) & 1) != 0 ? segment_.ledger(slot) : nullptr;
}

bool Ledger::any_region() const noexcept {
  std::uint64_t all = 0;
  for (const auto& word : segment_.control().ledgers) all |= word.load(std::memory_order_acquire);
  return all != 0;
}

Error Ledger::open_own() noexcept {
  if (own_ != nullptr) return {};
  const std::uint32_t slot = registry_.self().slot;
  if (opened(slot) == nullptr) {
    if (Error error = segment_.reserve_ledger(slot); error.code != Code::ok) return error;
    FAULT("ledger.reserved");
    // SYNC ledger.opened
    segment_.control().ledgers[slot / 64].fetch_or(std::uint64_t{1} << (slot % 64),
                                                   std::memory_order_acq_rel);
  }
  own_ = segment_.ledger(slot);
  owner_of_block_.assign(segment_.layout().payload_bytes / kBlock, 0);
  rebuild();
  return {};
}

void Ledger::rebuild() noexcept {
  std::fill(owner_of_block_.begin(), owner_of_block_.end(), std::uint16_t{0});
  const std::uint32_t used = watermark(*own_);
  for (std::uint32_t i = 0; i < used; ++i) {
    const LedgerEntry& entry = own_->entries[i];
    // acquire: with the freeing by another; its reads of the bytes are over before we write there. SYNC ledger.free
    if (EntryWord::state(entry.word.load(std::memory_order_acquire)) == EntryState::free) continue;
    const std::uint64_t start = entry.offset.load(std::memory_order_relaxed);
    const std::uint64_t blocks = blocks_of(entry.length.load(std::memory_order_relaxed));
    if (start + blocks > owner_of_block_.size()) continue;  // spoiled by somebody: never follow it
    std::fill_n(owner_of_block_.begin() + static_cast<std::ptrdiff_t>(start), blocks,
                static_cast<std::uint16_t>(i + 1));
  }
}

bool Ledger::find_extent(std::uint32_t blocks, std::uint32_t& start) noexcept {
  const std::uint32_t total = static_cast<std::uint32_t>(owner_of_block_.size());
  if (blocks > total) return false;
  // Next fit, once around: each step jumps behind the occupant it met.
  std::uint32_t at = cursor_ + blocks <= total ? cursor_ : 0;
  for (std::uint32_t walked = 0; walked <= total + blocks;) {
    if (at + blocks > total) {
      walked += total - at;
      at = 0;
      continue;
    }
    std::uint32_t free = 0;
    while (free < blocks && owner_of_block_[at + free] == 0) ++free;
    if (free == blocks) {
      start = at;
      return true;
    }
    walked += free + 1;
    at += free + 1;
  }
  return false;
}

std::byte* Ledger::place(std::uint32_t length) noexcept {
  const std::uint32_t blocks = blocks_of(length);
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (attempt == 1) rebuild();
    next_entry_ = kNone;
    for (std::uint32_t i = 0; i < kLedgerEntries; ++i) {
      if (EntryWord::state(own_->entries[i].word.load(std::memory_order_acquire)) ==
          EntryState::free) {
        next_entry_ = i;
        break;
      }
    }
    if (next_entry_ == kNone) return nullptr;
    if (find_extent(blocks, next_start_))
      return segment_.ledger_data(own_) + std::size_t{next_start_} * kBlock;
  }
  return nullptr;
}

Held Ledger::hold(std::uint64_t pos, std::uint32_t length, Redeliveries redeliveries) noexcept {
  LedgerEntry& entry = own_->entries[next_entry_];
  const std::uint32_t blocks = blocks_of(length);
  // An entry that another freed may still have its old blocks marked: they are found free at the next rebuild.
  std::fill_n(owner_of_block_.begin() + next_start_, blocks,
              static_cast<std::uint16_t>(next_entry_ + 1));
  cursor_ = next_start_ + blocks;
  // relaxed: all published by the store of the word.
  entry.pos.store(pos, std::memory_order_relaxed);
  entry.offset.store(next_start_, std::memory_order_relaxed);
  entry.length.store(length, std::memory_order_relaxed);
  entry.redeliveries.store(redeliveries.word, std::memory_order_relaxed);
  if (own_->watermark.load(std::memory_order_relaxed) <= next_entry_) {
    // SYNC ledger.watermark: before the word, so that no HELD entry lies beyond it.
    own_->watermark.store(next_entry_ + 1, std::memory_order_release);
  }
  FAULT("ledger.filled");
  const std::uint64_t word =
      EntryWord::next(entry.word.load(std::memory_order_relaxed), registry_.self());
  // SYNC ledger.hold: release: entry and bytes are complete for who sees HELD. Nobody else leaves FREE, so a store suffices.
  entry.word.store(word, std::memory_order_release);
  FAULT("ledger.held");
  // From what we know, not from the entry: `length` is the one the caller has checked against its buffer.
  return Held{registry_.self().slot,
              next_entry_,
              word,
              pos,
              length,
              redeliveries,
              segment_.ledger_data(own_) + std::size_t{next_start_} * kBlock};
}

Held Ledger::describe(std::uint32_t slot, memory::Ledger* region, std::uint32_t index,
                      std::uint64_t word) noexcept {
  Held held;
  const LedgerEntry& entry = region->entries[index];
  held.region = slot;
  held.entry = index;
  held.word = word;
  // relaxed: ordered by the acquire of the word. Copied once, checked, then used.
  held.pos = entry.pos.load(std::memory_order_relaxed);
  held.redeliveries.word = entry.redeliveries.load(std::memory_order_relaxed);
  const std::uint64_t offset = std::uint64_t{entry.offset.load(std::memory_order_relaxed)} * kBlock;
  const std::uint64_t length = entry.length.load(std::memory_order_acquire);  // before unchanged()
  const std::uint64_t room = segment_.layout().payload_bytes;
  if (offset <= room && memory::stored_bytes(segment_.layout(), length) <= room - offset &&
      length <= segment_.header().max_message_bytes) {
    held.length = static_cast<std::uint32_t>(length);
    held.bytes = segment_.ledger_data(region) + offset;
  } else {
    held.bytes = segment_.ledger_data(region);
  }
  return held;
}

bool Ledger::release(const Held& held) noexcept {
  memory::Ledger* ledger = opened(held.region);
  if (ledger == nullptr) return false;
  std::uint64_t expected = held.word;
  FAULT("ledger.ack");
  // SYNC ledger.free: release: our reads of the bytes are over before the region's owner uses the space again.
  if (!ledger->entries[held.entry].word.compare_exchange_strong(
          expected, EntryWord::to(held.word, EntryState::free), std::memory_order_seq_cst)) {
    return false;
  }
  FAULT("ledger.acked");
  if (own_ == ledger) {
    const std::uint32_t start = ledger->entries[held.entry].offset.load(std::memory_order_relaxed);
    const std::uint32_t blocks = blocks_of(held.length);
    if (std::size_t{start} + blocks <= owner_of_block_.size())
      std::fill_n(owner_of_block_.begin() + start, blocks, std::uint16_t{0});
  }
  return true;
}

bool Ledger::give_back(const Held& held, bool counted) noexcept {
  memory::Ledger* ledger = opened(held.region);
  if (ledger == nullptr) return false;
  std::uint64_t expected = held.word;
  // Whoever takes it over counts it; what was never handed over is taken off beforehand. relaxed: ours alone.
  if (!counted)
    ledger->entries[held.entry].redeliveries.fetch_sub(Redeliveries::kOne,
                                                       std::memory_order_relaxed);
  FAULT("ledger.nack");
  // SYNC ledger.return
  return ledger->entries[held.entry].word.compare_exchange_strong(
      expected, EntryWord::to(held.word, EntryState::returned), std::memory_order_seq_cst);
}

bool Ledger::find_returned(std::uint64_t tail, Held& oldest, bool& more) noexcept {
  bool found = false;
  std::int64_t best = 0;
  more = false;
  for (std::uint32_t slot = 0; slot < registry_.count(); ++slot) {
    memory::Ledger* region = opened(slot);
    if (region == nullptr) continue;
    const std::uint32_t used = watermark(*region);
    for (std::uint32_t i = 0; i < used; ++i) {
      const std::uint64_t word =
          region->entries[i].word.load(std::memory_order_acquire);  // SYNC ledger.return
      if (EntryWord::state(word) != EntryState::returned) continue;
      const std::int64_t age =
          Cursor::distance(region->entries[i].pos.load(std::memory_order_relaxed), tail);
      more = more || found;
      if (found && age <= best) continue;
      found = true;
      best = age;
      oldest = describe(slot, region, i, word);
    }
  }
  return found;
}

bool Ledger::unchanged(const Held& held) noexcept {
  memory::Ledger* ledger = opened(held.region);
  return ledger != nullptr &&
         ledger->entries[held.entry].word.load(std::memory_order_acquire) == held.word;
}

bool Ledger::take_over(Held& held) noexcept {
  memory::Ledger* ledger = opened(held.region);
  if (ledger == nullptr) return false;
  LedgerEntry& entry = ledger->entries[held.entry];
  std::uint64_t expected = held.word;
  const std::uint64_t mine = EntryWord::to(held.word, EntryState::held, registry_.self());
  FAULT("ledger.take_over");
  // SYNC ledger.return
  if (!entry.word.compare_exchange_strong(expected, mine, std::memory_order_acq_rel,
                                          std::memory_order_relaxed))
    return false;
  FAULT("ledger.taken_over");
  // What find_returned saw belongs to the word that the CAS has found unchanged.
  held.word = mine;
  // relaxed: ours alone.
  held.redeliveries.word =
      entry.redeliveries.fetch_add(Redeliveries::kOne, std::memory_order_relaxed) +
      Redeliveries::kOne;
  return true;
}

bool Ledger::holds(Owner owner, std::uint64_t pos) noexcept {
  memory::Ledger* region = opened(owner.slot);
  if (region == nullptr) return false;
  const std::uint32_t used = watermark(*region);
  for (std::uint32_t i = 0; i < used; ++i) {
    const LedgerEntry& entry = region->entries[i];
    const std::uint64_t word = entry.word.load(std::memory_order_acquire);  // SYNC ledger.hold
    if (EntryWord::state(word) == EntryState::held && EntryWord::owner(word) == owner &&
        entry.pos.load(std::memory_order_relaxed) == pos) {
      return true;
    }
  }
  return false;
}

memory::Named Ledger::names(const memory::SideRef& ref) noexcept {
  for (std::uint32_t slot = 0; slot < registry_.count(); ++slot) {
    memory::Ledger* region = opened(slot);
    if (region == nullptr) continue;
    const std::uint32_t used = watermark(*region);
    for (std::uint32_t i = 0; i < used; ++i) {
      const std::uint64_t word =
          region->entries[i].word.load(std::memory_order_acquire);  // SYNC ledger.hold
      if (EntryWord::state(word) == EntryState::free) continue;
      const Held held = describe(slot, region, i, word);
      if (memory::stands_beside(segment_.layout(), held.length) &&
          memory::SideRef::read(held.bytes) == ref)
        return memory::Named::yes;
    }
  }
  return memory::Named::no;
}

Ledger::Counts Ledger::count() noexcept {
  Counts counts;
  if (!any_region()) return counts;
  each([&](std::uint32_t, std::uint32_t, LedgerEntry& entry) {
    // SYNC ledger.free: seq_cst: a waiter's look after it has listed itself.
    const std::uint64_t word = entry.word.load(std::memory_order_seq_cst);
    if (EntryWord::state(word) == EntryState::held) {
      ++counts.held;
      if (EntryWord::owner(word) != registry_.self()) ++counts.held_by_others;
    } else if (EntryWord::state(word) == EntryState::returned) {
      ++counts.returned;
    }
  });
  return counts;
}

bool Ledger::recover(LedgerEntry& entry, std::uint64_t word) noexcept {
  FAULT("ledger.recover");
  // SYNC ledger.return
  return entry.word.compare_exchange_strong(word, EntryWord::to(word, EntryState::returned),
                                            std::memory_order_seq_cst);
}

}  // namespace interproc::ring
