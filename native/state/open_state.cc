#include "state/open_state.h"

#include <algorithm>
#include <cstring>

#include "state/cells.h"
#include "state/plain_memory.h"

namespace interproc::state {

using memory::Kind;
using memory::Segment;

Result<std::unique_ptr<SharedState>> open_state(sync::Doorbell& bell, const std::string& name,
                                                memory::OpenMode mode, const memory::Header& wanted,
                                                const std::byte* initial,
                                                std::size_t initial_bytes) noexcept {
  const auto plain = [](sync::Doorbell& hung, Segment& segment) -> std::unique_ptr<SharedState> {
    return std::make_unique<PlainMemory>(hung, segment);
  };
  const auto cells = [](sync::Doorbell& hung, Segment& segment) -> std::unique_ptr<SharedState> {
    return std::make_unique<Cells>(hung, segment);
  };
  const auto fill = [&](Segment& segment) {
    const std::size_t bytes = std::min<std::size_t>(initial_bytes, segment.header().state_bytes);
    if (bytes > 0) std::memcpy(segment.payload(), initial, bytes);
  };
  switch (wanted.kind) {
    case Kind::value:
    case Kind::array:
      return SharedState::open(bell, name, mode, wanted, cells, fill);
    case Kind::memory:
    case Kind::list:
      return SharedState::open(bell, name, mode, wanted, plain, fill);
    default:
      return fail(Code::argument, "no such kind of state");
  }
}

}  // namespace interproc::state
