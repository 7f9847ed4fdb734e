#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "memory/layout.h"

namespace interproc::ring {

// One direction of a pipe, in shared memory. Positions count units of 8 bytes and wrap: 32 bits, so that JavaScript, which may send
// and receive without a call into native code, can publish with its own Atomics and make no BigInt.
struct Direction {
  alignas(memory::kLine) std::atomic<std::uint32_t> tail;  // written by the sender alone
  alignas(memory::kLine) std::atomic<std::uint32_t> head;  // written by the receiver alone
};
static_assert(sizeof(Direction) == 2 * memory::kLine);

// What a frame's second word says. The marks above them are the users' (contract/pipe.ts).
inline constexpr std::uint32_t kMore = 1;  // another part follows
inline constexpr std::uint32_t kRest = 2;  // not the first part
inline constexpr std::uint32_t kMarksShift = 8;
inline constexpr std::uint32_t kCarrying = 1u
                                           << kMarksShift;  // tickets: it stays until it was opened
inline constexpr std::uint32_t kEveryMark = 3u << kMarksShift;

// Lamport's queue of frames for one sender and one receiver, as SpscRing: one store publishes a frame, and there is nothing to repair.
// A frame is { length : 32 | flags : 32 } and its bytes, rounded up to 8; the payload is mapped twice, so that none wraps. A message is one frame, or
// parts: the first (kMore) begins with the length of the whole in 8 bytes, the others are kRest. A first frame in the middle of
// parts says that their sender gave that message up.
//
// The positions of this side are read from shared memory at each call, since JavaScript moves them too.
class FrameRing {
 public:
  static constexpr std::uint32_t kUnit = 8;
  static constexpr std::uint32_t kHeaderBytes = 8;
  static constexpr std::uint32_t kTotalBytes = 8;

  FrameRing(Direction& direction, std::byte* payload, std::uint64_t capacity) noexcept
      : direction_(direction),
        payload_(payload),
        units_(static_cast<std::uint32_t>(capacity / kUnit)) {}

  static constexpr std::uint32_t units_for(std::uint64_t length) noexcept {
    return static_cast<std::uint32_t>((length + kHeaderBytes + kUnit - 1) / kUnit);
  }
  // The longest frame's bytes.
  std::uint64_t whole_bytes() const noexcept {
    return std::uint64_t{units_} * kUnit - kHeaderBytes;
  }

  // Sender

  std::uint32_t room() noexcept {
    // relaxed: ours. SYNC frames.head: the receiver has read what was there; seq_cst, for the look after listing ourselves.
    const std::uint32_t used = direction_.tail.load(std::memory_order_relaxed) -
                               direction_.head.load(std::memory_order_seq_cst);
    // A receiver that says it read what was never there gets nothing.
    return used > units_ ? 0 : units_ - used;
  }
  // Only after room() said that there is room for it. `before`: bytes that stand in front of the others.
  void put(const void* before, std::uint32_t before_bytes, const std::byte* bytes,
           std::uint32_t length, std::uint32_t flags) noexcept {
    const std::uint32_t tail = direction_.tail.load(std::memory_order_relaxed);
    std::byte* at = payload_ + std::uint64_t{tail % units_} * kUnit;
    const std::uint32_t header[2] = {before_bytes + length, flags};
    std::memcpy(at, header, sizeof header);
    if (before_bytes > 0) std::memcpy(at + kHeaderBytes, before, before_bytes);
    if (length > 0) std::memcpy(at + kHeaderBytes + before_bytes, bytes, length);
    // SYNC frames.tail: an RMW, ordered before the look at who sleeps.
    direction_.tail.exchange(tail + units_for(std::uint64_t{before_bytes} + length),
                             std::memory_order_seq_cst);
  }

  // Receiver

  struct Frame {
    const std::byte* bytes = nullptr;
    std::uint32_t length = 0;
    std::uint32_t flags = 0;
  };
  enum class Found { frame, nothing, corrupt };
  // The next frame, still in the ring; then pop().
  Found front(Frame& frame) noexcept {
    const std::uint32_t head = direction_.head.load(std::memory_order_relaxed);
    // SYNC frames.tail
    const std::uint32_t used = direction_.tail.load(std::memory_order_seq_cst) - head;
    if (used == 0) return Found::nothing;
    const std::byte* at = payload_ + std::uint64_t{head % units_} * kUnit;
    std::uint32_t header[2];
    std::memcpy(header, at, sizeof header);  // copied once, checked, then used
    if (used > units_ || header[0] > whole_bytes() || units_for(header[0]) > used)
      return Found::corrupt;
    if ((header[1] & ~(kMore | kRest | kEveryMark)) != 0) return Found::corrupt;
    frame = {at + kHeaderBytes, header[0], header[1]};
    return Found::frame;
  }
  void pop(const Frame& frame) noexcept {
    // SYNC frames.head: an RMW, ordered after our reading of the frame and before the look at who sleeps.
    direction_.head.exchange(
        direction_.head.load(std::memory_order_relaxed) + units_for(frame.length),
        std::memory_order_seq_cst);
  }
  bool holds_something() const noexcept {
    return direction_.tail.load(std::memory_order_seq_cst) !=
           direction_.head.load(std::memory_order_seq_cst);
  }

 private:
  Direction& direction_;
  std::byte* payload_;
  std::uint32_t units_;
};

}  // namespace interproc::ring
