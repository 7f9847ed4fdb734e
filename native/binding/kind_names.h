#pragma once

#include "memory/layout.h"

namespace interproc::binding {

// What JavaScript calls a kind of objects.
constexpr const char* kind_name(memory::Kind kind) noexcept {
  switch (kind) {
    case memory::Kind::mpmc:
      return "queue";
    case memory::Kind::spsc:
      return "spsc";
    case memory::Kind::value:
      return "value";
    case memory::Kind::array:
      return "array";
    case memory::Kind::memory:
      return "memory";
    case memory::Kind::list:
      return "list";
    case memory::Kind::lock:
      return "lock";
    case memory::Kind::rlock:
      return "rlock";
    case memory::Kind::semaphore:
      return "semaphore";
    case memory::Kind::bounded_semaphore:
      return "boundedSemaphore";
    case memory::Kind::condition:
      return "condition";
    case memory::Kind::event:
      return "event";
    case memory::Kind::barrier:
      return "barrier";
    case memory::Kind::rwlock:
      return "rwlock";
    case memory::Kind::pipe:
      return "pipe";
    case memory::Kind::listener:
      return "listener";
  }
  return "unknown";
}

}  // namespace interproc::binding
