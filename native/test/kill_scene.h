#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "test/account.h"
#include "test/peer.h"
#include "test/random.h"
#include "test/test_directory.h"
#include "test/victim.h"

namespace interproc::test {

// What the others do while it runs.
enum class Meanwhile {
  nothing,
  work,                // at the same time
  work_while_stopped,  // it is stopped at the point, they work, and then it is killed there
};

// Deaths that leave something for others to find, each of its own kind: a program and the point at which it dies.
const std::vector<std::pair<Program, const char*>>& telling_deaths();

// A queue with two living participants in this process, and processes that die in it. The books say afterwards whether
// everything that was accepted came out exactly once, or again and marked.
class KillScene {
 public:
  explicit KillScene(std::uint64_t seed);
  KillScene(const KillScene&) = delete;
  KillScene& operator=(const KillScene&) = delete;

  // A random state for `program` to meet: messages of all sizes in the ring, held, given back; somebody waiting; and one who
  // died before, which nobody has noticed yet.
  void prepare(Program program);

  // Runs `program` in a process of its own that is killed where `strike` says. Returns the name of the point, or an empty
  // string if the program came to its end before.
  std::string kill_at(Program program, Strike strike, Meanwhile meanwhile);

  // The same, but it is stopped there and lives; resume() lets it come to its end.
  std::string stop_at(Program program, Strike strike);
  void resume();

  // Random calls of the living.
  void work(std::uint64_t calls);
  // One of the living puts a message, and the other takes all there is. Whether that one was among it.
  bool pass_one();
  // They take all there is. How many are left that they cannot have: those in the victim's hands, or behind what it is writing.
  std::uint64_t take_all();

  // The living recover what the dead left, by looking for it at once or by themselves, take everything, find the whole
  // capacity free and every slot, and leave nothing behind.
  void settle(bool by_themselves);

  std::string report() const;

 private:
  struct Held {
    std::uint64_t id;
    double receipt;
  };
  struct Side {
    std::unique_ptr<Peer> peer;
    std::vector<Held> held;
    std::uint64_t sequence = 0;
    std::uint64_t tasks = 0;  // taken and not done
  };

  Victim& start(Program program, const Strike& strike);
  // Reads the journal of a victim that is dead.
  void bury();
  void operate(std::uint32_t who);
  enum class Size { any, within_the_ring };
  bool put(std::uint32_t who, Size size = Size::any);
  bool take(std::uint32_t who);
  void let_go(std::uint32_t who, bool acknowledge);
  void arm(std::uint32_t who);
  void finish(std::uint32_t who);
  // The dead are buried: nobody is told that all is finished while something is not.
  void expect_unfinished();
  void fill_beside();
  void complain(const std::string& what);

  Random random_;
  TestDirectory directory_;
  Side sides_[2];
  Account account_;
  std::vector<std::string> problems_;
  std::uint64_t seed_;
  std::unique_ptr<Victim> victim_;  // of this moment
  std::uint32_t victims_ = 0;
  std::uint32_t nameless_bells_ = 0;
  bool ended_ = false;
};

}  // namespace interproc::test
