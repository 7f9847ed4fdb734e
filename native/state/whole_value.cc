#include "state/whole_value.h"

#include <cstring>

#include "platform/clock.h"
#include "platform/fault.h"

namespace interproc::state {

using memory::Owner;
using memory::Word;

namespace {

enum class Writing : std::uint64_t { idle = 0, staging = 1, committing = 2 };

// A writer needs some tens of nanoseconds; who has waited for so many looks asks the kernel whether it lives (560 ns).
constexpr int kLooksBeforeAsking = 256;

constexpr Writing state_of(std::uint64_t word) noexcept { return static_cast<Writing>(word & 7); }
constexpr Owner owner_of(std::uint64_t word) noexcept {
  return {static_cast<std::uint8_t>(word >> 3), static_cast<std::uint8_t>(word >> 11)};
}
constexpr std::uint64_t version_of(std::uint64_t word) noexcept { return word >> 19; }
constexpr std::uint64_t word_of(std::uint64_t version, Owner owner, Writing state) noexcept {
  return version << 19 | std::uint64_t{owner.generation} << 11 | std::uint64_t{owner.slot} << 3 |
         static_cast<std::uint64_t>(state);
}
constexpr std::uint64_t idle(std::uint64_t version) noexcept {
  return word_of(version, {0, 0}, Writing::idle);
}

}  // namespace

std::uint64_t WholeValue::read(std::byte* into) const noexcept {
  for (;;) {
    // SYNC whole.word: acquire, so that what the word says is there is there.
    const std::uint64_t before = word_.load(std::memory_order_acquire);
    const Words from = state_of(before) == Writing::committing ? next_ : value_;
    // relaxed: they may be overwritten meanwhile; the second look at the word tells.
    for (std::size_t i = 0; i < from.size(); ++i) {
      const std::uint64_t part = from[i].load(std::memory_order_relaxed);
      std::memcpy(into + i * sizeof part, &part, sizeof part);
    }
    // SYNC whole.copy: with the writer's fence: who has read a word of a later write sees below that one has begun.
    std::atomic_thread_fence(std::memory_order_acquire);
    // relaxed: ordered by the fence above.
    if (word_.load(std::memory_order_relaxed) == before) return version_of(before);
    platform::relax();
  }
}

Code WholeValue::write(const std::byte* from, const std::uint64_t* expected) noexcept {
  std::uint64_t seen = word_.load(std::memory_order_acquire);  // SYNC whole.word
  for (int looks = 0;;) {
    if (state_of(seen) != Writing::idle) {
      if (++looks % kLooksBeforeAsking == 0 && !recover(seen)) return Code::busy;
      platform::relax();
      seen = word_.load(std::memory_order_acquire);  // SYNC whole.word
      continue;
    }
    if (expected != nullptr && version_of(seen) != *expected) return Code::full;
    const std::uint64_t mine = word_of(version_of(seen), registry_.self(), Writing::staging);
    FAULT("whole.stage");
    // SYNC whole.word: acquire on success: `next` is ours, and its last reader's copy of it is done or void.
    if (word_.compare_exchange_weak(seen, mine, std::memory_order_acq_rel,
                                    std::memory_order_acquire)) {
      seen = mine;
      break;
    }
  }
  FAULT("whole.staging");
  // SYNC whole.copy: before the first store to `next`, for who still reads there.
  std::atomic_thread_fence(std::memory_order_release);
  // relaxed: published by the word.
  for (std::size_t i = 0; i < next_.size(); ++i) {
    std::uint64_t part = 0;
    std::memcpy(&part, from + i * sizeof part, sizeof part);
    next_[i].store(part, std::memory_order_relaxed);
    if (i == 0) FAULT("whole.half_staged");
  }
  FAULT("whole.staged");
  const std::uint64_t ready = word_of(version_of(seen), registry_.self(), Writing::committing);
  // SYNC whole.word: release: `next` is complete. Nobody else changes the word of a living writer.
  word_.store(ready, std::memory_order_release);
  FAULT("whole.committing");
  commit(ready);
  return Code::ok;
}

void WholeValue::commit(std::uint64_t word) noexcept {
  // SYNC whole.copy: before the first store to `value`, for who still reads there.
  std::atomic_thread_fence(std::memory_order_release);
  // relaxed: `next` does not change while the word stands, and `value` is published by the word.
  for (std::size_t i = 0; i < value_.size(); ++i) {
    value_[i].store(next_[i].load(std::memory_order_relaxed), std::memory_order_relaxed);
    if (i == 0) FAULT("whole.half_copied");
  }
  FAULT("whole.copied");
  // SYNC whole.word: release: `value` is complete.
  word_.store(idle(version_of(word) + 1), std::memory_order_release);
  FAULT("whole.written");
}

bool WholeValue::is_abandoned(std::uint64_t word) const noexcept {
  const Owner writer = owner_of(word);
  // We are not writing, and no writer stores such a state: then somebody has who is none, and would keep all others waiting for ever.
  return writer == registry_.self() || state_of(word) > Writing::committing ||
         registry_.dead(writer);
}

bool WholeValue::recover(std::uint64_t seen) noexcept {
  if (!is_abandoned(seen)) return false;
  FAULT("whole.recover");
  if (state_of(seen) != Writing::committing) {
    // What it prepared was not to be seen yet: the write has not been.
    word_.compare_exchange_strong(seen, idle(version_of(seen)), std::memory_order_acq_rel,
                                  std::memory_order_acquire);  // SYNC whole.word
    return true;
  }
  const std::uint64_t mine = word_of(version_of(seen), registry_.self(), Writing::committing);
  // SYNC whole.word: one of those who find it dead ends its write.
  if (word_.compare_exchange_strong(seen, mine, std::memory_order_acq_rel,
                                    std::memory_order_acquire)) {
    FAULT("whole.recovering");
    commit(mine);
  }
  return true;
}

void WholeValue::sweep() noexcept {
  const std::uint64_t seen = word_.load(std::memory_order_acquire);  // SYNC whole.word
  if (state_of(seen) != Writing::idle) recover(seen);
}

}  // namespace interproc::state
