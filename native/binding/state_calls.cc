#include "binding/state_calls.h"

#include <cstring>

#include "binding/call.h"
#include "binding/errors.h"
#include "binding/kind_names.h"
#include "ring/abandoned.h"
#include "state/open_state.h"

namespace interproc::binding {

namespace {

using memory::Header;
using memory::Kind;

bool kind_named(const std::string& name, Kind& kind) {
  for (std::uint32_t number = 1; number <= static_cast<std::uint32_t>(memory::kLastKind);
       ++number) {
    kind = static_cast<Kind>(number);
    if (memory::is_state(kind) && name == kind_name(kind)) return true;
  }
  return false;
}

std::uint64_t whole(const Napi::Object& options, const char* name) {
  const Napi::Value value = options.Get(name);
  return value.IsNumber() ? static_cast<std::uint64_t>(value.As<Napi::Number>().DoubleValue()) : 0;
}

// Empty in a thread that is being terminated, where nothing can be had.
std::string text(const Napi::Object& options, const char* name) {
  const Napi::Value value = options.Get(name);
  return value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
}

bool flag(const Napi::Object& options, const char* name) {
  const Napi::Value value = options.Get(name);
  return value.IsBoolean() && value.As<Napi::Boolean>().Value();
}

// openState(directory, name, mode, options, initial): the object's token. TypeScript has checked and completed the options.
Napi::Value open_state(const Napi::CallbackInfo& info) {
  Environment& environment = *static_cast<Environment*>(info.Data());
  const Napi::Object options = info[3].As<Napi::Object>();
  Header header{};
  if (!kind_named(text(options, "kind"), header.kind)) {
    raise(info.Env(), fail(Code::argument, "no such kind of state"));
    return {};
  }
  header.flags = (flag(options, "persist") ? memory::kPersist : 0u) |
                 (flag(options, "anonymous") ? memory::kAnonymous : 0u);
  header.max_participants = static_cast<std::uint32_t>(whole(options, "maxParticipants"));
  header.state_bytes = whole(options, "byteLength");
  header.parameter = whole(options, "parameter");
  const std::string schema = text(options, "schema");
  if (schema.size() >= memory::kSchemaBytes) {
    raise(info.Env(), fail(Code::too_large, "the schema is too long"));
    return {};
  }
  std::memcpy(header.schema, schema.data(), schema.size());
  const std::byte* initial = nullptr;
  std::size_t initial_bytes = 0;
  if (info[4].IsTypedArray()) {
    const auto array = info[4].As<Napi::Uint8Array>();
    initial = reinterpret_cast<const std::byte*>(array.Data());
    initial_bytes = array.ByteLength();
  }
  auto watch = environment.watch(info[0].As<Napi::String>().Utf8Value());
  if (!watch.ok()) {
    raise(info.Env(), watch.error());
    return {};
  }
  sync::Doorbell& bell = *watch.value()->bell;
  const std::string name = info[1].As<Napi::String>().Utf8Value();
  const auto mode = static_cast<memory::OpenMode>(info[2].As<Napi::Number>().Uint32Value());
  auto opened = ring::open_past_abandoned(bell, name, header.kind, [&] {
    return state::open_state(bell, name, mode, header, initial, initial_bytes);
  });
  if (!opened.ok()) {
    raise(info.Env(), opened.error());
    return {};
  }
  auto object = std::make_unique<Environment::Object>();
  object->watch = watch.value();
  if (header.kind == Kind::value || header.kind == Kind::array)
    object->cells = static_cast<state::Cells*>(opened.value().get());
  object->state = std::move(opened.value());
  return Napi::Number::New(info.Env(), environment.adopt(std::move(object)));
}

// stateGeometry(token)
Napi::Value state_geometry(const Napi::CallbackInfo& info) {
  const Environment::Object* object =
      static_cast<Environment*>(info.Data())->object(info[0].As<Napi::Number>().Uint32Value());
  if (object == nullptr || object->state == nullptr) return info.Env().Undefined();
  const Header& header = object->header();
  Napi::Object made = Napi::Object::New(info.Env());
  made.Set("kind", kind_name(header.kind));
  made.Set("byteLength", static_cast<double>(header.state_bytes));
  made.Set("parameter", static_cast<double>(header.parameter));
  made.Set("schema", static_cast<const char*>(header.schema));
  made.Set("maxParticipants", static_cast<double>(header.max_participants));
  made.Set("persist", (header.flags & memory::kPersist) != 0);
  made.Set("anonymous", (header.flags & memory::kAnonymous) != 0);
  return made;
}

// stateBuffer(token), once: the ArrayBuffer over its bytes; undefined where this runtime allows none.
Napi::Value state_buffer(const Napi::CallbackInfo& info) {
  Environment& environment = *static_cast<Environment*>(info.Data());
  Environment::Object* object = environment.object(info[0].As<Napi::Number>().Uint32Value());
  if (object == nullptr || object->state == nullptr || object->view != nullptr ||
      object->state->bytes() == nullptr)
    return info.Env().Undefined();
  auto view = std::make_unique<StateView>(environment.detaching(), object->state->bytes(),
                                          object->state->header().state_bytes);
  napi_value buffer = view->open(info.Env());
  if (buffer == nullptr) return info.Env().Undefined();
  object->view = std::move(view);
  return {info.Env(), buffer};
}

// The range of a state's bytes that a copy is about; nullptr if it has none such.
std::byte* range_of(const Call& call, Environment::Object* object, std::size_t length) {
  if (object == nullptr || object->state == nullptr) return nullptr;
  const double offset = call.real(1);
  const auto bytes = static_cast<double>(object->state->header().state_bytes);
  if (!(offset >= 0) || !(offset + static_cast<double>(length) <= bytes)) return nullptr;
  return object->state->bytes() + static_cast<std::uint64_t>(offset);
}

// readState(token, offset, into)
napi_value read_state(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  std::byte* into = nullptr;
  std::size_t length = 0;
  if (!call.bytes(2, into, length)) return call.code(Code::invalid);
  const std::byte* from = range_of(call, call.object(), length);
  if (from == nullptr) return call.code(Code::invalid);
  std::memcpy(into, from, length);
  return call.result(0);
}

// writeState(token, offset, from)
napi_value write_state(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  std::byte* from = nullptr;
  std::size_t length = 0;
  if (!call.bytes(2, from, length)) return call.code(Code::invalid);
  std::byte* into = range_of(call, call.object(), length);
  if (into == nullptr) return call.code(Code::invalid);
  std::memcpy(into, from, length);
  return call.result(0);
}

}  // namespace

void export_state_calls(Napi::Env env, Napi::Object exports, Environment* environment) {
  const auto add = [&](const char* name, auto callback) {
    exports.Set(name, Napi::Function::New(env, callback, name, environment));
  };
  add("openState", open_state);
  add("stateGeometry", state_geometry);
  add("stateBuffer", state_buffer);
  const auto add_fast = [&](const char* name, napi_callback callback) {
    napi_value made = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, environment, &made);
    exports.Set(name, made);
  };
  add_fast("readState", read_state);
  add_fast("writeState", write_state);
}

}  // namespace interproc::binding
