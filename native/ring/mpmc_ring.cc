#include "ring/mpmc_ring.h"

#include "platform/clock.h"
#include "platform/fault.h"

namespace interproc::ring {

using memory::Descriptor;
using memory::Word;

namespace {

// In a sound ring a retry means that somebody else got on. This many in a row mean that the words are not a ring.
constexpr std::uint32_t kMaxRetries = 1u << 22;

}  // namespace

MpmcRing::MpmcRing(memory::Segment& segment, const memory::Registry& registry) noexcept
    : control_(segment.control()),
      descriptors_(segment.descriptors()),
      payload_(segment.payload()),
      format_(segment.header().blocks_shift),
      mask_((std::uint64_t{1} << segment.header().blocks_shift) - 1),
      block_shift_(segment.header().block_shift),
      max_items_(segment.header().max_items),
      layout_(segment.layout()),
      max_message_bytes_(segment.header().max_message_bytes),
      registry_(registry),
      reclaim_seen_(segment.control().reclaim.load(std::memory_order_acquire)) {}

void MpmcRing::initialise(memory::Segment& segment) noexcept {
  // Positions start one lap in: zeroed descriptors are then of an older lap. relaxed: nobody else sees the segment yet.
  const std::uint64_t first = std::uint64_t{1} << segment.header().blocks_shift;
  segment.control().tail.store(first, std::memory_order_relaxed);
  segment.control().head.store(first, std::memory_order_relaxed);
  segment.control().reclaim.store(first, std::memory_order_relaxed);
}

// Moves a cursor over the record that `word` describes. Whoever sees that it is due does it; all but one fail.
void MpmcRing::advance(Word& cursor, std::uint64_t from, std::uint64_t word) noexcept {
  // SYNC ring.cursor: release, so that who reads the new position also sees the word that justified the step.
  // relaxed on failure: the caller loads again.
  cursor.compare_exchange_strong(from, Cursor::after(from, format_.blocks(word)),
                                 std::memory_order_acq_rel, std::memory_order_relaxed);
}

bool MpmcRing::help_head(std::uint64_t head) noexcept {
  const std::uint64_t pos = Cursor::pos(head);
  // SYNC ring.finish: seq_cst: a waiting producer's second look goes through here.
  const std::uint64_t word = at(pos).word.load(std::memory_order_seq_cst);
  const State state = WordFormat::state(word);
  if (format_.age(word, pos) != 0 || !sane(word) ||
      (state != State::reading && state != State::returned && state != State::done)) {
    return false;
  }
  advance(control_.head, head, word);
  return true;
}

bool MpmcRing::claim_word(std::uint64_t blocks, State state, Record& record, Look& why) noexcept {
  for (std::uint32_t retry = 0; retry < kMaxRetries; ++retry) {
    const std::uint64_t tail = control_.tail.load(std::memory_order_acquire);  // SYNC ring.cursor
    FAULT("ring.tail_loaded");
    const std::uint64_t pos = Cursor::pos(tail);
    std::uint64_t seen = at(pos).word.load(std::memory_order_acquire);
    const std::int64_t age = format_.age(seen, pos);
    if (age > 0) {  // R1: our tail is stale
      if (is_stale(control_.tail, tail)) continue;
      break;
    }
    if (age == 0) {
      if (WordFormat::state(seen) == State::end) {
        why = Look::ended;
        return false;
      }
      if (!sane(seen)) break;
      advance(control_.tail, tail, seen);
      continue;
    }
    if (max_items_ != 0 && state == State::writing) {
      const std::uint64_t head = control_.head.load(std::memory_order_acquire);  // SYNC ring.cursor
      if (Cursor::distance(pos, Cursor::pos(head)) > 0) {
        if (is_stale(control_.tail, tail)) continue;
        break;
      }
      if (Cursor::items_between(head, tail) >= max_items_) {
        if (help_head(head)) continue;  // what was given up or is being read is no message
        why = Look::full;
        return false;
      }
    }
    const std::int64_t ahead = Cursor::distance(reclaim_seen_, pos);
    // Negative: this handle has looked on for half the cursor's range.
    if (ahead < 0 ||
        ahead + static_cast<std::int64_t>(blocks) > static_cast<std::int64_t>(mask_ + 1)) {
      advance_reclaim();  // R6: full is said of a reclaim loaded afresh
      const std::int64_t used = Cursor::distance(reclaim_seen_, pos);
      if (used < 0 && is_stale(control_.tail, tail)) continue;
      if (used < 0 || used > static_cast<std::int64_t>(mask_ + 1)) break;
      if (used + static_cast<std::int64_t>(blocks) > static_cast<std::int64_t>(mask_ + 1)) {
        why = Look::full;
        return false;
      }
    }
    FAULT("ring.claim");
    const std::uint64_t word = format_.make(pos, state, blocks, registry_.self());
    // SYNC ring.claim: acq_rel: the space is ours only after its last reader has left it (acquire of DONE through reclaim),
    // and who helps tail past us must see the word.
    if (!at(pos).word.compare_exchange_strong(seen, word, std::memory_order_acq_rel,
                                              std::memory_order_relaxed))
      continue;
    FAULT("ring.claimed");
    if (state == State::writing) advance(control_.tail, tail, word);
    FAULT("ring.tail_moved");
    record.pos = pos;
    record.cursor = tail;
    record.word = word;
    return true;
  }
  why = spoiled();
  return false;
}

Look MpmcRing::claim(std::uint32_t length, Record& record) noexcept {
  const std::uint64_t needed = blocks_for(length);
  Look why = Look::ok;
  if (!claim_word(needed, State::writing, record, why)) return why;
  record.length = length;
  if (!has_stamps(record.pos, needed)) return Look::ok;
  for (std::uint64_t i = 1; i < needed; ++i) {  // R5
    const std::uint64_t inner = (record.pos + i) & Cursor::kPosMask;
    if (format_.lap(inner) % kStampLaps != 0) continue;
    // release: who meets the stamp at a cursor of an older lap also sees that the cursor has moved.
    at(inner).word.store(format_.make(inner, State::interior, 0), std::memory_order_release);
  }
  return Look::ok;
}

bool MpmcRing::publish(const Record& record, std::uint32_t length, bool carries) noexcept {
  Descriptor& descriptor = at(record.pos);
  FAULT("ring.written");
  // relaxed: published by the CAS below.
  descriptor.length.store(length, std::memory_order_relaxed);
  descriptor.redeliveries.store(Redeliveries::none(carries).word, std::memory_order_relaxed);
  std::uint64_t expected = record.word;
  // SYNC ring.publish: release, the bytes and the length are seen by who sees READY. seq_cst, because the producer's next
  // step is to look for sleepers (waiters.listed): the two must not be reordered.
  const bool ours =
      descriptor.word.compare_exchange_strong(expected, WordFormat::to(record.word, State::ready),
                                              std::memory_order_seq_cst, std::memory_order_relaxed);
  FAULT("ring.published");
  if (!ours) corrupt_ = true;
  return ours;
}

void MpmcRing::abandon(const Record& record) noexcept { leave(record, State::done); }

void MpmcRing::leave(const Record& record, State state) noexcept {
  std::uint64_t expected = record.word;
  FAULT("ring.leave");
  // SYNC ring.finish: release, our reads of the bytes are over before anyone may reclaim them. seq_cst, because the
  // consumer's next step is to look for producers asleep for want of room.
  if (!at(record.pos)
           .word.compare_exchange_strong(expected, WordFormat::to(record.word, state),
                                         std::memory_order_seq_cst, std::memory_order_relaxed)) {
    corrupt_ = true;
  }
  FAULT("ring.left");
}

std::uint32_t MpmcRing::length_of(std::uint64_t pos, std::uint64_t word) const noexcept {
  // acquire: whoever then finds the word unchanged knows that the length belongs to it. Copied once, checked, then used.
  const std::uint64_t room = format_.blocks(word) << block_shift_;
  const std::uint32_t length = at(pos).length.load(std::memory_order_acquire);
  if (length <= room) return length;
  // Longer than the ring: what stands in the record tells where it is. Everything else is a spoiled length.
  const bool beside = memory::stands_beside(layout_, length) && length <= max_message_bytes_;
  return beside ? length : static_cast<std::uint32_t>(room);
}

memory::Named MpmcRing::names(const memory::SideRef& ref) const noexcept {
  bool found = false;
  const bool all = each([&](std::uint64_t pos, std::uint64_t word) {
    const State state = WordFormat::state(word);
    if (state != State::ready && state != State::reading && state != State::returned) return;
    found = found || (memory::stands_beside(layout_, length_of(pos, word)) &&
                      memory::SideRef::read(data(pos)) == ref);
  });
  if (found) return memory::Named::yes;
  return all ? memory::Named::no : memory::Named::unknown;
}

inline Look MpmcRing::objection(Record& record, std::uint64_t seen, std::size_t limit,
                                Carrying carrying) const noexcept {
  record.length = length_of(record.pos, seen);
  // acquire: as the length's. It is on the length's cache line.
  record.redeliveries.word = at(record.pos).redeliveries.load(std::memory_order_acquire);
  if (record.redeliveries.carries() && carrying == Carrying::leave) return Look::carries;
  return record.length > limit ? Look::too_large : Look::ok;
}

Look MpmcRing::take(Record& record, std::size_t limit, Carrying carrying) noexcept {
  for (std::uint32_t retry = 0; retry < kMaxRetries; ++retry) {
    const std::uint64_t head = control_.head.load(std::memory_order_acquire);  // SYNC ring.cursor
    FAULT("ring.head_loaded");
    record.pos = Cursor::pos(head);
    // SYNC ring.publish
    std::uint64_t seen = at(record.pos).word.load(std::memory_order_acquire);
    const std::int64_t age = format_.age(seen, record.pos);
    if (age < 0) return Look::empty;
    if (age > 0) {  // R1: our head is stale
      if (is_stale(control_.head, head)) continue;
      break;
    }
    record.word = seen;
    switch (WordFormat::state(seen)) {
      case State::ready: {
        if (!sane(seen)) return spoiled();
        const std::uint64_t mine = WordFormat::to(seen, State::reading, registry_.self());
        // About `seen` if the word still is `seen` afterwards: the CAS below, or the load here, tells.
        if (const Look why = objection(record, seen, limit, carrying); why != Look::ok) {
          if (at(record.pos).word.load(std::memory_order_acquire) != seen) continue;
          return why;
        }
        FAULT("ring.take");
        // SYNC ring.publish
        if (!at(record.pos)
                 .word.compare_exchange_strong(seen, mine, std::memory_order_acq_rel,
                                               std::memory_order_relaxed)) {
          continue;
        }
        FAULT("ring.taken");
        record.word = mine;
        advance(control_.head, head, mine);
        FAULT("ring.head_moved");
        return Look::ok;
      }
      case State::writing:
        return sane(seen) ? Look::writing : spoiled();
      case State::end:
        return Look::ended;
      case State::reading:
      case State::returned:
      case State::done:
        if (!sane(seen)) return spoiled();
        advance(control_.head, head, seen);
        continue;
      case State::none:
      case State::interior:
        return spoiled();
    }
  }
  return spoiled();
}

bool MpmcRing::find_returned(std::uint64_t& pos, bool& more) const noexcept {
  bool found = false;
  more = false;
  each([&](std::uint64_t at_pos, std::uint64_t word) {
    if (WordFormat::state(word) != State::returned) return;
    if (!found) pos = at_pos;
    more = found;
    found = true;
  });
  return found;
}

Look MpmcRing::take_returned(std::uint64_t pos, Record& record, std::size_t limit,
                             Carrying carrying) noexcept {
  Descriptor& descriptor = at(pos);
  std::uint64_t seen = descriptor.word.load(std::memory_order_acquire);  // SYNC ring.publish
  if (format_.age(seen, pos) != 0 || WordFormat::state(seen) != State::returned || !sane(seen))
    return Look::empty;
  record.pos = pos;
  if (const Look why = objection(record, seen, limit, carrying); why != Look::ok) {
    const bool unchanged = descriptor.word.load(std::memory_order_acquire) == seen;
    return unchanged ? why : Look::empty;
  }
  record.word = WordFormat::to(seen, State::reading, registry_.self());
  // SYNC ring.publish: the bytes are the producer's, handed on through every state since.
  if (!descriptor.word.compare_exchange_strong(seen, record.word, std::memory_order_acq_rel,
                                               std::memory_order_relaxed)) {
    return Look::empty;
  }
  FAULT("ring.taken_returned");
  // relaxed: the record is ours alone. A kill before this line under-counts a delivery that never reached anybody.
  record.redeliveries.word =
      descriptor.redeliveries.fetch_add(Redeliveries::kOne, std::memory_order_relaxed) +
      Redeliveries::kOne;
  return Look::ok;
}

void MpmcRing::give_back(const Record& record, bool counted) noexcept {
  // Whoever takes a RETURNED record counts it; what was never handed over is taken off beforehand. relaxed: ours alone.
  if (!counted)
    at(record.pos).redeliveries.fetch_sub(Redeliveries::kOne, std::memory_order_relaxed);
  leave(record, State::returned);
}

bool MpmcRing::worth_taking() const noexcept {
  const std::uint64_t head = control_.head.load(std::memory_order_seq_cst);
  const std::uint64_t pos = Cursor::pos(head);
  // SYNC waiters.listed: seq_cst: a waiter's look after it has listed itself.
  const std::uint64_t seen = at(pos).word.load(std::memory_order_seq_cst);
  if (control_.redeliver.load(std::memory_order_seq_cst) != 0) return true;
  const std::int64_t age = format_.age(seen, pos);
  // WRITING is not worth it: its publish will ring. Its owner's death is found by the sweep of whoever looks again.
  // END is the queue's affair: it may have to wait for what others hold.
  return age > 0 || (age == 0 && WordFormat::state(seen) != State::writing &&
                     WordFormat::state(seen) != State::end);
}

std::uint64_t MpmcRing::bytes_being_written() const noexcept {
  // relaxed: a guess, for who decides how long to wait; nothing is read through it.
  const std::uint64_t pos = Cursor::pos(control_.head.load(std::memory_order_relaxed));
  const std::uint64_t seen = at(pos).word.load(std::memory_order_relaxed);
  if (format_.age(seen, pos) != 0 || WordFormat::state(seen) != State::writing) return 0;
  return format_.blocks(seen) << block_shift_;
}

bool MpmcRing::has_room(std::uint64_t blocks) noexcept {
  for (std::uint32_t retry = 0; max_items_ != 0 && retry < kMaxRetries; ++retry) {
    const std::uint64_t head = control_.head.load(std::memory_order_seq_cst);
    const std::uint64_t tail = control_.tail.load(std::memory_order_seq_cst);
    if (Cursor::distance(head, tail) < 0 || Cursor::items_between(head, tail) < max_items_) break;
    if (!help_head(head)) return false;
  }
  return room() >= blocks;
}

std::uint64_t MpmcRing::room() noexcept {
  advance_reclaim();
  const std::uint64_t tail = Cursor::pos(control_.tail.load(std::memory_order_seq_cst));
  const std::int64_t used = Cursor::distance(reclaim_seen_, tail);
  return used < 0 || used > static_cast<std::int64_t>(blocks())
             ? 0
             : blocks() - static_cast<std::uint64_t>(used);
}

void MpmcRing::advance_reclaim() noexcept {
  for (std::uint32_t retry = 0; retry < kMaxRetries; ++retry) {
    // SYNC ring.reclaim: seq_cst: a waiting producer's second look goes through here.
    std::uint64_t from = control_.reclaim.load(std::memory_order_seq_cst);
    reclaim_seen_ = from;
    FAULT("ring.reclaim_loaded");
    const std::uint64_t head = control_.head.load(std::memory_order_seq_cst);  // SYNC ring.cursor
    const std::uint64_t head_pos = Cursor::pos(head);
    std::uint64_t pos = from;
    while (pos != head_pos) {
      const std::uint64_t word = at(pos).word.load(std::memory_order_seq_cst);  // SYNC ring.finish
      if (format_.age(word, pos) != 0 || WordFormat::state(word) != State::done || !sane(word))
        break;
      const std::uint64_t next = (pos + format_.blocks(word)) & Cursor::kPosMask;
      if (Cursor::distance(next, head_pos) < 0) break;
      pos = next;
    }
    if (pos == from) {
      const std::uint64_t word = at(from).word.load(std::memory_order_seq_cst);
      const std::int64_t age = format_.age(word, from);
      if (age > 0) {  // R6: reclaim has moved on, and the space is in use again
        if (is_stale(control_.reclaim, from)) continue;
        break;
      }
      // R2: the record at head may be past READY while head has not moved; reclaim must wait until it has.
      if (from != head_pos || age != 0 || WordFormat::state(word) != State::done || !sane(word))
        return;
      advance(control_.head, head, word);
      continue;
    }
    FAULT("ring.reclaim");
    // SYNC ring.reclaim: release, so that who claims the space sees its last readers gone.
    if (control_.reclaim.compare_exchange_strong(from, pos, std::memory_order_seq_cst))
      reclaim_seen_ = pos;
  }
  corrupt_ = true;
}

bool MpmcRing::seal() noexcept {
  Record marker;
  Look why = Look::ok;
  return claim_word(1, State::end, marker, why) || why == Look::ended;
}

bool MpmcRing::can_seal() const noexcept {
  if (!quiet()) return false;
  const std::uint64_t pos = Cursor::pos(control_.tail.load(std::memory_order_acquire));
  return format_.age(at(pos).word.load(std::memory_order_acquire), pos) < 0;
}

std::uint32_t MpmcRing::claims_since(const Record& record) const noexcept {
  const std::uint64_t tail = control_.tail.load(std::memory_order_acquire);
  return static_cast<std::uint32_t>(Cursor::items_between(record.cursor, tail));
}

bool MpmcRing::at_end() const noexcept {
  const std::uint64_t pos = Cursor::pos(control_.head.load(std::memory_order_acquire));
  const std::uint64_t word = at(pos).word.load(std::memory_order_acquire);
  return format_.age(word, pos) == 0 && WordFormat::state(word) == State::end;
}

std::uint64_t MpmcRing::size() const noexcept {
  std::uint64_t head = control_.head.load(std::memory_order_acquire);
  for (std::uint32_t retry = 0; retry < kMaxRetries; ++retry) {
    const std::uint64_t tail = control_.tail.load(std::memory_order_acquire);
    const std::uint64_t again = control_.head.load(std::memory_order_acquire);
    // Both belong to one moment if head did not move while tail was read.
    if (again == head)
      return Cursor::distance(head, tail) < 0 ? 0 : Cursor::items_between(head, tail);
    head = again;
  }
  return 0;
}

bool MpmcRing::is_full() noexcept { return !has_room(1); }

bool MpmcRing::quiet() const noexcept {
  // SYNC ring.reclaim, ring.cursor: seq_cst: a waiter's look after it has listed itself.
  const std::uint64_t reclaim = control_.reclaim.load(std::memory_order_seq_cst);
  return reclaim == Cursor::pos(control_.tail.load(std::memory_order_seq_cst));
}

void MpmcRing::skip(std::uint64_t pos, std::uint64_t word) noexcept {
  // R3: tail first, or head would pass it.
  for (std::uint32_t retry = 0; retry < kMaxRetries; ++retry) {
    const std::uint64_t tail = control_.tail.load(std::memory_order_acquire);
    if (Cursor::distance(Cursor::pos(tail), pos) < 0) break;
    if (Cursor::pos(tail) != pos)
      return;  // not yet claimed there: the word is not what we were told
    advance(control_.tail, tail, word);
  }
  FAULT("ring.skip");
  const std::uint64_t blocks = format_.blocks(word);
  for (std::uint64_t i = 1; i < blocks; ++i) {
    const std::uint64_t inner = (pos + i) & Cursor::kPosMask;
    if (format_.lap(inner) % kStampLaps != 0) continue;
    // By CAS: while we were stopped another may have finished this and the space be in use again.
    std::uint64_t old = at(inner).word.load(std::memory_order_acquire);
    if (format_.age(old, inner) >= 0) continue;
    at(inner).word.compare_exchange_strong(old, format_.make(inner, State::interior, 0),
                                           std::memory_order_acq_rel, std::memory_order_relaxed);
  }
  FAULT("ring.skip_stamped");
  // SYNC ring.finish
  at(pos).word.compare_exchange_strong(word, WordFormat::to(word, State::done),
                                       std::memory_order_seq_cst);
}

bool MpmcRing::recover_reading(std::uint64_t pos, std::uint64_t word, bool kept) noexcept {
  FAULT("ring.recover");
  // SYNC ring.finish
  const bool changed = at(pos).word.compare_exchange_strong(
      word, WordFormat::to(word, kept ? State::done : State::returned), std::memory_order_seq_cst);
  return changed && !kept;
}

void MpmcRing::finish_for(std::uint64_t pos, memory::Owner owner) noexcept {
  std::uint64_t word = at(pos).word.load(std::memory_order_acquire);
  if (format_.age(word, pos) != 0 || WordFormat::state(word) != State::reading ||
      WordFormat::owner(word) != owner)
    return;
  FAULT("ring.finish_for");
  at(pos).word.compare_exchange_strong(word, WordFormat::to(word, State::done),
                                       std::memory_order_seq_cst);
}

}  // namespace interproc::ring
