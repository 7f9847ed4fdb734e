#pragma once

#include <cstdint>

namespace interproc::platform {

std::uint32_t process_id() noexcept;

// Unpredictable, for names that must not collide.
std::uint64_t random_word() noexcept;

std::uint32_t page_bytes() noexcept;

}  // namespace interproc::platform
