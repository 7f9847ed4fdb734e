#include "ring/pipe_end.h"

#include <algorithm>
#include <utility>

#include "platform/clock.h"
#include "platform/fault.h"
#include "ring/carriage.h"
#include "ring/passengers.h"

namespace interproc::ring {

using memory::OpenMode;
using memory::Owner;
using memory::Segment;
using memory::Word;
using sync::kPut;
using sync::kTake;
using sync::Side;

namespace {

// How often a sleeper asks whether something still carries an end that is on its way: it reads the directory.
constexpr std::int64_t kDeepLookNs = 40'000'000;

// Rings whoever has the end, if that one sleeps. SYNC pipe.end: who takes an end looks at everything before it first sleeps.
void ring_owner(sync::Waiters& waiters, std::uint32_t slots, const Word& end, Side side) noexcept {
  const std::uint64_t word = end.load(std::memory_order_seq_cst);
  if (EndWord::is_somebodys(word) && EndWord::owner(word).slot < slots)
    waiters.wake_slot(side, EndWord::owner(word).slot);
}

// The tickets in messages of that direction, which nobody will read.
void redeem_undelivered(sync::Doorbell& bell, const Segment& segment, unsigned direction) noexcept {
  // SYNC segment.travels
  if ((segment.control().travels.load(std::memory_order_seq_cst) & memory::kHasCarried) == 0)
    return;
  for (const std::string& file : memory::Ticket::all_of(bell.directory(), segment.identity())) {
    memory::Ticket ticket;
    if (memory::Ticket::parse(file, ticket) &&
        ((ticket.serial & PipeEnd::kDirectionBit) != 0) == (direction != 0))
      redeem(bell, file);
  }
}

// An end that nobody has, and nobody will have, is closed; its peer is rung. `seen` is the word the verdict is about.
bool close_end(sync::Doorbell& bell, sync::Waiters& waiters, Segment& segment, unsigned index,
               std::uint64_t seen) noexcept {
  PipeWords& words = segment.pipe_words<PipeWords>();
  FAULT("pipe.close_for");
  // SYNC pipe.end: what the dead one published before is seen by who finds it closed.
  if (!words.ends[index].compare_exchange_strong(seen, EndWord::next(seen, EndState::closed),
                                                 std::memory_order_seq_cst))
    return false;
  FAULT("pipe.closed_for");
  for (Side side : {kTake, kPut})
    ring_owner(waiters, segment.header().max_participants, words.ends[1 - index], side);
  redeem_undelivered(bell, segment, 1 - index);
  return true;
}

bool take_unclaimed(std::uint64_t word) noexcept {
  return EndWord::state(word) == EndState::unclaimed;
}
bool take_arriving(std::uint64_t word) noexcept {
  return EndWord::state(word) == EndState::offered || EndWord::state(word) == EndState::flying;
}

// Called with nobody attached: only the doorbells of the dead are to be seen to.
bool holds_something(sync::Doorbell& bell, Segment& segment) noexcept {
  memory::Registry registry(segment);
  sync::Waiters waiters(segment, registry, bell);
  for (std::uint32_t slot = 0; slot < registry.count(); ++slot) {
    // SYNC registry.identity
    if ((registry.slot(slot).identity.load(std::memory_order_acquire) & memory::kSlotUsed) != 0)
      waiters.forget(static_cast<std::uint8_t>(slot));
  }
  return false;
}

}  // namespace

PipeEnd::PipeEnd(sync::Doorbell& bell, Segment& segment, unsigned index) noexcept
    : bell_(bell),
      shared_(segment),
      registry_(segment),
      waiters_(segment, registry_, bell),
      words_(segment.pipe_words<PipeWords>()),
      index_(index),
      outgoing_(words_.directions[index], segment.payload(one_way() ? 0 : index),
                segment.layout().payload_bytes),
      incoming_(words_.directions[1 - index], segment.payload(one_way() ? 0 : 1 - index),
                segment.layout().payload_bytes),
      receiving_(registry_, waiters_, bell, *this, kTake),
      sending_(registry_, waiters_, bell, *this, kPut) {}

Result<std::unique_ptr<PipeEnd>> PipeEnd::open(sync::Doorbell& bell, const std::string& name,
                                               OpenMode mode, const memory::Header& wanted,
                                               unsigned index, Takes takes,
                                               std::uint64_t identity) noexcept {
  // Before anybody can own the end: by the bell's silence the other end learns of our death.
  if (Error error = bell.hang(); error.code != Code::ok) return error;
  std::unique_ptr<PipeEnd> end;
  Segment::Kindred kindred;
  kindred.initialise = [](Segment&) {};
  kindred.holds_something = [&bell](Segment& segment) { return holds_something(bell, segment); };
  kindred.removed = [&bell](Segment& segment) { redeem_all_of(bell, segment); };
  kindred.join = [&](Segment& segment) -> Error {
    if (identity != 0 && segment.identity() != identity)
      return fail(Code::not_found, "the pipe is gone, and another has its name");
    end.reset(new PipeEnd(bell, segment, index));
    if (Error error = end->registry_.join([&](Owner last) { end->sweep(last, takes); });
        error.code != Code::ok)
      return error;
    if (end->take(takes)) return {};
    if (takes != take_arriving) {
      end->registry_.leave();
      return fail(Code::busy, "another has this end of the pipe");
    }
    end->lost_ = true;
    return {};
  };
  auto segment = Segment::open(bell.directory(), name, mode, wanted, kindred);
  if (!segment.ok()) return segment.error();
  end->segment_ = std::move(segment.value());
  end->open_ = true;
  // Whoever waits at the other end now listens to our bell instead of the last owner's.
  for (Side side : {kTake, kPut})
    ring_owner(end->waiters_, end->registry_.count(), end->peer_end(), side);
  return end;
}

// What the last user of our slot had, or one before it that nobody has found dead: generations wrap.
// Not what we have come to take.
void PipeEnd::sweep(Owner last, Takes takes) noexcept {
  waiters_.forget(last.slot);
  for (unsigned index : {0u, 1u}) {
    const std::uint64_t word = words_.ends[index].load(std::memory_order_seq_cst);
    if (index == index_ && takes(word)) continue;
    if (EndWord::is_somebodys(word) && EndWord::owner(word).slot == last.slot)
      close_end(bell_, waiters_, shared_, index, word);
  }
}

bool PipeEnd::take(Takes takes) noexcept {
  // relaxed: seen by who sees the end's word.
  registry_.self_slot().bell.store(bell_.id(), std::memory_order_relaxed);
  std::uint64_t word = own_end().load(std::memory_order_seq_cst);
  do {
    if (!takes(word)) return false;
    FAULT("pipe.take");
    // SYNC pipe.end: acquire, so that what the last owner sent and received is seen.
  } while (!own_end().compare_exchange_strong(
      word, EndWord::next(word, EndState::owned, registry_.self()), std::memory_order_seq_cst));
  FAULT("pipe.taken");
  owned_ = true;
  return true;
}

Result<std::unique_ptr<PipeEnd>> PipeEnd::create(sync::Doorbell& bell, const std::string& name,
                                                 const memory::Header& wanted,
                                                 unsigned index) noexcept {
  return open(bell, name, OpenMode::create, wanted, index, take_unclaimed, 0);
}

Result<std::unique_ptr<PipeEnd>> PipeEnd::claim(sync::Doorbell& bell, const std::string& name,
                                                unsigned index) noexcept {
  memory::Header wanted{};
  wanted.kind = memory::Kind::pipe;
  return open(bell, name, OpenMode::open, wanted, index, take_unclaimed, 0);
}

Result<std::unique_ptr<PipeEnd>> PipeEnd::arrive(sync::Doorbell& bell, const std::string& name,
                                                 const memory::Ticket& ticket) noexcept {
  memory::Header wanted{};
  wanted.kind = memory::Kind::pipe;
  return open(bell, name, OpenMode::open, wanted, static_cast<unsigned>(ticket.serial & kEndBit),
              take_arriving, ticket.object);
}

void PipeEnd::tidy_up(sync::Doorbell& bell, const std::string& name,
                      const std::function<void(Segment&)>& removed) noexcept {
  Segment::Kindred kindred;
  kindred.holds_something = [&bell](Segment& segment) { return holds_something(bell, segment); };
  kindred.removed = removed;
  // Who is attached and does not join leaves again, which is what is wanted.
  kindred.join = [](Segment&) { return fail(Code::no_slot, "not meant to join"); };
  memory::Header wanted{};
  wanted.kind = memory::Kind::pipe;
  [[maybe_unused]] const auto opened =
      Segment::open(bell.directory(), name, OpenMode::open, wanted, kindred);
}

void PipeEnd::lost(sync::Doorbell& bell, const std::string& name, unsigned index) noexcept {
  Segment::Kindred kindred;
  kindred.holds_something = [&bell](Segment& segment) { return holds_something(bell, segment); };
  kindred.removed = [&bell](Segment& segment) { redeem_all_of(bell, segment); };
  kindred.join = [&](Segment& segment) {
    const std::uint64_t word =
        segment.pipe_words<PipeWords>().ends[index].load(std::memory_order_seq_cst);
    if (EndWord::state(word) == EndState::flying && !can_arrive(bell, segment.identity(), index)) {
      memory::Registry registry(segment);
      sync::Waiters waiters(segment, registry, bell);
      close_end(bell, waiters, segment, index, word);
    }
    return fail(Code::no_slot, "not meant to join");
  };
  memory::Header wanted{};
  wanted.kind = memory::Kind::pipe;
  [[maybe_unused]] const auto opened =
      Segment::open(bell.directory(), name, OpenMode::open, wanted, kindred);
}

// --- sending -------------------------------------------------------------------------------------------------------------

// SYNC pipe.end: seen closed, all that was ever sent here is in the ring.
bool PipeEnd::peer_closed() const noexcept {
  return EndWord::state(peer_end().load(std::memory_order_seq_cst)) == EndState::closed;
}

void PipeEnd::ring_peer(Side side) noexcept {
  // Besides the other end only we are ever listed, on the same side: for the other ring.
  const std::uint32_t slot = registry_.self().slot;
  const std::uint64_t ours = std::uint64_t{1} << slot;
  // SYNC waiters.listed
  if ((waiters_.listed(side)[0].load(std::memory_order_seq_cst) & ~ours) == 0) return;
  ring_owner(waiters_, registry_.count(), peer_end(), side);
}

Code PipeEnd::no_room(std::uint64_t length) noexcept {
  want(length);
  return peer_closed() ? Code::ended : Code::full;
}

Code PipeEnd::send(const std::byte* bytes, std::size_t length, std::uint32_t marks) noexcept {
  if (lost_ || peer_closed()) return Code::ended;
  if (length > outgoing_.whole_bytes()) return Code::too_large;
  if (outgoing_.room() < FrameRing::units_for(length)) return no_room(length);
  FAULT("pipe.send");
  outgoing_.put(nullptr, 0, bytes, static_cast<std::uint32_t>(length), marks << kMarksShift);
  FAULT("pipe.sent");
  ring_peer(kTake);
  return Code::ok;
}

Code PipeEnd::send_parts(const std::byte* bytes, std::size_t length, std::size_t& from,
                         std::uint32_t marks) noexcept {
  // What is whole in its first frame is no message in parts.
  if (from == 0 && length <= outgoing_.whole_bytes()) {
    const Code code = send(bytes, length, marks);
    if (code == Code::ok) from = length;
    return code;
  }
  if (length > header().max_message_bytes) return Code::too_large;
  // Small enough that both sides copy at the same time, and large enough that the looks between cost nothing.
  const std::uint64_t most = outgoing_.whole_bytes() / 4;
  while (from < length) {
    if (lost_ || peer_closed()) return Code::ended;
    const std::uint64_t total = length;
    const std::uint32_t before = from == 0 ? FrameRing::kTotalBytes : 0;
    const auto part = static_cast<std::uint32_t>(std::min<std::uint64_t>(most, length - from));
    if (outgoing_.room() < FrameRing::units_for(std::uint64_t{before} + part))
      return no_room(std::uint64_t{before} + part);
    FAULT("pipe.send_part");
    const std::uint32_t flags = (from == 0 ? 0 : kRest) | (from + part < length ? kMore : 0);
    outgoing_.put(&total, before, bytes + from, part, flags | marks << kMarksShift);
    FAULT("pipe.sent_part");
    from += part;
    ring_peer(kTake);
  }
  return Code::ok;
}

// --- receiving -----------------------------------------------------------------------------------------------------------

Code PipeEnd::front(FrameRing::Frame& frame) noexcept {
  if (lost_) return Code::ended;
  FrameRing::Found found = incoming_.front(frame);
  if (found == FrameRing::Found::nothing) {
    FAULT("pipe.seen_empty");
    if (!peer_closed()) return Code::empty;
    // Closed after its last message: one more look decides.
    found = incoming_.front(frame);
    if (found == FrameRing::Found::nothing) return Code::ended;
  }
  return found == FrameRing::Found::frame ? Code::ok : Code::corrupt;
}

void PipeEnd::pop(const FrameRing::Frame& frame) noexcept {
  incoming_.pop(frame);
  FAULT("pipe.popped");
  ring_peer(kPut);
}

Code PipeEnd::look(Received& received, FrameRing::Frame& frame) noexcept {
  // The rest of a message whose beginning was received and forgotten: by an owner of this end before us, say. A ring of them at most:
  // who keeps sending them keeps nobody in here.
  for (std::uint64_t rests = 0;; ++rests) {
    if (const Code code = front(frame); code != Code::ok) return code;
    if ((frame.flags & kRest) == 0) break;
    if (rests * FrameRing::kUnit > incoming_.whole_bytes()) return Code::empty;
    pop(frame);
    unfinished_ = false;
  }
  received.marks = (frame.flags & kEveryMark) >> kMarksShift;
  received.length = frame.length;
  received.in_parts = (frame.flags & kMore) != 0;
  if (!received.in_parts) return Code::ok;
  std::uint64_t total = 0;
  if (frame.length < sizeof total) return Code::corrupt;
  std::memcpy(&total, frame.bytes, sizeof total);  // copied once, checked, then used
  if (total > header().max_message_bytes || total <= frame.length - sizeof total)
    return Code::corrupt;
  received.length = static_cast<std::uint32_t>(total);
  return Code::ok;
}

Code PipeEnd::look(Received& received) noexcept {
  FrameRing::Frame frame;
  return look(received, frame);
}

Code PipeEnd::receive(std::byte* into, std::size_t room, Received& received) noexcept {
  FrameRing::Frame frame;
  if (const Code code = look(received, frame); code != Code::ok) return code;
  if (received.in_parts || received.length > room) return Code::too_large;
  if (frame.length > 0) std::memcpy(into, frame.bytes, frame.length);
  FAULT("pipe.copied");
  unfinished_ = (frame.flags & kCarrying) != 0;
  if (!unfinished_) pop(frame);
  return Code::ok;
}

Code PipeEnd::fill(std::byte* into, std::size_t bytes, std::size_t& filled) noexcept {
  for (;;) {
    FrameRing::Frame frame;
    if (const Code code = front(frame); code != Code::ok) return code;
    const bool is_rest = (frame.flags & kRest) != 0;
    if (!is_rest && filled > 0) return Code::lost;
    const std::uint32_t before = is_rest ? 0 : FrameRing::kTotalBytes;
    if (is_rest != (filled > 0) || frame.length <= before || frame.length - before > bytes - filled)
      return Code::corrupt;
    std::memcpy(into + filled, frame.bytes + before, frame.length - before);
    filled += frame.length - before;
    FAULT("pipe.filled");
    const bool is_last = (frame.flags & kMore) == 0;
    // Of a carrying message the last part stays until the handles in it were opened.
    unfinished_ = is_last && (frame.flags & kCarrying) != 0;
    if (!unfinished_) pop(frame);
    if (is_last) return filled == bytes ? Code::ok : Code::corrupt;
  }
}

void PipeEnd::finish() noexcept {
  FrameRing::Frame frame;
  if (std::exchange(unfinished_, false) && front(frame) == Code::ok) pop(frame);
}

// --- the other end -------------------------------------------------------------------------------------------------------

bool PipeEnd::peer_gone(bool deep) noexcept {
  if (lost_) return true;
  for (;;) {
    const std::uint64_t word = peer_end().load(std::memory_order_seq_cst);
    switch (EndWord::state(word)) {
      case EndState::unclaimed:
        return false;
      case EndState::owned:
      case EndState::offered:
        if (!registry_.dead(EndWord::owner(word))) return false;
        break;
      case EndState::flying:
        if (!deep || can_arrive_still(bell_, shared_.identity(), 1 - index_)) return false;
        break;
      default:
        return true;
    }
    if (close_end(bell_, waiters_, shared_, 1 - index_, word)) return true;
  }
}

std::uint64_t PipeEnd::peer_bell() const noexcept {
  const std::uint64_t word = peer_end().load(std::memory_order_seq_cst);
  if (!EndWord::is_somebodys(word) || EndWord::owner(word).slot >= registry_.count()) return 0;
  // relaxed: written before the end was taken; another's, if that one is gone by now, says as much.
  return registry_.slot(EndWord::owner(word).slot).bell.load(std::memory_order_relaxed);
}

// --- moving --------------------------------------------------------------------------------------------------------------

bool PipeEnd::change(EndState from, EndState to) noexcept {
  std::uint64_t word = own_end().load(std::memory_order_seq_cst);
  do {
    if (EndWord::state(word) != from || EndWord::owner(word) != registry_.self()) return false;
    // SYNC pipe.end: release, so that the next owner sees what we sent and received.
  } while (!own_end().compare_exchange_strong(word, EndWord::next(word, to, registry_.self()),
                                              std::memory_order_seq_cst));
  return true;
}

Code PipeEnd::offer() noexcept {
  return owned_ && change(EndState::owned, EndState::offered) ? Code::ok : Code::not_owner;
}

void PipeEnd::stay() noexcept { change(EndState::offered, EndState::owned); }

void PipeEnd::give_away() noexcept {
  FAULT("pipe.depart");
  change(EndState::offered, EndState::flying);  // fails if whoever got the message has it already
  FAULT("pipe.departed");
  owned_ = false;
}

Result<memory::Ticket> PipeEnd::issue_ticket(Segment& passenger, std::uint64_t bits) noexcept {
  if (passenger.identity() == shared_.identity())
    return fail(Code::argument, "an end cannot be sent through its own pipe");
  return memory::Ticket::issue(bell_.directory(), passenger, shared_,
                               bits | (index_ != 0 ? kDirectionBit : 0));
}

// --- waiting -------------------------------------------------------------------------------------------------------------

bool PipeEnd::worth_trying(Side side) noexcept {
  if (side == kTake ? incoming_.holds_something() : outgoing_.room() >= wanted_) return true;
  return lost_ || peer_closed();
}

void PipeEnd::look_for_the_dead(Side) noexcept {
  if (is_slow_look_ && told_of_ != 0 && told_of_ == peer_bell()) return;
  const std::int64_t now = platform::coarse_now_ns();
  const bool is_flying =
      EndWord::state(peer_end().load(std::memory_order_seq_cst)) == EndState::flying;
  const bool deep = is_flying && now - looked_deep_at_ns_ >= kDeepLookNs &&
                    is_due(shared_.identity(), 1 - index_);
  if (deep) looked_deep_at_ns_ = now;
  peer_gone(deep);
}

bool PipeEnd::arm(Side side, std::uint32_t token) noexcept { return waiting(side).arm(token); }
void PipeEnd::disarm(Side side) noexcept {
  if (waiting(side).armed()) waiting(side).leave();
}
bool PipeEnd::answer(Side side, bool slow_look) noexcept {
  is_slow_look_ = slow_look;
  const bool worth = waiting(side).answer(slow_look);
  is_slow_look_ = false;
  return worth;
}
bool PipeEnd::wait(Side side, std::int64_t timeout_ns) noexcept {
  return waiting(side).wait(timeout_ns);
}

// --- the end of the end --------------------------------------------------------------------------------------------------

void PipeEnd::retire() noexcept {
  for (Side side : {kTake, kPut}) disarm(side);
  if (!std::exchange(owned_, false)) return;
  FAULT("pipe.close");
  if (!change(EndState::owned, EndState::closed) && !change(EndState::offered, EndState::closed))
    return;
  FAULT("pipe.closed");
  for (Side side : {kTake, kPut}) ring_owner(waiters_, registry_.count(), peer_end(), side);
  redeem_undelivered(bell_, shared_, 1 - index_);
}

void PipeEnd::close() noexcept {
  if (!open_) return;
  open_ = false;
  retire();
  registry_.leave();
  const bool gone = segment_->leave(
      bell_.directory(), [this](Segment& segment) { return holds_something(bell_, segment); });
  if (gone) redeem_all_of(bell_, *segment_);
}

}  // namespace interproc::ring
