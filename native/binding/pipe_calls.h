#pragma once

#include "binding/environment.h"

namespace interproc::binding {

// Numbers of what `results` holds after a call on a pipe.
enum PipeResult : std::uint32_t { kPipeLength = 0, kPipeMarks = 1, kPipeInParts = 2 };

// Calls on the ends of pipes: message calls return a number >= 0 or -Code, opening ones throw.
void export_pipe_calls(Napi::Env env, Napi::Object exports, Environment* environment);
// Where the words stand that JavaScript reads and writes by itself, in words of 32 bits from the start of the pipe's page.
void export_pipe_constants(Napi::Object constants);

}  // namespace interproc::binding
