#pragma once

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <functional>

namespace interproc::test {

// A forked child that is taken through one operation step by step and can be killed between any two of them. A step is an
// instruction, or the way to the next entry into the kernel or return from it.
//
// Stepping ends the reservation of a load-linked/store-conditional pair, which then never succeeds: on ARM this needs
// atomic instructions (LSE), which compilers choose at run time by themselves.
class SteppedChild {
 public:
  enum class Step { instruction, system_call };

  // `set_out` runs in the child at full speed and returns the operation.
  explicit SteppedChild(const std::function<std::function<void()>()>& set_out) : pid_(fork()) {
    if (pid_ == 0) {
      const std::function<void()> operate = set_out();
      if (!operate) _exit(1);
      ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      raise(SIGSTOP);
      operate();
      raise(SIGSTOP);
      _exit(0);
    }
    ready_ = pid_ > 0 && stops_at() == SIGSTOP;
    // Whatever becomes of the test, nothing stays behind.
    if (ready_) ptrace(PTRACE_SETOPTIONS, pid_, nullptr, PTRACE_O_EXITKILL);
  }
  ~SteppedChild() { kill(); }
  SteppedChild(const SteppedChild&) = delete;
  SteppedChild& operator=(const SteppedChild&) = delete;

  // It stands before the operation.
  bool ready() const { return ready_; }

  enum class Progress { within, completed, died };
  // Takes `steps` steps, less if the operation comes to its end.
  Progress advance(Step step, std::uint64_t steps) {
    const auto request = step == Step::instruction ? PTRACE_SINGLESTEP : PTRACE_SYSCALL;
    for (; steps > 0; --steps) {
      if (ptrace(request, pid_, nullptr, nullptr) != 0) return Progress::died;
      const int signal = stops_at();
      if (signal == SIGSTOP) return Progress::completed;
      if (signal != SIGTRAP) return Progress::died;
      ++taken_;
    }
    return Progress::within;
  }
  std::uint64_t taken() const { return taken_; }

  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
  }

 private:
  // The signal it has stopped at, or 0 if it has come to an end.
  int stops_at() const {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0) {
      if (errno != EINTR) return 0;
    }
    return WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
  }

  pid_t pid_;
  bool ready_ = false;
  std::uint64_t taken_ = 0;
};

}  // namespace interproc::test
