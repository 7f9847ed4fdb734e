#include "binding/lease_views.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace interproc::binding {

namespace {

// A thread that never comes back to its event loop would pile up finalizers for ever: from so many on it gets copies, 5 MB later.
constexpr std::uint32_t kMaxUnfinalized = 16'384;

}  // namespace

LeaseViews::~LeaseViews() {
  // The references go with the environment: it may be on its way out, where they must not be touched.
  for (View& view : views_) forget_memory(view);
}

void LeaseViews::forget_memory(View& view) noexcept {
  if (view.memory != nullptr) view.memory->views = nullptr;
  view.memory.reset();
}

napi_value LeaseViews::open(napi_env env, const ring::Leased& leased, bool copies, double& number) {
  View view;
  view.number = ++shared_.last_number;
  view.lease = leased.lease;
  view.record = leased.bytes;
  view.length = leased.length;
  // An empty buffer has no memory to lie over.
  const bool external = !copies && view.length > 0 && *shared_.unfinalized < kMaxUnfinalized;
  napi_value buffer = external ? external_buffer(env, view) : nullptr;
  // A message has been delivered at least once.
  if (buffer == nullptr) buffer = private_buffer(env, view, leased.deliveries > 0);
  napi_value bytes = nullptr;
  if (buffer == nullptr || napi_create_reference(env, buffer, 0, &view.buffer) != napi_ok ||
      napi_create_typedarray(env, napi_uint8_array, view.length, buffer, 0, &bytes) != napi_ok) {
    if (buffer != nullptr) shared_.detach(env, buffer);
    if (view.buffer != nullptr) napi_delete_reference(env, view.buffer);
    forget_memory(view);
    queue_.abandon(view.lease);
    bool thrown = false;
    if (napi_is_exception_pending(env, &thrown); !thrown)
      napi_throw_error(env, nullptr, "no memory for the bytes of a lease");
    return nullptr;
  }
  number = view.number;
  views_.push_back(std::move(view));
  return bytes;
}

napi_value LeaseViews::external_buffer(napi_env env, View& view) {
  view.memory = std::make_shared<Memory>(Memory{this, view.number, shared_.unfinalized});
  auto hint = std::make_unique<std::shared_ptr<Memory>>(view.memory);
  napi_value buffer = nullptr;
  if (napi_create_external_arraybuffer(env, view.record, view.length, finalize, hint.get(),
                                       &buffer) != napi_ok) {
    // This runtime has none (napi_no_external_buffers_allowed).
    forget_memory(view);
    return nullptr;
  }
  static_cast<void>(hint.release());  // the finalizer's
  ++*shared_.unfinalized;
  return buffer;
}

napi_value LeaseViews::private_buffer(napi_env env, const View& view, bool filled) {
  napi_value buffer = nullptr;
  void* data = nullptr;
  if (napi_create_arraybuffer(env, view.length, &data, &buffer) != napi_ok) return nullptr;
  if (filled && view.length > 0) std::memcpy(data, view.record, view.length);
  return buffer;
}

void LeaseViews::finalize(napi_env, void*, void* hint) {
  const std::unique_ptr<std::shared_ptr<Memory>> held(static_cast<std::shared_ptr<Memory>*>(hint));
  Memory& memory = **held;
  memory.finalized = true;
  --*memory.unfinalized;
  if (memory.views != nullptr) memory.views->freed(memory.number);
}

void LeaseViews::freed(double number) {
  View* view = find(number);
  if (view == nullptr || !view->kept) return;
  queue_.abandon(view->lease);
  erase(*view);
  if (!views_.empty() || !when_freed_) return;
  const auto callback = std::exchange(when_freed_, nullptr);
  callback();
}

Code LeaseViews::end(napi_env env, double number, End how, std::uint32_t length) {
  View* view = find(number);
  if (view == nullptr || view->kept) return Code::not_owner;
  if (how == End::commit && length > view->length) return Code::too_large;
  if (how == End::commit && view->memory == nullptr && length > 0) {
    napi_value buffer = nullptr;
    void* data = nullptr;
    std::size_t room = 0;
    if (napi_get_reference_value(env, view->buffer, &buffer) == napi_ok && buffer != nullptr &&
        napi_get_arraybuffer_info(env, buffer, &data, &room) == napi_ok && room >= length) {
      std::memcpy(view->record, data, length);
    }
  }
  if (!take_back(env, *view)) {
    abandon(*view);
    return how == End::abandon ? Code::ok : Code::not_owner;
  }
  const double lease = view->lease;
  erase(*view);
  switch (how) {
    case End::commit:
      return queue_.commit(lease, length);
    case End::release:
      return queue_.release(lease);
    case End::abandon:
      break;
  }
  return queue_.abandon(lease);
}

bool LeaseViews::close(napi_env env) {
  for (std::size_t i = views_.size(); i-- > 0;) {
    View& view = views_[i];
    if (view.kept) continue;
    take_back(env, view);
    abandon(view);
  }
  return views_.empty();
}

bool LeaseViews::take_back(napi_env env, View& view) noexcept {
  if (!shared_.detach.take_back(env, std::exchange(view.buffer, nullptr))) return false;
  forget_memory(view);
  return true;
}

// The lease, now or when the memory of a transferred buffer has become garbage. Of no use any more is `view` then.
void LeaseViews::abandon(View& view) {
  if (view.memory != nullptr && !view.memory->finalized) {
    view.kept = true;
    return;
  }
  const double lease = view.lease;
  erase(view);
  queue_.abandon(lease);
}

LeaseViews::View* LeaseViews::find(double number) noexcept {
  const auto found = std::find_if(views_.begin(), views_.end(),
                                  [number](const View& view) { return view.number == number; });
  return found == views_.end() ? nullptr : &*found;
}

void LeaseViews::erase(const View& view) { views_.erase(views_.begin() + (&view - views_.data())); }

}  // namespace interproc::binding
