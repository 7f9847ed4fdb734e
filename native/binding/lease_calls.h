#pragma once

#include <napi.h>

#include "binding/environment.h"

namespace interproc::binding {

// The calls that hand out records in place, and take them back. As message calls: a negative result is -Code.
void export_lease_calls(Napi::Env env, Napi::Object exports, Environment* environment);

}  // namespace interproc::binding
