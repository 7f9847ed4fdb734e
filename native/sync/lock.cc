#include "sync/lock.h"

#include "platform/fault.h"

namespace interproc::sync {

namespace {
bool is_free(std::uint64_t word) noexcept {
  return OwnerWord::State::get(word) == OwnerWord::kFree;
}
}  // namespace

Code Lock::try_acquire(Try how, bool& recovered) noexcept {
  recovered = false;
  memory::Word& owner = party_.words().owner;
  // SYNC lock.owner: acquire, so that all its last owner did is seen; seq_cst for turns.promised.
  std::uint64_t word = owner.load(std::memory_order_seq_cst);
  for (;;) {
    const bool was_free = is_free(word);
    if (was_free) {
      if (!turns_.may_take()) return Code::busy;
    } else {
      const memory::Owner other = OwnerWord::owner(word);
      if (other == party_.self()) return Code::deadlock;
      if (how == Try::quick || !party_.dead(other)) return Code::busy;
    }
    FAULT("lock.acquire");
    if (!owner.compare_exchange_strong(word, OwnerWord::taken(word, party_.self()),
                                       std::memory_order_seq_cst)) {
      continue;
    }
    FAULT("lock.acquired");
    recovered = !was_free || OwnerWord::Abandoned::get(word) != 0;
    turns_.took();
    return Code::ok;
  }
}

Code Lock::release() noexcept {
  memory::Word& owner = party_.words().owner;
  // relaxed: it is ours, or it is not; nobody else makes it ours.
  std::uint64_t word = owner.load(std::memory_order_relaxed);
  if (is_free(word) || OwnerWord::owner(word) != party_.self()) return Code::not_owner;
  turns_.pass();
  FAULT("lock.release");
  // SYNC lock.owner: an RMW, and seq_cst against who arms and then looks: either it sees that the lock is free, or we see that it sleeps.
  if (!owner.compare_exchange_strong(word, OwnerWord::freed(word, false),
                                     std::memory_order_seq_cst)) {
    return Code::corrupt;
  }
  FAULT("lock.released");
  turns_.wake();
  return Code::ok;
}

bool Lock::held() const noexcept {
  const std::uint64_t word = party_.words().owner.load(std::memory_order_relaxed);
  return !is_free(word) && OwnerWord::owner(word) == party_.self();
}

bool Lock::held_by_anybody() const noexcept {
  return !is_free(party_.words().owner.load(std::memory_order_acquire));
}

bool Lock::lost_its_owner() const noexcept {
  const std::uint64_t word = party_.words().owner.load(std::memory_order_seq_cst);
  return is_free(word) ? OwnerWord::Abandoned::get(word) != 0 : party_.dead(OwnerWord::owner(word));
}

// Frees what has this owner, who will not.
void Lock::recover(std::uint64_t word) noexcept {
  FAULT("lock.recover");
  // SYNC lock.owner
  if (!party_.words().owner.compare_exchange_strong(word, OwnerWord::freed(word, true),
                                                    std::memory_order_seq_cst)) {
    return;
  }
  FAULT("lock.recovered");
  turns_.wake();
}

void Lock::recover_slot(std::uint8_t slot) noexcept {
  const std::uint64_t word = party_.words().owner.load(std::memory_order_seq_cst);
  if (!is_free(word) && OwnerWord::owner(word).slot == slot) recover(word);
}

void Lock::sweep(memory::Owner last) noexcept {
  turns_.forget(last.slot);
  recover_slot(last.slot);
}

void Lock::close() noexcept {
  turns_.give_up();
  recover_slot(party_.self().slot);
}

bool Lock::worth_trying(Side) noexcept {
  // SYNC lock.owner: seq_cst against release(), for the look after arming.
  return is_free(party_.words().owner.load(std::memory_order_seq_cst)) && turns_.may_take();
}

void Lock::look_for_the_dead(Side) noexcept {
  const std::uint64_t word = party_.words().owner.load(std::memory_order_seq_cst);
  if (is_free(word)) return;
  const memory::Owner owner = OwnerWord::owner(word);
  if (owner != party_.self() && party_.dead(owner)) recover(word);
}

void Lock::line_up(Side) noexcept { turns_.line_up(); }

void Lock::give_up(Side) noexcept {
  turns_.give_up();
  // A wake may have been ours, or the promise: whoever is free to take it now must be told.
  if (is_free(party_.words().owner.load(std::memory_order_seq_cst))) turns_.wake();
}

}  // namespace interproc::sync
