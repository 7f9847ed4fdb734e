#include "sync/condition.h"

#include <algorithm>

#include "platform/fault.h"

namespace interproc::sync {

using memory::Owner;
using memory::Word;

namespace {

constexpr std::uint64_t waiting(std::uint64_t word) noexcept {
  return AwaitingWord::Waiting::get(word);
}
constexpr std::uint64_t granted(std::uint64_t word) noexcept {
  return AwaitingWord::Granted::get(word);
}
constexpr std::uint64_t with(std::uint64_t word, std::uint64_t waits,
                             std::uint64_t grants) noexcept {
  return AwaitingWord::Waiting::set(AwaitingWord::Granted::set(word, grants), waits);
}
constexpr Owner owner_of(std::uint32_t slot, std::uint64_t word) noexcept {
  return owner_from(slot, AwaitingWord::Generation::get(word));
}

}  // namespace

void Condition::start() noexcept {
  // relaxed: an empty word says as little as a zero.
  party_.own(kAwaiting).store(AwaitingWord::Generation::put(party_.self().generation),
                              std::memory_order_relaxed);
}

Code Condition::begin_wait() noexcept {
  if (!lock_.held()) return Code::not_owner;
  // SYNC condition.waiting: before the lock is released: who notifies under it afterwards sees us.
  party_.own(kAwaiting).fetch_add(AwaitingWord::Waiting::put(1), std::memory_order_seq_cst);
  FAULT("condition.waiting");
  return Code::ok;
}

Code Condition::take() noexcept {
  // SYNC condition.granted: seq_cst, for the look after arming.
  if (granted(party_.own(kAwaiting).load(std::memory_order_seq_cst)) <= claimed_) return Code::busy;
  // Until the task has the lock again the word goes on saying that it was notified: should we die, another is.
  ++claimed_;
  return Code::ok;
}

void Condition::finish_wait() noexcept {
  if (claimed_ == 0) return;
  --claimed_;
  Word& own = party_.own(kAwaiting);
  std::uint64_t word = own.load(std::memory_order_seq_cst);
  FAULT("condition.finish");
  while (granted(word) > 0 && waiting(word) > 0 &&
         !own.compare_exchange_strong(word, with(word, waiting(word) - 1, granted(word) - 1),
                                      std::memory_order_seq_cst)) {
  }
  FAULT("condition.finished");
}

bool Condition::end_wait() noexcept {
  Word& own = party_.own(kAwaiting);
  std::uint64_t word = own.load(std::memory_order_seq_cst);
  while (waiting(word) > granted(word)) {
    FAULT("condition.end");
    // One RMW decides between a notification and the time-out: what there is is left to others that wait here.
    if (own.compare_exchange_strong(word, with(word, waiting(word) - 1, granted(word)),
                                    std::memory_order_seq_cst)) {
      FAULT("condition.ended");
      return false;
    }
  }
  // All that wait here have been notified, this one too.
  return take() == Code::ok;
}

Code Condition::notify(std::uint64_t count, std::uint64_t& notified) noexcept {
  notified = 0;
  if (!lock_.held()) return Code::not_owner;
  notified = grant(count);
  return Code::ok;
}

// In turns, slot after slot, so that everybody who waits is notified sometime.
std::uint64_t Condition::grant(std::uint64_t count) noexcept {
  Word& rotor = party_.words().rotor;
  const std::uint32_t slots = party_.count();
  // relaxed: where to begin is a matter of fairness only.
  const auto start = static_cast<std::uint32_t>(rotor.load(std::memory_order_relaxed) % slots);
  std::uint64_t done = 0;
  for (bool any = true; any && done < count;) {
    any = false;
    for (std::uint32_t i = 0; i < slots && done < count; ++i) {
      const std::uint32_t slot = (start + i) % slots;
      Word& theirs = party_.own(kAwaiting, slot);
      std::uint64_t word = theirs.load(std::memory_order_seq_cst);  // SYNC condition.waiting
      while (waiting(word) > granted(word)) {
        if (party_.dead(owner_of(slot, word))) {
          forget(slot, word);
          break;
        }
        // One for each slot in a round, or its share if there are more than that: so rounds are few, whatever words and count say.
        const std::uint64_t share = std::max<std::uint64_t>((count - done) / slots, 1);
        const std::uint64_t more = std::min(waiting(word) - granted(word), share);
        FAULT("condition.grant");
        // SYNC condition.granted: seq_cst against who arms and then looks.
        if (!theirs.compare_exchange_strong(word, with(word, waiting(word), granted(word) + more),
                                            std::memory_order_seq_cst)) {
          continue;
        }
        FAULT("condition.granted");
        done += more;
        any = true;
        rotor.store(slot + 1, std::memory_order_relaxed);
        if (party_.waiters().anyone(kChange)) party_.waiters().wake_slot(kChange, slot);
        break;
      }
    }
  }
  return done;
}

// Notifications that the dead did not live to take go to others before the word is emptied: a kill between the two, or another that does the
// same, gives one too many, which who waits for a condition must be able to stand; never one too few.
void Condition::forget(std::uint32_t slot, std::uint64_t word) noexcept {
  Word& theirs = party_.own(kAwaiting, slot);
  const std::uint64_t lost = granted(word);
  std::uint64_t settled = with(word, lost, lost);
  // Nothing can be granted to it from here on. Fails if another is at it.
  if (!theirs.compare_exchange_strong(word, settled, std::memory_order_seq_cst)) return;
  FAULT("condition.forgetting");
  if (lost > 0) grant(lost);
  FAULT("condition.passed_on");
  theirs.compare_exchange_strong(settled, with(settled, 0, 0), std::memory_order_seq_cst);
}

void Condition::sweep(Owner last) noexcept {
  const std::uint64_t word = party_.own(kAwaiting, last.slot).load(std::memory_order_seq_cst);
  if (waiting(word) > 0) forget(last.slot, word);
}

void Condition::close() noexcept {
  claimed_ = 0;
  Word& own = party_.own(kAwaiting);
  std::uint64_t word = own.load(std::memory_order_seq_cst);
  while (waiting(word) > 0) {
    forget(party_.self().slot, word);
    word = own.load(std::memory_order_seq_cst);
  }
}

bool Condition::worth_trying(Side) noexcept {
  // SYNC condition.granted
  return granted(party_.own(kAwaiting).load(std::memory_order_seq_cst)) > claimed_;
}

void Condition::look_for_the_dead(Side) noexcept {
  for (std::uint32_t slot = 0; slot < party_.count(); ++slot) {
    const std::uint64_t word = party_.own(kAwaiting, slot).load(std::memory_order_seq_cst);
    if (granted(word) > 0 && party_.dead(owner_of(slot, word))) forget(slot, word);
  }
  // Who died with the lock may have been about to notify us: we wake up, look whether what we wait for is there, and the first is told.
  Word& own = party_.own(kAwaiting);
  std::uint64_t word = own.load(std::memory_order_seq_cst);
  if (waiting(word) == granted(word) || !lock_.lost_its_owner()) return;
  FAULT("condition.lost_owner");
  own.compare_exchange_strong(word, with(word, waiting(word), waiting(word)),
                              std::memory_order_seq_cst);
}

}  // namespace interproc::sync
