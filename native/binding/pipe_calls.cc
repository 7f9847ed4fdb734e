#include "binding/pipe_calls.h"

#include <cstddef>

#include "binding/call.h"

namespace interproc::binding {

namespace {

using ring::PipeEnd;

PipeEnd* pipe_of(const Call& call) {
  Environment::Object* object = call.object();
  return object != nullptr ? object->pipe.get() : nullptr;
}
PipeEnd* sender_of(const Call& call) {
  PipeEnd* end = pipe_of(call);
  return end != nullptr && end->can_send() ? end : nullptr;
}
PipeEnd* receiver_of(const Call& call) {
  PipeEnd* end = pipe_of(call);
  return end != nullptr && end->can_receive() ? end : nullptr;
}

napi_value received_result(const Call& call, Code code, const ring::Received& received) {
  double* results = call.environment.results.data();
  results[kPipeLength] = received.length;
  results[kPipeMarks] = received.marks;
  results[kPipeInParts] = received.in_parts ? 1 : 0;
  return code == Code::ok ? call.result(received.length) : call.code(code);
}

// pipeSendOutbox(token, length, marks): the message is outbox[0, length).
napi_value send_outbox(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  PipeEnd* end = sender_of(call);
  const std::uint32_t length = call.number(1);
  if (end == nullptr || length > call.environment.outbox.count()) return call.code(Code::invalid);
  const auto* bytes = reinterpret_cast<const std::byte*>(call.environment.outbox.data());
  return call.code(end->send(bytes, length, call.number(2)));
}

// pipeSend(token, bytes, marks)
napi_value send(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  PipeEnd* end = sender_of(call);
  std::byte* bytes = nullptr;
  std::size_t length = 0;
  if (end == nullptr || !call.bytes(1, bytes, length)) return call.code(Code::invalid);
  return call.code(end->send(bytes, length, call.number(2)));
}

// pipeSendParts(token, bytes, marks): from results[kPipeLength] on, which says afterwards how far it has got.
napi_value send_parts(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  PipeEnd* end = sender_of(call);
  std::byte* bytes = nullptr;
  std::size_t length = 0;
  if (end == nullptr || !call.bytes(1, bytes, length)) return call.code(Code::invalid);
  double& progress = call.environment.results.data()[kPipeLength];
  auto from = static_cast<std::size_t>(progress >= 0 ? progress : 0);
  if (from > length) return call.code(Code::invalid);
  const Code code = end->send_parts(bytes, length, from, call.number(2));
  progress = static_cast<double>(from);
  return call.code(code);
}

// pipeReceive(token): into the inbox.
napi_value receive(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  PipeEnd* end = receiver_of(call);
  if (end == nullptr) return call.code(Code::invalid);
  auto* inbox = reinterpret_cast<std::byte*>(call.environment.inbox.data());
  ring::Received received;
  const Code code = end->receive(inbox, call.environment.inbox.count(), received);
  return received_result(call, code, received);
}

// pipeReceiveInto(token, bytes)
napi_value receive_into(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  PipeEnd* end = receiver_of(call);
  std::byte* bytes = nullptr;
  std::size_t room = 0;
  if (end == nullptr || !call.bytes(1, bytes, room)) return call.code(Code::invalid);
  ring::Received received;
  const Code code = end->receive(bytes, room, received);
  return received_result(call, code, received);
}

// pipeFill(token, bytes): goes on with the message in parts from results[kPipeLength] on, which says afterwards how far it has got.
napi_value fill(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  PipeEnd* end = receiver_of(call);
  std::byte* bytes = nullptr;
  std::size_t length = 0;
  if (end == nullptr || !call.bytes(1, bytes, length)) return call.code(Code::invalid);
  double& progress = call.environment.results.data()[kPipeLength];
  auto filled = static_cast<std::size_t>(progress >= 0 ? progress : 0);
  if (filled > length) return call.code(Code::invalid);
  const Code code = end->fill(bytes, length, filled);
  progress = static_cast<double>(filled);
  return call.code(code);
}

// pipeLook(token): the length of the next message, and of what kind it is.
napi_value look(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  PipeEnd* end = receiver_of(call);
  if (end == nullptr) return call.code(Code::invalid);
  ring::Received received;
  return received_result(call, end->look(received), received);
}

// pipeFinish(token): the carrying message received last is consumed.
napi_value finish(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  PipeEnd* end = receiver_of(call);
  if (end == nullptr) return call.code(Code::invalid);
  end->finish();
  return call.result(0);
}

// pipeRing(token, side): JavaScript has sent or received by itself, and somebody sleeps.
napi_value ring_peer(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  PipeEnd* end = pipe_of(call);
  if (end == nullptr) return call.code(Code::invalid);
  end->ring_peer(call.side(1));
  return call.result(0);
}

// pipeWant(token, bytes): what the next wait for room waits for.
napi_value want(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  PipeEnd* end = pipe_of(call);
  if (end == nullptr) return call.code(Code::invalid);
  end->want(call.number(1));
  return call.result(0);
}

// pipePeerGone(token, deep): asks the kernel.
napi_value peer_gone(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  PipeEnd* end = pipe_of(call);
  if (end == nullptr) return call.code(Code::invalid);
  return call.flag(end->peer_gone(call.number(1) != 0));
}

// pipeDepart(token): the message with the end was put; close(token) follows.
napi_value depart(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  PipeEnd* end = pipe_of(call);
  if (end == nullptr) return call.code(Code::invalid);
  end->give_away();
  return call.result(0);
}

// pipeStay(token): that message will not be put.
napi_value stay(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  PipeEnd* end = pipe_of(call);
  if (end == nullptr) return call.code(Code::invalid);
  end->stay();
  return call.result(0);
}

// pipeBuffers(token), once: [words, outgoing, incoming] as ArrayBuffers over the pipe's memory, a ring twice as long as it is; undefined where
// this runtime allows none. Of a one-way pipe the ring that is not used is empty.
Napi::Value buffers(const Napi::CallbackInfo& info) {
  Environment& environment = *static_cast<Environment*>(info.Data());
  Environment::Object* object = environment.object(info[0].As<Napi::Number>().Uint32Value());
  if (object == nullptr || object->pipe == nullptr || object->pipe_views[0] != nullptr)
    return info.Env().Undefined();
  PipeEnd& end = *object->pipe;
  memory::Segment& segment = end.segment();
  const bool one_way = segment.layout().payloads == 1;
  const std::uint64_t ring_bytes = 2 * segment.layout().payload_bytes;
  const struct {
    void* at;
    std::uint64_t bytes;
  } ranges[3] = {
      {&segment.control(), memory::kPipeWordsAt + sizeof(ring::PipeWords)},
      {segment.payload(one_way ? 0 : end.index()), end.can_send() ? ring_bytes : 0},
      {segment.payload(one_way ? 0 : 1 - end.index()), end.can_receive() ? ring_bytes : 0},
  };
  Napi::Array made = Napi::Array::New(info.Env(), 3);
  for (std::uint32_t i = 0; i < 3; ++i) {
    if (ranges[i].bytes == 0) continue;
    auto view = std::make_unique<StateView>(environment.detaching(), ranges[i].at, ranges[i].bytes);
    napi_value buffer = view->open(info.Env());
    if (buffer == nullptr) return info.Env().Undefined();
    object->pipe_views[i] = std::move(view);
    made.Set(i, Napi::Value(info.Env(), buffer));
  }
  return made;
}

}  // namespace

void export_pipe_calls(Napi::Env env, Napi::Object exports, Environment* environment) {
  const std::pair<const char*, napi_callback> calls[] = {
      {"pipeSendOutbox", send_outbox},
      {"pipeSend", send},
      {"pipeSendParts", send_parts},
      {"pipeReceive", receive},
      {"pipeReceiveInto", receive_into},
      {"pipeFill", fill},
      {"pipeLook", look},
      {"pipeFinish", finish},
      {"pipeRing", ring_peer},
      {"pipeWant", want},
      {"pipePeerGone", peer_gone},
      {"pipeDepart", depart},
      {"pipeStay", stay},
  };
  for (const auto& [name, callback] : calls) {
    napi_value function = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, environment, &function);
    exports.Set(name, function);
  }
  exports.Set("pipeBuffers", Napi::Function::New(env, buffers, "pipeBuffers", environment));
}

void export_pipe_constants(Napi::Object constants) {
  const auto word = [&](const char* name, std::size_t offset) {
    constants.Set(name, static_cast<double>(offset / sizeof(std::uint32_t)));
  };
  word("pipeListed", offsetof(memory::Control, listed));
  word("pipeListedStride", sizeof(memory::Control::listed[0]));
  word("pipeDirections", memory::kPipeWordsAt + offsetof(ring::PipeWords, directions));
  word("pipeDirectionStride", sizeof(ring::Direction));
  word("pipeHead", offsetof(ring::Direction, head));
  word("pipeEnds", memory::kPipeWordsAt + offsetof(ring::PipeWords, ends));
  constants.Set("pipeClosed", static_cast<double>(ring::EndState::closed));
  constants.Set("pipeMarksShift", static_cast<double>(ring::kMarksShift));
  constants.Set("pipeLength", static_cast<double>(kPipeLength));
  constants.Set("pipeMarks", static_cast<double>(kPipeMarks));
  constants.Set("pipeInParts", static_cast<double>(kPipeInParts));
}

}  // namespace interproc::binding
