#pragma once

#include <cstdint>
#include <utility>

namespace interproc {

// One word for every way an operation can end. The binding maps each to one JavaScript error code; the numbers are
// exported to TypeScript, never retyped there.
enum class Code : std::int32_t {
  ok = 0,
  empty,
  full,
  ended,
  too_large,
  carries,  // the next message has tickets in it: only a receive takes it
  exists,
  not_found,
  backend,  // another backend has an object of this name
  kind,
  mismatch,
  corrupt,
  lost,  // what a record names beside the ring is not there: somebody else has been at it
  version,
  permission,
  no_space,
  no_slot,
  unacked,
  no_lease,  // the participant holds as many leases as it may
  not_owner,
  busy,
  deadlock,      // this handle itself holds what it asks for
  over_release,  // more would be given back than there may be
  broken,        // a barrier that somebody gave up on
  invalid,       // no such object: closed
  argument,      // an object that cannot be
  system,
};

struct Error {
  Code code = Code::ok;
  int errnum = 0;            // errno, where a system call failed
  const char* syscall = "";  // its name
  const char* detail = "";   // what exactly was wrong; static text
};

inline Error fail(Code code, const char* detail) noexcept { return Error{code, 0, "", detail}; }

// Maps errno to the code a user can act on.
Error fail_system(const char* syscall, int errnum) noexcept;

// A value or an error. The value is only meaningful when ok().
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) noexcept : value_(std::move(value)) {}
  Result(Error error) noexcept : error_(error) {}

  bool ok() const noexcept { return error_.code == Code::ok; }
  const Error& error() const noexcept { return error_; }
  T& value() noexcept { return value_; }

 private:
  T value_{};
  Error error_{};
};

}  // namespace interproc
