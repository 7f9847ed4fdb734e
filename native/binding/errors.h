#pragma once

#include <napi.h>

#include "platform/result.h"

namespace interproc::binding {

// The one place where a native error becomes a JavaScript one: { status, errno, syscall, detail }. TypeScript gives it its class,
// its code and its message, since it knows what the caller asked for.
void raise(Napi::Env env, const Error& error);

// Exports the numbers of Code, by name.
void export_codes(Napi::Object constants);

}  // namespace interproc::binding
