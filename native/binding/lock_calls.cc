#include "binding/lock_calls.h"

#include "binding/call.h"
#include "sync/barrier.h"
#include "sync/condition.h"
#include "sync/event.h"
#include "sync/lock.h"
#include "sync/rw_lock.h"
#include "sync/semaphore.h"

namespace interproc::binding {

namespace {

using state::SharedState;

// One call on a part of a state; `Part` finds it. Without it the object is closed, or of another kind.
template <auto Part, class Use>
napi_value on(napi_env env, napi_callback_info info, Use use) {
  const Call call(env, info);
  Environment::Object* object = call.object();
  if (object == nullptr || object->state == nullptr) return call.code(Code::invalid);
  auto* part = ((*object->state).*Part)();
  return part == nullptr ? call.code(Code::invalid) : use(call, *part);
}

// (token, only): `only` says that no wait follows.
sync::Try how(const Call& call) {
  return call.number(1) == 1 ? sync::Try::asking : sync::Try::quick;
}

napi_value acquired(const Call& call, Code code, bool recovered) {
  return code == Code::ok ? call.flag(recovered) : call.code(code);
}

napi_value acquire_lock(napi_env env, napi_callback_info info) {
  return on<&SharedState::lock>(env, info, [](const Call& call, sync::Lock& lock) {
    bool recovered = false;
    const Code code = lock.try_acquire(how(call), recovered);
    return acquired(call, code, recovered);
  });
}

napi_value release_lock(napi_env env, napi_callback_info info) {
  return on<&SharedState::lock>(
      env, info, [](const Call& call, sync::Lock& lock) { return call.code(lock.release()); });
}

napi_value is_locked(napi_env env, napi_callback_info info) {
  return on<&SharedState::lock>(env, info, [](const Call& call, sync::Lock& lock) {
    return call.flag(lock.held_by_anybody());
  });
}

napi_value acquire_permit(napi_env env, napi_callback_info info) {
  return on<&SharedState::semaphore>(env, info, [](const Call& call, sync::Semaphore& semaphore) {
    bool recovered = false;
    const Code code = semaphore.try_acquire(how(call), recovered);
    return acquired(call, code, recovered);
  });
}

napi_value release_permit(napi_env env, napi_callback_info info) {
  return on<&SharedState::semaphore>(env, info, [](const Call& call, sync::Semaphore& semaphore) {
    return call.code(semaphore.release());
  });
}

napi_value permits(napi_env env, napi_callback_info info) {
  return on<&SharedState::semaphore>(env, info, [](const Call& call, sync::Semaphore& semaphore) {
    return call.result(static_cast<std::int64_t>(semaphore.value()));
  });
}

napi_value begin_condition(napi_env env, napi_callback_info info) {
  return on<&SharedState::condition>(env, info, [](const Call& call, sync::Condition& condition) {
    return call.code(condition.begin_wait());
  });
}

napi_value take_notification(napi_env env, napi_callback_info info) {
  return on<&SharedState::condition>(env, info, [](const Call& call, sync::Condition& condition) {
    return call.code(condition.take());
  });
}

// 1: it had been notified after all.
napi_value end_condition(napi_env env, napi_callback_info info) {
  return on<&SharedState::condition>(env, info, [](const Call& call, sync::Condition& condition) {
    return call.flag(condition.end_wait());
  });
}

napi_value finish_condition(napi_env env, napi_callback_info info) {
  return on<&SharedState::condition>(env, info, [](const Call& call, sync::Condition& condition) {
    condition.finish_wait();
    return call.result(0);
  });
}

// notifyCondition(token, count): how many were.
napi_value notify(napi_env env, napi_callback_info info) {
  return on<&SharedState::condition>(env, info, [](const Call& call, sync::Condition& condition) {
    std::uint64_t notified = 0;
    const double count = call.real(1);
    // What is no number of tasks means all of them.
    constexpr double kAll = 1e9;
    const Code code = condition.notify(
        count >= 0 && count < kAll ? static_cast<std::uint64_t>(count) : ~std::uint64_t{0},
        notified);
    return code == Code::ok ? call.result(static_cast<std::int64_t>(notified)) : call.code(code);
  });
}

napi_value event_is_set(napi_env env, napi_callback_info info) {
  return on<&SharedState::event>(
      env, info, [](const Call& call, sync::Event& event) { return call.flag(event.is_set()); });
}

napi_value set_event(napi_env env, napi_callback_info info) {
  return on<&SharedState::event>(env, info, [](const Call& call, sync::Event& event) {
    event.set();
    return call.result(0);
  });
}

napi_value clear_event(napi_env env, napi_callback_info info) {
  return on<&SharedState::event>(env, info, [](const Call& call, sync::Event& event) {
    event.clear();
    return call.result(0);
  });
}

napi_value event_sets(napi_env env, napi_callback_info info) {
  return on<&SharedState::event>(env, info, [](const Call& call, sync::Event& event) {
    return call.result(static_cast<std::int64_t>(event.sets()));
  });
}

// eventHappened(token, begun): 0 makes it what the next wait is for.
napi_value event_happened(napi_env env, napi_callback_info info) {
  return on<&SharedState::event>(env, info, [](const Call& call, sync::Event& event) {
    const auto begun = static_cast<std::uint64_t>(call.real(1));
    const bool happened = event.happened(begun);
    if (!happened) event.await(begun);
    return call.flag(happened);
  });
}

// Its index, with results[placePhase, placeIsLast]; busy: the phase that has to end before it can come.
napi_value barrier_come(napi_env env, napi_callback_info info) {
  return on<&SharedState::barrier>(env, info, [](const Call& call, sync::Barrier& barrier) {
    sync::Barrier::Place place;
    const Code code = barrier.come(place);
    call.environment.results.data()[kPlacePhase] = static_cast<double>(place.phase);
    call.environment.results.data()[kPlaceIsLast] = place.last ? 1 : 0;
    return code == Code::ok ? call.result(place.index) : call.code(code);
  });
}

// (token, phase)
sync::Barrier::Place place_of(const Call& call) {
  return {static_cast<std::uint64_t>(call.real(1)), 0, false};
}

napi_value barrier_pass(napi_env env, napi_callback_info info) {
  return on<&SharedState::barrier>(env, info, [](const Call& call, sync::Barrier& barrier) {
    return call.code(barrier.pass(place_of(call)));
  });
}

// Busy: it is what the next wait is for.
napi_value barrier_passed(napi_env env, napi_callback_info info) {
  return on<&SharedState::barrier>(env, info, [](const Call& call, sync::Barrier& barrier) {
    const sync::Barrier::Place place = place_of(call);
    const Code code = barrier.passed(place);
    if (code == Code::busy) barrier.await(place.phase);
    return call.code(code);
  });
}

napi_value barrier_give_up(napi_env env, napi_callback_info info) {
  return on<&SharedState::barrier>(env, info, [](const Call& call, sync::Barrier& barrier) {
    return call.code(barrier.give_up_place(place_of(call)));
  });
}

napi_value barrier_waiting(napi_env env, napi_callback_info info) {
  return on<&SharedState::barrier>(env, info, [](const Call& call, sync::Barrier& barrier) {
    return call.result(static_cast<std::int64_t>(barrier.waiting()));
  });
}

napi_value barrier_is_broken(napi_env env, napi_callback_info info) {
  return on<&SharedState::barrier>(env, info, [](const Call& call, sync::Barrier& barrier) {
    return call.flag(barrier.broken());
  });
}

napi_value barrier_abort(napi_env env, napi_callback_info info) {
  return on<&SharedState::barrier>(env, info, [](const Call& call, sync::Barrier& barrier) {
    barrier.abort();
    return call.result(0);
  });
}

napi_value barrier_reset(napi_env env, napi_callback_info info) {
  return on<&SharedState::barrier>(env, info, [](const Call& call, sync::Barrier& barrier) {
    barrier.reset();
    return call.result(0);
  });
}

napi_value acquire_read(napi_env env, napi_callback_info info) {
  return on<&SharedState::rw_lock>(env, info, [](const Call& call, sync::RwLock& lock) {
    bool recovered = false;
    const Code code = lock.try_read(how(call), recovered);
    return acquired(call, code, recovered);
  });
}

napi_value release_read(napi_env env, napi_callback_info info) {
  return on<&SharedState::rw_lock>(env, info, [](const Call& call, sync::RwLock& lock) {
    return call.code(lock.release_read());
  });
}

napi_value acquire_write(napi_env env, napi_callback_info info) {
  return on<&SharedState::rw_lock>(env, info, [](const Call& call, sync::RwLock& lock) {
    bool recovered = false;
    const sync::Try asked = how(call);
    const Code code = lock.try_write(asked, recovered);
    // It may have kept new readers out, for a wait that does not follow.
    if (code == Code::busy && asked == sync::Try::asking) lock.give_up(sync::kAcquire);
    return acquired(call, code, recovered);
  });
}

napi_value release_write(napi_env env, napi_callback_info info) {
  return on<&SharedState::rw_lock>(env, info, [](const Call& call, sync::RwLock& lock) {
    return call.code(lock.release_write());
  });
}

}  // namespace

void export_lock_calls(Napi::Env env, Napi::Object exports, Environment* environment) {
  const auto add = [&](const char* name, napi_callback callback) {
    napi_value made = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, environment, &made);
    exports.Set(name, made);
  };
  add("acquireLock", acquire_lock);
  add("releaseLock", release_lock);
  add("isLocked", is_locked);
  add("acquirePermit", acquire_permit);
  add("releasePermit", release_permit);
  add("permits", permits);
  add("beginCondition", begin_condition);
  add("takeNotification", take_notification);
  add("endCondition", end_condition);
  add("finishCondition", finish_condition);
  add("notifyCondition", notify);
  add("eventIsSet", event_is_set);
  add("setEvent", set_event);
  add("clearEvent", clear_event);
  add("eventSets", event_sets);
  add("eventHappened", event_happened);
  add("barrierCome", barrier_come);
  add("barrierPass", barrier_pass);
  add("barrierPassed", barrier_passed);
  add("barrierGiveUp", barrier_give_up);
  add("barrierWaiting", barrier_waiting);
  add("barrierIsBroken", barrier_is_broken);
  add("barrierAbort", barrier_abort);
  add("barrierReset", barrier_reset);
  add("acquireRead", acquire_read);
  add("releaseRead", release_read);
  add("acquireWrite", acquire_write);
  add("releaseWrite", release_write);
}

}  // namespace interproc::binding
