#include "ring/queue.h"

#include <algorithm>
#include <cstring>

#include "platform/clock.h"
#include "platform/fault.h"
#include "ring/passengers.h"

namespace interproc::ring {

using memory::OpenMode;
using memory::Owner;
using memory::Participant;
using memory::Segment;
using memory::Word;
using sync::kJoin;
using sync::kPut;
using sync::kTake;
using sync::Side;

namespace {

// A busy participant looks for the dead this often, whatever else it does; one in 1,024 operations reads a coarse clock for it.
constexpr std::int64_t kBusySweepNs = 250'000'000;
constexpr std::uint32_t kClockEvery = 1024;
// One that finds nothing to take, or no room, asks the kernel at most this often.
constexpr std::int64_t kIdleSweepNs = 5'000'000;

// How long a take spins on a record that is being written before it asks whether the writer lives: 1.9 us of a Xeon at 14.5 ns a
// turn, in which a living one copies 64 KiB; the kernel's answer takes 0.6.
constexpr int kWritingSpin = 128;

// In a sound queue a take starts anew because another participant got on. After so many times it leaves with nothing, and its
// caller waits: words that contradict each other must not keep it for ever.
constexpr std::uint32_t kMaxTurns = 1u << 16;

constexpr std::uint32_t kReceiptIndexBits = 20;

void bump(Word& counter, std::uint64_t by) noexcept {
  // relaxed: single writer, orders nothing.
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

Code to_code(Look look) noexcept {
  switch (look) {
    case Look::ok:
      return Code::ok;
    case Look::empty:
    case Look::writing:
      return Code::empty;
    case Look::full:
      return Code::full;
    case Look::ended:
      return Code::ended;
    case Look::too_large:
      return Code::too_large;
    case Look::carries:
      return Code::carries;
    case Look::corrupt:
      break;
  }
  return Code::corrupt;
}

}  // namespace

Result<std::unique_ptr<Queue>> Queue::open(sync::Doorbell& bell, const std::string& name,
                                           OpenMode mode, const memory::Header& wanted) noexcept {
  std::unique_ptr<Queue> queue;
  Segment::Kindred kindred;
  kindred.initialise = [](Segment& segment) { MpmcRing::initialise(segment); };
  kindred.holds_something = [&bell](Segment& segment) { return holds_something(bell, segment); };
  kindred.removed = [&bell](Segment& segment) { redeem_all_of(bell, segment); };
  kindred.join = [&](Segment& segment) {
    queue.reset(new Queue(bell, segment));
    Queue& self = *queue;
    const std::uint32_t all = self.registry_.count();
    const bool listener = segment.header().kind == memory::Kind::listener;
    // Slot 0 of a listener is its maker's alone: whether it is held says for ever whether he lives.
    const std::uint32_t first = listener && mode == OpenMode::open ? kListenerSlot + 1 : 0;
    const std::uint32_t last = listener && mode == OpenMode::create ? kListenerSlot + 1 : all;
    const Error error = self.registry_.join(first, last, [&self](Owner previous) {
      self.sweep();
      self.waiters_.forget(previous.slot);
    });
    if (error.code == Code::ok) self.tasks_.begin();
    return error;
  };
  auto segment = Segment::open(bell.directory(), name, mode, wanted, kindred);
  if (!segment.ok()) return segment.error();
  queue->segment_ = std::move(segment.value());
  queue->open_ = true;
  return queue;
}

void Queue::tidy_up(sync::Doorbell& bell, const std::string& name, memory::Kind kind,
                    const std::function<void(Segment&)>& removed) noexcept {
  Segment::Kindred kindred;
  kindred.holds_something = [&bell](Segment& segment) { return holds_something(bell, segment); };
  kindred.removed = removed;
  // Who is attached and does not join leaves again, which is what is wanted.
  kindred.join = [](Segment&) { return fail(Code::no_slot, "not meant to join"); };
  memory::Header wanted{};
  wanted.kind = kind;
  [[maybe_unused]] const auto opened =
      Segment::open(bell.directory(), name, OpenMode::open, wanted, kindred);
}

bool Queue::remove_deserted(sync::Doorbell& bell, const std::string& name) noexcept {
  Segment::Kindred kindred;
  kindred.holds_something = [&bell](Segment& segment) { return holds_something(bell, segment); };
  kindred.removed = [&bell](Segment& segment) { redeem_all_of(bell, segment); };
  // Attached meanwhile, so that nobody is alone with it, and then leaves again.
  kindred.join = [&bell](Segment& segment) {
    Queue visitor(bell, segment);
    if (visitor.listens()) return fail(Code::exists, "somebody listens");
    FAULT("listener.deserted");
    visitor.end();
    if (const Error error = segment.unlink(bell.directory()); error.code != Code::ok) return error;
    FAULT("listener.unlinked");
    return fail(Code::not_found, "it has no name any more");
  };
  memory::Header wanted{};
  wanted.kind = memory::Kind::listener;
  // With nobody else there it is removed before it comes to that.
  return Segment::open(bell.directory(), name, OpenMode::open, wanted, kindred).error().code ==
         Code::not_found;
}

bool Queue::holds_something(sync::Doorbell& bell, Segment& segment) noexcept {
  Queue visitor(bell, segment);
  visitor.sweep();
  for (std::uint32_t slot = 0; slot < visitor.registry_.count(); ++slot) {
    const std::uint32_t identity =
        visitor.registry_.slot(slot).identity.load(std::memory_order_acquire);
    if ((identity & memory::kSlotUsed) != 0)
      visitor.waiters_.forget(static_cast<std::uint8_t>(slot));
  }
  visitor.sides_.drop_free();
  // Who waits to be accepted cannot be, once nobody listens.
  if (visitor.is_listener()) return false;
  return visitor.ring_.size() > 0 || visitor.ledger_.count().returned > 0 || !visitor.ring_.quiet();
}

inline void Queue::count_put(const Record& record, std::size_t length) noexcept {
  // One wake for each message that can be taken from now on: those published behind ours while it hid them have rung in vain.
  if (waiters_.anyone(kTake)) waiters_.wake(kTake, ring_.claims_since(record));
  Participant& self = registry_.self_slot();
  bump(self.puts, 1);
  bump(self.put_bytes, length);
  if ((operations_++ & 63) == 0) {
    const std::uint64_t size = ring_.size();
    if (size > self.high_water.load(std::memory_order_relaxed))
      self.high_water.store(size, std::memory_order_relaxed);
    if (operations_ % kClockEvery == 0) sweep_if_due(kBusySweepNs);
  }
}

Code Queue::refuse(std::size_t length) const noexcept {
  // SYNC queue.ended
  if (control_.ended.load(std::memory_order_acquire) != 0) return Code::ended;
  return length > header().max_message_bytes ? Code::too_large : Code::ok;
}

Code Queue::claim(std::size_t length, Record& record) noexcept {
  if (const Code refusal = refuse(length); refusal != Code::ok) return refusal;
  if (stands_beside(length)) return Code::too_large;  // the ring never has room for it
  Look look = ring_.claim(static_cast<std::uint32_t>(length), record);
  if (look == Look::full) {
    needed_beside_ = 0;
    needed_blocks_ = static_cast<std::uint32_t>(ring_.blocks_for(length));
    // The dead may be holding the room.
    if (sweep_if_due(kIdleSweepNs)) look = ring_.claim(static_cast<std::uint32_t>(length), record);
  }
  // If the room was announced to us and does not suffice, it may for another.
  if (look == Look::full) announce_room();
  return to_code(look);
}

Code Queue::publish(const Record& record, std::size_t length, bool carries) noexcept {
  if (!ring_.publish(record, static_cast<std::uint32_t>(length), carries)) return Code::corrupt;
  count_put(record, length);
  return Code::ok;
}

// The bytes go beside the ring before anything is claimed in it: whoever comes later need not wait for a large message, and one
// that finds no room, beside it or in it, was never there.
Code Queue::put_beside(const std::byte* bytes, std::size_t length, bool carries) noexcept {
  needed_beside_ = 0;
  needed_blocks_ = 1;
  if (!ring_.has_room(1) && !(sweep_if_due(kIdleSweepNs) && ring_.has_room(1))) {
    announce_room();
    return Code::full;
  }
  // Looked at first, so that one that must wait asks for nothing that others would have to wait for.
  const bool has_room =
      sides_.has_room(length) || (sweep_if_due(kIdleSweepNs) && sides_.has_room(length));
  memory::SideRef ref;
  const Error error = has_room ? sides_.put(bytes, length, ref) : Error{Code::full, 0, "", ""};
  if (error.code != Code::ok) {
    if (has_room) announce_side_room();  // what we asked for meanwhile
    if (error.code == Code::full) {
      needed_beside_ = length;
      announce_room();  // the ring's, if it was announced to us
    }
    trouble_ = error;
    return error.code;
  }
  Record record;
  const Look look = ring_.claim(sizeof ref, record);
  bool published = false;
  if (look == Look::ok) {
    ref.write(ring_.data(record.pos));
    published = ring_.publish(record, static_cast<std::uint32_t>(length), carries);
  }
  if (!published) {
    sides_.withdraw(ref);
    announce_side_room();
    if (look == Look::full) announce_room();
    return to_code(look == Look::ok ? Look::corrupt : look);
  }
  sides_.published(ref);
  if (sides_.was_in_the_way()) announce_side_room();
  count_put(record, length);
  return Code::ok;
}

Code Queue::put(const std::byte* bytes, std::size_t length, bool carries) noexcept {
  if (stands_beside(length)) [[unlikely]] {
    const Code refusal = refuse(length);
    return refusal == Code::ok ? put_beside(bytes, length, carries) : refusal;
  }
  Record record;
  if (const Code code = claim(length, record); code != Code::ok) return code;
  std::memcpy(ring_.data(record.pos), bytes, length);
  return publish(record, length, carries);
}

bool Queue::resolve_writing(const Record& record) noexcept {
  const Word& word = shared_.descriptors()[record.pos & (ring_.blocks() - 1)].word;
  for (int i = 0; i < kWritingSpin; ++i) {
    if (word.load(std::memory_order_acquire) != record.word) return true;
    platform::relax();
  }
  if (!registry_.dead(WordFormat::owner(record.word))) return false;
  ring_.skip(record.pos, record.word);
  announce_skipped();
  announce_finished();
  return word.load(std::memory_order_acquire) != record.word;
}

Code Queue::next_returned(std::size_t limit, Carrying carrying, InHand& message,
                          bool& found) noexcept {
  found = false;
  // Cleared before looking: who returns something meanwhile sets it again. SYNC queue.redeliver
  if (control_.redeliver.exchange(0, std::memory_order_seq_cst) == 0) return Code::empty;
  FAULT("queue.hint_cleared");
  for (int attempt = 0; attempt < 1024; ++attempt) {
    std::uint64_t pos = 0;
    bool more_in_ring = false;
    bool more_in_ledgers = false;
    const bool in_ring = ring_.find_returned(pos, more_in_ring);
    const std::uint64_t tail = control_.tail.load(std::memory_order_acquire);
    const bool in_ledger =
        ledger_.any_region() && ledger_.find_returned(tail, message.held, more_in_ledgers);
    if (!in_ring && !in_ledger) return Code::empty;
    const bool ring_first = in_ring && (!in_ledger || Cursor::distance(pos, tail) >=
                                                          Cursor::distance(message.held.pos, tail));
    // Others are left, or will be if we fail: they must not wait for a sweep.
    if (more_in_ring || more_in_ledgers || (in_ring && in_ledger)) {
      control_.redeliver.store(1, std::memory_order_seq_cst);
      // Who looked while the hint was cleared has seen nothing.
      if (waiters_.anyone(kTake)) waiters_.wake(kTake, 1);
    }
    if (ring_first) {
      const Look look = ring_.take_returned(pos, message.record, limit, carrying);
      if (look == Look::empty) continue;
      if (look != Look::ok) control_.redeliver.store(1, std::memory_order_seq_cst);
      message.in_ledger = false;
      found = look == Look::ok;
      return to_code(look);
    }
    const bool is_left = message.held.redeliveries.carries() && carrying == Carrying::leave;
    if (is_left || message.held.length > limit) {
      if (!ledger_.unchanged(message.held)) continue;
      message.record.length = message.held.length;
      control_.redeliver.store(1, std::memory_order_seq_cst);
      return is_left ? Code::carries : Code::too_large;
    }
    if (!ledger_.take_over(message.held)) continue;
    message.in_ledger = true;
    found = true;
    return Code::ok;
  }
  return Code::empty;
}

Code Queue::next(std::size_t limit, Carrying carrying, InHand& message) noexcept {
  bool swept = false;
  for (std::uint32_t turn = 0; turn < kMaxTurns; ++turn) {
    // SYNC queue.redeliver
    if (control_.redeliver.load(std::memory_order_acquire) != 0) {
      bool found = false;
      const Code code = next_returned(limit, carrying, message, found);
      if (found || code != Code::empty) return code;
    }
    message.in_ledger = false;
    Look look = ring_.take(message.record, limit, carrying);
    if (look == Look::writing) {
      if (resolve_writing(message.record)) continue;
      return Code::empty;
    }
    if (look == Look::empty && control_.ended.load(std::memory_order_acquire) != 0) {
      // Whoever finds an ended queue empty closes it for good.
      if (ring_.seal()) look = ring_.take(message.record, limit, carrying);
      if (look == Look::writing) continue;
    }
    if (look != Look::empty && look != Look::ended) return to_code(look);
    // Nothing left in order. What the dead hold counts before "empty" does.
    if (!swept && !drained() && sweep_if_due(kIdleSweepNs)) {
      swept = true;
      continue;
    }
    if (look == Look::empty || !drained()) return Code::empty;
    // END, and nobody can give anything back any more, unless it has been given back already.
    if (control_.redeliver.load(std::memory_order_acquire) == 0) return Code::ended;
  }
  return Code::empty;
}

// Whether what is left in the ring is nothing but messages that we read in place ourselves.
bool Queue::is_rest_our_own() noexcept {
  if (!leases_.any()) return false;
  bool own = false;
  bool others = false;
  ring_.each([&](std::uint64_t, std::uint64_t word) {
    const State state = WordFormat::state(word);
    if (state == State::done) return;
    const bool ours = state == State::reading && WordFormat::owner(word) == registry_.self();
    own = own || ours;
    others = others || !ours;
  });
  return own && !others;
}

// Nobody else has a message in hand, and none waits to be had again: neither in the ring nor in a ledger.
bool Queue::drained() noexcept {
  ring_.advance_reclaim();
  if (!ring_.quiet() && !is_rest_our_own()) return false;
  if (!ledger_.any_region()) return true;
  const Ledger::Counts counts = ledger_.count();
  return counts.held_by_others == 0 && counts.returned == 0;
}

Code Queue::take(std::byte* into, std::size_t room, Taken& taken) noexcept {
  InHand message;
  const Code code = next(room, Carrying::leave, message);
  if (code != Code::ok) {
    taken.length = message.record.length;
    // What we cannot take may be for another, but for what we come back for.
    if (code != Code::empty && code != Code::carries) pass_on(kTake);
    return code;
  }
  if (message.in_ledger) {
    if (stands_beside(message.held.length)) return take_beside(message, into, taken);
    taken.length = message.held.length;
    taken.deliveries = message.held.redeliveries.count() + 1;
    std::memcpy(into, message.held.bytes, taken.length);
    FAULT("queue.copied_returned");
    tasks_.take();
    ledger_.release(message.held);
  } else {
    if (stands_beside(message.record.length)) [[unlikely]]
      return take_beside(message, into, taken);
    taken.length = message.record.length;
    taken.deliveries = message.record.redeliveries.count() + 1;
    std::memcpy(into, ring_.data(message.record.pos), taken.length);
    FAULT("queue.copied");
    tasks_.take();
    ring_.finish(message.record);
    announce_room();
  }
  announce_progress_at_end();
  count_take(taken.length, taken.deliveries);
  return Code::ok;
}

Code Queue::take_beside(const InHand& message, std::byte* into, Taken& taken) noexcept {
  const bool in_ledger = message.in_ledger;
  const memory::SideRef ref =
      memory::SideRef::read(in_ledger ? message.held.bytes : ring_.data(message.record.pos));
  taken.length = in_ledger ? message.held.length : message.record.length;
  taken.deliveries =
      (in_ledger ? message.held.redeliveries : message.record.redeliveries).count() + 1;
  const Error error = sides_.read(ref, into, taken.length);
  if (error.code != Code::ok && error.code != Code::lost) {
    in_ledger ? static_cast<void>(ledger_.give_back(message.held, false))
              : ring_.give_back(message.record, false);
    announce_returned();
    if (!in_ledger) announce_room();  // of maxItems: it is not between head and tail any more
    trouble_ = error;
    return error.code;
  }
  FAULT("queue.copied_beside");
  if (error.code == Code::ok) tasks_.take();
  // The place first: were we to die in between, it would be found to be named by the record, or else to be a dead one's.
  const bool owned = sides_.own(ref);
  FAULT("queue.owned_beside");
  in_ledger ? static_cast<void>(ledger_.release(message.held)) : ring_.finish(message.record);
  if (owned) sides_.free(ref);
  announce_room();
  announce_side_room();
  announce_progress_at_end();
  if (error.code == Code::lost) {
    pass_on(kTake);  // we leave without a message, and there may be others
    announce_finished();
    return error.code;
  }
  count_take(taken.length, taken.deliveries);
  return Code::ok;
}

Code Queue::take_another(std::byte* into, std::size_t room, Taken& taken) noexcept {
  if (control_.redeliver.load(std::memory_order_acquire) != 0) return Code::empty;
  Record record;
  // One beside the ring comes first in a batch, or not at all: what may go wrong with it is then its call's alone.
  const Look look =
      ring_.take(record, std::min<std::uint64_t>(room, inline_bytes_), Carrying::leave);
  if (look != Look::ok) return look == Look::corrupt ? Code::corrupt : Code::empty;
  taken.length = record.length;
  taken.deliveries = 1;
  std::memcpy(into, ring_.data(record.pos), taken.length);
  FAULT("queue.copied_another");
  tasks_.take();
  ring_.finish(record);
  announce_room();
  announce_progress_at_end();
  count_take(taken.length, taken.deliveries);
  return Code::ok;
}

Code Queue::receive(std::byte* into, std::size_t room, Taken& taken) noexcept {
  if (Error error = ledger_.open_own(); error.code != Code::ok) {
    trouble_ = error;
    pass_on(kTake);
    return error.code;
  }
  InHand message;
  const Code code = next(room, Carrying::take, message);
  if (code != Code::ok) {
    taken.length = message.record.length;
    if (code != Code::empty) pass_on(kTake);  // what we cannot take may be for another
    return code;
  }
  Held held = message.held;
  if (!message.in_ledger) {
    const Record& record = message.record;
    std::byte* kept = ledger_.place(record.length);
    if (kept == nullptr) {
      ring_.give_back(record, false);
      announce_returned();
      announce_room();  // of maxItems: it is not between head and tail any more
      return Code::unacked;
    }
    std::memcpy(kept, ring_.data(record.pos), memory::stored_bytes(layout(), record.length));
    FAULT("queue.kept");
    // Ledger first, then DONE: a kill in between leaves both, and the sweep drops one by position.
    held = ledger_.hold(record.pos, record.length, record.redeliveries);
    ring_.finish(record);
    announce_room();
  }
  taken.length = held.length;
  taken.deliveries = held.redeliveries.count() + 1;
  memory::SideRef side;
  if (stands_beside(held.length)) {
    if (const Code read = read_beside(held, side, into); read != Code::ok) return read;
  } else {
    std::memcpy(into, held.bytes, taken.length);
  }
  taken.receipt = remember(held, side);
  count_take(taken.length, taken.deliveries);
  return Code::ok;
}

Code Queue::read_beside(const Held& held, memory::SideRef& side, std::byte* into) noexcept {
  side = memory::SideRef::read(held.bytes);
  const Error error = sides_.read(side, into, held.length);
  if (error.code == Code::ok) return Code::ok;
  trouble_ = error;
  if (error.code == Code::lost) {
    let_go(held, side);
    announce_progress_at_end();
    announce_finished();
    pass_on(kTake);
  } else {
    ledger_.give_back(held, false);
    announce_returned();
  }
  return error.code;
}

bool Queue::let_go(const Held& held, const memory::SideRef& side) noexcept {
  if (!stands_beside(held.length)) return ledger_.release(held);
  const bool owned = sides_.own(side);
  FAULT("queue.owned_held");
  const bool ours = ledger_.release(held);
  if (owned) ours ? sides_.free(side) : sides_.disown(side);
  announce_side_room();
  return ours;
}

Code Queue::ack(double receipt) noexcept {
  const Receipt* received = recall(receipt);
  if (received == nullptr) return Code::not_owner;
  const bool ours = let_go(received->held, received->side);
  forget(receipt);
  announce_progress_at_end();
  announce_finished();
  return ours ? Code::ok : Code::corrupt;
}

Code Queue::ack_as_taken(double receipt) noexcept {
  if (recall(receipt) == nullptr) return Code::not_owner;
  tasks_.take();
  return ack(receipt);
}

Code Queue::task_done() noexcept {
  if (!tasks_.done()) return Code::not_owner;
  announce_finished();
  return Code::ok;
}

bool Queue::has_unfinished() noexcept {
  const Ledger::Counts counts = ledger_.count();
  return tasks_.any_own() || leases_.any() || counts.held > counts.held_by_others;
}

// Messages go one way, from the ring to a ledger or to a taker, and from a ledger to a taker, and are counted where they come to
// before they leave where they were. So whoever looks in that order misses none of those that were there when it began; and if
// tail has not moved until it is done, there are no others.
bool Queue::finished() noexcept {
  // seq_cst here and in all that follows: a joiner's look after it has listed itself (waiters.listed).
  const std::uint64_t tail = control_.tail.load(std::memory_order_seq_cst);
  FAULT("queue.tail_seen");
  ring_.advance_reclaim();
  if (!ring_.quiet()) return false;
  FAULT("queue.ring_seen");
  const Ledger::Counts counts = ledger_.count();
  if (counts.held != 0 || counts.returned != 0) return false;
  FAULT("queue.ledgers_seen");
  if (tasks_.any()) return false;
  FAULT("queue.tasks_seen");
  // SYNC ring.cursor: what a taker put before it was done with a message has moved tail for who saw it done.
  return control_.tail.load(std::memory_order_seq_cst) == tail;
}

Code Queue::nack(double receipt) noexcept { return give_back(receipt, true); }

Code Queue::undeliver(double receipt) noexcept { return give_back(receipt, false); }

Code Queue::give_back(double receipt, bool counted) noexcept {
  const Receipt* received = recall(receipt);
  if (received == nullptr) return Code::not_owner;
  const bool ours = ledger_.give_back(received->held, counted);
  forget(receipt);
  announce_returned();
  return ours ? Code::ok : Code::corrupt;
}

Code Queue::reserve(std::size_t length, Leased& leased) noexcept {
  if (leases_.full()) {
    pass_on(kPut);
    return Code::no_lease;
  }
  Lease lease;
  lease.kind = LeaseKind::slot;
  if (const Code code = claim(length, lease.record); code != Code::ok) return code;
  FAULT("lease.reserved");
  leased.bytes = ring_.data(lease.record.pos);
  leased.length = lease.record.length;
  leased.lease = leases_.add(lease, leased.length);
  return Code::ok;
}

Code Queue::commit(double number, std::size_t length) noexcept {
  const Lease* found = leases_.find(number);
  if (found == nullptr || found->kind != LeaseKind::slot) return Code::not_owner;
  if (length > found->record.length) return Code::too_large;
  return publish(leases_.remove(number).record, length, false);
}

Code Queue::peek(Leased& leased) noexcept {
  if (leases_.full()) {
    pass_on(kTake);
    return Code::no_lease;
  }
  InHand message;
  // What stands beside the ring has no place in memory that could be leased.
  const Code code = next(inline_bytes_, Carrying::take, message);
  if (code != Code::ok) {
    if (code != Code::empty) pass_on(kTake);  // what we cannot take may be for another
    return code;
  }
  FAULT("lease.peeked");
  Lease lease;
  lease.kind = LeaseKind::message;
  lease.in_ledger = message.in_ledger;
  lease.record = message.record;
  lease.held = message.held;
  if (message.in_ledger) {
    leased.bytes = message.held.bytes;
    leased.length = message.held.length;
    leased.deliveries = message.held.redeliveries.count() + 1;
  } else {
    leased.bytes = ring_.data(message.record.pos);
    leased.length = message.record.length;
    leased.deliveries = message.record.redeliveries.count() + 1;
    announce_room();  // of maxItems: it is not between head and tail any more
  }
  leased.lease = leases_.add(lease, leased.length);
  count_take(leased.length, leased.deliveries);
  return Code::ok;
}

Code Queue::release(double number) noexcept {
  const Lease* found = leases_.find(number);
  if (found == nullptr || found->kind != LeaseKind::message) return Code::not_owner;
  const Lease lease = leases_.remove(number);
  bool ours = true;
  if (lease.in_ledger) {
    ours = ledger_.release(lease.held);
  } else {
    ring_.finish(lease.record);
    announce_room();
  }
  FAULT("lease.released");
  announce_progress_at_end();
  announce_finished();
  return ours ? Code::ok : Code::corrupt;
}

Code Queue::abandon(double number) noexcept {
  if (leases_.find(number) == nullptr) return Code::not_owner;
  abandon(leases_.remove(number));
  return Code::ok;
}

void Queue::abandon(const Lease& lease) noexcept {
  if (lease.kind == LeaseKind::slot) {
    ring_.abandon(lease.record);
    FAULT("lease.aborted");
    // The messages that it hid have rung in vain, all but itself. The room behind it may lie free now.
    const std::uint32_t hidden = ring_.claims_since(lease.record) - 1;
    if (hidden > 0 && waiters_.anyone(kTake)) waiters_.wake(kTake, hidden);
    announce_room();
    announce_progress_at_end();
    announce_finished();
    return;
  }
  if (lease.in_ledger) {
    ledger_.give_back(lease.held, true);
  } else {
    ring_.give_back(lease.record, true);
  }
  announce_returned();
}

void Queue::announce_returned() noexcept {
  FAULT("queue.returned");
  // SYNC queue.redeliver: seq_cst, then look for sleepers, as after a publish.
  control_.redeliver.store(1, std::memory_order_seq_cst);
  if (waiters_.anyone(kTake)) waiters_.wake(kTake, 1);
}

void Queue::announce_room() noexcept {
  if (!waiters_.anyone(kPut)) return;
  const std::uint64_t room = ring_.has_room(1) ? ring_.room() : 0;
  if (room == 0) return;
  std::uint32_t count = ~0u;
  if (header().max_items != 0) {
    const std::uint64_t size = ring_.size();
    count = size < header().max_items ? static_cast<std::uint32_t>(header().max_items - size) : 0;
  }
  waiters_.wake(kPut, count, static_cast<std::uint32_t>(room));
}

// A record that hid others is no message any more. They have rung in vain, and the room is free, the one in maxItems too.
void Queue::announce_skipped() noexcept {
  if (waiters_.anyone(kTake)) waiters_.wake(kTake, static_cast<std::uint32_t>(ring_.size()));
  announce_room();
}

void Queue::announce_side_room() noexcept {
  if (waiters_.anyone(kPut)) waiters_.wake_beside();
}

void Queue::announce_progress_at_end() noexcept {
  // Readers at the end wait until nobody holds anything: every message that is let go may have been the last. seq_cst: they look
  // at `ended` after they have listed themselves (waiters.listed), and we after we have let go.
  if (control_.ended.load(std::memory_order_seq_cst) != 0 && waiters_.anyone(kTake))
    waiters_.wake_all(kTake);
}

void Queue::announce_finished() noexcept {
  if (waiters_.anyone(kJoin) && finished()) waiters_.wake_all(kJoin);
}

void Queue::pass_on(Side side) noexcept {
  if (side == kJoin) return;  // all joiners are woken at once
  if (side == kPut) {
    announce_room();
  } else if (waiters_.anyone(kTake) && worth_looking(kTake)) {
    waiters_.wake(kTake, 1);
  }
}

bool Queue::is_readable() noexcept {
  const bool worth = worth_looking(kTake);
  if (worth) pass_on(kTake);
  return worth;
}

void Queue::count_take(std::uint32_t length, std::uint32_t deliveries) noexcept {
  Participant& self = registry_.self_slot();
  bump(self.gets, 1);
  bump(self.got_bytes, length);
  if (deliveries > 1) bump(self.redelivered, 1);
  if (++operations_ % kClockEvery == 0) sweep_if_due(kBusySweepNs);
}

bool Queue::worth_looking(Side side) noexcept {
  if (side == kJoin) return finished();
  if (side == kPut) {
    return control_.ended.load(std::memory_order_seq_cst) != 0 ||
           (needed_beside_ != 0 ? sides_.has_room(needed_beside_) : ring_.has_room(needed_blocks_));
  }
  if (ring_.worth_taking()) return true;
  if (control_.ended.load(std::memory_order_seq_cst) == 0) return false;
  return ring_.at_end() ? drained() : ring_.can_seal();
}

// Work takes longer than a sleep: who waits for it to be done does not stay awake, and the looks are long.
bool Queue::worth_spinning(Side side, sync::Spinner& spin) noexcept {
  return side != kJoin && spin([this, side] { return worth_looking(side); });
}

// Whether a message came of a record that is being written.
bool Queue::worth_watching_writer() noexcept {
  const std::uint64_t bytes = ring_.bytes_being_written();
  if (bytes < sync::WriterWatch::kMinBytes) return false;
  FAULT("queue.watching");
  if (!writer_watch_(bytes, [this] { return worth_looking(kTake); })) return false;
  // Else it would be asleep already when the next one is begun.
  blocked_spin_.encourage();
  return true;
}

bool Queue::arm(Side side, std::uint32_t token) noexcept {
  if (worth_spinning(side, loop_spin_)) return true;
  Participant& self = registry_.self_slot();
  // relaxed: published by arming.
  self.token.store(token, std::memory_order_relaxed);
  if (side == kPut) self.need.store(need(), std::memory_order_relaxed);
  waiters_.arm_bell(side);
  bell_armed_[side] = true;
  if (!drained()) sweep_if_due(kIdleSweepNs);
  if (!worth_looking(side)) return false;
  // The look that follows makes up for any wake that comes in between.
  bell_armed_[side] = false;
  waiters_.disarm(side);
  return true;
}

void Queue::disarm(Side side) noexcept {
  if (!bell_armed_[side]) return;
  bell_armed_[side] = false;
  if (waiters_.disarm(side)) pass_on(side);
}

bool Queue::answer(Side side, bool slow_look) noexcept {
  if (!bell_armed_[side]) return false;
  if (slow_look) {
    sweep_if_due(kBusySweepNs / 2);
    if (!worth_looking(side) && !(side == kPut && is_deserted())) return false;
  }
  bell_armed_[side] = false;
  waiters_.disarm(side);
  return true;
}

bool Queue::wait(Side side, std::int64_t timeout_ns) noexcept {
  if (worth_spinning(side, blocked_spin_)) return true;
  if (side == kTake && worth_watching_writer()) return true;
  const std::int64_t deadline = platform::now_ns() + std::min(timeout_ns, sync::kSliceNs);
  const bool bell_was_armed = bell_armed_[side];
  if (bell_was_armed) disarm(side);
  if (side == kPut)
    registry_.self_slot().need.store(need(),
                                     std::memory_order_relaxed);  // relaxed: published by arming
  waiters_.arm_futex(side);
  bool worth = worth_looking(side);
  if (!worth) {
    if (!drained()) sweep_if_due(kIdleSweepNs);
    worth = worth_looking(side);
  }
  const bool slept = !worth;
  if (slept) waiters_.sleep(side, deadline);
  const bool rung = waiters_.disarm(side);
  // Whoever is told to look takes the wake with it; who leaves by time-out looks once more here.
  worth = rung || worth_looking(side);
  // Unless it came at the last moment, somebody should have rung.
  if (slept && !rung && worth) FAULT("queue.unrung");
  if (!worth) sweep_if_due(kIdleSweepNs);
  if (bell_was_armed && arm(side, registry_.self_slot().token.load(std::memory_order_relaxed))) {
    // Our own event loop waits too; it must look as well once we are done blocking it.
    waiters_.arm_bell(side);
    bell_armed_[side] = true;
    bell_.ring(bell_.id(), registry_.self_slot().token.load(std::memory_order_relaxed));
  }
  return worth || worth_looking(side);
}

void Queue::end() noexcept {
  // SYNC queue.ended: seq_cst, then wake: sleepers of both sides must look.
  control_.ended.store(1, std::memory_order_seq_cst);
  FAULT("queue.ended");
  ring_.seal();
  FAULT("queue.sealed");
  waiters_.wake_all(kTake);
  waiters_.wake_all(kPut);
}

bool Queue::ended() const noexcept { return control_.ended.load(std::memory_order_acquire) != 0; }

std::uint64_t Queue::size() noexcept {
  for (int attempt = 0;; ++attempt) {
    std::uint64_t returned = 0;
    std::uint64_t given_up =
        0;  // between head and tail, and no message: aborted, or its writer dead
    const std::uint64_t head = control_.head.load(std::memory_order_acquire);  // SYNC ring.cursor
    ring_.each([&](std::uint64_t pos, std::uint64_t word) {
      const State state = WordFormat::state(word);
      if (state == State::returned) ++returned;
      if (state == State::done && Cursor::distance(Cursor::pos(head), pos) >= 0) ++given_up;
    });
    const std::uint64_t between = ring_.size();
    // Of one moment, unless messages are being taken all the time: then it is out of date anyway.
    const bool settled = control_.head.load(std::memory_order_acquire) == head;
    if (!settled && attempt < 3) continue;
    return (between > given_up ? between - given_up : 0) + returned + ledger_.count().returned;
  }
}

QueueStats Queue::stats() noexcept {
  QueueStats stats;
  for (std::uint32_t i = 0; i < registry_.count(); ++i) {
    const Participant& slot = registry_.slot(i);
    // relaxed: counters order nothing.
    const auto read = [](const Word& word) { return word.load(std::memory_order_relaxed); };
    stats.puts += read(slot.puts);
    stats.gets += read(slot.gets);
    stats.put_bytes += read(slot.put_bytes);
    stats.got_bytes += read(slot.got_bytes);
    stats.waits += read(slot.waits);
    stats.wakes += read(slot.wakes);
    stats.redelivered += read(slot.redelivered);
    stats.high_water = std::max(stats.high_water, read(slot.high_water));
  }
  stats.high_water = std::max(stats.high_water, ring_.size());
  stats.participants = registry_.living();
  stats.unacknowledged = ledger_.count().held;
  return stats;
}

void Queue::sweep() noexcept {
  swept_at_ns_ = platform::coarse_now_ns();
  std::uint32_t returned = 0;
  bool recovered = false;
  bool skipped = false;
  ring_.each([&](std::uint64_t pos, std::uint64_t word) {
    const State state = WordFormat::state(word);
    if (state == State::returned) ++returned;
    if (state != State::writing && state != State::reading) return;
    const Owner owner = WordFormat::owner(word);
    if (!registry_.dead(owner)) return;
    recovered = true;
    if (state == State::writing) {
      ring_.skip(pos, word);
      skipped = true;
    } else if (ring_.recover_reading(pos, word, ledger_.holds(owner, pos))) {
      ++returned;
    }
  });
  if (ledger_.any_region()) {
    ledger_.each([&](std::uint32_t, std::uint32_t, memory::LedgerEntry& entry) {
      const std::uint64_t word = entry.word.load(std::memory_order_acquire);  // SYNC ledger.hold
      const EntryState state = EntryWord::state(word);
      if (state == EntryState::returned) ++returned;
      if (state != EntryState::held) return;
      const Owner owner = EntryWord::owner(word);
      if (!registry_.dead(owner)) return;
      recovered = true;
      // The ring's double goes first: whoever still sees it READING by the dead looks into the ledger and finds it there.
      ring_.finish_for(entry.pos.load(std::memory_order_relaxed), owner);
      if (ledger_.recover(entry, word)) ++returned;
    });
  }
  const bool freed = sides_.recover([this](const memory::SideRef& ref) { return names(ref); });
  sides_.drop_idle();
  FAULT("queue.swept");
  if (returned > 0) {
    control_.redeliver.store(1, std::memory_order_seq_cst);
    if (waiters_.anyone(kTake)) waiters_.wake(kTake, returned);
  }
  ring_.advance_reclaim();
  skipped ? announce_skipped() : announce_room();
  if (sides_.was_in_the_way() || freed) announce_side_room();
  // A dead consumer may have died with a wake in its hands.
  if (waiters_.anyone(kTake) && ring_.worth_taking()) waiters_.wake(kTake, 1);
  // Only then: a reader at the end that sweeps before it sleeps must not wake itself.
  if (recovered) announce_progress_at_end();
  // A dead consumer's tasks are nobody's, and a dead producer's record is no message.
  announce_finished();
}

memory::Named Queue::names(const memory::SideRef& ref) noexcept {
  // In this order: a message gets into a ledger before it leaves the ring.
  const memory::Named in_ring = ring_.names(ref);
  return in_ring == memory::Named::no ? ledger_.names(ref) : in_ring;
}

bool Queue::sweep_if_due(std::int64_t interval_ns) noexcept {
  if (platform::coarse_now_ns() - swept_at_ns_ < interval_ns) return false;
  sweep();
  return true;
}

void Queue::give_back_all() noexcept {
  bool any = false;
  if (ledger_.any_region()) {
    ledger_.each([&](std::uint32_t region, std::uint32_t index, memory::LedgerEntry& entry) {
      const std::uint64_t word = entry.word.load(std::memory_order_acquire);
      if (EntryWord::state(word) != EntryState::held || EntryWord::owner(word) != registry_.self())
        return;
      if (leases_.holds(region, index)) return;
      if (ledger_.recover(entry, word)) any = true;
    });
  }
  if (any) announce_returned();
  announce_progress_at_end();
}

void Queue::retire() noexcept {
  give_back_all();
  tasks_.drop();
  announce_finished();
  for (Side side : {kTake, kPut, kJoin}) disarm(side);
}

void Queue::close() noexcept {
  if (!open_) return;
  open_ = false;
  // Who waits for room there waits for nobody.
  if (is_listener() && registry_.self().slot == kListenerSlot) end();
  while (leases_.any()) abandon(leases_.remove_any());
  retire();
  registry_.leave();
  const bool gone = segment_->leave(
      bell_.directory(), [this](Segment& segment) { return holds_something(bell_, segment); });
  if (gone) redeem_all_of(bell_, *segment_);
}

double Queue::remember(const Held& held, const memory::SideRef& side) noexcept {
  std::uint32_t index = 0;
  if (free_receipts_.empty()) {
    index = static_cast<std::uint32_t>(receipts_.size());
    receipts_.emplace_back();
  } else {
    index = free_receipts_.back();
    free_receipts_.pop_back();
  }
  Receipt& receipt = receipts_[index];
  receipt.held = held;
  receipt.side = side;
  receipt.active = true;
  ++receipt.serial;
  return static_cast<double>(std::uint64_t{receipt.serial} << kReceiptIndexBits | index);
}

const Queue::Receipt* Queue::recall(double receipt) noexcept {
  if (!(receipt >= 0 && receipt < 9007199254740992.0)) return nullptr;
  const std::uint64_t number = static_cast<std::uint64_t>(receipt);
  const std::uint64_t index = number & ((1u << kReceiptIndexBits) - 1);
  if (index >= receipts_.size()) return nullptr;
  Receipt& found = receipts_[index];
  return found.active && found.serial == number >> kReceiptIndexBits ? &found : nullptr;
}

void Queue::forget(double receipt) noexcept {
  const std::uint32_t index = static_cast<std::uint32_t>(static_cast<std::uint64_t>(receipt) &
                                                         ((1u << kReceiptIndexBits) - 1));
  receipts_[index].active = false;
  free_receipts_.push_back(index);
}

}  // namespace interproc::ring
