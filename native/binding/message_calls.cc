#include "binding/message_calls.h"

#include <cmath>

#include "binding/call.h"

namespace interproc::binding {

namespace {

// Whether the call's end was the system's doing, so that its error number is worth telling.
bool is_trouble(Code code) {
  return code == Code::no_space || code == Code::permission || code == Code::system;
}

void note_trouble(const Call& call, const Environment::Object& object, Code code) {
  if (is_trouble(code)) call.environment.results.data()[kErrno] = object.queue->trouble().errnum;
}

Code put_into(const Call& call, Environment::Object& object, const std::byte* bytes,
              std::size_t length) {
  if (object.queue == nullptr)
    return object.spsc != nullptr ? object.spsc->put(bytes, length) : Code::invalid;
  const Code code = object.queue->put(bytes, length);
  note_trouble(call, object, code);
  return code;
}

Code take_from(Environment::Object& object, std::byte* into, std::size_t room, ring::Taken& taken) {
  if (object.queue != nullptr) return object.queue->take(into, room, taken);
  if (object.spsc == nullptr) return Code::invalid;
  taken.deliveries = 1;
  return object.spsc->take(into, room, taken.length);
}

napi_value taken_result(const Call& call, const Environment::Object& object, Code code,
                        const ring::Taken& taken) {
  double* results = call.environment.results.data();
  if (code == Code::ok) {
    results[kDeliveries] = taken.deliveries;
    return call.result(taken.length);
  }
  results[kWanted] = taken.length;
  if (is_trouble(code))
    results[kErrno] = object.queue != nullptr ? object.queue->trouble().errnum : 0;
  return call.code(code);
}

std::byte* inbox(const Call& call) {
  return reinterpret_cast<std::byte*>(call.environment.inbox.data());
}
std::byte* outbox(const Call& call) {
  return reinterpret_cast<std::byte*>(call.environment.outbox.data());
}

// put(token, length): the message is outbox[0, length).
napi_value put_outbox(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  const std::uint32_t length = call.number(1);
  if (object == nullptr || length > call.environment.outbox.count())
    return call.code(Code::invalid);
  return call.code(put_into(call, *object, outbox(call), length));
}

// putBytes(token, bytes)
napi_value put_bytes(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  std::byte* bytes = nullptr;
  std::size_t length = 0;
  if (object == nullptr || !call.bytes(1, bytes, length)) return call.code(Code::invalid);
  return call.code(put_into(call, *object, bytes, length));
}

// putCarrying(token, bytes): the message has tickets in it.
napi_value put_carrying(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  std::byte* bytes = nullptr;
  std::size_t length = 0;
  if (object == nullptr || object->queue == nullptr || !call.bytes(1, bytes, length))
    return call.code(Code::invalid);
  const Code code = object->queue->put_carrying(bytes, length);
  note_trouble(call, *object, code);
  return call.code(code);
}

// putPacked(token, count): message i has lengths[i] bytes and starts at offsets[i] of the outbox. Returns how many went in.
napi_value put_packed(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  const std::uint32_t count = call.number(1);
  if (object == nullptr || count > Environment::kBatch) return call.code(Code::invalid);
  const std::uint32_t* lengths = call.environment.lengths.data();
  const std::uint32_t* offsets = call.environment.offsets.data();
  const std::size_t room = call.environment.outbox.count();
  for (std::uint32_t i = 0; i < count; ++i) {
    if (offsets[i] > room || lengths[i] > room - offsets[i]) return call.code(Code::invalid);
    const Code code = put_into(call, *object, outbox(call) + offsets[i], lengths[i]);
    if (code != Code::ok) return i > 0 ? call.result(i) : call.code(code);
  }
  return call.result(count);
}

// take(token): into the inbox.
napi_value take_inbox(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  if (object == nullptr) return call.code(Code::invalid);
  ring::Taken taken;
  const Code code = take_from(*object, inbox(call), call.environment.inbox.count(), taken);
  return taken_result(call, *object, code, taken);
}

// takeInto(token, bytes)
napi_value take_into(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  std::byte* bytes = nullptr;
  std::size_t room = 0;
  if (object == nullptr || !call.bytes(1, bytes, room)) return call.code(Code::invalid);
  ring::Taken taken;
  const Code code = take_from(*object, bytes, room, taken);
  return taken_result(call, *object, code, taken);
}

// takeMany(token, max): packed into the inbox, 8-aligned; offsets[i] and lengths[i] say where.
napi_value take_many(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  if (object == nullptr || object->queue == nullptr) return call.code(Code::invalid);
  const std::size_t max = std::min<std::size_t>(call.number(1), Environment::kBatch);
  const std::size_t room = call.environment.inbox.count();
  std::size_t offset = 0;
  for (std::size_t i = 0; i < max; ++i) {
    ring::Taken taken;
    const Code code = i == 0
                          ? object->queue->take(inbox(call), room, taken)
                          : object->queue->take_another(inbox(call) + offset, room - offset, taken);
    if (code != Code::ok)
      return i > 0 ? call.result(static_cast<std::int64_t>(i))
                   : taken_result(call, *object, code, taken);
    call.environment.offsets.data()[i] = static_cast<std::uint32_t>(offset);
    call.environment.lengths.data()[i] = taken.length;
    if (i == 0) call.environment.results.data()[kDeliveries] = taken.deliveries;
    offset = std::min((offset + taken.length + 7) & ~std::size_t{7}, room);
    // What came back before goes alone: the caller has to count its deliveries.
    if (taken.deliveries > 1) return call.result(1);
  }
  return call.result(static_cast<std::int64_t>(max));
}

napi_value receive_to(const Call& call, Environment::Object& object, std::byte* into,
                      std::size_t room) {
  ring::Taken taken;
  const Code code = object.queue->receive(into, room, taken);
  if (code == Code::ok) call.environment.results.data()[kReceipt] = taken.receipt;
  return taken_result(call, object, code, taken);
}

// receive(token): into the inbox, and into the ledger under results[kReceipt].
napi_value receive(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  if (object == nullptr || object->queue == nullptr) return call.code(Code::invalid);
  return receive_to(call, *object, inbox(call), call.environment.inbox.count());
}

// receiveInto(token, bytes)
napi_value receive_into(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  std::byte* bytes = nullptr;
  std::size_t room = 0;
  if (object == nullptr || object->queue == nullptr || !call.bytes(1, bytes, room))
    return call.code(Code::invalid);
  return receive_to(call, *object, bytes, room);
}

// ack(token, receipt)
napi_value ack(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  if (object == nullptr || object->queue == nullptr) return call.code(Code::invalid);
  return call.code(object->queue->ack(call.real(1)));
}

// nack(token, receipt)
napi_value nack(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  if (object == nullptr || object->queue == nullptr) return call.code(Code::invalid);
  return call.code(object->queue->nack(call.real(1)));
}

// undeliver(token, receipt)
napi_value undeliver(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  if (object == nullptr || object->queue == nullptr) return call.code(Code::invalid);
  return call.code(object->queue->undeliver(call.real(1)));
}

// ackAsTaken(token, receipt)
napi_value ack_as_taken(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  if (object == nullptr || object->queue == nullptr) return call.code(Code::invalid);
  return call.code(object->queue->ack_as_taken(call.real(1)));
}

// taskDone(token)
napi_value task_done(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  if (object == nullptr || object->queue == nullptr) return call.code(Code::invalid);
  return call.code(object->queue->task_done());
}

// hasUnfinished(token): 1 = this handle itself has taken or holds something that is not finished.
napi_value has_unfinished(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  if (object == nullptr || object->queue == nullptr) return call.code(Code::invalid);
  return call.flag(object->queue->has_unfinished());
}

// finished(token): 1 = no message is unfinished.
napi_value finished(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  if (object == nullptr || object->queue == nullptr) return call.code(Code::invalid);
  return call.flag(object->queue->finished());
}

// arm(token, side): 1 = look again at once.
napi_value arm(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  if (object == nullptr || object->waitable() == nullptr) return call.code(Code::invalid);
  return call.flag(call.environment.arm(call.number(0), call.side(1)));
}

// disarm(token, side)
napi_value disarm(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  if (object == nullptr || object->waitable() == nullptr) return call.code(Code::invalid);
  call.environment.disarm(call.number(0), call.side(1));
  return call.result(0);
}

// wait(token, side, milliseconds): 1 = look again, 0 = a slice or the time has passed.
napi_value wait(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  if (object == nullptr) return call.code(Code::invalid);
  const double milliseconds = call.real(2);
  const std::int64_t nanoseconds = milliseconds < 1e9
                                       ? static_cast<std::int64_t>(std::fmax(milliseconds, 0) * 1e6)
                                       : sync::kSliceNs;
  return call.flag(object->waitable() != nullptr
                       ? object->waitable()->wait(call.side(1), nanoseconds)
                       : object->spsc->wait(nanoseconds));
}

// size(token)
napi_value size(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  if (object == nullptr || (object->queue == nullptr && object->spsc == nullptr))
    return call.code(Code::invalid);
  return call.result(static_cast<std::int64_t>(
      object->queue != nullptr ? object->queue->size() : object->spsc->used_bytes()));
}

}  // namespace

void export_message_calls(Napi::Env env, Napi::Object exports, Environment* environment) {
  const std::pair<const char*, napi_callback> calls[] = {
      {"putOutbox", put_outbox},
      {"putBytes", put_bytes},
      {"putCarrying", put_carrying},
      {"putPacked", put_packed},
      {"take", take_inbox},
      {"takeInto", take_into},
      {"takeMany", take_many},
      {"receive", receive},
      {"receiveInto", receive_into},
      {"ack", ack},
      {"nack", nack},
      {"undeliver", undeliver},
      {"ackAsTaken", ack_as_taken},
      {"taskDone", task_done},
      {"hasUnfinished", has_unfinished},
      {"finished", finished},
      {"arm", arm},
      {"disarm", disarm},
      {"wait", wait},
      {"size", size},
  };
  for (const auto& [name, callback] : calls) {
    napi_value function = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, environment, &function);
    exports.Set(name, function);
  }
}

}  // namespace interproc::binding
