#include "sync/waiters.h"

#include <bit>

#include "platform/fault.h"
#include "platform/futex.h"

namespace interproc::sync {

using memory::Participant;
using memory::Word;

namespace {

constexpr std::uint64_t bit_of(std::uint32_t slot) noexcept {
  return std::uint64_t{1} << (slot % 64);
}

// Single writer: a plain load and store suffice, and nobody is ordered by a counter (relaxed).
void count(Word& counter) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

void Waiters::arm(Side side, WaitState state) noexcept {
  const std::uint32_t slot = registry_.self().slot;
  Participant& self = registry_.self_slot();
  if (state == WaitState::armed_bell && self.bell.load(std::memory_order_relaxed) != bell_.id()) {
    self.bell.store(bell_.id(),
                    std::memory_order_relaxed);  // relaxed: published by the store below
  }
  count(self.waits);
  Word& mine = self.wait[side];
  // relaxed load: only a ringer changes the word besides us, and only its state, never its epoch.
  // SYNC wait.armed: seq_cst, before the bit, so that who sees the bit sees ARMED.
  mine.store(next_epoch(mine.load(std::memory_order_relaxed), state), std::memory_order_seq_cst);
  FAULT("wait.armed");
  // SYNC waiters.listed: seq_cst against anyone().
  segment_.control().listed[side][slot / 64].fetch_or(bit_of(slot), std::memory_order_seq_cst);
  FAULT("wait.listed");
}

bool Waiters::disarm(Side side) noexcept {
  const std::uint32_t slot = registry_.self().slot;
  Word& mine = registry_.self_slot().wait[side];
  const std::uint64_t armed =
      mine.load(std::memory_order_relaxed);  // relaxed: for its epoch, which only we change
  // SYNC wait.disarm: an RMW, so that a ring lands either before it, and we know, or not at all.
  const std::uint64_t before =
      mine.exchange(with_state(armed, WaitState::awake), std::memory_order_seq_cst);
  FAULT("wait.disarmed");
  segment_.control().listed[side][slot / 64].fetch_and(~bit_of(slot), std::memory_order_seq_cst);
  const WaitState state = state_of(before);
  const bool rung = state == WaitState::rung || is_ringing(state);
  if (rung) count(registry_.self_slot().wakes);
  return rung;
}

void Waiters::sleep(Side side, std::int64_t deadline_ns) noexcept {
  const Word& mine = registry_.self_slot().wait[side];
  const std::uint64_t now =
      mine.load(std::memory_order_relaxed);  // relaxed: futex_wait compares again in the kernel
  if (state_of(now) != WaitState::armed_futex) return;
  FAULT("wait.sleep");
  platform::futex_wait(mine, static_cast<std::uint32_t>(now), deadline_ns);
}

bool Waiters::deliver(Word& word, std::uint32_t slot, WaitState ringing) noexcept {
  if (ringing == WaitState::ringing_futex) {
    platform::futex_wake(word);
    // No sleeper on the futex: it is between arming and sleeping, and the changed word keeps it from falling asleep.
    return true;
  }
  const Participant& waiter = segment_.participants()[slot];
  // relaxed: published with ARMED, which we have seen.
  return bell_.ring(waiter.bell.load(std::memory_order_relaxed),
                    waiter.token.load(std::memory_order_relaxed));
}

Waiters::Rang Waiters::ring(Side side, std::uint32_t slot) noexcept {
  Word& theirs = word(side, slot);
  std::uint64_t seen = theirs.load(std::memory_order_seq_cst);  // SYNC wait.armed
  for (;;) {
    const WaitState state = state_of(seen);
    if (is_ringing(state)) {
      // Its ringer may have died before it rang.
      return deliver(theirs, slot, state) ? Rang::again : Rang::no;
    }
    if (!is_armed(state)) return Rang::again;
    const WaitState ringing =
        state == WaitState::armed_futex ? WaitState::ringing_futex : WaitState::ringing_bell;
    const std::uint64_t marked = with_state(seen, ringing);
    FAULT("wake.ring");
    if (!theirs.compare_exchange_strong(seen, marked, std::memory_order_seq_cst)) continue;
    FAULT("wake.ringing");
    const bool heard = deliver(theirs, slot, ringing);
    FAULT("wake.rang");
    std::uint64_t expected = marked;
    // Fails when the waiter has served the ring already: fine. relaxed on failure: nothing is read through it.
    theirs.compare_exchange_strong(expected, with_state(seen, WaitState::rung),
                                   std::memory_order_seq_cst, std::memory_order_relaxed);
    return heard ? Rang::yes : Rang::no;
  }
}

void Waiters::wake(Whom whom, Side side, std::uint32_t count, std::uint32_t room) noexcept {
  const std::uint32_t slots = registry_.count();
  const std::uint32_t start = rotor_ % slots;
  Word* listed = segment_.control().listed[side];
  for (std::uint32_t i = 0; i < slots && count > 0;) {
    const std::uint32_t slot = (start + i) % slots;
    const std::uint64_t left = listed[slot / 64].load(std::memory_order_seq_cst) >> (slot % 64);
    if (left == 0) {
      // Nobody else in this word of the bitmap.
      i += std::min(64 - slot % 64, slots - slot);
      continue;
    }
    const std::uint32_t skip = static_cast<std::uint32_t>(std::countr_zero(left));
    if (skip > 0) {
      i += std::min(skip, slots - slot);
      continue;
    }
    ++i;
    const std::uint32_t need =
        side == kPut ? registry_.slot(slot).need.load(std::memory_order_relaxed) : 0;
    if (whom == Whom::fitting && need > room) continue;
    if (whom == Whom::beside && need != kNeedBeside) continue;
    switch (ring(side, slot)) {
      case Rang::yes:
        --count;
        if (whom == Whom::fitting) room -= need;
        rotor_ = slot + 1;
        break;
      case Rang::again:
        break;
      case Rang::no:
        unlist_if_vacant(side, slot);
        break;
    }
  }
}

void Waiters::unlist_if_vacant(Side side, std::uint32_t slot) noexcept {
  Word& theirs = word(side, slot);
  // Loaded before the kernel is asked: if nobody holds the slot then, this word was left by the dead.
  std::uint64_t left = theirs.load(std::memory_order_seq_cst);
  if (!registry_.vacant(slot)) return;
  Word& listed = segment_.control().listed[side][slot / 64];
  if (!theirs.compare_exchange_strong(left, next_epoch(left, WaitState::awake),
                                      std::memory_order_seq_cst))
    return;
  FAULT("wake.unlisting");
  listed.fetch_and(~bit_of(slot), std::memory_order_seq_cst);
  // A newcomer may have armed in this slot just before its bit was cleared.
  if (is_armed(state_of(theirs.load(std::memory_order_seq_cst)))) {
    listed.fetch_or(bit_of(slot), std::memory_order_seq_cst);
    ring(side, slot);
  }
}

void Waiters::unlist_vacant(Side side) noexcept {
  const Word* listed = segment_.control().listed[side];
  for (std::uint32_t slot = 0; slot < registry_.count(); ++slot) {
    if ((listed[slot / 64].load(std::memory_order_seq_cst) & bit_of(slot)) != 0)
      unlist_if_vacant(side, slot);
  }
}

void Waiters::forget(std::uint8_t slot) noexcept {
  for (std::uint32_t side = 0; side < kSides; ++side) {
    segment_.control().listed[side][slot / 64].fetch_and(~bit_of(slot), std::memory_order_seq_cst);
    Word& theirs = word(static_cast<Side>(side), slot);
    theirs.store(next_epoch(theirs.load(std::memory_order_seq_cst), WaitState::awake),
                 std::memory_order_seq_cst);
  }
  bell_.take_down(segment_.participants()[slot].bell.load(std::memory_order_relaxed));
}

}  // namespace interproc::sync
