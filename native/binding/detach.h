#pragma once

#include <node_api.h>

namespace interproc::binding {

// Detaches an ArrayBuffer: every array over it becomes empty. False: it cannot be. `transfer`: ArrayBuffer.prototype.transfer,
// or nullptr where there is none.
bool detach(napi_env env, napi_ref transfer, napi_value buffer) noexcept;

// The ArrayBuffer of a weak reference, if it is still there and nobody has detached it; else nullptr.
napi_value attached_buffer(napi_env env, napi_ref reference) noexcept;

}  // namespace interproc::binding
