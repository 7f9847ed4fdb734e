#pragma once

#include <cstdint>

#include "platform/result.h"
#include "sync/awaited.h"
#include "sync/lock.h"
#include "sync/party.h"
#include "sync/turns.h"

namespace interproc::sync {

// Many readers or one writer. Writers wait on kAcquire, readers on kShare. A reader says so in its own slot, and looks whether somebody
// writes; a writer claims the lock, which keeps new readers out, and waits until the last reader has gone.
//
// Neither starves: a waiting writer keeps new readers out, and those who waited to read while somebody wrote come before the next writer.
class RwLock final : public Awaited {
 public:
  explicit RwLock(Party& party) noexcept : party_(party), turns_(party) {}

  // After joining, before anything else.
  void start() noexcept;

  // ok; busy; deadlock: this handle writes. Counted: release as often.
  Code try_read(Try how, bool& recovered) noexcept;
  // ok; not_owner.
  Code release_read() noexcept;
  // ok; busy; deadlock: this handle writes or reads. Busy it may have claimed the lock, which wants a give_up(kAcquire) if it is not tried again. `recovered`:
  // the last writer never released it, or a reader died reading.
  Code try_write(Try how, bool& recovered) noexcept;
  Code release_write() noexcept;
  std::uint64_t reading() const noexcept;  // how often this handle reads
  bool writing() const noexcept;           // this handle writes

  void sweep(memory::Owner last) noexcept;
  void close() noexcept;

  bool worth_trying(Side side) noexcept override;
  void look_for_the_dead(Side side) noexcept override;
  void line_up(Side side) noexcept override;
  void give_up(Side side) noexcept override;

 private:
  // A claim is no possession: who claims and is stopped holds up the readers for so long, once. An event loop renews its claim every
  // 500 ms.
  static constexpr std::int64_t kClaimNs = 2'000'000'000;

  bool recover(std::uint64_t word) noexcept;
  bool withdraw_claim(std::uint64_t claim) noexcept;
  bool is_stale(std::uint64_t claim) noexcept;
  bool any_reader() const noexcept;
  void forget_dead_readers() noexcept;
  bool readers_first(std::uint64_t word) noexcept;
  bool any_reader_waiting(bool pass_over) noexcept;
  void announce_free() noexcept;
  void announce_no_reader() noexcept;
  void undo_read() noexcept;

  Party& party_;
  Turns turns_;
  bool waits_to_read_ = false;
  // What we have seen that keeps us waiting and may be nobody's any more, and since when.
  std::uint64_t seen_claim_ = 0;
  std::int64_t claim_seen_at_ns_ = 0;
  std::uint64_t seen_first_ = 0;
  std::int64_t first_seen_at_ns_ = 0;
};

}  // namespace interproc::sync
