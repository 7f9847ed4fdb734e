#include "test/watchdog.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

namespace interproc::test {

namespace {

std::atomic<const char*> watched{""};

void say(const char* text) {
  // Nothing can be done about a message that does not get out.
  if (write(STDERR_FILENO, text, std::strlen(text)) < 0) return;
}

void bark(int) {
  say("watchdog: this does not come to an end: ");
  say(watched.load());
  say("\n");
  std::abort();
}

}  // namespace

Watchdog::Watchdog(const char* what, unsigned seconds) {
  watched.store(what);
  struct sigaction action {};
  action.sa_handler = bark;
  sigaction(SIGALRM, &action, nullptr);
  alarm(seconds);
}

Watchdog::~Watchdog() { alarm(0); }

}  // namespace interproc::test
