// A process that may not map all of a queue is told so when it opens it, and nothing comes of it: above all it does not take what
// it cannot see for empty, and the messages there for lost.

#include <doctest/doctest.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string>

#include "test/peer.h"
#include "test/pipe_peer.h"
#include "test/scale.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::OpenMode;
using interproc::test::Got;
using interproc::test::kSanitized;
using interproc::test::Peer;
using interproc::test::PipePair;
using interproc::test::PipePeer;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::Watchdog;

namespace {

std::uint64_t mapped_bytes() {
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::uint64_t>(getpagesize());
}

// The soft limit of what this process may map.
void limit_mappings(std::uint64_t bytes) {
  rlimit limit{};
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = bytes;
  setrlimit(RLIMIT_AS, &limit);
}

// So that small allocations need no mapping for a while.
void stock_up() {
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  void* blocks[32];
  for (void*& block : blocks) block = std::malloc(100'000);
  for (void* block : blocks) std::free(block);
}

// Opens the queue under every limit, from none of it to all of it. Returns how often that was refused, or -1 if something went
// wrong.
int open_under_limits(const TestDirectory& directory) {
  constexpr std::uint64_t kStep = 8 << 10;
  stock_up();
  const std::uint64_t before = mapped_bytes();
  int refused = 0;
  for (int step = 0;; ++step) {
    limit_mappings(before + kStep * static_cast<std::uint64_t>(step));
    Peer peer(directory, "q", OpenMode::open);
    const bool opened = peer.ok();
    bool received = false;
    if (opened) {
      received = peer.receive().id == 1;
      peer.close();  // it comes back with this
    }
    limit_mappings(RLIM_INFINITY);
    if (!directory.has("q")) return -1;
    if (opened && !received) return -1;
    if (opened) return refused;
    if (peer.error().code != Code::no_space || peer.error().errnum != ENOMEM) return -1;
    if (mapped_bytes() != before) return -1;
    ++refused;
  }
}

// An end that is on its way arrives under every limit, from none of it to all of it; as above.
int arrive_under_limits(const TestDirectory& directory, const interproc::memory::Ticket& ticket,
                        PipePeer& other) {
  constexpr std::uint64_t kStep = 8 << 10;
  stock_up();
  const std::uint64_t before = mapped_bytes();
  int refused = 0;
  for (int step = 0;; ++step) {
    limit_mappings(before + kStep * static_cast<std::uint64_t>(step));
    PipePeer peer(directory);
    peer.arrive("m", ticket);
    limit_mappings(RLIM_INFINITY);
    if (peer.ok()) return !peer.end().lost() && peer.receive() == 1 ? refused : -1;
    if (peer.error().code != Code::no_space || peer.error().errnum != ENOMEM) return -1;
    if (other.end().peer_gone(true)) return -1;
    ++refused;
  }
}

}  // namespace

TEST_CASE("an end whose pipe cannot be mapped stays on its way until it can") {
  const Watchdog watchdog("scarce mappings of a pipe", 120);
  if (kSanitized) return;  // it needs mappings of its own
  TestDirectory directory;
  PipePair moved(directory, "m");
  PipePair carrier(directory, "c");
  interproc::memory::Ticket ticket;
  REQUIRE(moved.a.send(1) == Code::ok);
  REQUIRE(carrier.a.send_end(9, moved.b, ticket) == Code::ok);
  const pid_t child = fork();
  if (child == 0) {
    const int refused = arrive_under_limits(directory, ticket, moved.a);
    _exit(refused < 0 ? 255 : refused > 200 ? 200 : refused);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) != 255);
  CHECK(WEXITSTATUS(status) > 0);
}

TEST_CASE("a queue that cannot be mapped whole is not opened, and what a ledger holds stays") {
  const Watchdog watchdog("scarce mappings");
  if (kSanitized) return;  // it needs mappings of its own
  TestDirectory directory;
  {
    Peer peer(directory, "q", OpenMode::create);
    REQUIRE(peer.put(1) == Code::ok);
    REQUIRE(peer.receive().id == 1);  // comes back with the close, and lies in its ledger
  }
  const pid_t child = fork();
  if (child == 0) {
    const int refused = open_under_limits(directory);
    _exit(refused < 0 ? 255 : refused > 200 ? 200 : refused);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) != 255);
  CHECK(WEXITSTATUS(status) > 3);
  Peer peer(directory, "q", OpenMode::open);
  REQUIRE(peer.ok());
  CHECK(peer.take().id == 1);
}
