#include "binding/state_view.h"

#include <utility>

namespace interproc::binding {

StateView::~StateView() {
  // The reference goes with the environment: it may be on its way out, where it must not be touched.
  if (memory_ != nullptr) memory_->view = nullptr;
}

napi_value StateView::open(napi_env env) noexcept {
  memory_ = std::make_shared<Memory>(Memory{this});
  auto hint = std::make_unique<std::shared_ptr<Memory>>(memory_);
  napi_value buffer = nullptr;
  if (napi_create_external_arraybuffer(env, bytes_, length_, finalize, hint.get(), &buffer) !=
      napi_ok) {
    memory_.reset();
    return nullptr;
  }
  static_cast<void>(hint.release());  // the finalizer's
  napi_create_reference(env, buffer, 0, &buffer_);
  return buffer;
}

bool StateView::close(napi_env env) noexcept {
  if (memory_ == nullptr || finalized_) return true;
  return buffer_ != nullptr && detach_.take_back(env, std::exchange(buffer_, nullptr));
}

void StateView::finalize(napi_env, void*, void* hint) {
  const std::unique_ptr<std::shared_ptr<Memory>> held(static_cast<std::shared_ptr<Memory>*>(hint));
  StateView* view = (*held)->view;
  if (view == nullptr) return;
  view->finalized_ = true;
  const auto callback = std::exchange(view->when_freed_, nullptr);
  if (callback) callback();
}

}  // namespace interproc::binding
