#include "state/cells.h"

#include "platform/fault.h"

namespace interproc::state {

using sync::Side;

namespace {
constexpr std::uint32_t kWatched = 1;

// Who was killed in a blocking wait stays listed, and each change would cost a call to tell him. A look at all who are listed is half a
// microsecond for each: a few nanoseconds a call.
constexpr std::uint32_t kTellingsPerCensus = 256;

// A value that is read and written whole has `parameter` bytes; the state has room for two, in words.
constexpr std::size_t kWordBytes = sizeof(memory::Word);
}  // namespace

Cells::Cells(sync::Doorbell& bell, memory::Segment& segment) noexcept
    : LockedState(bell, segment), words_(segment.cell_words<CellWords>()) {
  // In the header of somebody else's making it may be anything, and rounding it up would begin again at 0.
  const std::uint64_t value_bytes = header().parameter;
  if (header().kind != memory::Kind::value || value_bytes == 0 ||
      value_bytes > header().state_bytes)
    return;
  const std::uint64_t half_bytes = (value_bytes + kWordBytes - 1) / kWordBytes * kWordBytes;
  if (header().state_bytes != 2 * half_bytes) return;
  auto* const words = reinterpret_cast<memory::Word*>(bytes());
  const std::size_t half = half_bytes / kWordBytes;
  whole_.emplace(registry_, words_.writing, WholeValue::Words(words, half),
                 WholeValue::Words(words + half, half));
}

void Cells::watch() noexcept {
  // SYNC cells.watch: seq_cst against change: either the changer sees that it is watched, or the look that follows sees the change.
  std::uint32_t seen = words_.watch.load(std::memory_order_seq_cst);
  while ((seen & kWatched) == 0) {
    if (words_.watch.compare_exchange_weak(seen, seen | kWatched, std::memory_order_seq_cst))
      seen |= kWatched;
  }
  FAULT("cells.watched");
  seen_watch_ = seen;
  // SYNC cells.changes: seq_cst, before the look at the bytes.
  seen_changes_ = words_.changes.load(std::memory_order_seq_cst);
  FAULT("cells.remembered");
}

void Cells::notify() noexcept {
  // What came before may be a plain store of the caller's: seq_cst, so that it is seen before the words below are looked at.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  // SYNC cells.watch
  if ((words_.watch.load(std::memory_order_seq_cst) & kWatched) == 0) return;
  FAULT("cells.notify");
  // SYNC cells.changes: seq_cst against arm: who is listed too late to be seen below sees that this is not what he remembers.
  words_.changes.fetch_add(1, std::memory_order_seq_cst);
  FAULT("cells.counted");
  if (waiters_.anyone(sync::kJoin)) {
    waiters_.wake_all(sync::kJoin);
    FAULT("cells.rang");
    if (++told_ % kTellingsPerCensus == 0) waiters_.unlist_vacant(sync::kJoin);
    return;
  }
  std::uint32_t seen = words_.watch.load(std::memory_order_seq_cst);  // SYNC cells.watch
  if ((seen & kWatched) == 0) return;
  FAULT("cells.unwatch");
  // Adding 1 clears the lowest bit and counts the epoch. Where it fails another has cleared it, and looks as we do below, or somebody watches anew.
  if (!words_.watch.compare_exchange_strong(seen, seen + kWatched, std::memory_order_seq_cst))
    return;
  FAULT("cells.unwatched");
  // Listed between the two, by one who remembers what we have just counted: nobody would tell him of the next change. Rung, he watches anew.
  if (!waiters_.anyone(sync::kJoin)) return;
  waiters_.wake_all(sync::kJoin);
  FAULT("cells.rang");
}

bool Cells::operate(CellOperation operation, CellType type, std::uint64_t offset,
                    Operands& operands) noexcept {
  if (!state::operate(operation, type, bytes() + offset, operands)) return false;
  if (operation != CellOperation::load && operation != CellOperation::store) {
    FAULT("cells.changed");
    // SYNC cells.watch: after a sequentially consistent RMW.
    if ((words_.watch.load(std::memory_order_seq_cst) & kWatched) != 0) notify();
  }
  return true;
}

bool Cells::worth_looking(Side side) noexcept {
  if (side != sync::kJoin) return true;
  // SYNC cells.watch, SYNC cells.changes: after we are listed.
  return words_.watch.load(std::memory_order_seq_cst) != seen_watch_ ||
         words_.changes.load(std::memory_order_seq_cst) != seen_changes_;
}

void Cells::sweep() noexcept {
  if (whole_) whole_->sweep();
}

}  // namespace interproc::state
