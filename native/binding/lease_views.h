#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "binding/detaching.h"
#include "ring/queue.h"

namespace interproc::binding {

// What all leases of one environment share.
struct LeaseMemory {
  const Detaching& detach;
  double last_number = 0;
  // External ArrayBuffers whose finalizer has not run. Node runs finalizers on the event loop only, some 300 bytes each.
  std::shared_ptr<std::uint32_t> unfinalized = std::make_shared<std::uint32_t>(0);
};

// The ArrayBuffers through which JavaScript sees the records that one queue has leased. Each lies exactly over its record and
// is detached before the record is let go of, so that no array ever shows what is somebody else's. Where there can be no such
// buffer, or none is wanted, it is private memory and the bytes are copied.
//
// An ArrayBuffer that its user has detached, by `transfer()`, has a successor over the same memory which nobody can find, and
// one that its user has marked as untransferable cannot be detached. Their records are kept until that memory is garbage: the
// buffer's finalizer tells.
class LeaseViews {
 public:
  LeaseViews(LeaseMemory& shared, ring::Queue& queue) noexcept : shared_(shared), queue_(queue) {}
  ~LeaseViews();
  LeaseViews(const LeaseViews&) = delete;
  LeaseViews& operator=(const LeaseViews&) = delete;

  // A Uint8Array over the record, and in `number` what names it: no other lease of the environment has it. nullptr, with an
  // exception pending and the lease abandoned, if there is no memory for it.
  napi_value open(napi_env env, const ring::Leased& leased, bool copies, double& number);

  enum class End { commit, release, abandon };
  // Ends a lease. `length`: of a commit. not_owner: there is no such lease, or, and then it is abandoned, its ArrayBuffer
  // cannot be taken back; else what the queue says.
  Code end(napi_env env, double number, End how, std::uint32_t length);

  // Ends all that can be ended. False: JavaScript may still reach memory of others.
  bool close(napi_env env);
  // After that: called once when it cannot any more. It may destroy this object.
  void when_freed(std::function<void()> callback) { when_freed_ = std::move(callback); }

 private:
  // Of one external ArrayBuffer; lives until its finalizer has run, which may be long after everything else here.
  struct Memory {
    LeaseViews* views;
    double number;
    std::shared_ptr<std::uint32_t> unfinalized;
    bool finalized = false;
  };
  struct View {
    double number = 0;
    double lease = 0;
    napi_ref buffer = nullptr;  // weak
    std::byte* record = nullptr;
    std::uint32_t length = 0;
    std::shared_ptr<Memory> memory;  // none: the buffer is private memory
    bool kept = false;               // ended, and waiting for its memory to become garbage
  };

  static void finalize(napi_env env, void* data, void* hint);
  void freed(double number);
  napi_value external_buffer(napi_env env, View& view);
  napi_value private_buffer(napi_env env, const View& view, bool filled);
  View* find(double number) noexcept;
  // Detaches. False: the ArrayBuffer was gone or had been detached, or cannot be.
  bool take_back(napi_env env, View& view) noexcept;
  void abandon(View& view);
  // Its finalizer will find nobody to tell.
  static void forget_memory(View& view) noexcept;
  void erase(const View& view);

  LeaseMemory& shared_;
  ring::Queue& queue_;
  std::vector<View> views_;
  std::function<void()> when_freed_;
};

}  // namespace interproc::binding
