#include <napi.h>

#include "binding/cell_calls.h"
#include "binding/environment.h"
#include "binding/errors.h"
#include "binding/lease_calls.h"
#include "binding/listener_calls.h"
#include "binding/lock_calls.h"
#include "binding/message_calls.h"
#include "binding/object_calls.h"
#include "binding/pipe_calls.h"
#include "binding/posix_calls.h"
#include "binding/state_calls.h"
#include "memory/layout.h"
#include "platform/fault.h"

namespace {

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  using namespace interproc;
#if defined(INTERPROC_FAULTS)
  platform::plan_fault_from_environment();
#endif
  auto* environment = binding::Environment::create(env);
  if (environment == nullptr) return exports;
  binding::export_message_calls(env, exports, environment);
  binding::export_lease_calls(env, exports, environment);
  binding::export_object_calls(env, exports, environment);
  binding::export_listener_calls(env, exports, environment);
  binding::export_state_calls(env, exports, environment);
  binding::export_lock_calls(env, exports, environment);
  binding::export_cell_calls(env, exports, environment);
  binding::export_pipe_calls(env, exports, environment);
  binding::export_posix_calls(env, exports, environment);

  Napi::Object constants = Napi::Object::New(env);
  binding::export_codes(constants);
  constants.Set("take", static_cast<double>(sync::kTake));
  constants.Set("put", static_cast<double>(sync::kPut));
  constants.Set("join", static_cast<double>(sync::kJoin));
  constants.Set("sides", static_cast<double>(sync::kSides));
  constants.Set("batch", static_cast<double>(binding::Environment::kBatch));
  constants.Set("deliveries", static_cast<double>(binding::kDeliveries));
  constants.Set("receipt", static_cast<double>(binding::kReceipt));
  constants.Set("wanted", static_cast<double>(binding::kWanted));
  constants.Set("lease", static_cast<double>(binding::kLease));
  constants.Set("leaseSlot", static_cast<double>(ring::LeaseKind::slot));
  constants.Set("maxLeases", static_cast<double>(memory::kMaxLeases));
  constants.Set("placePhase", static_cast<double>(binding::kPlacePhase));
  constants.Set("placeIsLast", static_cast<double>(binding::kPlaceIsLast));
  constants.Set("errno", static_cast<double>(binding::kErrno));
  constants.Set("minCapacity", static_cast<double>(memory::kMinCapacity));
  constants.Set("maxCapacity", static_cast<double>(memory::kMaxCapacity));
  constants.Set("maxMessage", static_cast<double>(memory::kMaxMessage));
  constants.Set("maxItems", static_cast<double>(memory::kMaxItems));
  constants.Set("maxParticipants", static_cast<double>(memory::kMaxParticipants));
  constants.Set("maxCodecBytes", static_cast<double>(memory::kCodecBytes - 1));
  constants.Set("maxState", static_cast<double>(memory::kMaxState));
  constants.Set("maxSchemaBytes", static_cast<double>(memory::kSchemaBytes - 1));
  constants.Set("maxSemaphoreValue", static_cast<double>(platform::PosixSemaphore::kMaxValue));
  constants.Set("ledgerEntries", static_cast<double>(memory::kLedgerEntries));
  binding::export_cell_constants(constants);
  binding::export_pipe_constants(constants);
#if defined(INTERPROC_FAULTS)
  constants.Set("faults", true);
#endif
  exports.Set("constants", constants);
  exports.Set("lengths", environment->lengths.view());
  exports.Set("offsets", environment->offsets.view());
  exports.Set("rung", environment->rung.view());
  exports.Set("results", environment->results.view());
  exports.Set("operands", environment->operands.view());
  return exports;
}

}  // namespace

NODE_API_MODULE(interproc, initialise)
