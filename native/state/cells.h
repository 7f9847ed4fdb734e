#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "state/cell.h"
#include "state/locked_state.h"
#include "state/whole_value.h"

namespace interproc::state {

// What a value or an array keeps in page 1. Every word stands on a line of its own: `watch` is read at every atomic operation.
struct CellWords {
  // { epoch : 31 | watched : 1 }: whether a writer has to tell anybody. JavaScript reads it.
  alignas(memory::kLine) std::atomic<std::uint32_t> watch;
  // How often those who wait were told to look.
  alignas(memory::kLine) memory::Word changes;
  // Of a value that is read and written whole (whole_value.h).
  alignas(memory::kLine) memory::Word writing;
};
static_assert(sizeof(CellWords) == 3 * memory::kLine);

// Value and Array: bytes that anybody changes at any moment, and who waits until they are as he wants them.
//
//   watch:   W: not watched: CAS {e, 0} -> {e, 1}  [cells.watched];  remember W and `changes`;  then look at the bytes;  not as wanted:
//            arm (list on kJoin);  W or `changes` is not what was remembered: disarm, begin anew;  sleep
//   change:  the bytes, by a sequentially consistent RMW;  load W;  watched: notify
//   notify:  changes + 1  [cells.counted];  is anyone listed? ring everybody
//            else CAS W {e, 1} -> {e + 1, 0}  [cells.unwatched];  is anyone listed now? ring everybody, who then watch anew
//
// So while nobody waits a change costs one load more. Who looks at the bytes after he has remembered sees a change, or his W or
// `changes` is out of date, or he is listed when the changer looks. A changer that is killed before it rings loses the wake: sleepers look again by
// themselves, a few times a second.
class Cells final : public LockedState {
 public:
  Cells(sync::Doorbell& bell, memory::Segment& segment) noexcept;
  ~Cells() override { close(); }

  // Before a look at the bytes that may end in waiting for kJoin.
  void watch() noexcept;
  // The bytes were changed: tells those who wait.
  void notify() noexcept;
  // `at` is inside of the bytes, and aligned. What changes them tells those who wait, but for a store.
  bool operate(CellOperation operation, CellType type, std::uint64_t offset,
               Operands& operands) noexcept;

  // The bytes as a value that is read and written whole, and the place for the next one behind it; nullptr if they are no such two.
  WholeValue* whole() noexcept { return whole_ ? &*whole_ : nullptr; }

  // For JavaScript to look at.
  std::atomic<std::uint32_t>& watch_word() const noexcept { return words_.watch; }

 private:
  bool worth_looking(sync::Side side) noexcept override;
  // The bytes may have been changed by who was killed before it rang, or by plain stores that nobody has told of.
  bool worth_a_slow_look(sync::Side) noexcept override { return true; }
  void sweep() noexcept override;
  void pass_on(sync::Side) noexcept override {}

  CellWords& words_;
  std::optional<WholeValue> whole_;
  std::uint32_t told_ = 0;
  std::uint32_t seen_watch_ = 0;
  std::uint64_t seen_changes_ = 0;
};

}  // namespace interproc::state
