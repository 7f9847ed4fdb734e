#include "state/shared_state.h"

#include <algorithm>

#include "platform/clock.h"
#include "platform/fault.h"
#include "sync/waiting.h"

namespace interproc::state {

using memory::Segment;
using sync::Side;

namespace {

// Who waits asks the kernel for the dead at most this often, and an event loop that is reminded by its slow timer each time.
constexpr std::int64_t kIdleSweepNs = 5'000'000;
constexpr std::int64_t kSlowSweepNs = 125'000'000;

// Nothing in an object of state must be kept: who wants it to stay says `persist`. What the dead have left is forgotten, their
// bells come off the wall.
bool holds_something(sync::Doorbell& bell, Segment& segment) noexcept {
  memory::Registry registry(segment);
  sync::Waiters waiters(segment, registry, bell);
  for (std::uint32_t slot = 0; slot < registry.count(); ++slot) {
    if (registry.user(slot)) waiters.forget(static_cast<std::uint8_t>(slot));
  }
  return false;
}

}  // namespace

SharedState::~SharedState() = default;

Result<std::unique_ptr<SharedState>> SharedState::open(
    sync::Doorbell& bell, const std::string& name, memory::OpenMode mode,
    const memory::Header& wanted, const Make& make, const Fill& fill) noexcept {
  std::unique_ptr<SharedState> state;
  Segment::Kindred kindred;
  kindred.initialise = fill;
  kindred.holds_something = [&bell](Segment& segment) { return holds_something(bell, segment); };
  kindred.join = [&](Segment& segment) {
    state = make(bell, segment);
    SharedState& self = *state;
    const Error error = self.registry_.join([&self](memory::Owner last) {
      self.sweep_last(last);
      self.sweep();
      self.waiters_.forget(last.slot);
    });
    if (error.code == Code::ok) self.begin();
    return error;
  };
  auto segment = Segment::open(bell.directory(), name, mode, wanted, kindred);
  if (!segment.ok()) return segment.error();
  state->segment_ = std::move(segment.value());
  state->open_ = true;
  return state;
}

bool SharedState::sweep_if_due(std::int64_t interval_ns) noexcept {
  const std::int64_t now = platform::coarse_now_ns();
  if (now - swept_at_ns_ < interval_ns) return false;
  swept_at_ns_ = now;
  sweep();
  FAULT("state.swept");
  return true;
}

bool SharedState::arm(Side side, std::uint32_t token) noexcept {
  if (sync::Waiting* own = waiting(side)) return own->arm(token);
  if (loop_spin_([this, side] { return worth_looking(side); })) return true;
  // relaxed: published by arming.
  registry_.self_slot().token.store(token, std::memory_order_relaxed);
  waiters_.arm_bell(side);
  bell_armed_[side] = true;
  if (!worth_looking(side)) sweep_if_due(kIdleSweepNs);
  if (!worth_looking(side)) return false;
  // The look that follows makes up for any wake that comes in between.
  bell_armed_[side] = false;
  waiters_.disarm(side);
  return true;
}

void SharedState::disarm(Side side) noexcept {
  if (sync::Waiting* own = waiting(side)) {
    own->leave();
    return;
  }
  if (!bell_armed_[side]) return;
  bell_armed_[side] = false;
  if (waiters_.disarm(side)) pass_on(side);
}

bool SharedState::answer(Side side, bool slow_look) noexcept {
  if (sync::Waiting* own = waiting(side)) return own->answer(slow_look);
  if (!bell_armed_[side]) return false;
  if (slow_look) {
    sweep_if_due(kSlowSweepNs);
    if (!worth_a_slow_look(side)) return false;
  }
  bell_armed_[side] = false;
  waiters_.disarm(side);
  return true;
}

bool SharedState::wait(Side side, std::int64_t timeout_ns) noexcept {
  if (sync::Waiting* own = waiting(side)) return own->wait(timeout_ns);
  if (blocked_spin_([this, side] { return worth_looking(side); })) return true;
  const std::int64_t deadline = platform::now_ns() + std::min(timeout_ns, sync::kSliceNs);
  const bool bell_was_armed = bell_armed_[side];
  if (bell_was_armed) disarm(side);
  waiters_.arm_futex(side);
  bool worth = worth_looking(side);
  if (!worth) {
    sweep_if_due(kIdleSweepNs);
    worth = worth_looking(side);
  }
  const bool slept = !worth;
  if (slept) waiters_.sleep(side, deadline);
  FAULT("state.woke");
  const bool rung = waiters_.disarm(side);
  // Whoever is told to look takes the wake with it; who leaves by time-out looks once more here.
  worth = rung || worth_looking(side);
  // Unless it came at the last moment, somebody should have rung.
  if (slept && !rung && worth) FAULT("state.unrung");
  if (!worth) sweep_if_due(kIdleSweepNs);
  const std::uint32_t token = registry_.self_slot().token.load(std::memory_order_relaxed);
  if (bell_was_armed && arm(side, token)) {
    // Our own event loop waits too; it must look as well once we are done blocking it.
    waiters_.arm_bell(side);
    bell_armed_[side] = true;
    bell_.ring(bell_.id(), token);
  }
  return worth || (slept ? worth_a_slow_look(side) : worth_looking(side));
}

void SharedState::retire() noexcept {
  for (std::uint32_t side = 0; side < sync::kSides; ++side) disarm(static_cast<Side>(side));
  give_back();
}

void SharedState::close() noexcept {
  if (!open_) return;
  open_ = false;
  retire();
  registry_.leave();
  segment_->leave(bell_.directory(),
                  [this](Segment& segment) { return holds_something(bell_, segment); });
}

void tidy_up(sync::Doorbell& bell, const std::string& name, const memory::Header& header) noexcept {
  Segment::Kindred kindred;
  kindred.initialise = [](Segment&) {};
  kindred.holds_something = [&bell](Segment& segment) { return holds_something(bell, segment); };
  // Who is attached and does not join leaves again, which is what is wanted.
  kindred.join = [](Segment&) { return fail(Code::no_slot, "not meant to join"); };
  [[maybe_unused]] const auto opened =
      Segment::open(bell.directory(), name, memory::OpenMode::open, header, kindred);
}

}  // namespace interproc::state
