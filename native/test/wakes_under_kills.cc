// Sleepers and ringers that are killed at random, whatever they are at: a wake that dies with its carrier delays the others
// for a while, but everything that was accepted is received by those who sleep and wake by themselves.

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <new>
#include <vector>

#include "platform/clock.h"
#include "ring/catalog.h"
#include "test/peer.h"
#include "test/random.h"
#include "test/scale.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::OpenMode;
using interproc::platform::sleep_ns;
using interproc::sync::kPut;
using interproc::sync::kTake;
using interproc::test::Got;
using interproc::test::Message;
using interproc::test::Peer;
using interproc::test::Random;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

constexpr std::uint64_t kMessages = 4'000'000;

// What the processes write down where it outlives them.
struct Shared {
  std::atomic<std::uint64_t> next{1};
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> unmarked{0};
  std::atomic<std::uint64_t> torn{0};
  std::atomic<std::uint8_t> begun[kMessages];
  std::atomic<std::uint8_t> accepted[kMessages];
  std::atomic<std::uint8_t> received[kMessages];
};

void write_messages(const TestDirectory& directory, Shared& shared, std::uint64_t seed) {
  Peer peer(directory, "q", OpenMode::open);
  Random random(seed);
  while (peer.ok() && !shared.stop) {
    const std::uint64_t id = shared.next++;
    if (id >= kMessages) return;
    shared.begun[id] = 1;
    for (;;) {
      const Code code = peer.put(id, 8 + random.below(500));
      if (code == Code::ok) break;
      if (code != Code::full) _exit(4);
      peer.queue().wait(kPut, 1'000'000'000);
    }
    shared.accepted[id] = 1;
    if (random.one_in(4)) sleep_ns(static_cast<std::int64_t>(random.below(100'000)));
  }
}

void read_messages(const TestDirectory& directory, Shared& shared, std::uint64_t seed) {
  Peer peer(directory, "q", OpenMode::open);
  Random random(seed);
  while (peer.ok()) {
    const Got got = peer.receive();
    if (got.code == Code::ended) return;
    if (got.code == Code::empty) {
      peer.queue().wait(kTake, 1'000'000'000);
      continue;
    }
    if (got.code != Code::ok) _exit(5);
    if (!got.whole || got.id >= kMessages) {
      ++shared.torn;
    } else if (shared.received[got.id].fetch_add(1) != 0 && got.taken.deliveries == 1) {
      ++shared.unmarked;
    }
    if (random.one_in(8)) sleep_ns(static_cast<std::int64_t>(random.below(100'000)));
    if (peer.queue().ack(got.taken.receipt) != Code::ok) _exit(6);
  }
}

pid_t spawn(const std::function<void()>& work) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  syscall(SYS_close_range, 3u, ~0u, 0u);
  work();
  _exit(0);
}

}  // namespace

TEST_CASE("whoever is killed, what was accepted is received by those who are left") {
  const std::uint64_t seed = interproc::test::seed_for("wakes under kills");
  const Watchdog watchdog("wakes under kills", 1'000);
  void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  Shared& shared = *new (memory) Shared;
  TestDirectory directory;
  Random random(seed);
  Peer keeper(directory, "q", OpenMode::create, Shape{.max_items = 20, .max_participants = 16});
  REQUIRE(keeper.ok());

  constexpr std::size_t kWriters = 2;
  constexpr std::size_t kReaders = 3;
  std::vector<pid_t> crew(kWriters + kReaders);
  const auto start = [&](std::size_t i) {
    const std::uint64_t own_seed = random.next();
    crew[i] = spawn([&] {
      i < kWriters ? write_messages(directory, shared, own_seed)
                   : read_messages(directory, shared, own_seed);
    });
  };
  for (std::size_t i = 0; i < crew.size(); ++i) start(i);
  std::uint64_t abnormal = 0;
  const auto bury = [&](std::size_t i) {
    int status = 0;
    waitpid(crew[i], &status, 0);
    const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (!killed && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) ++abnormal;
  };
  const std::uint64_t kills = times(400, 40, 10'000);
  for (std::uint64_t kill_count = 0; kill_count < kills; ++kill_count) {
    sleep_ns(static_cast<std::int64_t>(random.below(12'000'000)));
    const std::size_t i = random.below(crew.size());
    kill(crew[i], SIGKILL);
    bury(i);
    start(i);
  }
  shared.stop = true;
  for (std::size_t i = 0; i < kWriters; ++i) bury(i);
  keeper.queue().end();
  for (std::size_t i = kWriters; i < crew.size(); ++i) bury(i);

  std::uint64_t accepted = 0;
  std::uint64_t lost = 0;
  std::uint64_t repeated = 0;
  std::uint64_t invented = 0;
  for (std::uint64_t id = 0; id < std::min(shared.next.load(), kMessages); ++id) {
    const std::uint8_t received = shared.received[id];
    accepted += shared.accepted[id];
    lost += shared.accepted[id] != 0 && received == 0 ? 1 : 0;
    invented += received != 0 && shared.begun[id] == 0 ? 1 : 0;
    repeated += received > 1 ? 1 : 0;
  }
  CHECK(abnormal == 0);
  CHECK(lost == 0);
  CHECK(invented == 0);
  CHECK(shared.unmarked.load() == 0);
  CHECK(shared.torn.load() == 0);
  CHECK(repeated <= kills);
  CHECK(keeper.take().code == Code::ended);
  CHECK(keeper.queue().stats().participants == 1);
  MESSAGE(accepted << " messages, " << kills << " kills, " << repeated << " repeated");
  keeper.close();
  CHECK(directory.names().empty());
  munmap(memory, sizeof(Shared));
}
