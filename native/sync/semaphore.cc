#include "sync/semaphore.h"

#include <algorithm>

#include "platform/clock.h"
#include "platform/fault.h"

namespace interproc::sync {

using memory::Owner;
using memory::Word;

namespace {

constexpr std::uint64_t low(std::uint64_t operations) noexcept {
  return operations & PermitWord::Operation::kMax;
}

constexpr Owner holder_of(std::uint32_t slot, std::uint64_t account) noexcept {
  return owner_from(slot, AccountWord::Generation::get(account));
}

// The word after `state` with so many permits, whose operation changes the account of `slot`.
constexpr std::uint64_t with_operation(std::uint64_t state, std::uint64_t permits,
                                       PermitWord::Kinds kind, std::uint8_t slot,
                                       std::uint64_t account) noexcept {
  return PermitWord::Permits::put(permits) |
         PermitWord::Recovered::put(PermitWord::Recovered::get(state)) |
         PermitWord::Kind::put(kind) |
         PermitWord::Generation::put(AccountWord::Generation::get(account)) |
         PermitWord::Slot::put(slot) |
         PermitWord::Operation::put(AccountWord::Operations::get(account) + 1);
}

constexpr std::uint64_t held_after(std::uint64_t held, std::uint64_t kind) noexcept {
  if (kind == PermitWord::kSettled) return 0;
  if (kind == PermitWord::kReleased) return held > 0 ? held - 1 : 0;
  return std::min(held + 1, AccountWord::Held::kMax);
}

}  // namespace

void Semaphore::initialise(LockWords& words, std::uint64_t permits) noexcept {
  // relaxed: nobody else sees the object yet.
  words.limit.store(permits, std::memory_order_relaxed);
  words.state.store(PermitWord::Permits::put(permits), std::memory_order_relaxed);
}

void Semaphore::start() noexcept {
  initial_ = std::min(party_.words().limit.load(std::memory_order_relaxed), kMaxPermits);
  // Not zero, so that whoever was stopped while it finished an operation of the slot's last user cannot take this for that one's.
  party_.own(kHeld).store(AccountWord::Generation::put(party_.self().generation),
                          std::memory_order_seq_cst);
}

// Does to the account what the operation in `state` says, if nobody has yet. Only after that may the word be changed: so at
// most one operation is ever unfinished, and the accounts are exact whoever dies.
void Semaphore::finish(std::uint64_t state) noexcept {
  const std::uint64_t kind = PermitWord::Kind::get(state);
  const Owner subject = PermitWord::subject(state);
  if (kind == PermitWord::kNone || subject.slot >= party_.count()) return;
  Word& account = party_.own(kHeld, subject.slot);
  // SYNC permit.account: seq_cst like everything here: an account is read between two loads of the state that find it the same.
  std::uint64_t word = account.load(std::memory_order_seq_cst);
  if (AccountWord::Generation::get(word) != subject.generation) return;
  const std::uint64_t operations = AccountWord::Operations::get(word) + 1;
  if (low(operations) != PermitWord::Operation::get(state)) return;
  // What was loaded may be long past, and then the number may fit by chance.
  if (party_.words().state.load(std::memory_order_seq_cst) != state) return;
  FAULT("permit.finish");
  const std::uint64_t after =
      AccountWord::Operations::put(operations) | AccountWord::Generation::put(subject.generation) |
      AccountWord::Held::put(held_after(AccountWord::Held::get(word), kind));
  account.compare_exchange_strong(word, after, std::memory_order_seq_cst);
  FAULT("permit.finished");
}

Code Semaphore::try_acquire(Try how, bool& recovered) noexcept {
  recovered = false;
  Word& state = party_.words().state;
  bool asked = how == Try::quick;
  // SYNC permit.state
  std::uint64_t word = state.load(std::memory_order_seq_cst);
  for (;;) {
    const std::uint64_t permits = PermitWord::Permits::get(word);
    if (permits == 0) {
      if (asked) return Code::busy;
      asked = true;
      look_for_the_dead(kAcquire);
      word = state.load(std::memory_order_seq_cst);
      continue;
    }
    if (!turns_.may_take(permits)) return Code::busy;
    finish(word);
    const std::uint64_t account = party_.own(kHeld).load(std::memory_order_seq_cst);
    std::uint64_t next =
        with_operation(word, permits - 1, PermitWord::kAcquired, party_.self().slot, account);
    next = PermitWord::Recovered::set(next, 0);
    FAULT("permit.acquire");
    // SYNC permit.state: acquire and release, and seq_cst for turns.promised.
    if (!state.compare_exchange_strong(word, next, std::memory_order_seq_cst)) continue;
    FAULT("permit.acquired");
    recovered = PermitWord::Recovered::get(word) != 0;
    finish(next);
    turns_.took();
    return Code::ok;
  }
}

Code Semaphore::release() noexcept {
  Word& state = party_.words().state;
  const std::uint64_t most = bounded_ ? initial_ : kMaxPermits;
  std::uint64_t word = state.load(std::memory_order_seq_cst);
  bool passed = false;
  for (;;) {
    const std::uint64_t permits = PermitWord::Permits::get(word);
    if (permits >= most) return Code::over_release;
    if (!passed) turns_.pass();
    passed = true;
    finish(word);
    const std::uint64_t account = party_.own(kHeld).load(std::memory_order_seq_cst);
    const auto kind =
        AccountWord::Held::get(account) > 0 ? PermitWord::kReleased : PermitWord::kNone;
    const std::uint64_t next = with_operation(word, permits + 1, kind, party_.self().slot, account);
    FAULT("permit.release");
    // SYNC permit.state: seq_cst against who arms and then looks.
    if (!state.compare_exchange_strong(word, next, std::memory_order_seq_cst)) continue;
    FAULT("permit.released");
    finish(next);
    turns_.wake();
    return Code::ok;
  }
}

std::uint64_t Semaphore::value() const noexcept {
  return PermitWord::Permits::get(party_.words().state.load(std::memory_order_acquire));
}

std::uint64_t Semaphore::held() const noexcept {
  return AccountWord::Held::get(party_.own(kHeld).load(std::memory_order_relaxed));
}

Semaphore::Settled Semaphore::try_settle(Owner holder) noexcept {
  const std::uint32_t slot = holder.slot;
  Word& state = party_.words().state;
  std::uint64_t word = state.load(std::memory_order_seq_cst);
  finish(word);
  const std::uint64_t account = party_.own(kHeld, slot).load(std::memory_order_seq_cst);
  const std::uint64_t held = AccountWord::Held::get(account);
  // The slot may be another's by now, who lives.
  if (holder_of(slot, account) != holder) return Settled::yes;
  // A word that names it must go even if it holds nothing, or its successor in the slot could be taken for it in time.
  const bool is_subject =
      PermitWord::Kind::get(word) != PermitWord::kNone && PermitWord::subject(word) == holder;
  if (held == 0 && !is_subject) return Settled::yes;
  const std::uint64_t permits = PermitWord::Permits::get(word);
  std::uint64_t about = permits;
  for (std::uint32_t other = 0; other < party_.count(); ++other) {
    if (other != slot)
      about += AccountWord::Held::get(party_.own(kHeld, other).load(std::memory_order_seq_cst));
  }
  const std::uint64_t missing = initial_ > about ? initial_ - about : 0;
  const std::uint64_t returned = std::min(held, missing);
  std::uint64_t next = with_operation(word, permits + returned, PermitWord::kSettled,
                                      static_cast<std::uint8_t>(slot), account);
  if (returned > 0) next = PermitWord::Recovered::set(next, 1);
  FAULT("permit.settle");
  // The CAS says that all the accounts were of one moment: none changes but by an operation in this word.
  if (!state.compare_exchange_strong(word, next, std::memory_order_seq_cst))
    return Settled::try_again;
  FAULT("permit.settled");
  finish(next);
  if (returned > 0) turns_.wake(static_cast<std::uint32_t>(returned));
  return Settled::yes;
}

// Whoever of the slot's users the account is of: nobody begins another but its present one.
void Semaphore::settle(std::uint32_t slot) noexcept {
  const Owner holder = holder_of(slot, party_.own(kHeld, slot).load(std::memory_order_seq_cst));
  while (try_settle(holder) == Settled::try_again) platform::yield();
}

void Semaphore::sweep(Owner last) noexcept {
  initial_ = std::min(party_.words().limit.load(std::memory_order_relaxed), kMaxPermits);
  turns_.forget(last.slot);
  settle(last.slot);
}

void Semaphore::close() noexcept {
  turns_.give_up();
  settle(party_.self().slot);
}

bool Semaphore::worth_trying(Side) noexcept {
  // SYNC permit.state: seq_cst, for the look after arming.
  const std::uint64_t permits =
      PermitWord::Permits::get(party_.words().state.load(std::memory_order_seq_cst));
  return permits > 0 && turns_.may_take(permits);
}

void Semaphore::look_for_the_dead(Side) noexcept {
  finish(party_.words().state.load(std::memory_order_seq_cst));
  for (std::uint32_t slot = 0; slot < party_.count(); ++slot) {
    const std::uint64_t account = party_.own(kHeld, slot).load(std::memory_order_seq_cst);
    if (AccountWord::Held::get(account) == 0) continue;
    // Not settle(): who is in a hurry need not win against those who use it.
    const Owner holder = holder_of(slot, account);
    if (party_.dead(holder)) try_settle(holder);
  }
}

void Semaphore::line_up(Side) noexcept { turns_.line_up(); }

void Semaphore::give_up(Side) noexcept {
  turns_.give_up();
  if (value() > 0) turns_.wake();
}

}  // namespace interproc::sync
