#pragma once

#include <napi.h>

#include "binding/environment.h"

namespace interproc::binding {

// The calls on objects of state. Those that are not for opening, and so may be frequent, are as message calls: a negative
// result is -Code.
void export_state_calls(Napi::Env env, Napi::Object exports, Environment* environment);

}  // namespace interproc::binding
