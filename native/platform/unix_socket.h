#pragma once

#include <string>

#include "platform/file.h"

namespace interproc::platform {

// Whether somebody listens to the socket of that name. False is for ever: whoever did is gone, and so is the name perhaps.
bool is_listened_to(const Directory& directory, const std::string& name) noexcept;

}  // namespace interproc::platform
