#include "sync/barrier.h"

#include <algorithm>

#include "platform/fault.h"

namespace interproc::sync {

using memory::Owner;
using memory::Word;

namespace {

constexpr std::uint64_t kPhases = BarrierWord::Phase::kMax + 1;
// The last break is remembered for so many phases: then it is brought up to date, so that it never seems to be yet to come.
constexpr std::uint64_t kRemembered = kPhases / 4;

constexpr std::uint64_t phase_of(std::uint64_t word) noexcept {
  return BarrierWord::Phase::get(word);
}
constexpr std::uint64_t come_of(std::uint64_t word) noexcept {
  return BarrierWord::Come::get(word);
}
constexpr bool is_broken(std::uint64_t word) noexcept {
  return BarrierWord::Broken::get(word) != 0;
}

constexpr std::uint64_t word_of(std::uint64_t phase, std::uint64_t last_break, std::uint64_t come,
                                bool broken) noexcept {
  return BarrierWord::Phase::put(phase) | BarrierWord::LastBreak::put(last_break) |
         BarrierWord::Come::put(come) | BarrierWord::Broken::put(broken ? 1 : 0);
}

// Whether `slot` had come in this phase, by its own word.
constexpr bool has_come(std::uint64_t own, std::uint64_t phase) noexcept {
  return ComeWord::Count::get(own) > 0 && ComeWord::Phase::get(own) == phase;
}

}  // namespace

void Barrier::initialise(LockWords& words, std::uint64_t parties) noexcept {
  // relaxed: nobody else sees the object yet.
  words.limit.store(parties, std::memory_order_relaxed);
  words.state.store(word_of(1, 0, 0, false), std::memory_order_relaxed);
}

void Barrier::start() noexcept {
  parties_ = std::clamp<std::uint64_t>(party_.words().limit.load(std::memory_order_relaxed), 1,
                                       kMaxParties);
  // relaxed: nobody of ours has come.
  party_.own(kAwaiting).store(ComeWord::Generation::put(party_.self().generation),
                              std::memory_order_relaxed);
}

Code Barrier::come(Place& place) noexcept {
  Word& state = party_.words().state;
  Word& own = party_.own(kAwaiting);
  std::uint64_t word = state.load(std::memory_order_seq_cst);
  for (;;) {
    if (is_broken(word)) return Code::broken;
    place = {phase_of(word), static_cast<std::uint32_t>(come_of(word)), false};
    if (come_of(word) >= parties_) return Code::busy;
    const std::uint64_t before = own.load(std::memory_order_relaxed);  // relaxed: only we write it
    const std::uint64_t count =
        has_come(before, place.phase) ? ComeWord::Count::get(before) + 1 : 1;
    FAULT("barrier.come");
    // SYNC barrier.come: before we are counted, so that whoever counts on us can see that we died. Dying in between breaks it too.
    own.store(ComeWord::Count::set(ComeWord::Phase::set(before, place.phase), count),
              std::memory_order_seq_cst);
    FAULT("barrier.coming");
    if (state.compare_exchange_strong(word, BarrierWord::Come::set(word, come_of(word) + 1),
                                      std::memory_order_seq_cst)) {
      FAULT("barrier.came");
      place.last = place.index + 1 == parties_;
      return Code::ok;
    }
    own.store(before, std::memory_order_seq_cst);
  }
}

Code Barrier::pass(const Place& place) noexcept {
  Word& state = party_.words().state;
  std::uint64_t word = state.load(std::memory_order_seq_cst);
  while (phase_of(word) == place.phase && come_of(word) >= parties_) {
    const std::uint64_t age =
        (place.phase - BarrierWord::LastBreak::get(word)) & BarrierWord::Phase::kMax;
    const std::uint64_t last_break =
        age > kRemembered ? place.phase - kRemembered : BarrierWord::LastBreak::get(word);
    FAULT("barrier.pass");
    // SYNC barrier.state: release; seq_cst against who arms and then looks.
    if (state.compare_exchange_strong(word, word_of(place.phase + 1, last_break, 0, false),
                                      std::memory_order_seq_cst)) {
      FAULT("barrier.passed");
      party_.wake_all(kChange);
      return Code::ok;
    }
  }
  return Code::broken;
}

Code Barrier::passed(const Place& place) noexcept {
  // SYNC barrier.state: acquire: what all the others did before they came is seen.
  const std::uint64_t word = party_.words().state.load(std::memory_order_seq_cst);
  if (phase_of(word) == place.phase) return Code::busy;
  // A later break than ours: who slept through so much is told that it is broken.
  const std::uint64_t ahead =
      (BarrierWord::LastBreak::get(word) - place.phase) & BarrierWord::Phase::kMax;
  return ahead < kPhases / 2 ? Code::broken : Code::ok;
}

bool Barrier::break_phase(std::uint64_t phase, bool stays_broken) noexcept {
  Word& state = party_.words().state;
  std::uint64_t word = state.load(std::memory_order_seq_cst);
  while (phase_of(word) == phase && !is_broken(word)) {
    FAULT("barrier.break");
    if (state.compare_exchange_strong(word, word_of(phase + 1, phase, 0, stays_broken),
                                      std::memory_order_seq_cst)) {
      FAULT("barrier.broken");
      party_.wake_all(kChange);
      return true;
    }
  }
  return false;
}

Code Barrier::give_up_place(const Place& place) noexcept {
  return break_phase(place.phase, true) ? Code::broken : passed(place);
}

std::uint64_t Barrier::phase() const noexcept {
  return phase_of(party_.words().state.load(std::memory_order_seq_cst));
}

void Barrier::abort() noexcept {
  while (!broken() && !break_phase(phase(), true)) {
  }
}

void Barrier::reset() noexcept {
  Word& state = party_.words().state;
  std::uint64_t word = state.load(std::memory_order_seq_cst);
  for (;;) {
    if (is_broken(word)) {
      FAULT("barrier.mend");
      if (state.compare_exchange_strong(word, BarrierWord::Broken::set(word, 0),
                                        std::memory_order_seq_cst))
        return;
      continue;
    }
    if (come_of(word) == 0 || break_phase(phase_of(word), false)) return;
    word = state.load(std::memory_order_seq_cst);
  }
}

std::uint64_t Barrier::waiting() const noexcept {
  return come_of(party_.words().state.load(std::memory_order_acquire));
}

bool Barrier::broken() const noexcept {
  return is_broken(party_.words().state.load(std::memory_order_acquire));
}

void Barrier::sweep(Owner last) noexcept {
  const std::uint64_t theirs = party_.own(kAwaiting, last.slot).load(std::memory_order_seq_cst);
  const std::uint64_t now = phase();
  if (has_come(theirs, now)) break_phase(now, true);
}

void Barrier::close() noexcept { sweep(party_.self()); }

bool Barrier::worth_trying(Side) noexcept {
  return phase() != awaited_;  // SYNC barrier.state
}

void Barrier::look_for_the_dead(Side) noexcept {
  const std::uint64_t now = phase();
  for (std::uint32_t slot = 0; slot < party_.count(); ++slot) {
    // SYNC barrier.come
    const std::uint64_t theirs = party_.own(kAwaiting, slot).load(std::memory_order_seq_cst);
    if (!has_come(theirs, now)) continue;
    if (party_.dead(owner_from(slot, ComeWord::Generation::get(theirs)))) {
      break_phase(now, true);
      return;
    }
  }
}

}  // namespace interproc::sync
