#include "sync/rw_lock.h"

#include <bit>

#include "platform/clock.h"
#include "platform/fault.h"

namespace interproc::sync {

using memory::Owner;
using memory::Word;

namespace {

std::uint64_t state_of_owner(std::uint64_t word) noexcept { return OwnerWord::State::get(word); }
bool is_free(std::uint64_t word) noexcept { return state_of_owner(word) == OwnerWord::kFree; }
bool is_claim(std::uint64_t word) noexcept { return state_of_owner(word) == OwnerWord::kClaimed; }

constexpr Owner reader_of(std::uint32_t slot, std::uint64_t reading) noexcept {
  return owner_from(slot, ReadingWord::Generation::get(reading));
}

// Calls `each(slot)` for each bit of the bitmap until it returns true; whether one did.
template <class Each>
bool any_of(const Word* bits, std::uint32_t slots, Each each) noexcept {
  for (std::uint32_t i = 0; i < memory::kBitmapWords; ++i) {
    for (std::uint64_t left = bits[i].load(std::memory_order_seq_cst); left != 0;
         left &= left - 1) {
      const std::uint32_t slot = i * 64 + static_cast<std::uint32_t>(std::countr_zero(left));
      if (slot < slots && each(slot)) return true;
    }
  }
  return false;
}

}  // namespace

void RwLock::start() noexcept {
  // relaxed: nobody reads in our name yet.
  party_.own(kHeld).store(ReadingWord::Generation::put(party_.self().generation),
                          std::memory_order_relaxed);
}

std::uint64_t RwLock::reading() const noexcept {
  return ReadingWord::Count::get(party_.own(kHeld).load(std::memory_order_relaxed));
}

bool RwLock::writing() const noexcept {
  const std::uint64_t word = party_.words().owner.load(std::memory_order_relaxed);
  return state_of_owner(word) == OwnerWord::kHeldState && OwnerWord::owner(word) == party_.self();
}

Code RwLock::try_read(Try how, bool& recovered) noexcept {
  recovered = false;
  Word& owner = party_.words().owner;
  Word& own = party_.own(kHeld);
  Word& listed = party_.words().readers[party_.self().slot / 64];
  const std::uint64_t bit = std::uint64_t{1} << (party_.self().slot % 64);
  bool announced = false;
  // SYNC lock.owner: acquire, so that all the last writer did is seen; seq_cst against a writer that claims and then looks for readers.
  std::uint64_t word = owner.load(std::memory_order_seq_cst);
  for (;;) {
    if (!is_free(word)) {
      const Owner other = OwnerWord::owner(word);
      if (how == Try::asking && other != party_.self() &&
          (party_.dead(other) ? recover(word) : is_claim(word) && is_stale(word))) {
        withdraw_claim(word);
        word = owner.load(std::memory_order_seq_cst);
        continue;
      }
      if (announced) undo_read();
      return other == party_.self() && !is_claim(word) ? Code::deadlock : Code::busy;
    }
    if (!announced) {
      announced = true;
      // relaxed: the bit stays for as long as anybody may use the slot; who sets it publishes it by the next RMW.
      if ((listed.load(std::memory_order_relaxed) & bit) == 0)
        listed.fetch_or(bit, std::memory_order_seq_cst);
      FAULT("rw.read");
      // SYNC rw.reading: seq_cst: either a writer sees that we read, or we see that it has claimed.
      own.fetch_add(ReadingWord::Count::put(1), std::memory_order_seq_cst);
      FAULT("rw.announced");
      word = owner.load(std::memory_order_seq_cst);
      continue;
    }
    if (OwnerWord::Abandoned::get(word) == 0) break;
    if (owner.compare_exchange_strong(word, OwnerWord::Abandoned::set(word, 0),
                                      std::memory_order_seq_cst)) {
      recovered = true;
      break;
    }
  }
  if (waits_to_read_) {
    waits_to_read_ = false;
    // SYNC rw.waiting: a writer that lets those who wait go first need not wait for us any more; it is rung when we have read.
    party_.own(kSinceShare).store(0, std::memory_order_seq_cst);
  }
  FAULT("rw.reading");
  return Code::ok;
}

void RwLock::undo_read() noexcept {
  party_.own(kHeld).fetch_sub(ReadingWord::Count::put(1), std::memory_order_seq_cst);
  FAULT("rw.undone");
  // A writer may have seen us, and gone to sleep.
  if (reading() == 0) announce_no_reader();
}

Code RwLock::release_read() noexcept {
  if (reading() == 0) return Code::not_owner;
  FAULT("rw.release_read");
  // SYNC rw.reading: release, so that who writes next comes after all our reads; seq_cst against a writer that arms and then looks.
  party_.own(kHeld).fetch_sub(ReadingWord::Count::put(1), std::memory_order_seq_cst);
  FAULT("rw.released_read");
  if (reading() == 0) announce_no_reader();
  return Code::ok;
}

// Only who has claimed it waits for readers to go; or else those who let readers go first.
void RwLock::announce_no_reader() noexcept {
  if (!party_.waiters().anyone(kAcquire)) return;
  const std::uint64_t word = party_.words().owner.load(std::memory_order_seq_cst);
  const std::uint32_t slot = OwnerWord::owner(word).slot;
  if (is_claim(word) && slot < party_.count()) party_.waiters().wake_slot(kAcquire, slot);
  if (is_free(word)) turns_.wake();
}

void RwLock::announce_free() noexcept {
  party_.wake_all(kShare);
  turns_.wake();
}

bool RwLock::any_reader() const noexcept {
  return any_of(party_.words().readers, party_.count(), [this](std::uint32_t slot) {
    // SYNC rw.reading
    return ReadingWord::Count::get(party_.own(kHeld, slot).load(std::memory_order_seq_cst)) > 0;
  });
}

void RwLock::forget_dead_readers() noexcept {
  any_of(party_.words().readers, party_.count(), [this](std::uint32_t slot) {
    Word& theirs = party_.own(kHeld, slot);
    std::uint64_t word = theirs.load(std::memory_order_seq_cst);
    if (ReadingWord::Count::get(word) > 0 && party_.dead(reader_of(slot, word))) {
      FAULT("rw.forget");
      // First the note, then the reader: so that somebody is told, whoever dies in between.
      party_.words().owner.fetch_or(OwnerWord::Abandoned::put(1), std::memory_order_seq_cst);
      FAULT("rw.noted");
      theirs.compare_exchange_strong(word, ReadingWord::Count::set(word, 0),
                                     std::memory_order_seq_cst);
      FAULT("rw.forgotten");
    }
    return false;
  });
}

bool RwLock::any_reader_waiting(bool pass_over) noexcept {
  return any_of(party_.waiters().listed(kShare), party_.count(), [&](std::uint32_t slot) {
    Word& theirs = party_.own(kSinceShare, slot);
    if (theirs.load(std::memory_order_seq_cst) == 0) return false;  // SYNC rw.waiting
    if (pass_over) theirs.store(0, std::memory_order_seq_cst);
    return !pass_over;
  });
}

// Whether a free lock is to be left to those who waited to read while somebody wrote. Not for longer than it takes to wake up: they may be
// stopped, or dead, and are passed over then until they look again by themselves.
bool RwLock::readers_first(std::uint64_t word) noexcept {
  if (OwnerWord::ReadersFirst::get(word) == 0 || !any_reader_waiting(false)) return false;
  const std::int64_t now = platform::now_ns();
  if (word != seen_first_) {
    seen_first_ = word;
    first_seen_at_ns_ = now;
    return true;
  }
  if (now - first_seen_at_ns_ < Turns::kPatienceNs) return true;
  any_reader_waiting(true);
  FAULT("rw.passed_over");
  return false;
}

bool RwLock::is_stale(std::uint64_t claim) noexcept {
  const std::int64_t now = platform::now_ns();
  if (claim != seen_claim_) {
    seen_claim_ = claim;
    claim_seen_at_ns_ = now;
    return false;
  }
  return now - claim_seen_at_ns_ >= kClaimNs;
}

bool RwLock::withdraw_claim(std::uint64_t claim) noexcept {
  if (!is_claim(claim)) return false;
  const std::uint64_t free = OwnerWord::freed(claim, OwnerWord::Abandoned::get(claim) != 0);
  if (!party_.words().owner.compare_exchange_strong(claim, free, std::memory_order_seq_cst))
    return false;
  FAULT("rw.withdrawn");
  announce_free();
  return true;
}

Code RwLock::try_write(Try how, bool& recovered) noexcept {
  recovered = false;
  if (reading() > 0) return Code::deadlock;
  Word& owner = party_.words().owner;
  std::uint64_t word = owner.load(std::memory_order_seq_cst);
  for (;;) {
    if (is_free(word)) {
      if (readers_first(word) || !turns_.may_take()) return Code::busy;
      std::uint64_t claim = OwnerWord::taken(word, party_.self(), OwnerWord::kClaimed);
      claim = OwnerWord::Abandoned::set(claim, OwnerWord::Abandoned::get(word));
      FAULT("rw.claim");
      // SYNC lock.owner: seq_cst: either we see a reader, or it sees our claim.
      if (!owner.compare_exchange_strong(word, claim, std::memory_order_seq_cst)) continue;
      word = claim;
      FAULT("rw.claimed");
    }
    const Owner other = OwnerWord::owner(word);
    if (other != party_.self()) {
      if (how == Try::quick) return Code::busy;
      const bool given_back =
          party_.dead(other) ? recover(word) : is_stale(word) && withdraw_claim(word);
      if (!given_back) return Code::busy;
      word = owner.load(std::memory_order_seq_cst);
      continue;
    }
    if (!is_claim(word)) return Code::deadlock;
    if (how == Try::asking) {
      forget_dead_readers();
      word = owner.load(std::memory_order_seq_cst);
      if (!is_claim(word) || OwnerWord::owner(word) != party_.self()) continue;
    }
    if (any_reader()) return Code::busy;
    std::uint64_t held = OwnerWord::State::set(word, OwnerWord::kHeldState);
    held = OwnerWord::Abandoned::set(held, 0);
    FAULT("rw.write");
    // Fails if the claim was withdrawn, or a note was made.
    if (!owner.compare_exchange_strong(word, held, std::memory_order_seq_cst)) continue;
    FAULT("rw.writing");
    recovered = OwnerWord::Abandoned::get(word) != 0;
    turns_.took();
    return Code::ok;
  }
}

Code RwLock::release_write() noexcept {
  Word& owner = party_.words().owner;
  if (!writing()) return Code::not_owner;
  turns_.pass();
  std::uint64_t word = owner.load(std::memory_order_seq_cst);
  bool readers = false;
  FAULT("rw.release_write");
  do {
    if (OwnerWord::owner(word) != party_.self()) return Code::corrupt;
    readers = any_reader_waiting(false);
    // A reader's death that was noted meanwhile is for the next.
    // SYNC lock.owner: an RMW, and seq_cst against who arms and then looks.
  } while (!owner.compare_exchange_strong(
      word,
      OwnerWord::ReadersFirst::set(OwnerWord::freed(word, OwnerWord::Abandoned::get(word) != 0),
                                   readers ? 1 : 0),
      std::memory_order_seq_cst));
  FAULT("rw.released_write");
  party_.wake_all(kShare);
  // If they go first, each of them rings the next writer when it is done; unless all have given up before they could see it free.
  // SYNC rw.waiting: seq_cst, after the CAS.
  if (!readers || !any_reader_waiting(false)) turns_.wake();
  return Code::ok;
}

// Frees what has this owner, or claimer, who will not.
bool RwLock::recover(std::uint64_t word) noexcept {
  const bool abandoned = !is_claim(word) || OwnerWord::Abandoned::get(word) != 0;
  FAULT("rw.recover");
  // SYNC lock.owner
  if (!party_.words().owner.compare_exchange_strong(word, OwnerWord::freed(word, abandoned),
                                                    std::memory_order_seq_cst)) {
    return false;
  }
  FAULT("rw.recovered");
  announce_free();
  return true;
}

void RwLock::sweep(Owner last) noexcept {
  const std::uint8_t slot = last.slot;
  turns_.forget(slot);
  party_.own(kSinceShare, slot).store(0, std::memory_order_seq_cst);
  Word& theirs = party_.own(kHeld, slot);
  if (ReadingWord::Count::get(theirs.load(std::memory_order_seq_cst)) > 0) {
    // In this order, as in forget_dead_readers().
    party_.words().owner.fetch_or(OwnerWord::Abandoned::put(1), std::memory_order_seq_cst);
    FAULT("rw.noted");
    theirs.store(0, std::memory_order_seq_cst);
    FAULT("rw.forgotten");
    announce_no_reader();
  }
  Word& owner = party_.words().owner;
  std::uint64_t word = owner.load(std::memory_order_seq_cst);
  while (!is_free(word) && OwnerWord::owner(word).slot == slot && !recover(word))
    word = owner.load(std::memory_order_seq_cst);
}

void RwLock::close() noexcept {
  turns_.give_up();
  sweep(party_.self());
}

bool RwLock::worth_trying(Side side) noexcept {
  // SYNC lock.owner: seq_cst, for the look after arming.
  const std::uint64_t word = party_.words().owner.load(std::memory_order_seq_cst);
  if (side == kShare) return is_free(word);
  if (is_free(word)) return !readers_first(word) && turns_.may_take();
  return is_claim(word) && OwnerWord::owner(word) == party_.self() && !any_reader();
}

void RwLock::look_for_the_dead(Side side) noexcept {
  std::uint64_t word = party_.words().owner.load(std::memory_order_seq_cst);
  if (is_free(word)) return;
  const Owner owner = OwnerWord::owner(word);
  if (owner != party_.self()) {
    if (party_.dead(owner)) {
      recover(word);
    } else if (is_claim(word) && is_stale(word)) {
      withdraw_claim(word);
    }
    return;
  }
  if (side != kAcquire || !is_claim(word)) return;
  // Renews the claim: we are not stopped.
  const std::uint64_t renewed = OwnerWord::Serial::set(word, OwnerWord::Serial::get(word) + 1);
  party_.words().owner.compare_exchange_strong(word, renewed, std::memory_order_seq_cst);
  FAULT("rw.renewed");
  forget_dead_readers();
}

void RwLock::line_up(Side side) noexcept {
  if (side == kAcquire) return turns_.line_up();
  waits_to_read_ = true;
  // SYNC rw.waiting: before we are listed.
  party_.own(kSinceShare).store(1, std::memory_order_seq_cst);
}

void RwLock::give_up(Side side) noexcept {
  if (side == kShare) {
    waits_to_read_ = false;
    party_.own(kSinceShare).store(0, std::memory_order_seq_cst);
  } else {
    turns_.give_up();
  }
  const std::uint64_t word = party_.words().owner.load(std::memory_order_seq_cst);
  if (side == kAcquire && is_claim(word) && OwnerWord::owner(word) == party_.self()) {
    withdraw_claim(word);
  } else if (is_free(word)) {
    turns_.wake();
  }
}

}  // namespace interproc::sync
