#include "binding/posix_calls.h"

#include <algorithm>
#include <cstring>

#include "binding/call.h"
#include "binding/errors.h"
#include "binding/posix_handles.h"
#include "platform/clock.h"
#include "sync/spin.h"

namespace interproc::binding {

namespace {

using platform::PosixAccess;
using platform::PosixSemaphore;
using platform::PosixShm;

// What TypeScript calls the three ways to have an object.
enum class How : std::uint32_t { create, open, open_or_create };

PosixHandles& handles_of(const Napi::CallbackInfo& info) {
  return static_cast<Environment*>(info.Data())->posix;
}

std::uint32_t number(const Napi::Value& value) { return value.As<Napi::Number>().Uint32Value(); }

// posixOpenMemory(name, how, bytes, permissions, readOnly): the token. All arguments have been checked.
Napi::Value open_memory(const Napi::CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>().Utf8Value();
  const auto bytes = static_cast<std::uint64_t>(info[2].As<Napi::Number>().DoubleValue());
  const std::uint32_t permissions = number(info[3]);
  const auto open = [&]() -> Result<PosixShm> {
    switch (static_cast<How>(number(info[1]))) {
      case How::create:
        return PosixShm::create(name, bytes, permissions);
      case How::open_or_create:
        return PosixShm::open_or_create(name, bytes, permissions);
      case How::open:
        break;
    }
    const bool read_only = info[4].As<Napi::Boolean>().Value();
    return PosixShm::open(name, read_only ? PosixAccess::read_only : PosixAccess::read_write);
  };
  auto opened = open();
  if (!opened.ok()) {
    raise(info.Env(), opened.error());
    return {};
  }
  auto memory = std::make_unique<PosixMemory>();
  memory->shm = std::make_shared<PosixShm>(std::move(opened.value()));
  return Napi::Number::New(info.Env(), handles_of(info).memories.adopt(std::move(memory)));
}

PosixMemory* memory_of(const Napi::CallbackInfo& info) {
  return handles_of(info).memories.find(number(info[0]));
}

// posixMemoryBytes(token)
Napi::Value memory_bytes(const Napi::CallbackInfo& info) {
  const PosixMemory* memory = memory_of(info);
  return Napi::Number::New(info.Env(),
                           memory == nullptr ? 0 : static_cast<double>(memory->shm->bytes()));
}

// posixMemoryBuffer(token): the ArrayBuffer, once; undefined if there can be none.
Napi::Value memory_buffer(const Napi::CallbackInfo& info) {
  PosixMemory* memory = memory_of(info);
  if (memory == nullptr || memory->buffer != nullptr || memory->shm->is_read_only())
    return info.Env().Undefined();
  auto made =
      std::make_unique<MappedBuffer>(memory->shm, memory->shm->data(), memory->shm->bytes());
  napi_value buffer = made->make(info.Env());
  if (buffer == nullptr) return info.Env().Undefined();
  memory->buffer = std::move(made);
  return Napi::Value(info.Env(), buffer);
}

// posixReadMemory(token, Uint8Array, offset) fills the array; posixWriteMemory(...) stores it. 0, or -Code.
template <bool Writes>
napi_value copy_memory(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const PosixMemory* memory = call.environment.posix.memories.find(call.number(0));
  if (memory == nullptr) return call.code(Code::invalid);
  std::byte* bytes = nullptr;
  std::size_t length = 0;
  const double offset = call.real(2);
  const PosixShm& shm = *memory->shm;
  if (!call.bytes(1, bytes, length) || !(offset >= 0) || length > shm.bytes() ||
      offset > static_cast<double>(shm.bytes() - length) || (Writes && shm.is_read_only()))
    return call.code(Code::argument);
  if (length == 0) return call.code(Code::ok);
  std::byte* const at = shm.data() + static_cast<std::size_t>(offset);
  // They may overlap: the array may lie over the very memory.
  Writes ? std::memmove(at, bytes, length) : std::memmove(bytes, at, length);
  return call.code(Code::ok);
}

// posixCloseMemory(token)
void close_memory(const Napi::CallbackInfo& info) {
  Environment& environment = *static_cast<Environment*>(info.Data());
  const auto memory = environment.posix.memories.remove(number(info[0]));
  if (memory != nullptr && memory->buffer != nullptr)
    memory->buffer->close(info.Env(), environment.detaching());
}

// posixOpenSemaphore(name, how, value, permissions): the token.
Napi::Value open_semaphore(const Napi::CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>().Utf8Value();
  const std::uint32_t value = number(info[2]);
  const std::uint32_t permissions = number(info[3]);
  const auto open = [&]() -> Result<PosixSemaphore> {
    switch (static_cast<How>(number(info[1]))) {
      case How::create:
        return PosixSemaphore::create(name, value, permissions);
      case How::open_or_create:
        return PosixSemaphore::open_or_create(name, value, permissions);
      case How::open:
        break;
    }
    return PosixSemaphore::open(name);
  };
  auto opened = open();
  if (!opened.ok()) {
    raise(info.Env(), opened.error());
    return {};
  }
  auto semaphore = std::make_unique<PosixSemaphore>(std::move(opened.value()));
  return Napi::Number::New(info.Env(), handles_of(info).semaphores.adopt(std::move(semaphore)));
}

PosixSemaphore* semaphore_of(const Call& call) {
  return call.environment.posix.semaphores.find(call.number(0));
}

// posixTryWait(token): 1 = has taken a permit, 0 = there is none.
napi_value try_wait(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  PosixSemaphore* semaphore = semaphore_of(call);
  return semaphore == nullptr ? call.code(Code::invalid) : call.flag(semaphore->try_wait());
}

// posixWait(token, milliseconds): 1 = has taken a permit, 0 = a slice or the time has passed.
napi_value wait(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  PosixSemaphore* semaphore = semaphore_of(call);
  if (semaphore == nullptr) return call.code(Code::invalid);
  constexpr double kSliceMs = sync::kSliceNs / 1e6;
  const double milliseconds = std::clamp(call.real(1), 0.0, kSliceMs);
  return call.flag(
      semaphore->wait(platform::now_ns() + static_cast<std::int64_t>(milliseconds * 1e6)));
}

// posixPost(token): 0, or -Code.
napi_value post(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  PosixSemaphore* semaphore = semaphore_of(call);
  return call.code(semaphore == nullptr ? Code::invalid : semaphore->post().code);
}

// posixValue(token): or -Code.
napi_value value(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const PosixSemaphore* semaphore = semaphore_of(call);
  return semaphore == nullptr ? call.code(Code::invalid) : call.result(semaphore->value());
}

// posixCloseSemaphore(token)
void close_semaphore(const Napi::CallbackInfo& info) {
  handles_of(info).semaphores.remove(number(info[0]));
}

// posixUnlinkMemory(name), posixUnlinkSemaphore(name)
template <class Kind>
void unlink(const Napi::CallbackInfo& info) {
  const Error error = Kind::unlink(info[0].As<Napi::String>().Utf8Value());
  if (error.code != Code::ok) raise(info.Env(), error);
}

}  // namespace

void export_posix_calls(Napi::Env env, Napi::Object exports, Environment* environment) {
  const auto add = [&](const char* name, auto callback) {
    exports.Set(name, Napi::Function::New(env, callback, name, environment));
  };
  add("posixOpenMemory", open_memory);
  add("posixMemoryBytes", memory_bytes);
  add("posixMemoryBuffer", memory_buffer);
  add("posixCloseMemory", close_memory);
  add("posixUnlinkMemory", unlink<PosixShm>);
  add("posixOpenSemaphore", open_semaphore);
  add("posixCloseSemaphore", close_semaphore);
  add("posixUnlinkSemaphore", unlink<PosixSemaphore>);
  const std::pair<const char*, napi_callback> calls[] = {
      {"posixReadMemory", copy_memory<false>},
      {"posixWriteMemory", copy_memory<true>},
      {"posixTryWait", try_wait},
      {"posixWait", wait},
      {"posixPost", post},
      {"posixValue", value},
  };
  for (const auto& [name, callback] : calls) {
    napi_value function = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, environment, &function);
    exports.Set(name, function);
  }
}

}  // namespace interproc::binding
