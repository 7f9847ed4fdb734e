#pragma once

namespace interproc::test {

// Aborts the program with a message if what it watches over does not come to an end: a hang is a failure that says where.
// It sits on alarm(2), so there is one at a time in a process, and a forked child needs its own. The time is
// no limit for the work but far beyond any need.
class Watchdog {
 public:
  explicit Watchdog(const char* what, unsigned seconds = 300);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
};

}  // namespace interproc::test
