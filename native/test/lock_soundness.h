#pragma once

#include <cstdint>
#include <string>

#include "test/lock_peer.h"

namespace interproc::test {

// What of an object is not to be had by two that are alone with it; empty if all is. Counts how often they were told of a death.
inline std::string all_to_be_had(Kind kind, const LockShape& shape, LockPeer& x, LockPeer& y,
                                 std::uint64_t& told) {
  bool recovered = false;
  const auto tell = [&] {
    if (recovered) ++told;
  };
  std::uint64_t notified = 0;
  sync::Barrier::Place first, last;
  switch (kind) {
    case Kind::lock:
      if (x.acquire(recovered) != Code::ok) return "the lock is not to be had";
      tell();
      if (y->lock.try_acquire(sync::Try::asking, recovered) != Code::busy)
        return "two have the lock";
      return x->lock.release() == Code::ok ? "" : "the lock is not to be released";
    case Kind::semaphore: {
      for (std::uint64_t i = 0; i < shape.permits; ++i) {
        if (x.take_permit(recovered) != Code::ok) return "a permit is not to be had";
        tell();
      }
      if (y->semaphore.try_acquire(sync::Try::asking, recovered) != Code::busy)
        return "there are too many permits";
      for (std::uint64_t i = 0; i < shape.permits; ++i) x->semaphore.release();
      return x->semaphore.value() == shape.permits ? "" : "a permit is lost";
    }
    case Kind::event:
      x->event.set();
      if (y.await_event() != Code::ok) return "a set event is not seen";
      x->event.clear();
      return y->event.is_set() ? "a cleared event is set" : "";
    case Kind::condition:
      if (x.acquire(recovered) != Code::ok) return "the lock is not to be had";
      tell();
      x->condition.begin_wait();
      x->condition.notify(sync::Condition::kEverybody, notified);
      if (notified != 1) return "the dead are not forgotten";
      x->lock.release();
      return x->condition.take() == Code::ok ? "" : "a notification is lost";
    case Kind::barrier:
      x->barrier.reset();
      if (x->barrier.come(first) != Code::ok || y->barrier.come(last) != Code::ok)
        return "nobody can come to the barrier";
      if (!last.last || y->barrier.pass(last) != Code::ok) return "the barrier does not open";
      return x->barrier.passed(first) == Code::ok ? "" : "one is not let through";
    case Kind::rw:
      if (x.write(recovered) != Code::ok) return "nobody can write";
      if (y->rw.try_read(sync::Try::asking, recovered) != Code::busy)
        return "one reads, one writes";
      x->rw.release_write();
      if (x.read(recovered) != Code::ok || y.read(recovered) != Code::ok) return "they cannot read";
      x->rw.release_read();
      y->rw.release_read();
      return "";
  }
  return "";
}

}  // namespace interproc::test
