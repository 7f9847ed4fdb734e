#include "binding/listener_calls.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "binding/errors.h"
#include "ring/listening.h"

namespace interproc::binding {

namespace {

using memory::Header;

Environment& environment_of(const Napi::CallbackInfo& info) {
  return *static_cast<Environment*>(info.Data());
}

double number(const Napi::Object& options, const char* name) {
  const Napi::Value value = options.Get(name);
  return value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : 0;
}

// A header with these options, all of which TypeScript has checked and completed. In a thread that is being terminated they are
// not to be had, and it is the header of nothing.
Header header_of(const Napi::Object& options) {
  Header header{};
  header.kind = memory::Kind::listener;
  const Napi::Value keyed = options.Get("isKeyed");
  if (keyed.IsBoolean() && keyed.As<Napi::Boolean>().Value()) header.flags = memory::kKeyed;
  const auto ring = static_cast<std::uint64_t>(number(options, "ringBytes"));
  header.block_shift = memory::kMinBlockShift;
  header.blocks_shift = static_cast<std::uint32_t>(std::bit_width(ring >> header.block_shift)) - 1;
  header.max_participants = memory::kMaxParticipants;
  header.max_items = static_cast<std::uint32_t>(number(options, "backlog"));
  header.max_message_bytes = ring;
  header.state_bytes = static_cast<std::uint64_t>(number(options, "capacityBytes"));
  header.parameter = static_cast<std::uint64_t>(number(options, "maxMessageBytes"));
  const Napi::Value codec = options.Get("codec");
  if (codec.IsString()) {
    const std::string name = codec.As<Napi::String>().Utf8Value();
    std::memcpy(header.codec, name.data(), std::min(name.size(), sizeof header.codec - 1));
  }
  return header;
}

template <class Open>
Napi::Value open_object(const Napi::CallbackInfo& info, Open open) {
  Environment& environment = environment_of(info);
  auto watch = environment.watch(info[0].As<Napi::String>().Utf8Value());
  if (!watch.ok()) {
    raise(info.Env(), watch.error());
    return {};
  }
  auto opened = open(*watch.value()->bell, info[1].As<Napi::String>().Utf8Value());
  if (!opened.ok()) {
    raise(info.Env(), opened.error());
    return {};
  }
  auto object = std::make_unique<Environment::Object>();
  object->watch = watch.value();
  object->queue = std::move(opened.value());
  return Napi::Number::New(info.Env(), environment.adopt(std::move(object)));
}

// openListener(directory, name, options): the token of a new one.
Napi::Value open_listener(const Napi::CallbackInfo& info) {
  const Header header = header_of(info[2].As<Napi::Object>());
  return open_object(info, [&](sync::Doorbell& bell, const std::string& name) {
    return ring::listen(bell, name, header);
  });
}

// openBacklog(directory, name): the token of one that somebody listens at.
Napi::Value open_backlog(const Napi::CallbackInfo& info) {
  return open_object(info, [](sync::Doorbell& bell, const std::string& name) {
    return ring::open_backlog(bell, name);
  });
}

const ring::Queue* listener_of(const Napi::CallbackInfo& info) {
  const Environment::Object* object =
      environment_of(info).object(info[0].As<Napi::Number>().Uint32Value());
  return object == nullptr ? nullptr : object->queue.get();
}

// listenerGeometry(token)
Napi::Value listener_geometry(const Napi::CallbackInfo& info) {
  const ring::Queue* listener = listener_of(info);
  if (listener == nullptr) return info.Env().Undefined();
  const Header& header = listener->header();
  Napi::Object made = Napi::Object::New(info.Env());
  made.Set("backlog", static_cast<double>(header.max_items));
  made.Set("capacityBytes", static_cast<double>(header.state_bytes));
  made.Set("maxMessageBytes", static_cast<double>(header.parameter));
  made.Set("codec", static_cast<const char*>(header.codec));
  made.Set("isKeyed", (header.flags & memory::kKeyed) != 0);
  return made;
}

// listens(token)
Napi::Value listens(const Napi::CallbackInfo& info) {
  const ring::Queue* listener = listener_of(info);
  return Napi::Boolean::New(info.Env(), listener != nullptr && listener->listens());
}

}  // namespace

void export_listener_calls(Napi::Env env, Napi::Object exports, Environment* environment) {
  const auto add = [&](const char* name, auto callback) {
    exports.Set(name, Napi::Function::New(env, callback, name, environment));
  };
  add("openListener", open_listener);
  add("openBacklog", open_backlog);
  add("listenerGeometry", listener_geometry);
  add("listens", listens);
}

}  // namespace interproc::binding
