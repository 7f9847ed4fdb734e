#include "binding/mapped_buffer.h"

#include <utility>

namespace interproc::binding {

// Of one ArrayBuffer; lives until its finalizer has run, which may be long after the MappedBuffer.
struct MappedBuffer::Memory {
  std::shared_ptr<void> owner;
  napi_ref buffer = nullptr;  // weak
};

MappedBuffer::~MappedBuffer() = default;

napi_value MappedBuffer::make(napi_env env) {
  memory_ = std::make_shared<Memory>(Memory{owner_});
  auto hint = std::make_unique<std::shared_ptr<Memory>>(memory_);
  napi_value buffer = nullptr;
  if (napi_create_external_arraybuffer(env, data_, bytes_, finalize, hint.get(), &buffer) !=
      napi_ok) {
    memory_.reset();
    return nullptr;
  }
  static_cast<void>(hint.release());  // the finalizer's
  napi_create_reference(env, buffer, 0, &memory_->buffer);
  return buffer;
}

void MappedBuffer::close(napi_env env, const Detaching& detaching) {
  const std::shared_ptr<Memory> memory = std::exchange(memory_, nullptr);
  owner_.reset();
  if (memory == nullptr || memory->owner == nullptr) return;
  // Now: a thread that never comes back to its event loop, where finalizers run, would run out of mappings.
  if (detaching.take_back(env, std::exchange(memory->buffer, nullptr))) memory->owner.reset();
}

void MappedBuffer::finalize(napi_env env, void*, void* hint) {
  const std::unique_ptr<std::shared_ptr<Memory>> held(static_cast<std::shared_ptr<Memory>*>(hint));
  Memory& memory = **held;
  if (memory.buffer != nullptr) napi_delete_reference(env, std::exchange(memory.buffer, nullptr));
  memory.owner.reset();
}

}  // namespace interproc::binding
