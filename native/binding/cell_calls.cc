#include "binding/cell_calls.h"

#include <cstring>
#include <iterator>

#include "binding/call.h"

namespace interproc::binding {

namespace {

using state::CellOperation;
using state::CellType;

constexpr const char* kTypeNames[] = {"int8",   "uint8", "int16",  "uint16",  "int32",
                                      "uint32", "int64", "uint64", "float32", "float64"};
static_assert(std::size(kTypeNames) == state::kCellTypes);
constexpr const char* kOperationNames[] = {
    "load", "store", "add", "sub", "and", "or", "xor", "exchange", "compareExchange"};
static_assert(std::size(kOperationNames) == state::kCellOperations);

state::Cells* cells_of(const Call& call) {
  Environment::Object* object = call.object();
  return object == nullptr ? nullptr : object->cells;
}

// operateCell(token, operation * cellTypes + type, offset): operands in, previous out by `operands`.
napi_value operate_cell(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  state::Cells* cells = cells_of(call);
  const std::uint32_t code = call.number(1);
  if (cells == nullptr || code >= state::kCellOperations * state::kCellTypes)
    return call.code(Code::invalid);
  const auto type = static_cast<CellType>(code % state::kCellTypes);
  const double at = call.real(2);
  const auto bytes = static_cast<double>(cells->header().state_bytes);
  const std::size_t size = state::cell_bytes(type);
  if (!(at >= 0) || !(at + static_cast<double>(size) <= bytes)) return call.code(Code::argument);
  const auto offset = static_cast<std::uint64_t>(at);
  if (offset % size != 0) return call.code(Code::argument);
  state::Operands operands{};
  std::memcpy(&operands, call.environment.operands.data(), sizeof operands);
  const auto operation = static_cast<CellOperation>(code / state::kCellTypes);
  if (!cells->operate(operation, type, offset, operands)) return call.code(Code::argument);
  std::memcpy(call.environment.operands.data(), &operands, sizeof operands);
  return call.result(0);
}

// watchCells(token)
napi_value watch_cells(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  state::Cells* cells = cells_of(call);
  if (cells == nullptr) return call.code(Code::invalid);
  cells->watch();
  return call.result(0);
}

// notifyCells(token)
napi_value notify_cells(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  state::Cells* cells = cells_of(call);
  if (cells == nullptr) return call.code(Code::invalid);
  cells->notify();
  return call.result(0);
}

state::WholeValue* whole_of(const Call& call, std::byte*& bytes) {
  state::Cells* cells = cells_of(call);
  std::size_t length = 0;
  if (cells == nullptr || cells->whole() == nullptr || !call.bytes(1, bytes, length) ||
      length != cells->whole()->bytes())
    return nullptr;
  return cells->whole();
}

// readWhole(token, into): its version into `operands`.
napi_value read_whole(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  std::byte* into = nullptr;
  const state::WholeValue* whole = whole_of(call, into);
  if (whole == nullptr) return call.code(Code::invalid);
  call.environment.operands.data()[0] = whole->read(into);
  return call.result(0);
}

// writeWhole(token, from, 1 = only if it still has the version in `operands`): busy, full, or 0.
napi_value write_whole(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  std::byte* from = nullptr;
  state::WholeValue* whole = whole_of(call, from);
  if (whole == nullptr) return call.code(Code::invalid);
  const std::uint64_t expected = call.environment.operands.data()[0];
  return call.code(whole->write(from, call.number(2) == 1 ? &expected : nullptr));
}

// watchBuffer(token), once: an ArrayBuffer over the word whose lowest bit says that somebody waits for a change; undefined
// where this runtime allows none.
Napi::Value watch_buffer(const Napi::CallbackInfo& info) {
  Environment& environment = *static_cast<Environment*>(info.Data());
  Environment::Object* object = environment.object(info[0].As<Napi::Number>().Uint32Value());
  if (object == nullptr || object->cells == nullptr || object->watch_view != nullptr)
    return info.Env().Undefined();
  auto& word = object->cells->watch_word();
  auto view = std::make_unique<StateView>(environment.detaching(), &word, sizeof word);
  napi_value buffer = view->open(info.Env());
  if (buffer == nullptr) return info.Env().Undefined();
  object->watch_view = std::move(view);
  return {info.Env(), buffer};
}

}  // namespace

void export_cell_calls(Napi::Env env, Napi::Object exports, Environment* environment) {
  exports.Set("watchBuffer", Napi::Function::New(env, watch_buffer, "watchBuffer", environment));
  const auto add_fast = [&](const char* name, napi_callback callback) {
    napi_value made = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, environment, &made);
    exports.Set(name, made);
  };
  add_fast("operateCell", operate_cell);
  add_fast("watchCells", watch_cells);
  add_fast("notifyCells", notify_cells);
  add_fast("readWhole", read_whole);
  add_fast("writeWhole", write_whole);
}

void export_cell_constants(Napi::Object constants) {
  const auto numbered = [&](const char* what, const auto& names) {
    Napi::Object made = Napi::Object::New(constants.Env());
    double number = 0;
    for (const char* name : names) made.Set(name, number++);
    constants.Set(what, made);
  };
  numbered("cellTypes", kTypeNames);
  numbered("cellOperations", kOperationNames);
}

}  // namespace interproc::binding
