#pragma once

#include <napi.h>

#include "binding/environment.h"

namespace interproc::binding {

// The calls that only listeners have. The object is a queue to all others.
void export_listener_calls(Napi::Env env, Napi::Object exports, Environment* environment);

}  // namespace interproc::binding
