#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "test/account.h"
#include "test/test_directory.h"

namespace interproc::test {

// What a process does that is going to be killed or stopped.
enum class Program {
  put,
  take,
  take_another,
  take_and_finish,
  receive_and_ack,
  receive_and_nack,
  reserve_and_commit,
  reserve_and_abort,
  peek_and_release,
  peek_and_nack,
  mixed,
  open_and_close,
  close_holding,
  close_leasing,
  end,
  wait_on_futex,
  wait_on_bell,
  recover,     // opens, which sweeps what the last user of the slot left, and sweeps once more
  live_alone,  // makes the queue if need be, uses it, and is the last one out
};
// Those of a participant among others.
inline constexpr Program kPrograms[] = {
    Program::put,
    Program::take,
    Program::take_another,
    Program::take_and_finish,
    Program::receive_and_ack,
    Program::receive_and_nack,
    Program::reserve_and_commit,
    Program::reserve_and_abort,
    Program::peek_and_release,
    Program::peek_and_nack,
    Program::mixed,
    Program::open_and_close,
    Program::close_holding,
    Program::close_leasing,
    Program::end,
    Program::wait_on_futex,
    Program::wait_on_bell,
    Program::recover,
};
const char* name_of(Program program);

// Where a victim is struck: at the `at`-th fault point it passes, counting only points of the name `only` if there is one.
struct Strike {
  std::uint64_t at = 0;
  const char* only = nullptr;
  bool stops = false;  // it is stopped there, not killed
};

// A process that runs a program and writes down, where it outlives it, what it is about, what came of it, and whether it
// has passed the step that cannot be taken back; so that the one call that its death cut short is certain too.
class Victim {
 public:
  // `self` is the producer its messages name. The queue is "q" in `directory`.
  Victim(const TestDirectory& directory, Account& account, std::uint32_t self, std::uint64_t seed);
  ~Victim();
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;

  void start(Program program, const Strike& strike);
  // Whether it has come to its end, or to the stop.
  bool has_settled();
  void wait();
  bool stopped() const { return stopped_; }
  void resume();
  void kill();

  // When it is dead, once: brings the books up to date. Returns what it complains of.
  std::vector<std::string> read_journal();
  // Where it was killed or stopped; empty if it came to its end.
  std::string point() const;
  // Called end(), and that has happened.
  bool ended() const;
  // Made a bell that no segment names: nobody can know whose it was.
  bool left_nameless_bell() const;

 private:
  struct Journal;
  class Part;
  static void note(const char* point);
  void take_status(int status);

  static inline Journal* own_journal_ = nullptr;  // of this process, if it is a victim

  const TestDirectory& directory_;
  Account& account_;
  std::uint32_t self_;
  std::uint64_t seed_;
  Journal* journal_;
  Program program_ = Program::put;
  pid_t process_ = 0;
  bool stopped_ = false;
  int status_ = 0;
};

}  // namespace interproc::test
