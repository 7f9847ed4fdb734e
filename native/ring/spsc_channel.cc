#include "ring/spsc_channel.h"

#include <algorithm>

#include "platform/clock.h"
#include "platform/fault.h"

namespace interproc::ring {

using memory::Segment;
using sync::kPut;
using sync::kTake;

namespace {

bool holds_something(Segment& segment) noexcept {
  return SpscRing::used_bytes(segment.control()) > 0;
}

// Publishes so that a sleeper cannot be missed: an RMW, ordered before the look at the waiters.
// SYNC spsc.tail, spsc.head: release and more.
void publish_loudly(memory::Word& word, std::uint64_t to) noexcept {
  word.exchange(to, std::memory_order_seq_cst);
}

}  // namespace

Result<std::unique_ptr<SpscChannel>> SpscChannel::open(sync::Doorbell& bell,
                                                       const std::string& name,
                                                       memory::OpenMode mode,
                                                       const memory::Header& wanted,
                                                       Role role) noexcept {
  std::unique_ptr<SpscChannel> channel;
  Segment::Kindred kindred;
  kindred.initialise = [](Segment&) {};
  kindred.holds_something = holds_something;
  kindred.join = [&](Segment& segment) {
    channel.reset(new SpscChannel(bell, segment));
    SpscChannel& self = *channel;
    const Error error = self.registry_.join(
        role, role + 1, [&self](memory::Owner last) { self.waiters_.forget(last.slot); });
    self.ring_.resume();
    return error;
  };
  auto segment = Segment::open(bell.directory(), name, mode, wanted, kindred);
  if (!segment.ok()) return segment.error();
  channel->segment_ = std::move(segment.value());
  channel->open_ = true;
  return channel;
}

void SpscChannel::tidy_up(sync::Doorbell& bell, const std::string& name,
                          const memory::Header& header) noexcept {
  Segment::Kindred kindred;
  kindred.initialise = [](Segment&) {};
  kindred.holds_something = holds_something;
  // Who is attached and does not join leaves again, which is what is wanted.
  kindred.join = [](Segment&) { return fail(Code::no_slot, "not meant to join"); };
  [[maybe_unused]] const auto opened =
      Segment::open(bell.directory(), name, memory::OpenMode::open, header, kindred);
}

Code SpscChannel::put(const std::byte* bytes, std::size_t length) noexcept {
  if (ended()) return Code::ended;
  if (length > ring_.max_message_bytes()) return Code::too_large;
  if (!ring_.push(bytes, static_cast<std::uint32_t>(length), publish_loudly)) {
    wanted_ = static_cast<std::uint32_t>(length);
    return Code::full;
  }
  FAULT("spsc.pushed");
  if (waiters_.anyone(kTake)) waiters_.wake(kTake, 1);
  return Code::ok;
}

Code SpscChannel::take(std::byte* into, std::size_t room, std::uint32_t& length) noexcept {
  const std::byte* bytes = nullptr;
  switch (ring_.front(bytes, length)) {
    case SpscRing::Found::corrupt:
      return Code::corrupt;
    case SpscRing::Found::nothing:
      // The flag is raised after the last publish: seen here, one more look decides.
      if (!ended()) return Code::empty;
      if (ring_.front(bytes, length) != SpscRing::Found::message) return Code::ended;
      break;
    case SpscRing::Found::message:
      break;
  }
  if (length > room) return Code::too_large;
  std::memcpy(into, bytes, length);
  FAULT("spsc.copied");
  ring_.pop(length, publish_loudly);
  FAULT("spsc.popped");
  if (waiters_.anyone(kPut)) waiters_.wake(kPut, 1);
  return Code::ok;
}

bool SpscChannel::worth_trying() noexcept {
  if (ended()) return true;
  return role() == producer ? ring_.worth_pushing(wanted_) : ring_.worth_popping();
}

bool SpscChannel::wait(std::int64_t timeout_ns) noexcept {
  if (spin_([this] { return worth_trying(); })) return true;
  const std::int64_t deadline = platform::now_ns() + std::min(timeout_ns, sync::kSliceNs);
  const sync::Side side = role() == producer ? kPut : kTake;
  waiters_.arm_futex(side);
  if (!worth_trying()) waiters_.sleep(side, deadline);
  waiters_.disarm(side);
  return worth_trying();
}

void SpscChannel::end() noexcept {
  shared_.control().ended.store(1, std::memory_order_seq_cst);
  FAULT("spsc.ended");
  waiters_.wake_all(kTake);
  waiters_.wake_all(kPut);
}

void SpscChannel::close() noexcept {
  if (!open_) return;
  open_ = false;
  registry_.leave();
  segment_->leave(bell_.directory(), holds_something);
}

}  // namespace interproc::ring
