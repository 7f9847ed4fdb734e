#pragma once

#include <node_api.h>

#include <cstddef>
#include <functional>
#include <memory>

#include "binding/detaching.h"

namespace interproc::binding {

// The one ArrayBuffer through which JavaScript sees some bytes of a state. It is detached before they are unmapped. If its user
// has transferred it away or locked it, the state stays mapped until the buffer's finalizer says that the memory is garbage.
class StateView {
 public:
  StateView(const Detaching& detach, void* bytes, std::size_t length) noexcept
      : detach_(detach), bytes_(bytes), length_(length) {}
  ~StateView();
  StateView(const StateView&) = delete;
  StateView& operator=(const StateView&) = delete;

  // The buffer; nullptr, and no exception, if this runtime allows none. Call it once.
  napi_value open(napi_env env) noexcept;
  // False: JavaScript may still reach the memory.
  bool close(napi_env env) noexcept;
  // After that: called once when it cannot any more. It may destroy this object.
  void when_freed(std::function<void()> callback) { when_freed_ = std::move(callback); }

 private:
  // Lives until the finalizer has run, which may be long after everything else here.
  struct Memory {
    StateView* view;
  };
  static void finalize(napi_env env, void* data, void* hint);

  const Detaching& detach_;
  void* const bytes_;
  const std::size_t length_;
  napi_ref buffer_ = nullptr;  // weak
  std::shared_ptr<Memory> memory_;
  bool finalized_ = false;
  std::function<void()> when_freed_;
};

}  // namespace interproc::binding
