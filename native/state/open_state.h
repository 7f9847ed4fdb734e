#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "state/shared_state.h"

namespace interproc::state {

// Opens or makes an object of state, of whichever kind `wanted` is; a new one begins with `initial`, and zeros behind it.
Result<std::unique_ptr<SharedState>> open_state(sync::Doorbell& bell, const std::string& name,
                                                memory::OpenMode mode, const memory::Header& wanted,
                                                const std::byte* initial,
                                                std::size_t initial_bytes) noexcept;

}  // namespace interproc::state
