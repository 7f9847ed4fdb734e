#pragma once

#include <napi.h>

#include "binding/environment.h"

namespace interproc::binding {

// Where `barrierCome` leaves its place: indices into `results`.
inline constexpr std::size_t kPlacePhase = 5;
inline constexpr std::size_t kPlaceIsLast = 6;

// The calls on locks and what else one waits for, as message calls: a negative result is -Code. What acquires returns 1 if what it got had not
// been given back by its last owner, else 0.
void export_lock_calls(Napi::Env env, Napi::Object exports, Environment* environment);

}  // namespace interproc::binding
