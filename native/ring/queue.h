#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "memory/registry.h"
#include "memory/segment.h"
#include "memory/side_regions.h"
#include "memory/ticket.h"
#include "ring/leases.h"
#include "ring/ledger.h"
#include "ring/mpmc_ring.h"
#include "ring/tasks.h"
#include "sync/doorbell.h"
#include "sync/spin.h"
#include "sync/waitable.h"
#include "sync/waiters.h"

namespace interproc::ring {

struct Taken {
  std::uint32_t length = 0;
  std::uint32_t deliveries = 0;  // 1: the first time
  double receipt = 0;            // of a receive
};

// A lease that was just granted: the record's own memory, which is the holder's until the lease ends.
struct Leased {
  double lease = 0;
  std::byte* bytes = nullptr;
  std::uint32_t length = 0;
  std::uint32_t deliveries = 0;  // of a message
};

struct QueueStats {
  std::uint64_t puts = 0;
  std::uint64_t gets = 0;
  std::uint64_t put_bytes = 0;
  std::uint64_t got_bytes = 0;
  std::uint64_t waits = 0;
  std::uint64_t wakes = 0;
  std::uint64_t redelivered = 0;
  std::uint64_t high_water = 0;
  std::uint32_t participants = 0;
  std::uint32_t unacknowledged = 0;
};

// Of a listener: who made it, from before it has its name. Who joins later has another slot.
inline constexpr std::uint32_t kListenerSlot = 0;

// A queue of byte messages between processes: the ring, the places beside it for what is larger, the ledger and the waiters of
// one segment, and the recovery of what the dead left in them. One object is one participant; it belongs to one thread.
class Queue final : public sync::Waitable {
 public:
  // `bell` must outlive the queue.
  static Result<std::unique_ptr<Queue>> open(sync::Doorbell& bell, const std::string& name,
                                             memory::OpenMode mode,
                                             const memory::Header& wanted) noexcept;
  // Removes the queue of this name and kind if nobody has it open and nothing keeps it; `removed` sees it then.
  static void tidy_up(sync::Doorbell& bell, const std::string& name, memory::Kind kind,
                      const std::function<void(memory::Segment&)>& removed) noexcept;
  // Removes the name of a listener whose maker is gone, also while others have it open; who waits in it is rung. False: it is no
  // listener, or somebody listens.
  static bool remove_deserted(sync::Doorbell& bell, const std::string& name) noexcept;
  ~Queue() override { close(); }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  const memory::Header& header() const noexcept { return shared_.header(); }
  const memory::Layout& layout() const noexcept { return shared_.layout(); }

  // ok, full, ended, too_large, corrupt; of a message that goes beside the ring also no_space and what else the system said.
  Code put(const std::byte* bytes, std::size_t length) noexcept {
    return put(bytes, length, false);
  }
  // As put, of a message with tickets in it (memory/ticket.h): only `receive` takes it, so that they last until it is
  // acknowledged.
  Code put_carrying(const std::byte* bytes, std::size_t length) noexcept {
    return put(bytes, length, true);
  }
  // ok, empty, ended, too_large (`taken.length` says how much room it wants; the message stays), carries (it stays, and is to be
  // received), corrupt; of one beside the ring also lost (it is gone, and so is its record) and what the system said (it stays).
  Code take(std::byte* into, std::size_t room, Taken& taken) noexcept;
  // As take, but only a message in the ring that never was delivered before and does not carry, and no EOF: for filling a batch
  // after its first.
  Code take_another(std::byte* into, std::size_t room, Taken& taken) noexcept;
  // As take, and keeps the message in the ledger; also unacked, no_space.
  Code receive(std::byte* into, std::size_t room, Taken& taken) noexcept;
  // not_owner: no such receipt.
  Code ack(double receipt) noexcept;
  Code nack(double receipt) noexcept;
  // As nack, but that delivery does not count.
  Code undeliver(double receipt) noexcept;
  // As ack, and the message counts as taken: it wants a task_done.
  Code ack_as_taken(double receipt) noexcept;

  // One message that take() handed over is finished. not_owner: none is left that is not.
  Code task_done() noexcept;
  // Whether this participant itself has taken something without its task_done, or holds something unacknowledged, or a lease: a
  // slot too, behind which nothing is ever seen to be finished.
  bool has_unfinished() noexcept;
  // Whether there was a moment during this call at which no message that had been put was unfinished: none in the ring or in a
  // ledger, none taken by a living participant without its task_done.
  bool finished() noexcept;

  // Leases: records filled and read in place. What is reserved hides the messages behind it, and both pin their room, until
  // the lease ends. no_lease: there are as many as there may be.

  // Room for `length` bytes. ok, full, ended, too_large, no_lease, corrupt.
  Code reserve(std::size_t length, Leased& leased) noexcept;
  // Puts the first `length` bytes of a reserved slot. not_owner: there is no such lease, or it is no slot; too_large: than what
  // was reserved, and it stays; corrupt.
  Code commit(double lease, std::size_t length) noexcept;
  // The next message, in place. ok, empty, ended, no_lease, corrupt.
  Code peek(Leased& leased) noexcept;
  // The message has been read: it is consumed. not_owner: there is no such lease, or it is no message; corrupt.
  Code release(double lease) noexcept;
  // The reserved room is free again; the message goes to another, marked. not_owner.
  Code abandon(double lease) noexcept;
  // What all living participants hold.
  std::vector<LeaseNotice> leases() const noexcept { return leases_.notices(); }

  // What the system said when a call last ended with its code.
  const Error& trouble() const noexcept { return trouble_; }

  bool arm(sync::Side side, std::uint32_t token) noexcept override;
  void disarm(sync::Side side) noexcept override;
  bool answer(sync::Side side, bool slow_look) noexcept override;
  bool armed(sync::Side side) const noexcept { return bell_armed_[side]; }

  bool wait(sync::Side side, std::int64_t timeout_ns) noexcept override;

  void end() noexcept;
  bool ended() const noexcept;
  // Of a listener: whether whoever made it lives and has not ended it.
  bool listens() const noexcept { return !ended() && !registry_.vacant(kListenerSlot); }
  // Messages that can be had, and those being written at this moment; given-back ones included.
  std::uint64_t size() noexcept;
  bool is_full() noexcept { return ring_.is_full(); }
  // Whether a take would not have to wait. Who asks takes nothing: a wake that he has used up is passed on.
  bool is_readable() noexcept;
  QueueStats stats() noexcept;
  Error unlink() noexcept { return segment_->unlink(bell_.directory()); }
  // Tells it from every other object, also from one that had its name before.
  std::uint64_t identity() const noexcept { return shared_.identity(); }
  memory::Segment& segment() noexcept { return shared_; }
  // A ticket for a handle of `passenger` that goes into a message of this queue (memory/ticket.h).
  Result<memory::Ticket> issue_ticket(memory::Segment& passenger, std::uint64_t bits = 0) noexcept {
    return memory::Ticket::issue(bell_.directory(), passenger, shared_, bits);
  }
  // The same for a message that is moved here from another queue.
  Result<memory::Ticket> copy_ticket(const memory::Ticket& from) noexcept {
    return memory::Ticket::copy(bell_.directory(), from, shared_);
  }
  // Gives back all but leases and waits for nothing any more: for who must end some leases later than he closes.
  void retire() noexcept;
  void close() noexcept;

  // Recovers what dead participants left unfinished. Called by itself when due; tests call it at once.
  void sweep() noexcept;

 private:
  Queue(sync::Doorbell& bell, memory::Segment& segment) noexcept
      : bell_(bell),
        registry_(segment),
        ring_(segment, registry_),
        ledger_(segment, registry_),
        tasks_(registry_),
        leases_(registry_),
        sides_(segment, registry_),
        waiters_(segment, registry_, bell),
        control_(segment.control()),
        shared_(segment),
        inline_bytes_(segment.layout().payload_bytes) {}

  static bool holds_something(sync::Doorbell& bell, memory::Segment& segment) noexcept;
  bool is_listener() const noexcept { return header().kind == memory::Kind::listener; }
  bool is_deserted() const noexcept { return is_listener() && !listens(); }

  // A message in our hands: in the ring, or taken over in a ledger.
  struct InHand {
    bool in_ledger = false;
    Record record;
    Held held;
  };
  // Why a message of this length is not taken, whatever the room.
  Code refuse(std::size_t length) const noexcept;
  Code claim(std::size_t length, Record& record) noexcept;
  Code publish(const Record& record, std::size_t length, bool carries) noexcept;
  void abandon(const Lease& lease) noexcept;
  bool is_rest_our_own() noexcept;
  bool stands_beside(std::uint64_t length) const noexcept {
    return length > inline_bytes_ && memory::stands_beside(layout(), length);
  }
  Code put(const std::byte* bytes, std::size_t length, bool carries) noexcept;
  Code put_beside(const std::byte* bytes, std::size_t length, bool carries) noexcept;
  void count_put(const Record& record, std::size_t length) noexcept;
  Code take_beside(const InHand& message, std::byte* into, Taken& taken) noexcept;
  // Reads what was received; if that cannot be, it is given back, or dropped if it is lost.
  Code read_beside(const Held& held, memory::SideRef& side, std::byte* into) noexcept;
  // What was received is gone for good. False: it was not ours any more.
  bool let_go(const Held& held, const memory::SideRef& side) noexcept;
  memory::Named names(const memory::SideRef& ref) noexcept;
  void announce_side_room() noexcept;
  std::uint32_t need() const noexcept {
    return needed_beside_ != 0 ? sync::Waiters::kNeedBeside : needed_blocks_;
  }
  Code next(std::size_t limit, Carrying carrying, InHand& message) noexcept;
  Code next_returned(std::size_t limit, Carrying carrying, InHand& message, bool& found) noexcept;
  bool resolve_writing(const Record& record) noexcept;
  bool drained() noexcept;
  bool worth_spinning(sync::Side side, sync::Spinner& spin) noexcept;
  bool worth_watching_writer() noexcept;
  bool worth_looking(sync::Side side) noexcept;
  void announce_returned() noexcept;
  void announce_room() noexcept;
  void announce_skipped() noexcept;
  void announce_progress_at_end() noexcept;
  void announce_finished() noexcept;
  void pass_on(sync::Side side) noexcept;
  void count_take(std::uint32_t length, std::uint32_t deliveries) noexcept;
  bool sweep_if_due(std::int64_t interval_ns) noexcept;
  Code give_back(double receipt, bool counted) noexcept;
  void give_back_all() noexcept;
  double remember(const Held& held, const memory::SideRef& side) noexcept;
  struct Receipt;
  const Receipt* recall(double receipt) noexcept;
  void forget(double receipt) noexcept;

  sync::Doorbell& bell_;
  std::unique_ptr<memory::Segment> segment_;
  memory::Registry registry_;
  MpmcRing ring_;
  Ledger ledger_;
  Tasks tasks_;
  Leases leases_;
  memory::SideRegions sides_;
  sync::Waiters waiters_;
  memory::Control& control_;
  memory::Segment& shared_;
  std::uint64_t inline_bytes_;  // what is larger stands beside the ring
  bool open_ = false;
  bool bell_armed_[sync::kSides] = {};
  std::uint32_t operations_ = 0;
  std::int64_t swept_at_ns_ = 0;
  sync::Spinner blocked_spin_{sync::kBlockedSpin};
  sync::Spinner loop_spin_{sync::kLoopSpin};
  sync::WriterWatch writer_watch_;
  // What the put that was refused last waits for: blocks of the ring, or, if it is not 0, so many bytes beside it.
  std::uint32_t needed_blocks_ = 1;
  std::uint64_t needed_beside_ = 0;
  Error trouble_;

  struct Receipt {
    Held held;
    // Where it is if it stands beside the ring: for the ack, which believes nothing that has been open to others since.
    memory::SideRef side;
    std::uint32_t serial = 0;
    bool active = false;
  };
  std::vector<Receipt> receipts_;
  std::vector<std::uint32_t> free_receipts_;
};

}  // namespace interproc::ring
