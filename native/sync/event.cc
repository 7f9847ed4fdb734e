#include "sync/event.h"

#include "platform/fault.h"

namespace interproc::sync {

bool Event::is_set() const noexcept {
  // SYNC event.state: acquire: what was done before the set is seen.
  return EventWord::Set::get(party_.words().state.load(std::memory_order_acquire)) != 0;
}

std::uint64_t Event::sets() const noexcept {
  return EventWord::Sets::get(party_.words().state.load(std::memory_order_seq_cst));
}

void Event::set() noexcept {
  memory::Word& state = party_.words().state;
  std::uint64_t word = state.load(std::memory_order_seq_cst);
  for (;;) {
    if (EventWord::Set::get(word) != 0) break;
    FAULT("event.set");
    // SYNC event.state: seq_cst against who arms and then looks.
    if (state.compare_exchange_strong(
            word, EventWord::Sets::put(EventWord::Sets::get(word) + 1) | EventWord::Set::put(1),
            std::memory_order_seq_cst)) {
      break;
    }
  }
  FAULT("event.was_set");
  // Also if it was set: who did that may have died before it rang.
  party_.wake_all(kChange);
}

void Event::clear() noexcept {
  party_.words().state.fetch_and(~EventWord::Set::put(1), std::memory_order_seq_cst);
  FAULT("event.cleared");
}

bool Event::happened(std::uint64_t begun) const noexcept {
  // SYNC event.state
  const std::uint64_t word = party_.words().state.load(std::memory_order_seq_cst);
  return EventWord::Set::get(word) != 0 || EventWord::Sets::get(word) != begun;
}

}  // namespace interproc::sync
