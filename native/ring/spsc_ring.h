#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "memory/segment.h"

namespace interproc::ring {

// The byte ring for one producer and one consumer: Lamport's queue, with each side keeping the other's position as it last
// saw it, so that the shared lines move between the processors only when a side runs out (the index caching of E. Rigtorp's
// SPSCQueue). A record is a 4-byte length and its bytes, rounded up to 8; the payload is mapped twice, so none wraps.
//
// One store publishes a record. Killed before it: nothing happened. After it: the message exists. There is nothing to repair.
// Control::tail is the producer's position, Control::head the consumer's, in bytes; both only grow.
class SpscRing {
 public:
  explicit SpscRing(memory::Segment& segment) noexcept
      : control_(segment.control()),
        payload_(segment.payload()),
        capacity_(segment.layout().payload_bytes) {
    resume();
  }

  // To be called once this side is ours alone: whoever had it before may have gone on until then.
  void resume() noexcept {
    // acquire: as in the hot paths below; a side that takes over from a dead one continues where that one published.
    tail_ = control_.tail.load(std::memory_order_acquire);
    head_ = control_.head.load(std::memory_order_acquire);
  }

  static constexpr std::size_t kHeaderBytes = 4;
  static constexpr std::uint64_t footprint(std::uint64_t length) noexcept {
    return (length + kHeaderBytes + 7) & ~std::uint64_t{7};
  }
  std::uint64_t max_message_bytes() const noexcept { return capacity_ - 8; }

  // Producer: false when there is no room. `Publish` is called with the position word and its new value: a release store, or
  // a sequentially consistent exchange when a sleeper may have to be woken.
  template <class Publish>
  bool push(const std::byte* bytes, std::uint32_t length, Publish publish) noexcept {
    if (!has_room(length)) return false;
    std::byte* at = payload_ + tail_ % capacity_;
    std::memcpy(at, &length, sizeof length);
    std::memcpy(at + kHeaderBytes, bytes, length);
    tail_ += footprint(length);
    publish(control_.tail, tail_);
    return true;
  }
  bool push(const std::byte* bytes, std::uint32_t length) noexcept {
    return push(bytes, length, [](memory::Word& word, std::uint64_t to) {
      word.store(to, std::memory_order_release);  // SYNC spsc.tail
    });
  }
  bool has_room(std::uint32_t length) noexcept {
    if (tail_ + footprint(length) - head_ <= capacity_) return true;
    head_ = control_.head.load(
        std::memory_order_acquire);  // SYNC spsc.head: the consumer has read what was there
    return tail_ + footprint(length) - head_ <= capacity_;
  }

  enum class Found { message, nothing, corrupt };
  // Consumer: the next message, still in the ring; then pop().
  Found front(const std::byte*& bytes, std::uint32_t& length) noexcept {
    if (head_ == tail_) {
      tail_ = control_.tail.load(std::memory_order_acquire);  // SYNC spsc.tail: the bytes are there
      if (head_ == tail_) return Found::nothing;
    }
    const std::byte* at = payload_ + head_ % capacity_;
    std::memcpy(&length, at, sizeof length);  // copied once, checked, then used
    if (tail_ - head_ > capacity_ || footprint(length) > tail_ - head_) return Found::corrupt;
    bytes = at + kHeaderBytes;
    return Found::message;
  }
  template <class Publish>
  void pop(std::uint32_t length, Publish publish) noexcept {
    head_ += footprint(length);
    publish(control_.head, head_);
  }
  void pop(std::uint32_t length) noexcept {
    pop(length, [](memory::Word& word, std::uint64_t to) {
      word.store(to, std::memory_order_release);  // SYNC spsc.head
    });
  }

  // A waiter's second look, after it has listed itself: seq_cst, like the exchange of the one who would wake it.
  bool worth_popping() noexcept {
    if (head_ == tail_) tail_ = control_.tail.load(std::memory_order_seq_cst);
    return head_ != tail_;
  }
  bool worth_pushing(std::uint32_t length) noexcept {
    head_ = control_.head.load(std::memory_order_seq_cst);
    return has_room(length);
  }

  static std::uint64_t used_bytes(const memory::Control& control) noexcept {
    const std::uint64_t head = control.head.load(std::memory_order_acquire);
    return control.tail.load(std::memory_order_acquire) - head;
  }

 private:
  memory::Control& control_;
  std::byte* payload_;
  std::uint64_t capacity_;
  std::uint64_t tail_;  // ours as the producer; as the consumer, the producer's as last seen
  std::uint64_t head_;  // the reverse
};

}  // namespace interproc::ring
