#pragma once

#include <napi.h>
#include <uv.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "binding/lease_views.h"
#include "binding/lifelines.h"
#include "binding/posix_handles.h"
#include "binding/state_view.h"
#include "ring/pipe_end.h"
#include "ring/queue.h"
#include "ring/spsc_channel.h"
#include "state/cells.h"
#include "state/shared_state.h"
#include "sync/doorbell.h"

namespace interproc::binding {

// Private memory that JavaScript and native code both see: an ArrayBuffer whose bytes stay where they are.
template <class T>
class Shared {
 public:
  // False: there is no memory, or the thread is being terminated.
  bool allocate(Napi::Env env, std::size_t count) {
    Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, count * sizeof(T));
    if (buffer.IsEmpty()) return false;
    const auto view = Napi::TypedArrayOf<T>::New(env, count, buffer, 0);
    if (view.IsEmpty()) return false;
    data_ = static_cast<T*>(buffer.Data());
    count_ = count;
    view_ = Napi::Persistent(view.template As<Napi::Object>());
    return true;
  }
  T* data() const { return data_; }
  std::size_t count() const { return count_; }
  Napi::Value view() const { return view_.Value(); }
  void release() { view_.Reset(); }

 private:
  T* data_ = nullptr;
  std::size_t count_ = 0;
  Napi::ObjectReference view_;
};

// What one thread of JavaScript (the main one or a worker) has open: its objects, its doorbells, and the buffers that
// messages cross through. Made when the addon is loaded there, taken down by the environment's cleanup hook, on that thread;
// or, since process.exit() and uncaught errors run no such hook for the main thread, when the C library exits.
class Environment {
 public:
  // nullptr: there is no memory, or the thread is being terminated, which may happen at any call into Node-API.
  static Environment* create(Napi::Env env);

  // One watched doorbell. libuv closes handles later than we let go of them, so it lives until its close callback.
  struct Watch {
    Environment* environment = nullptr;
    std::unique_ptr<sync::Doorbell> bell;
    uv_poll_t poll{};
    bool watching = false;
  };

  // One of our objects by the number JavaScript knows it by; nullptr when it is closed or never was.
  struct Object {
    Watch* watch = nullptr;
    std::unique_ptr<ring::Queue> queue;
    std::unique_ptr<LeaseViews> views;  // of the queue, from its first lease on; goes before it
    std::unique_ptr<ring::SpscChannel> spsc;
    std::unique_ptr<ring::PipeEnd> pipe;
    std::unique_ptr<StateView>
        pipe_views[3];  // of the pipe's words and of both its rings, from the first fast call on
    std::unique_ptr<state::SharedState> state;
    std::unique_ptr<StateView> view;  // of the state, from the first time it was asked for
    std::unique_ptr<StateView>
        watch_view;                 // of the word by which its cells tell that somebody waits
    state::Cells* cells = nullptr;  // the state, if it is one of those
    std::uint32_t kept_views =
        0;  // of a closed state: those whose memory JavaScript may still reach
    bool refd = true;
    bool armed[sync::kSides] = {};
    // What an event loop can wait for; a byte ring is none.
    sync::Waitable* waitable() const noexcept {
      if (queue != nullptr) return queue.get();
      return pipe != nullptr ? static_cast<sync::Waitable*>(pipe.get()) : state.get();
    }
    // Nullptr of a byte ring.
    memory::Segment* segment() const noexcept {
      if (queue != nullptr) return &queue->segment();
      if (pipe != nullptr) return &pipe->segment();
      return state != nullptr ? &state->segment() : nullptr;
    }
    const memory::Header& header() const noexcept {
      if (queue != nullptr) return queue->header();
      if (pipe != nullptr) return pipe->header();
      return state != nullptr ? state->header() : spsc->header();
    }
    bool is_armed() const noexcept {
      return std::any_of(std::begin(armed), std::end(armed), [](bool side) { return side; });
    }
  };
  // What the leases of all objects here share.
  LeaseMemory& lease_memory() noexcept { return lease_memory_; }
  const Detaching& detaching() const noexcept { return detaching_; }

  Object* object(std::uint32_t token) noexcept {
    return token < objects_.size() ? objects_[token].get() : nullptr;
  }
  std::uint32_t adopt(std::unique_ptr<Object> object);
  void close(std::uint32_t token);

  // The doorbell for objects of this directory; hung up and watched at the first event-loop wait.
  Result<Watch*> watch(const std::string& directory);
  // Makes sure that rings for this object reach us. An error if this runtime has no libuv loop to watch with.
  Error listen(std::uint32_t token);

  bool arm(std::uint32_t token, sync::Side side);
  void disarm(std::uint32_t token, sync::Side side);
  void set_ref(std::uint32_t token, bool ref);
  void on_bell(Napi::Function dispatch) { dispatch_ = Napi::Persistent(dispatch); }

  Shared<std::uint8_t> inbox;
  Shared<std::uint8_t> outbox;
  Shared<std::uint32_t> lengths;
  Shared<std::uint32_t> offsets;
  Shared<std::uint32_t> rung;
  Shared<double> results;
  Shared<std::uint64_t> operands;  // of a cell's operation: state::Operands

  PosixHandles posix;

  static constexpr std::size_t kBatch = 4096;  // messages per crossing, at most

 private:
  explicit Environment(Napi::Env env) : env_(env) {}
  bool allocate();

  static void on_readable(uv_poll_t* poll, int status, int events);
  static void on_timer(uv_timer_t* timer);
  static void on_exit();
  static void on_cleanup(napi_async_cleanup_hook_handle handle, void* self);
  void closed();
  // Closes every object: what they held goes back, and the last one out removes the segment.
  void close_objects() {
    objects_.clear();
    closing_objects_.clear();
  }

  // JavaScript cannot reach one memory of a closed object any more; of its last one, the object goes.
  void forget(const Object* leaving) noexcept;
  void answer(Watch& watch);
  void peers_died(const std::unordered_set<std::uint32_t>& tokens);
  bool hold_lifeline(const Object& object, std::uint32_t token);
  void doubt(std::uint32_t token);
  static void on_doubt(uv_timer_t* timer);
  void look_at_doubtful();
  void look_at_all();
  void look_at(std::uint32_t token, bool slow);
  void dispatch();
  void mark_armed(Object& object, sync::Side side, bool armed);
  void update_liveness();

  Napi::Env env_;
  Detaching detaching_;
  LeaseMemory lease_memory_{detaching_};
  uv_loop_t* loop_ = nullptr;
  napi_async_context context_ = nullptr;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  Napi::FunctionReference dispatch_;
  std::vector<std::unique_ptr<Object>> objects_;
  std::vector<std::uint32_t> free_tokens_;
  // Closed for JavaScript, which can still reach memory of theirs: they leave when it is garbage.
  std::vector<std::unique_ptr<Object>> closing_objects_;
  std::vector<std::unique_ptr<Watch>> watches_;
  uv_timer_t timer_{};
  // Objects that wait for a peer of whom no doorbell tells: on its way in a message, or ending (it lets go of one descriptor after the
  // other), or robbed of its bell.
  uv_timer_t doubt_timer_{};
  std::unordered_set<std::uint32_t> doubtful_;
  std::uint64_t doubt_ms_ = 0;
  bool timer_ready_ = false;
  std::uint32_t slow_token_ = 0;  // whose turn it is to be looked at by the timer
  std::uint32_t armed_ = 0;
  std::uint32_t armed_refd_ = 0;
  Lifelines lifelines_{[this](const auto& tokens) { peers_died(tokens); }};
  bool alive_ = false;  // whether our handles keep the loop alive
  std::uint32_t rung_count_ = 0;
  std::uint32_t closing_ = 0;
  std::vector<std::uint32_t> tokens_;
};

}  // namespace interproc::binding
