#include "binding/lease_calls.h"

#include "binding/call.h"
#include "binding/message_calls.h"

namespace interproc::binding {

namespace {

// The Uint8Array of a lease that the queue has just granted; results[kLease] names it.
napi_value granted(const Call& call, Environment::Object& object, const ring::Leased& leased,
                   bool copies) {
  if (object.views == nullptr) {
    object.views = std::make_unique<LeaseViews>(call.environment.lease_memory(), *object.queue);
  }
  double* results = call.environment.results.data();
  results[kDeliveries] = leased.deliveries;
  return object.views->open(call.env, leased, copies, results[kLease]);
}

// reserve(token, bytes, copies): a Uint8Array.
napi_value reserve(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  if (object == nullptr || object->queue == nullptr) return call.code(Code::invalid);
  ring::Leased leased;
  const Code code = object->queue->reserve(call.number(1), leased);
  return code == Code::ok ? granted(call, *object, leased, call.number(2) != 0) : call.code(code);
}

// peek(token, copies): a Uint8Array; results[kDeliveries].
napi_value peek(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  if (object == nullptr || object->queue == nullptr) return call.code(Code::invalid);
  ring::Leased leased;
  const Code code = object->queue->peek(leased);
  return code == Code::ok ? granted(call, *object, leased, call.number(1) != 0) : call.code(code);
}

template <LeaseViews::End How>
napi_value end_lease(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  if (object == nullptr) return call.code(Code::invalid);
  if (object->views == nullptr) return call.code(Code::not_owner);
  const std::uint32_t length = How == LeaseViews::End::commit ? call.number(2) : 0;
  return call.code(object->views->end(env, call.real(1), How, length));
}

// leases(token)
Napi::Value leases(const Napi::CallbackInfo& info) {
  auto& environment = *static_cast<Environment*>(info.Data());
  const auto* object = environment.object(info[0].As<Napi::Number>().Uint32Value());
  Napi::Array made = Napi::Array::New(info.Env());
  if (object == nullptr || object->queue == nullptr) return made;
  std::uint32_t index = 0;
  for (const ring::LeaseNotice& notice : object->queue->leases()) {
    Napi::Object entry = Napi::Object::New(info.Env());
    entry.Set("pid", static_cast<double>(notice.pid));
    entry.Set("kind", static_cast<double>(notice.kind));
    entry.Set("bytes", static_cast<double>(notice.length));
    entry.Set("ageMs", static_cast<double>(notice.age_ns / 1'000'000));
    entry.Set("isOwn", notice.own);
    made.Set(index++, entry);
  }
  return made;
}

}  // namespace

void export_lease_calls(Napi::Env env, Napi::Object exports, Environment* environment) {
  const std::pair<const char*, napi_callback> calls[] = {
      {"reserve", reserve},
      {"peek", peek},
      {"commit", end_lease<LeaseViews::End::commit>},
      {"release", end_lease<LeaseViews::End::release>},
      {"abandon", end_lease<LeaseViews::End::abandon>},
  };
  for (const auto& [name, callback] : calls) {
    napi_value function = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, environment, &function);
    exports.Set(name, function);
  }
  exports.Set("leases", Napi::Function::New(env, leases, "leases", environment));
}

}  // namespace interproc::binding
