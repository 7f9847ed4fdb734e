#include "sync/turns.h"

#include <bit>

#include "platform/clock.h"
#include "platform/fault.h"

namespace interproc::sync {

using memory::Word;

namespace {

std::uint64_t milliseconds() noexcept {
  return static_cast<std::uint64_t>(platform::coarse_now_ns() / 1'000'000);
}

constexpr std::uint64_t bit_of(std::uint32_t slot) noexcept {
  return std::uint64_t{1} << (slot % 64);
}

}  // namespace

bool Turns::may_take(std::uint64_t free) noexcept {
  // SYNC turns.promised: seq_cst, as is the load of what is taken before it and the store of the promise before that is given back:
  // who sees it free sees to whom it is promised.
  const std::uint64_t promise = party_.words().promised.load(std::memory_order_seq_cst);
  if (PromiseWord::Valid::get(promise) == 0) return true;
  if (PromiseWord::owner(promise) == party_.self() || free > 1) return true;
  const std::int64_t now = platform::now_ns();
  if (promise != seen_promise_) {
    seen_promise_ = promise;
    seen_at_ns_ = now;
    return false;
  }
  return now - seen_at_ns_ >= kPatienceNs && revoke(promise);
}

bool Turns::revoke(std::uint64_t promise) noexcept {
  const memory::Owner late = PromiseWord::owner(promise);
  if (late.slot < party_.count()) {
    // Not promised anything more until it looks again. It may have just done so: then it waits a little longer.
    vacate(late.slot);
    FAULT("turns.passed_over");
  }
  return party_.words().promised.compare_exchange_strong(promise, PromiseWord::none(promise),
                                                         std::memory_order_seq_cst);
}

void Turns::line_up() noexcept {
  if (!waiting_) {
    waiting_ = true;
    // relaxed: it only has to be about the number of now.
    since_ = SinceWord::Waiting::put(1) | SinceWord::Milliseconds::put(milliseconds()) |
             SinceWord::Turn::put(party_.words().turns.load(std::memory_order_relaxed));
  }
  Word& own = party_.own(kSince);
  // relaxed: published by arming, which follows; to be seen late costs a turn.
  if (own.load(std::memory_order_relaxed) == since_) return;
  own.store(since_, std::memory_order_relaxed);
  const std::uint32_t slot = party_.self().slot;
  // SYNC turns.lined_up: release: who sees the bit sees since when.
  party_.words().lined_up[slot / 64].fetch_or(bit_of(slot), std::memory_order_seq_cst);
  FAULT("turns.lined_up");
}

// The place of a slot is empty.
void Turns::vacate(std::uint32_t slot) noexcept {
  // SYNC turns.since: seq_cst, before a look at the promise: either it sees a promise to the slot, or who makes it sees that the place is empty.
  party_.own(kSince, slot).store(0, std::memory_order_seq_cst);
  party_.words().lined_up[slot / 64].fetch_and(~bit_of(slot), std::memory_order_seq_cst);
}

void Turns::took() noexcept {
  if (waiting_) give_up();
}

void Turns::give_up() noexcept {
  waiting_ = false;
  vacate(party_.self().slot);
  FAULT("turns.gone");
  withdraw(party_.self().slot);
}

void Turns::withdraw(std::uint8_t slot) noexcept {
  std::uint64_t promise = party_.words().promised.load(std::memory_order_seq_cst);
  if (PromiseWord::Valid::get(promise) == 0 || PromiseWord::owner(promise).slot != slot) return;
  // Fails only if somebody else has just withdrawn it.
  party_.words().promised.compare_exchange_strong(promise, PromiseWord::none(promise),
                                                  std::memory_order_seq_cst);
}

void Turns::pass_those() noexcept {
  LockWords& words = party_.words();
  // relaxed: a count that orders nothing.
  const std::uint64_t turn = words.turns.fetch_add(1, std::memory_order_relaxed) + 1;
  std::uint64_t promise = words.promised.load(std::memory_order_seq_cst);
  if (PromiseWord::Valid::get(promise) != 0) return;
  std::uint64_t longest = 0;
  std::uint64_t since = 0;
  std::uint32_t oldest = 0;
  for (std::uint32_t i = 0; i < memory::kBitmapWords; ++i) {
    for (std::uint64_t left = words.lined_up[i].load(std::memory_order_seq_cst); left != 0;
         left &= left - 1) {
      const std::uint32_t slot = i * 64 + static_cast<std::uint32_t>(std::countr_zero(left));
      if (slot >= party_.count()) break;
      // relaxed: published with the bit (SYNC turns.lined_up).
      const std::uint64_t theirs = party_.own(kSince, slot).load(std::memory_order_relaxed);
      if (SinceWord::Waiting::get(theirs) == 0) continue;
      const std::uint64_t passed = (turn - SinceWord::Turn::get(theirs)) & SinceWord::Turn::kMax;
      if (passed < longest) continue;
      longest = passed;
      since = theirs;
      oldest = slot;
    }
  }
  if (longest < kFewTurns) return;
  if (longest < kPatientTurns) {
    const std::uint64_t waited =
        (milliseconds() - SinceWord::Milliseconds::get(since)) & SinceWord::Milliseconds::kMax;
    if (waited < kPatientMs) return;
  }
  const auto user = party_.registry().user(oldest);
  if (!user.has_value()) return;
  // SYNC turns.promised
  if (!words.promised.compare_exchange_strong(promise, PromiseWord::to(promise, *user),
                                              std::memory_order_seq_cst)) {
    return;
  }
  FAULT("turns.promised");
  // SYNC turns.since: it may have gone before it could see the promise.
  if (party_.own(kSince, oldest).load(std::memory_order_seq_cst) == 0) withdraw(user->slot);
}

void Turns::wake(std::uint32_t count) noexcept {
  if (!party_.waiters().anyone(kAcquire)) return;
  const std::uint64_t promise = party_.words().promised.load(std::memory_order_seq_cst);
  if (PromiseWord::Valid::get(promise) != 0) {
    const std::uint32_t slot = PromiseWord::owner(promise).slot;
    // It may be on its way already, for what was given back before: then this is for another.
    if (slot < party_.count() && party_.waiters().wake_slot(kAcquire, slot) && --count == 0) return;
  }
  party_.waiters().wake(kAcquire, count);
}

void Turns::forget(std::uint8_t slot) noexcept {
  vacate(slot);
  withdraw(slot);
}

}  // namespace interproc::sync
