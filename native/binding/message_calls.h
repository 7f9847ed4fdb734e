#pragma once

#include <napi.h>

#include "binding/environment.h"

namespace interproc::binding {

// Where message calls leave what does not fit into their result: indices into Environment::results.
enum ResultWord : std::uint32_t {
  kDeliveries = 0,
  kReceipt = 1,
  kWanted = 2,
  kLease = 3,
  kErrno = 4
};

// The calls made once per message or per batch. They take plain numbers and registered buffers, allocate nothing, and throw
// nothing: a result >= 0 is a length or a count, a negative one is -Code.
void export_message_calls(Napi::Env env, Napi::Object exports, Environment* environment);

}  // namespace interproc::binding
