#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "memory/registry.h"
#include "memory/segment.h"
#include "ring/spsc_ring.h"
#include "sync/doorbell.h"
#include "sync/spin.h"
#include "sync/waiters.h"

namespace interproc::ring {

// The byte ring as a named object with a producer's and a consumer's end: slot 0 of its registry is the producer, slot 1 the
// consumer, so that the kernel sees to it that each exists once. An end whose process died can be taken by another process, which goes on where
// the last one published.
class SpscChannel {
 public:
  enum Role : std::uint32_t { producer = 0, consumer = 1 };

  static Result<std::unique_ptr<SpscChannel>> open(sync::Doorbell& bell, const std::string& name,
                                                   memory::OpenMode mode,
                                                   const memory::Header& wanted,
                                                   Role role) noexcept;
  // Removes the ring of this name if nobody has it open and nothing keeps it.
  static void tidy_up(sync::Doorbell& bell, const std::string& name,
                      const memory::Header& header) noexcept;
  ~SpscChannel() { close(); }
  SpscChannel(const SpscChannel&) = delete;
  SpscChannel& operator=(const SpscChannel&) = delete;

  const memory::Header& header() const noexcept { return shared_.header(); }
  std::uint64_t max_message_bytes() const noexcept { return ring_.max_message_bytes(); }
  Role role() const noexcept { return static_cast<Role>(registry_.self().slot); }

  // Producer: ok, full, ended, too_large.
  Code put(const std::byte* bytes, std::size_t length) noexcept;
  // Consumer: ok, empty, ended, too_large (`length` says how much room it wants; the message stays), corrupt.
  Code take(std::byte* into, std::size_t room, std::uint32_t& length) noexcept;
  // Blocks until worth trying again (true) or `timeout_ns` or one slice have passed.
  bool wait(std::int64_t timeout_ns) noexcept;

  // Producer: no more messages.
  void end() noexcept;
  bool ended() const noexcept {
    return shared_.control().ended.load(std::memory_order_acquire) != 0;
  }
  bool peer_alive() const noexcept { return !registry_.vacant(1 - registry_.self().slot); }
  std::uint64_t used_bytes() const noexcept { return SpscRing::used_bytes(shared_.control()); }
  Error unlink() noexcept { return shared_.unlink(bell_.directory()); }
  void close() noexcept;

 private:
  SpscChannel(sync::Doorbell& bell, memory::Segment& segment) noexcept
      : bell_(bell),
        registry_(segment),
        ring_(segment),
        waiters_(segment, registry_, bell),
        shared_(segment) {}
  bool worth_trying() noexcept;

  sync::Doorbell& bell_;
  std::unique_ptr<memory::Segment> segment_;
  memory::Registry registry_;
  SpscRing ring_;
  sync::Waiters waiters_;
  memory::Segment& shared_;
  bool open_ = false;
  sync::Spinner spin_{sync::kBlockedSpin};
  std::uint32_t wanted_ = 0;  // length of the message that last found no room
};

}  // namespace interproc::ring
