#include "binding/detaching.h"

namespace interproc::binding {

bool Detaching::operator()(napi_env env, napi_value buffer) const noexcept {
  napi_value function = nullptr;
  // Not there in older Nodes, which know no buffers that cannot be detached.
  if (transfer == nullptr || napi_get_reference_value(env, transfer, &function) != napi_ok ||
      function == nullptr)
    return napi_detach_arraybuffer(env, buffer) == napi_ok;
  // Since Node 24 markAsUntransferable() locks a buffer, and to detach that by Node-API would end the process.
  napi_value nothing = nullptr;
  napi_create_uint32(env, 0, &nothing);
  if (napi_call_function(env, buffer, function, 1, &nothing, nullptr) == napi_ok) return true;
  napi_value refusal = nullptr;
  napi_get_and_clear_last_exception(env, &refusal);
  return false;
}

bool Detaching::take_back(napi_env env, napi_ref weak) const noexcept {
  napi_value buffer = nullptr;
  bool detached = true;
  const bool there = napi_get_reference_value(env, weak, &buffer) == napi_ok && buffer != nullptr &&
                     napi_is_detached_arraybuffer(env, buffer, &detached) == napi_ok && !detached;
  napi_delete_reference(env, weak);
  return there && (*this)(env, buffer);
}

}  // namespace interproc::binding
