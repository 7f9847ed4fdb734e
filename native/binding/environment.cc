#include "binding/environment.h"

#include <cstdlib>
#include <mutex>
#include <unordered_set>

namespace interproc::binding {

namespace {

// An event loop with pending waits looks by itself this often, for the wakes that kills lose.
constexpr std::uint64_t kSlowLookMs = 500;

constexpr sync::Side kEverySide[sync::kSides] = {sync::kTake, sync::kPut, sync::kJoin};
// At so many of them at most, those next in turn: a look takes half a microsecond, so waiting costs 0.05 % of a processor at most, however
// many queues there are. 10,000 of them are looked at in ten seconds.
constexpr std::uint32_t kSlowLooks = 512;

// How often an awaited peer is asked for that no doorbell tells of: after 1, 2, 4 ... ms, and then every so many.
constexpr std::uint64_t kDoubtMs = 50;

constexpr std::size_t kInitialBoxBytes = 256 * 1024;

// Every environment of the process that has not been taken down. Never destroyed: it is used while the process exits.
struct Living {
  std::mutex mutex;
  std::unordered_set<Environment*> environments;
};
Living& living() {
  static auto* const living = new Living;
  return *living;
}

}  // namespace

bool Environment::allocate() {
  if (!inbox.allocate(env_, kInitialBoxBytes) || !outbox.allocate(env_, kInitialBoxBytes) ||
      !lengths.allocate(env_, kBatch) || !offsets.allocate(env_, kBatch) ||
      !rung.allocate(env_, kBatch) || !results.allocate(env_, 8) ||
      !operands.allocate(env_, sizeof(state::Operands) / sizeof(std::uint64_t)))
    return false;
  napi_value at = nullptr;
  if (napi_get_global(env_, &at) != napi_ok) return false;
  for (const char* name : {"ArrayBuffer", "prototype", "transfer"}) {
    if (napi_get_named_property(env_, at, name, &at) != napi_ok) return false;
  }
  const Napi::Value transfer(env_, at);
  if (transfer.IsFunction()) napi_create_reference(env_, transfer, 1, &detaching_.transfer);
  tokens_.resize(sync::Doorbell::kDrainBytes / sizeof(std::uint32_t));
  return true;
}

Environment* Environment::create(Napi::Env env) {
  std::unique_ptr<Environment> made(new Environment(env));
  if (!made->allocate()) return nullptr;
  Environment* const self = made.release();
  {
    const std::lock_guard lock(living().mutex);
    static const int registered = std::atexit(on_exit);
    static_cast<void>(registered);
    living().environments.insert(self);
  }
  napi_add_async_cleanup_hook(env, on_cleanup, self, &self->cleanup_);
  return self;
}

std::uint32_t Environment::adopt(std::unique_ptr<Object> object) {
  if (free_tokens_.empty()) {
    objects_.push_back(std::move(object));
    return static_cast<std::uint32_t>(objects_.size() - 1);
  }
  const std::uint32_t token = free_tokens_.back();
  free_tokens_.pop_back();
  objects_[token] = std::move(object);
  return token;
}

void Environment::close(std::uint32_t token) {
  Object* found = object(token);
  if (found == nullptr) return;
  for (sync::Side side : kEverySide) mark_armed(*found, side, false);
  lifelines_.let_go(token);
  std::unique_ptr<Object> closed = std::move(objects_[token]);
  free_tokens_.push_back(token);
  const Object* leaving = closed.get();
  if (closed->views != nullptr && !closed->views->close(env_)) {
    closed->queue->retire();
    closed->views->when_freed([this, leaving] { forget(leaving); });
    closing_objects_.push_back(std::move(closed));
    return;
  }
  std::uint32_t kept = 0;
  for (const auto* view : {&closed->view, &closed->watch_view, &closed->pipe_views[0],
                           &closed->pipe_views[1], &closed->pipe_views[2]}) {
    if (*view == nullptr || (*view)->close(env_)) continue;
    ++kept;
    (*view)->when_freed([this, leaving] { forget(leaving); });
  }
  if (kept == 0) return;
  closed->state != nullptr ? closed->state->retire() : closed->pipe->retire();
  closed->kept_views = kept;
  closing_objects_.push_back(std::move(closed));
}

void Environment::forget(const Object* leaving) noexcept {
  const auto found = std::find_if(closing_objects_.begin(), closing_objects_.end(),
                                  [leaving](const auto& one) { return one.get() == leaving; });
  if (found == closing_objects_.end()) return;
  if ((*found)->kept_views > 1) {
    --(*found)->kept_views;
  } else {
    closing_objects_.erase(found);
  }
}

Result<Environment::Watch*> Environment::watch(const std::string& directory) {
  // Opened anew each time: a directory that was removed and made again is another one, whatever it is called.
  auto opened = platform::Directory::open(directory);
  if (!opened.ok()) return opened.error();
  for (const auto& watch : watches_) {
    if (watch->bell->directory().is_same(opened.value())) return watch.get();
  }
  auto watch = std::make_unique<Watch>();
  watch->environment = this;
  watch->bell = std::make_unique<sync::Doorbell>(std::move(opened.value()));
  watches_.push_back(std::move(watch));
  return watches_.back().get();
}

Error Environment::listen(std::uint32_t token) {
  Object* found = object(token);
  if (found == nullptr) return fail(Code::invalid, "closed");
  if (loop_ == nullptr) {
    if (napi_get_uv_event_loop(env_, &loop_) != napi_ok || loop_ == nullptr) {
      loop_ = nullptr;
      return fail(Code::system, "this runtime has no libuv event loop to wait on");
    }
    Napi::HandleScope scope(env_);
    napi_async_init(env_, nullptr, Napi::String::New(env_, "interproc"), &context_);
    uv_timer_init(loop_, &timer_);
    timer_.data = this;
    uv_timer_init(loop_, &doubt_timer_);
    doubt_timer_.data = this;
    for (uv_timer_t* timer : {&timer_, &doubt_timer_})
      uv_unref(reinterpret_cast<uv_handle_t*>(timer));
    timer_ready_ = true;
  }
  Watch& watch = *found->watch;
  if (watch.watching) return {};
  if (Error error = watch.bell->hang(); error.code != Code::ok) return error;
  if (const int failed = uv_poll_init(loop_, &watch.poll, watch.bell->descriptor()); failed != 0) {
    return fail_system("uv_poll_init", -failed);
  }
  watch.poll.data = &watch;
  uv_poll_start(&watch.poll, UV_READABLE, on_readable);
  watch.watching = true;
  if (!alive_) uv_unref(reinterpret_cast<uv_handle_t*>(&watch.poll));
  return {};
}

bool Environment::arm(std::uint32_t token, sync::Side side) {
  Object* found = object(token);
  if (found == nullptr || found->waitable() == nullptr) return false;
  if (found->waitable()->arm(side, token)) {
    mark_armed(*found, side, false);
    return true;
  }
  mark_armed(*found, side, true);
  if (found->pipe != nullptr && !hold_lifeline(*found, token)) doubt(token);
  return false;
}

void Environment::disarm(std::uint32_t token, sync::Side side) {
  Object* found = object(token);
  if (found == nullptr || found->waitable() == nullptr) return;
  found->waitable()->disarm(side);
  mark_armed(*found, side, false);
}

void Environment::set_ref(std::uint32_t token, bool ref) {
  Object* found = object(token);
  if (found == nullptr || found->refd == ref) return;
  std::uint32_t sides = 0;
  for (bool armed : found->armed) sides += armed ? 1u : 0u;
  armed_refd_ = ref ? armed_refd_ + sides : armed_refd_ - sides;
  found->refd = ref;
  update_liveness();
}

void Environment::mark_armed(Object& object, sync::Side side, bool armed) {
  if (object.armed[side] == armed) return;
  object.armed[side] = armed;
  const std::uint32_t step = armed ? 1u : ~0u;
  armed_ += step;
  if (object.refd) armed_refd_ += step;
  update_liveness();
  if (armed && timer_ready_ && uv_is_active(reinterpret_cast<uv_handle_t*>(&timer_)) == 0) {
    uv_timer_start(&timer_, on_timer, kSlowLookMs, kSlowLookMs);
  }
}

void Environment::update_liveness() {
  const bool alive = armed_refd_ > 0;
  if (alive == alive_) return;
  alive_ = alive;
  for (auto& watch : watches_) {
    if (!watch->watching) continue;
    auto* handle = reinterpret_cast<uv_handle_t*>(&watch->poll);
    alive ? uv_ref(handle) : uv_unref(handle);
  }
}

void Environment::on_readable(uv_poll_t* poll, int, int) {
  auto* watch = static_cast<Watch*>(poll->data);
  watch->environment->answer(*watch);
}

void Environment::answer(Watch& watch) {
  bool overflow = false;
  const std::size_t count = watch.bell->drain(tokens_.data(), overflow);
  if (overflow) {
    look_at_all();
  } else {
    for (std::size_t i = 0; i < count; ++i) look_at(tokens_[i], false);
  }
  dispatch();
}

void Environment::peers_died(const std::unordered_set<std::uint32_t>& tokens) {
  for (std::uint32_t token : tokens) doubt(token);
  look_at_doubtful();
}

void Environment::on_doubt(uv_timer_t* timer) {
  static_cast<Environment*>(timer->data)->look_at_doubtful();
}

void Environment::look_at_doubtful() {
  // A copy: what is dispatched meanwhile may add to them.
  const std::vector<std::uint32_t> tokens(doubtful_.begin(), doubtful_.end());
  for (std::uint32_t token : tokens) {
    const auto waiting = [&]() -> Object* {
      Object* found = object(token);
      return found != nullptr && found->pipe != nullptr && found->is_armed() ? found : nullptr;
    };
    if (waiting() != nullptr) look_at(token, true);
    // Looked up again: what is dispatched may close it.
    Object* found = waiting();
    if (found == nullptr || hold_lifeline(*found, token)) doubtful_.erase(token);
  }
  doubt_ms_ = std::min(doubt_ms_ * 2, kDoubtMs);
  if (!doubtful_.empty()) uv_timer_start(&doubt_timer_, on_doubt, doubt_ms_, 0);
  dispatch();
}

bool Environment::hold_lifeline(const Object& object, std::uint32_t token) {
  const std::uint64_t bell = object.pipe->peer_bell();
  const bool is_held = lifelines_.hold(loop_, *object.watch->bell, bell, token);
  object.pipe->told_of(is_held ? bell : 0);
  return is_held;
}

// Nobody's doorbell tells of its peer: it is asked for.
void Environment::doubt(std::uint32_t token) {
  if (const Object* found = object(token); found != nullptr && found->pipe != nullptr)
    found->pipe->told_of(0);
  if (!doubtful_.insert(token).second) return;
  doubt_ms_ = 1;
  uv_timer_start(&doubt_timer_, on_doubt, doubt_ms_, 0);
}

void Environment::on_timer(uv_timer_t* timer) {
  auto* self = static_cast<Environment*>(timer->data);
  if (self->armed_ == 0) {
    uv_timer_stop(timer);
    return;
  }
  std::uint32_t looks = 0;
  for (std::size_t left = self->objects_.size(); left > 0 && looks < kSlowLooks; --left) {
    if (self->slow_token_ >= self->objects_.size()) self->slow_token_ = 0;
    const std::uint32_t token = self->slow_token_++;
    const Object* found = self->object(token);
    if (found == nullptr || !found->is_armed()) continue;
    self->look_at(token, true);
    ++looks;
  }
  self->dispatch();
}

void Environment::look_at_all() {
  for (std::uint32_t token = 0; token < objects_.size(); ++token) look_at(token, false);
}

void Environment::look_at(std::uint32_t token, bool slow) {
  // Before anything is held: what is dispatched may close objects.
  if (rung_count_ + sync::kSides > kBatch) dispatch();
  Object* found = object(token);
  if (found == nullptr || found->waitable() == nullptr) return;
  for (sync::Side side : kEverySide) {
    if (!found->armed[side] || !found->waitable()->answer(side, slow)) continue;
    mark_armed(*found, side, false);
    rung.data()[rung_count_++] = token * sync::kSides + side;
  }
}

void Environment::dispatch() {
  if (rung_count_ == 0 || dispatch_.IsEmpty()) return;
  Napi::HandleScope scope(env_);
  napi_value count = Napi::Number::New(env_, std::exchange(rung_count_, 0));
  napi_value receiver = Napi::Object::New(env_);
  // Runs the promise reactions too, as after any callback of Node's own.
  if (napi_make_callback(env_, context_, receiver, dispatch_.Value(), 1, &count, nullptr) ==
      napi_pending_exception) {
    napi_value exception = nullptr;
    napi_get_and_clear_last_exception(env_, &exception);
    napi_fatal_exception(env_, exception);
  }
}

// Workers have been stopped and cleaned up by then; what is left is the main thread's, and this is the main thread.
void Environment::on_exit() {
  const std::lock_guard lock(living().mutex);
  for (Environment* environment : living().environments) {
    environment->close_objects();
    for (auto& watch : environment->watches_) watch->bell.reset();
  }
}

void Environment::on_cleanup(napi_async_cleanup_hook_handle, void* data) {
  auto* self = static_cast<Environment*>(data);
  {
    const std::lock_guard lock(living().mutex);
    living().environments.erase(self);
  }
  self->close_objects();
  self->dispatch_.Reset();
  for (auto* view : {&self->inbox, &self->outbox}) view->release();
  for (auto* view : {&self->lengths, &self->offsets, &self->rung}) view->release();
  self->results.release();
  self->closing_ = 1;
  const auto close = [self](uv_handle_t* handle, uv_close_cb done) {
    ++self->closing_;
    uv_close(handle, done);
  };
  if (self->timer_ready_) {
    for (uv_timer_t* timer : {&self->timer_, &self->doubt_timer_}) {
      close(reinterpret_cast<uv_handle_t*>(timer),
            [](uv_handle_t* handle) { static_cast<Environment*>(handle->data)->closed(); });
    }
  }
  self->closing_ += self->lifelines_.close([self] { self->closed(); });
  for (auto& watch : self->watches_) {
    if (!watch->watching) continue;
    close(reinterpret_cast<uv_handle_t*>(&watch->poll),
          [](uv_handle_t* handle) { static_cast<Watch*>(handle->data)->environment->closed(); });
  }
  self->closed();
}

void Environment::closed() {
  if (--closing_ > 0) return;
  if (context_ != nullptr) napi_async_destroy(env_, context_);
  napi_async_cleanup_hook_handle cleanup = cleanup_;
  delete this;
  napi_remove_async_cleanup_hook(cleanup);
}

}  // namespace interproc::binding
