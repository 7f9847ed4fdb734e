#pragma once

#include <node_api.h>

#include <cstddef>
#include <memory>

#include "binding/detaching.h"

namespace interproc::binding {

// The one ArrayBuffer over memory that somebody has mapped. Two over one address abort older V8s.
//
// The memory is kept as long as JavaScript may reach it: until `close` has detached the buffer, or else, for a buffer that its
// user has transferred away or locked, until it is garbage, or until the thread that made it ends.
class MappedBuffer {
 public:
  // Keeps `owner`, which the memory goes with.
  MappedBuffer(std::shared_ptr<void> owner, std::byte* data, std::size_t bytes) noexcept
      : owner_(std::move(owner)), data_(data), bytes_(bytes) {}
  ~MappedBuffer();
  MappedBuffer(const MappedBuffer&) = delete;
  MappedBuffer& operator=(const MappedBuffer&) = delete;

  // Makes it; to be called once. nullptr: this runtime has no ArrayBuffers over memory that is not its own.
  napi_value make(napi_env env);
  // Lets go of the memory.
  void close(napi_env env, const Detaching& detaching);

 private:
  struct Memory;

  static void finalize(napi_env env, void* data, void* hint);

  std::shared_ptr<void> owner_;
  std::byte* data_;
  std::size_t bytes_;
  std::shared_ptr<Memory> memory_;  // once there is a buffer
};

}  // namespace interproc::binding
