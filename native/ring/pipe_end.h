#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "memory/registry.h"
#include "memory/segment.h"
#include "memory/ticket.h"
#include "ring/end_word.h"
#include "ring/frame_ring.h"
#include "sync/awaited.h"
#include "sync/doorbell.h"
#include "sync/waitable.h"
#include "sync/waiters.h"
#include "sync/waiting.h"

namespace interproc::ring {

// Behind the Control of a pipe. Direction d leads from end d to the other.
struct PipeWords {
  Direction directions[2];
  alignas(memory::kLine) memory::Word ends[2];
};

struct Received {
  std::uint32_t length = 0;
  std::uint32_t marks = 0;
  bool in_parts =
      false;  // the first part of a message, of which `length` is the whole: fill() has it
};

// One end of a pipe in the hands of this process: a participant of the pipe's segment that owns the end. The other end gets what was
// sent here and then EOF, when this one is closed, when its process dies, and when it is lost on its way in a message.
// One object belongs to one thread.
class PipeEnd final : public sync::Waitable, private sync::Awaited {
 public:
  // Ends that come and go: each move has two participants for a moment, and the dead leave slots for others.
  static constexpr std::uint32_t kParticipants = 8;

  // A new pipe, and its end `index`. `bell` must outlive the end.
  static Result<std::unique_ptr<PipeEnd>> create(sync::Doorbell& bell, const std::string& name,
                                                 const memory::Header& wanted,
                                                 unsigned index) noexcept;
  // The other end of a pipe that was just made; busy: somebody has it.
  static Result<std::unique_ptr<PipeEnd>> claim(sync::Doorbell& bell, const std::string& name,
                                                unsigned index) noexcept;
  // The end that is on its way to us: `ticket` names it. If it was closed on its way, or another has it, it is lost: everything on it
  // is ended.
  static Result<std::unique_ptr<PipeEnd>> arrive(sync::Doorbell& bell, const std::string& name,
                                                 const memory::Ticket& ticket) noexcept;
  // Removes the pipe of this name if nobody has it open and nothing keeps it.
  static void tidy_up(sync::Doorbell& bell, const std::string& name,
                      const std::function<void(memory::Segment&)>& removed) noexcept;
  // The message with the end was lost: if it still is on its way, by no other ticket, the other end gets EOF.
  static void lost(sync::Doorbell& bell, const std::string& name, unsigned index) noexcept;
  // The bits of a ticket's serial that say which end of a pipe it is for, and, in a carrier that is a pipe, by which direction.
  static constexpr std::uint64_t kEndBit = 1;
  static constexpr std::uint64_t kDirectionBit = 2;

  ~PipeEnd() override { close(); }
  PipeEnd(const PipeEnd&) = delete;
  PipeEnd& operator=(const PipeEnd&) = delete;

  const memory::Header& header() const noexcept { return shared_.header(); }
  memory::Segment& segment() noexcept { return shared_; }
  unsigned index() const noexcept { return index_; }
  std::uint32_t slot() const noexcept { return registry_.self().slot; }
  bool lost() const noexcept { return lost_; }
  bool can_send() const noexcept { return !one_way() || index_ == 1; }
  bool can_receive() const noexcept { return !one_way() || index_ == 0; }
  const PipeWords& words() const noexcept { return words_; }
  // The largest message that is one frame.
  std::uint64_t whole_bytes() const noexcept { return outgoing_.whole_bytes(); }

  // Sending: only from an end that can.

  // All of it or nothing: ok, full, ended (the other end is gone), too_large (for a frame).
  Code send(const std::byte* bytes, std::size_t length, std::uint32_t marks) noexcept;
  // Goes on with a message in parts, of which `from` bytes have gone: ok (all), full (with how far it has got), ended, too_large (for
  // the pipe). One that fits into a frame goes whole.
  Code send_parts(const std::byte* bytes, std::size_t length, std::size_t& from,
                  std::uint32_t marks) noexcept;
  // JavaScript has sent, or received, by itself and seen that somebody sleeps.
  void ring_peer(sync::Side side) noexcept;
  // What the next wait for room waits for.
  void want(std::uint64_t length) noexcept { wanted_ = FrameRing::units_for(length); }

  // Receiving: only at an end that can.

  // ok, empty, ended, corrupt; too_large: `received.length` says how much room it wants, and it stays. A carrying message stays
  // until finish(). Of one in parts nothing is taken but what is left of one given up.
  Code receive(std::byte* into, std::size_t room, Received& received) noexcept;
  // The next message as receive() would find it, without taking it: ok, empty, ended, corrupt. Neither is for the middle of parts,
  // which it would forget.
  Code look(Received& received) noexcept;
  // Takes what there is of the message in parts: ok (complete), empty, ended, corrupt; lost: its sender gave it up, and it is forgotten.
  Code fill(std::byte* into, std::size_t bytes, std::size_t& filled) noexcept;
  // The carrying message that was received last is consumed.
  void finish() noexcept;

  // Whether the other end is gone, by the kernel's word; `deep`: also for an end on its way, whether something still carries it.
  bool peer_gone(bool deep) noexcept;
  // The doorbell of whoever has the other end, which falls silent when that one dies; 0: nobody has, or none.
  std::uint64_t peer_bell() const noexcept;
  // Somebody tells us when whoever has this bell dies, so that sleepers need not ask the kernel; 0: nobody does.
  void told_of(std::uint64_t bell) noexcept { told_of_ = bell; }

  // On its way in a message: offered before the message is put; not_owner if it is not ours any more.
  Code offer() noexcept;
  void stay() noexcept;
  // The message was put: the end is no longer ours; close() follows.
  void give_away() noexcept;

  bool arm(sync::Side side, std::uint32_t token) noexcept override;
  void disarm(sync::Side side) noexcept override;
  bool answer(sync::Side side, bool slow_look) noexcept override;
  bool wait(sync::Side side, std::int64_t timeout_ns) noexcept override;

  // A ticket for a handle in a message that is sent here; `bits`: which end, of a pipe. argument: of this very pipe.
  Result<memory::Ticket> issue_ticket(memory::Segment& passenger, std::uint64_t bits) noexcept;
  // Waits for nothing any more, and lets go of the end; the memory stays until close().
  void retire() noexcept;
  void close() noexcept;

 private:
  PipeEnd(sync::Doorbell& bell, memory::Segment& segment, unsigned index) noexcept;
  // Whether an end with this word is ours to take.
  using Takes = bool (*)(std::uint64_t word) noexcept;
  static Result<std::unique_ptr<PipeEnd>> open(sync::Doorbell& bell, const std::string& name,
                                               memory::OpenMode mode, const memory::Header& wanted,
                                               unsigned index, Takes takes,
                                               std::uint64_t identity) noexcept;

  bool one_way() const noexcept { return (header().flags & memory::kOneWay) != 0; }
  memory::Word& own_end() noexcept { return words_.ends[index_]; }
  memory::Word& peer_end() const noexcept { return words_.ends[1 - index_]; }
  sync::Waiting& waiting(sync::Side side) noexcept {
    return side == sync::kTake ? receiving_ : sending_;
  }
  void sweep(memory::Owner last, Takes takes) noexcept;
  bool take(Takes takes) noexcept;
  // Of our own end, if it is ours.
  bool change(EndState from, EndState to) noexcept;
  bool peer_closed() const noexcept;
  Code no_room(std::uint64_t length) noexcept;
  Code front(FrameRing::Frame& frame) noexcept;
  Code look(Received& received, FrameRing::Frame& frame) noexcept;
  void pop(const FrameRing::Frame& frame) noexcept;

  bool worth_trying(sync::Side side) noexcept override;
  void look_for_the_dead(sync::Side side) noexcept override;
  void line_up(sync::Side) noexcept override {}
  void give_up(sync::Side) noexcept override {}

  sync::Doorbell& bell_;
  std::unique_ptr<memory::Segment> segment_;
  memory::Segment& shared_;
  memory::Registry registry_;
  sync::Waiters waiters_;
  PipeWords& words_;
  unsigned index_;
  FrameRing outgoing_;
  FrameRing incoming_;
  sync::Waiting receiving_;
  sync::Waiting sending_;
  std::uint32_t wanted_ = 1;  // units that the send which found no room last wants
  bool open_ = false;
  bool owned_ = false;
  bool lost_ = false;
  bool unfinished_ = false;  // the frame in front belongs to a carrying message that was received
  std::int64_t looked_deep_at_ns_ = 0;
  std::uint64_t told_of_ = 0;
  bool is_slow_look_ = false;
};

}  // namespace interproc::ring
