#pragma once

#include <napi.h>

#include "binding/environment.h"

namespace interproc::binding {

// The calls of shared memory objects and named semaphores of POSIX.
void export_posix_calls(Napi::Env env, Napi::Object exports, Environment* environment);

}  // namespace interproc::binding
