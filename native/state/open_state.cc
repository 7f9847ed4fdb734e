#include "state/open_state.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "state/cells.h"
#include "state/lock_states.h"
#include "state/plain_memory.h"

namespace interproc::state {

using memory::Kind;
using memory::Segment;

Result<std::unique_ptr<SharedState>> open_state(sync::Doorbell& bell, const std::string& name,
                                                memory::OpenMode mode, const memory::Header& wanted,
                                                const std::byte* initial,
                                                std::size_t initial_bytes) noexcept {
  const auto fill = [&](Segment& segment) {
    const std::size_t bytes = std::min<std::size_t>(initial_bytes, segment.header().state_bytes);
    if (bytes > 0) std::memcpy(segment.payload(), initial, bytes);
    auto& words = segment.lock_words<sync::LockWords>();
    const std::uint64_t parameter = segment.header().parameter;
    if (wanted.kind == Kind::semaphore || wanted.kind == Kind::bounded_semaphore)
      sync::Semaphore::initialise(words, parameter);
    if (wanted.kind == Kind::barrier) sync::Barrier::initialise(words, parameter);
  };
  const auto open = [&]<class Made>(std::type_identity<Made>) {
    const auto make = [](sync::Doorbell& hung, Segment& segment) -> std::unique_ptr<SharedState> {
      return std::make_unique<Made>(hung, segment);
    };
    return SharedState::open(bell, name, mode, wanted, make, fill);
  };
  switch (wanted.kind) {
    case Kind::value:
    case Kind::array:
      return open(std::type_identity<Cells>());
    case Kind::memory:
    case Kind::list:
      return open(std::type_identity<PlainMemory>());
    case Kind::lock:
    case Kind::rlock:
      return open(std::type_identity<LockState>());
    case Kind::semaphore:
    case Kind::bounded_semaphore:
      return open(std::type_identity<SemaphoreState>());
    case Kind::condition:
      return open(std::type_identity<ConditionState>());
    case Kind::event:
      return open(std::type_identity<EventState>());
    case Kind::barrier:
      return open(std::type_identity<BarrierState>());
    case Kind::rwlock:
      return open(std::type_identity<RwLockState>());
    default:
      return fail(Code::argument, "no such kind of state");
  }
}

}  // namespace interproc::state
