#pragma once

#include <elf.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
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
  enum class Progress { within, completed, died };

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

  // One step; `completed`: it had none left.
  Progress advance(Step step) {
    return resume(step == Step::instruction ? PTRACE_SINGLESTEP : PTRACE_SYSCALL);
  }

  // Where the next instruction stands. The same in every child of this process.
  std::uintptr_t at() const {
    user_regs_struct registers{};
    transfer(PTRACE_GETREGSET, registers);
    return counter_of(registers);
  }

  // Runs at full speed until it is about to execute the instruction at `address` for the first time.
  Progress run_to(std::uintptr_t address) {
    errno = 0;
    void* place = reinterpret_cast<void*>(address);
    const long code = ptrace(PTRACE_PEEKTEXT, pid_, place, nullptr);
    if (errno != 0) return Progress::died;
    const long trap = (code & ~kTrapMask) | kTrap;
    ptrace(PTRACE_POKETEXT, pid_, place, reinterpret_cast<void*>(trap));
    const Progress progress = resume(PTRACE_CONT);
    if (progress != Progress::within) return progress;
    ptrace(PTRACE_POKETEXT, pid_, place, reinterpret_cast<void*>(code));
    user_regs_struct registers{};
    transfer(PTRACE_GETREGSET, registers);
    counter_of(registers) = address;
    transfer(PTRACE_SETREGSET, registers);
    return progress;
  }

  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
  }

 private:
#if defined(__x86_64__)
  static constexpr long kTrap = 0xCC;
  static constexpr long kTrapMask = 0xFF;
  static unsigned long long& counter_of(user_regs_struct& registers) { return registers.rip; }
#elif defined(__aarch64__)
  static constexpr long kTrap = 0xD4200000;
  static constexpr long kTrapMask = 0xFFFFFFFF;
  static unsigned long long& counter_of(user_regs_struct& registers) { return registers.pc; }
#else
#error "this processor's breakpoint instruction and program counter are wanted here"
#endif

  template <class Request>
  void transfer(Request request, user_regs_struct& registers) const {
    iovec range{&registers, sizeof registers};
    ptrace(request, pid_, reinterpret_cast<void*>(NT_PRSTATUS), &range);
  }

  template <class Request>
  Progress resume(Request request) {
    if (ptrace(request, pid_, nullptr, nullptr) != 0) return Progress::died;
    switch (stops_at()) {
      case SIGTRAP:
        return Progress::within;
      case SIGSTOP:
        return Progress::completed;
      default:
        return Progress::died;
    }
  }

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
};

}  // namespace interproc::test
