#pragma once

#include <napi.h>

#include "binding/environment.h"

namespace interproc::binding {

// The calls made once per object or rarer: open, close, statistics, the directory. They may throw (binding/errors.h).
void export_object_calls(Napi::Env env, Napi::Object exports, Environment* environment);

}  // namespace interproc::binding
