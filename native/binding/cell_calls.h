#pragma once

#include <napi.h>

#include "binding/environment.h"

namespace interproc::binding {

// The calls on the cells of values and arrays; as message calls, a negative result is -Code.
void export_cell_calls(Napi::Env env, Napi::Object exports, Environment* environment);

// The numbers of operations and types, by name, and how they make the code of a call.
void export_cell_constants(Napi::Object constants);

}  // namespace interproc::binding
