#include "platform/fault.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

using interproc::platform::FaultAction;
using interproc::platform::faults_passed;
using interproc::platform::last_fault;
using interproc::platform::observe_faults;
using interproc::platform::plan_fault;
using interproc::platform::plan_fault_from_environment;

namespace {

void pass_three() {
  FAULT("one");
  FAULT("two");
  FAULT("one");
}

// How a process ended that passed the three points under some plan.
int end_of(const std::function<void()>& plan) {
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    plan();
    pass_three();
    _exit(static_cast<int>(faults_passed()));
  }
  int status = 0;
  waitpid(child, &status, WUNTRACED);
  if (WIFSTOPPED(status)) {
    kill(child, SIGCONT);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? -SIGSTOP : -SIGKILL;
  }
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int end_with(const char* environment) {
  return end_of([environment] {
    setenv("INTERPROC_FAULT", environment, 1);
    plan_fault_from_environment();
  });
}

}  // namespace

TEST_CASE("points are counted, by name if asked, and nothing happens without a plan") {
  plan_fault(FaultAction::none, 0);
  pass_three();
  CHECK(faults_passed() == 3);
  CHECK(std::string(last_fault()) == "one");
  plan_fault(FaultAction::none, 1, "two");
  pass_three();
  CHECK(faults_passed() == 1);
  CHECK(std::string(last_fault()) == "two");
}

TEST_CASE("the planned point kills or stops, and no other") {
  for (std::uint64_t at : {1u, 2u, 3u}) {
    CHECK(end_of([at] { plan_fault(FaultAction::kill, at); }) == -SIGKILL);
    CHECK(end_of([at] { plan_fault(FaultAction::stop, at); }) == -SIGSTOP);
  }
  CHECK(end_of([] { plan_fault(FaultAction::kill, 4); }) == 3);
  CHECK(end_of([] { plan_fault(FaultAction::kill, 2, "two"); }) == 1);
  CHECK(end_of([] { plan_fault(FaultAction::kill, 2, "one"); }) == -SIGKILL);
}

TEST_CASE("a plan can come from the environment") {
  CHECK(end_with("kill:2") == -SIGKILL);
  CHECK(end_with("stop:1") == -SIGSTOP);
  CHECK(end_with("kill:2:one") == -SIGKILL);
  CHECK(end_with("kill:3:one") == 2);
  CHECK(end_with("kill:9") == 3);
  CHECK(end_with("nothing") == 3);
}

TEST_CASE("an observer sees every point of its own thread, in order") {
  static std::vector<std::string> seen;
  plan_fault(FaultAction::none, 0, "two");
  observe_faults([](const char* name) { seen.push_back(name); });
  pass_three();
  std::thread(pass_three).join();
  observe_faults(nullptr);
  pass_three();
  CHECK(seen == std::vector<std::string>{"one", "two", "one"});
}
