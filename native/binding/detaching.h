#pragma once

#include <node_api.h>

namespace interproc::binding {

// How one environment takes external ArrayBuffers away from those who may have kept them.
struct Detaching {
  // ArrayBuffer.prototype.transfer, where there is one.
  napi_ref transfer = nullptr;

  // False: it cannot be detached, its user has marked it as untransferable.
  bool operator()(napi_env env, napi_value buffer) const noexcept;
  // Of a buffer that is known by a weak reference, which is given up. False also if it is gone, or was detached by its user:
  // then another buffer, which nobody can find, may lie over the memory.
  bool take_back(napi_env env, napi_ref buffer) const noexcept;
};

}  // namespace interproc::binding
