// Somebody waits for all messages to be finished, and a consumer is killed at any step of what it does with them. The one who
// waits is not let go while one is unfinished, and is when none is.

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <map>
#include <new>
#include <string>

#include "platform/clock.h"
#include "test/peer.h"
#include "test/test_directory.h"
#include "test/victim.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::OpenMode;
using interproc::sync::kJoin;
using interproc::test::Account;
using interproc::test::Got;
using interproc::test::name_of;
using interproc::test::Peer;
using interproc::test::Program;
using interproc::test::Strike;
using interproc::test::TestDirectory;
using interproc::test::Victim;
using interproc::test::Watchdog;

namespace {

// A process that joins, as a program would that blocks.
class Joiner {
 public:
  explicit Joiner(const TestDirectory& directory) {
    void* shared =
        mmap(nullptr, sizeof *free_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(shared != MAP_FAILED);
    free_ = new (shared) std::atomic<bool>(false);
    std::fflush(nullptr);
    process_ = fork();
    if (process_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    syscall(SYS_close_range, 3u, ~0u, 0u);
    Peer peer(directory, "q", OpenMode::open);
    if (!peer.ok()) _exit(1);
    while (!peer.queue().finished()) peer.queue().wait(kJoin, 1'000'000'000);
    *free_ = true;
    peer.close();
    _exit(0);
  }
  ~Joiner() { munmap(free_, sizeof *free_); }
  Joiner(const Joiner&) = delete;
  Joiner& operator=(const Joiner&) = delete;

  bool is_free() const { return free_->load(); }
  int wait() {
    int status = 0;
    waitpid(process_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  std::atomic<bool>* free_ = nullptr;
  pid_t process_ = 0;
};

// Returns the point at which the consumer was killed.
std::string kill_consumer(Program program, std::uint64_t at) {
  TestDirectory directory;
  Peer survivor(directory, "q", OpenMode::create);
  REQUIRE(survivor.ok());
  REQUIRE(survivor.put(1) == Code::ok);
  REQUIRE(survivor.put(2, 200) == Code::ok);
  REQUIRE(survivor.put(3) == Code::ok);
  Joiner joiner(directory);
  while (survivor.queue().stats().waits == 0) interproc::platform::sleep_ns(100'000);
  Account account;
  Victim victim(directory, account, 10, at);
  victim.start(program, {.at = at});
  victim.wait();
  const std::string point = victim.point();
  CAPTURE(std::string(name_of(program)));
  CAPTURE(at);
  CAPTURE(point);
  // One of the three nobody but us has got by now, whatever the consumer did.
  survivor.queue().sweep();
  for (;;) {
    const bool is_free = joiner.is_free();
    const Got got = survivor.take();
    if (got.code != Code::ok) break;
    CHECK_FALSE(is_free);
    // It has every reason to look.
    interproc::platform::sleep_ns(1'000'000);
    CHECK_FALSE(joiner.is_free());
    CHECK(survivor.queue().task_done() == Code::ok);
  }
  CHECK(joiner.wait() == 0);
  CHECK(joiner.is_free());
  CHECK(survivor.queue().finished());
  return point;
}

}  // namespace

TEST_CASE("who joins is let go when the last message is finished, wherever a consumer was killed") {
  const Watchdog watchdog("kill joined", 600);
  std::map<std::string, int> kills;
  for (Program program : {Program::take_and_finish, Program::receive_and_ack,
                          Program::receive_and_nack, Program::close_holding}) {
    for (std::uint64_t at = 1;; ++at) {
      const std::string point = kill_consumer(program, at);
      if (point.empty()) break;
      ++kills[point];
    }
  }
  for (const char* point : {"tasks.taken", "tasks.done", "tasks.marked", "tasks.drop",
                            "tasks.dropped", "ledger.acked", "queue.tail_seen", "registry.left"}) {
    CAPTURE(std::string(point));
    CHECK(kills.contains(point));
  }
}
