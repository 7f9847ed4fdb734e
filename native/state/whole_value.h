#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "memory/registry.h"
#include "platform/result.h"

namespace interproc::state {

// A value of several words that is read and written whole, whoever dies in the middle of it: the value, and a place beside it where
// the next one is prepared.
//
//   word { version : 45 | generation : 8 | slot : 8 | state : 3 }
//
//   | state      | the value is in | who leaves it, and to what |
//   | IDLE       | `value`         | anyone -> STAGING(itself) |
//   | STAGING(x) | `value`         | x, who fills `next` -> COMMITTING(x), or -> IDLE; if x is dead anyone -> IDLE |
//   | COMMITTING(x) | `next`       | x, who copies it to `value` -> IDLE, version + 1; if x is dead anyone -> COMMITTING(itself), and copies again |
//
// What names no writer, or a state that is none, is nobody's: anyone -> IDLE, as for STAGING of the dead.
//
// A reader looks at the word, copies from where the value is, and looks again: the same word, the same value. It never waits for a
// writer, dead, stopped or alive; it copies again if one was faster. A writer waits for another that lives.
class WholeValue {
 public:
  using Words = std::span<memory::Word>;

  WholeValue(memory::Registry& registry, memory::Word& word, Words value, Words next) noexcept
      : registry_(registry), word_(word), value_(value), next_(next) {}

  // Copies the value out, bytes() of them, and returns its version.
  std::uint64_t read(std::byte* into) const noexcept;
  // busy: another writer lives and is at it; again later. With `expected`, full: the value has another version by now.
  Code write(const std::byte* from, const std::uint64_t* expected) noexcept;
  // Ends what a dead writer has begun.
  void sweep() noexcept;

  // A multiple of a word's.
  std::size_t bytes() const noexcept { return value_.size_bytes(); }

 private:
  // Copies `next`, which is complete and ours to copy, to `value`.
  void commit(std::uint64_t word) noexcept;
  // Nobody is at the write that the word tells of.
  bool is_abandoned(std::uint64_t word) const noexcept;
  // Ends the write of that word if nobody is at it; else false.
  bool recover(std::uint64_t seen) noexcept;

  memory::Registry& registry_;
  memory::Word& word_;
  Words value_;
  Words next_;
};

}  // namespace interproc::state
