#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "memory/registry.h"
#include "memory/segment.h"
#include "memory/ticket.h"
#include "sync/doorbell.h"
#include "sync/spin.h"
#include "sync/waitable.h"

namespace interproc::sync {
class Barrier;
class Condition;
class Event;
class Lock;
class RwLock;
class Semaphore;
class Waiting;
}  // namespace interproc::sync

namespace interproc::state {

// One participant of an object of state: bytes that stay where they are, words beside them, and waits. What the words mean,
// when a wait is worth a look, and what the dead leave behind, each kind of object says for itself.
//
// The bytes are plain memory that anybody attached may change at any moment: nothing here looks at them.
class SharedState : public sync::Waitable {
 public:
  // Makes the object's side of things for a segment that has just been mapped.
  using Make = std::function<std::unique_ptr<SharedState>(sync::Doorbell&, memory::Segment&)>;
  // Fills the zeroed bytes and words of a new object.
  using Fill = std::function<void(memory::Segment&)>;

  // `bell` must outlive the object.
  static Result<std::unique_ptr<SharedState>> open(sync::Doorbell& bell, const std::string& name,
                                                   memory::OpenMode mode,
                                                   const memory::Header& wanted, const Make& make,
                                                   const Fill& fill) noexcept;
  ~SharedState() override;
  SharedState(const SharedState&) = delete;
  SharedState& operator=(const SharedState&) = delete;

  const memory::Header& header() const noexcept { return shared_.header(); }
  // header().state_bytes of them; nullptr if that is 0.
  std::byte* bytes() const noexcept { return shared_.payload(); }
  memory::Segment& segment() noexcept { return shared_; }
  std::uint64_t identity() const noexcept { return shared_.identity(); }
  std::uint32_t participants() const noexcept { return registry_.living(); }
  Error unlink() noexcept { return shared_.unlink(bell_.directory()); }

  // What can be locked or waited for in it; nullptr for what this kind of object does not have.
  virtual sync::Lock* lock() noexcept { return nullptr; }
  virtual sync::Semaphore* semaphore() noexcept { return nullptr; }
  virtual sync::Condition* condition() noexcept { return nullptr; }
  virtual sync::Event* event() noexcept { return nullptr; }
  virtual sync::Barrier* barrier() noexcept { return nullptr; }
  virtual sync::RwLock* rw_lock() noexcept { return nullptr; }

  bool arm(sync::Side side, std::uint32_t token) noexcept final;
  void disarm(sync::Side side) noexcept final;
  bool answer(sync::Side side, bool slow_look) noexcept final;
  bool wait(sync::Side side, std::int64_t timeout_ns) noexcept final;

  // Gives back all that is held and waits for nothing any more; the memory stays until close().
  void retire() noexcept;
  void close() noexcept;

 protected:
  SharedState(sync::Doorbell& bell, memory::Segment& segment) noexcept
      : bell_(bell), shared_(segment), registry_(segment), waiters_(segment, registry_, bell) {}

  // Joined, and nothing done yet under the new name.
  virtual void begin() noexcept {}
  // How this side is waited on, if not by what follows.
  virtual sync::Waiting* waiting(sync::Side) noexcept { return nullptr; }
  // Recovers what the last user of our slot held, which died. Called while joining, before anything else.
  virtual void sweep_last(memory::Owner) noexcept {}
  // Whether what `side` waits for may be had.
  virtual bool worth_looking(sync::Side side) noexcept = 0;
  // The same of a sleeper that has not been rung for a while: also for what a dead participant did not tell of.
  virtual bool worth_a_slow_look(sync::Side side) noexcept { return worth_looking(side); }
  // Recovers what dead participants held. Called before a sleep and by sleepers, a few times a second at most.
  virtual void sweep() noexcept = 0;
  // Gives back what this participant holds.
  virtual void give_back() noexcept = 0;
  // A wake that came to us is of no use to us any more.
  virtual void pass_on(sync::Side side) noexcept = 0;

  sync::Doorbell& bell_;
  memory::Segment& shared_;
  memory::Registry registry_;
  sync::Waiters waiters_;

 private:
  bool sweep_if_due(std::int64_t interval_ns) noexcept;

  std::unique_ptr<memory::Segment> segment_;
  bool open_ = false;
  bool bell_armed_[sync::kSides] = {};
  std::int64_t swept_at_ns_ = 0;
  sync::Spinner blocked_spin_{sync::kBlockedSpin};
  sync::Spinner loop_spin_{sync::kLoopSpin};
};

// Removes the object of this name if nobody has it open and nothing keeps it.
void tidy_up(sync::Doorbell& bell, const std::string& name, const memory::Header& header) noexcept;

}  // namespace interproc::state
