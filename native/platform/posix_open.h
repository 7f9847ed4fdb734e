#pragma once

#include <cstddef>
#include <string>

#include "platform/result.h"

namespace interproc::platform {

// Opens an object of a POSIX name, or makes it: whatever others make and remove in the meantime. `open` gives not_found where
// there is nothing, `create` exists where there is something.
template <class Open, class Create>
auto open_or_create_posix(Open open, Create create) noexcept -> decltype(open()) {
  constexpr int kRounds = 100;  // each one lost to somebody who made it just now, or removed it
  for (int round = 0; round < kRounds; ++round) {
    auto opened = open();
    if (opened.ok() || opened.error().code != Code::not_found) return opened;
    auto created = create();
    if (created.ok() || created.error().code != Code::exists) return created;
  }
  return fail(Code::busy, "others make and remove it all the time");
}

// Whether "/name" behind a prefix of so many bytes is too long for a file. The C libraries' own words for it vary with the
// call and the length.
bool is_too_long(const std::string& name, std::size_t prefix = 0) noexcept;

// As fail_system; and a name that is too long is the caller's mistake.
Error fail_posix(const char* syscall, int errnum) noexcept;

}  // namespace interproc::platform
