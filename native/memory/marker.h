#pragma once

#include <string>

#include "platform/file.h"

namespace interproc::memory {

// A name that the socket backend has: a further name of its broker's socket, in the place where an object's file would be.
// Each broker has a *key*, a name for its socket in the directory of the sockets, which goes after all its markers; the one that
// serves has a public name besides. So a socket is a marker if there is a key to it, and dead if it is not the one that serves.
// none: it is something else, or cannot be looked at; gone: nothing is there any more.
enum class Marker { none, gone, alive, dead };

// The directory of the sockets, which is no object.
inline constexpr char kSockets[] = "~socket";

Marker marker_at(const platform::Directory& directory, const std::string& name) noexcept;

// Takes a dead one away; it is gone then. Fails if that was refused.
Result<Marker> clear_marker(const platform::Directory& directory, const std::string& name) noexcept;

}  // namespace interproc::memory
