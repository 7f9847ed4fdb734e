#pragma once

#include <cstddef>
#include <cstdint>

#include "memory/registry.h"
#include "memory/segment.h"
#include "memory/side_regions.h"
#include "ring/redeliveries.h"
#include "ring/word.h"

namespace interproc::ring {

// A record that is ours: claimed and being written, or taken and being read.
struct Record {
  std::uint64_t pos = 0;
  std::uint64_t cursor = 0;  // of a claim: tail as it was
  std::uint64_t word = 0;    // what its descriptor holds while it is ours
  std::uint32_t length = 0;
  Redeliveries redeliveries;
};

// What a look at the ring found.
enum class Look {
  ok,
  empty,
  full,
  ended,
  writing,    // the next record is claimed and not yet published: `Record::word` names by whom
  too_large,  // `Record::length` exceeds the caller's limit; it stays where it is
  carries,    // the next record does, and the caller takes none that does; it stays where it is
  corrupt,    // the words contradict each other: somebody else writes here
};

// The lock-free ring of records, many producers and many consumers, of ARCHITECTURE.md section 3: positions and states only.
// Nothing here waits, wakes, allocates or enters the kernel. One object per participant; not for use by two threads.
class MpmcRing {
 public:
  // Interior words are stamped in laps divisible by this (rule R5): rarely enough to cost nothing, often enough that no lap is
  // ever mistaken for one 2^23 older.
  static constexpr std::uint64_t kStampLaps = 1024;

  MpmcRing(memory::Segment& segment, const memory::Registry& registry) noexcept;

  // Sets the words of a new, zeroed ring.
  static void initialise(memory::Segment& segment) noexcept;

  std::uint64_t blocks() const noexcept { return mask_ + 1; }
  std::uint64_t blocks_for(std::uint64_t bytes) const noexcept {
    return bytes == 0 ? 1 : (bytes + (std::uint64_t{1} << block_shift_) - 1) >> block_shift_;
  }
  std::byte* data(std::uint64_t pos) const noexcept {
    return payload_ + ((pos & mask_) << block_shift_);
  }

  // Claims room for `length` bytes: ok, full, ended. The bytes are written to data(pos), then published.
  Look claim(std::uint32_t length, Record& record) noexcept;
  // `length` is the message's, which may stand beside the ring. False: the record was not ours any more, which no correct peer
  // can cause.
  bool publish(const Record& record, std::uint32_t length, bool carries = false) noexcept;
  // Gives a claimed record up: it becomes empty space.
  void abandon(const Record& record) noexcept;

  // Takes the record at head if it has at most `limit` bytes: ok, empty, ended, writing, too_large, carries.
  Look take(Record& record, std::size_t limit, Carrying carrying = Carrying::take) noexcept;
  // The position of the oldest RETURNED record, if there is one; `more` says that there are others.
  bool find_returned(std::uint64_t& pos, bool& more) const noexcept;
  // Takes the RETURNED record at `pos`: ok, too_large, carries, or empty when another was quicker.
  Look take_returned(std::uint64_t pos, Record& record, std::size_t limit,
                     Carrying carrying = Carrying::take) noexcept;
  // The bytes have left the ring.
  void finish(const Record& record) noexcept { leave(record, State::done); }
  // Not to be consumed after all: the next one gets it. `counted`: as a delivery.
  void give_back(const Record& record, bool counted) noexcept;

  // Whether take() would find a message or could move head on. The waiter's second look.
  bool worth_taking() const noexcept;
  // How many bytes the record at head has room for, if it is being written; else 0.
  std::uint64_t bytes_being_written() const noexcept;
  // Whether `blocks` blocks could be claimed now.
  bool has_room(std::uint64_t blocks) noexcept;
  // Free blocks, after reclaiming what is DONE.
  std::uint64_t room() noexcept;

  // Places the END marker if there is room. True: it stands.
  bool seal() noexcept;
  bool at_end() const noexcept;
  // Whether the END marker could be placed now: everything before tail is reclaimed, and nothing is claimed there.
  bool can_seal() const noexcept;
  // How many records have been claimed from this one on, itself included.
  std::uint32_t claims_since(const Record& record) const noexcept;

  // Messages between head and tail: those that can be taken and those being written.
  std::uint64_t size() const noexcept;
  bool is_full() noexcept;
  // Whether every record before head has been finished.
  bool quiet() const noexcept;

  // Calls `visit(pos, word)` for every record from reclaim to tail, the one claimed at tail included.
  // False: not all of them could be seen.
  template <class Visit>
  bool each(Visit visit) const noexcept;
  // The length of the message at `pos`, if its descriptor still holds `word` afterwards.
  std::uint32_t length_of(std::uint64_t pos, std::uint64_t word) const noexcept;
  // Whether a message that can be had, or is being taken, stands there beside the ring.
  memory::Named names(const memory::SideRef& ref) const noexcept;
  // A dead producer's record becomes empty space (rule R3).
  void skip(std::uint64_t pos, std::uint64_t word) noexcept;
  // A dead consumer's record. `kept`: its ledger has it. Returns whether it is to be delivered again.
  bool recover_reading(std::uint64_t pos, std::uint64_t word, bool kept) noexcept;
  // Whether d[pos] is READING by `owner`; if so, DONE: its ledger has it.
  void finish_for(std::uint64_t pos, memory::Owner owner) noexcept;

  void advance_reclaim() noexcept;
  bool corrupt() const noexcept { return corrupt_; }

 private:
  memory::Descriptor& at(std::uint64_t pos) const noexcept { return descriptors_[pos & mask_]; }
  bool sane(std::uint64_t word) const noexcept {
    const std::uint64_t n = format_.blocks(word);
    return n >= 1 && n <= blocks();
  }
  // Whoever finds that its `seen` of a cursor is out of date, by a word of a newer lap or by another cursor ahead of it, finds
  // another value there now: the one who wrote what it found had seen it (acquire). If not, the words are no ring.
  static bool is_stale(const memory::Word& cursor, std::uint64_t seen) noexcept {
    return cursor.load(std::memory_order_acquire) != seen;
  }
  // Whether any word inside of the record is to be stamped (rule R5). A record lies in one lap or in two: no need to ask for
  // each of the 16,384 blocks of a megabyte.
  bool has_stamps(std::uint64_t pos, std::uint64_t blocks) const noexcept {
    return format_.lap(pos) % kStampLaps == 0 ||
           format_.lap((pos + blocks - 1) & Cursor::kPosMask) % kStampLaps == 0;
  }
  // Why the record that stands at its position with the word `seen` is not taken; ok: nothing is in the way. Its length and
  // redeliveries belong to `seen` if the word still is that afterwards.
  Look objection(Record& record, std::uint64_t seen, std::size_t limit,
                 Carrying carrying) const noexcept;
  void leave(const Record& record, State state) noexcept;
  void advance(memory::Word& cursor, std::uint64_t from, std::uint64_t word) noexcept;
  // Moves head over the record that stands there if it is past READY. False: it is not.
  bool help_head(std::uint64_t head) noexcept;
  bool claim_word(std::uint64_t blocks, State state, Record& record, Look& why) noexcept;
  Look spoiled() noexcept {
    corrupt_ = true;
    return Look::corrupt;
  }

  memory::Control& control_;
  memory::Descriptor* descriptors_;
  std::byte* payload_;
  WordFormat format_;
  std::uint64_t mask_;
  std::uint32_t block_shift_;
  std::uint32_t max_items_;
  const memory::Layout& layout_;
  std::uint64_t max_message_bytes_;
  const memory::Registry& registry_;
  std::uint64_t
      reclaim_seen_;  // reclaim as last loaded: it only grows, so an old value only understates the room
  bool corrupt_ = false;
};

template <class Visit>
bool MpmcRing::each(Visit visit) const noexcept {
  for (int attempt = 0; attempt < 64; ++attempt) {
    // SYNC ring.reclaim, ring.publish
    const std::uint64_t start = control_.reclaim.load(std::memory_order_acquire);
    std::uint64_t pos = start;
    bool moved = false;
    for (std::uint64_t seen = 0; seen <= mask_;) {
      const std::uint64_t word = at(pos).word.load(std::memory_order_acquire);
      const std::int64_t age = format_.age(word, pos);
      if (age > 0) {  // reclaim has passed us and the space is in use again
        moved = true;
        break;
      }
      if (age < 0 || WordFormat::state(word) == State::end) return true;
      if (!sane(word)) return false;
      visit(pos, word);
      const std::uint64_t blocks = format_.blocks(word);
      pos = (pos + blocks) & Cursor::kPosMask;
      seen += blocks;
    }
    if (!moved || !is_stale(control_.reclaim, start)) return !moved;
  }
  // 64 laps went by while we tried to walk one: the ring is moving, and who is at work will sweep it.
  return false;
}

}  // namespace interproc::ring
