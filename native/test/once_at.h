#pragma once

#include <cstring>
#include <functional>
#include <utility>

#include "platform/fault.h"

namespace interproc::test {

// Runs something else at the first passage of a named point on this thread: what another participant did just then.
class OnceAt {
 public:
  OnceAt(const char* point, std::function<void()> other) {
    point_ = point;
    other_ = std::move(other);
    ran_ = false;
    platform::observe_faults([](const char* name) {
      if (std::strcmp(name, point_) != 0) return;
      platform::observe_faults(nullptr);
      ran_ = true;
      other_();
    });
  }
  ~OnceAt() {
    platform::observe_faults(nullptr);
    other_ = nullptr;
  }
  OnceAt(const OnceAt&) = delete;
  OnceAt& operator=(const OnceAt&) = delete;

  bool ran() const { return ran_; }

 private:
  static inline thread_local const char* point_ = nullptr;
  static inline thread_local std::function<void()> other_;
  static inline thread_local bool ran_ = false;
};

}  // namespace interproc::test
