#include "ring/catalog.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "ring/spsc_channel.h"
#include "test/peer.h"
#include "test/test_directory.h"

using interproc::Code;
using interproc::memory::kAnonymous;
using interproc::memory::Kind;
using interproc::memory::kPersist;
using interproc::memory::OpenMode;
using interproc::ring::CatalogEntry;
using interproc::ring::SpscChannel;
using interproc::test::header_of;
using interproc::test::Message;
using interproc::test::Peer;
using interproc::test::Shape;
using interproc::test::TestDirectory;

namespace {

CatalogEntry entry_of(const TestDirectory& directory, const std::string& name) {
  auto listed = interproc::ring::list(directory.open());
  REQUIRE(listed.ok());
  for (const CatalogEntry& entry : listed.value()) {
    if (entry.name == name) return entry;
  }
  FAIL("not listed: " << name);
  return {};
}

std::vector<std::string> pruned(const TestDirectory& directory, bool dry_run = false) {
  auto removed = interproc::ring::prune(directory.open(), dry_run);
  REQUIRE(removed.ok());
  std::sort(removed.value().begin(), removed.value().end());
  return removed.value();
}

// A process that does this and is killed.
void in_killed_process(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    work();
    _exit(1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
}

}  // namespace

TEST_CASE("the list tells what is there without joining it") {
  TestDirectory directory;
  CHECK(interproc::ring::list(directory.open()).value().empty());
  Peer queue(directory, "queue", OpenMode::create, Shape{.flags = kPersist, .max_participants = 2});
  REQUIRE(queue.bell().hang().code == Code::ok);
  for (std::uint64_t id = 1; id <= 3; ++id) REQUIRE(queue.put(id) == Code::ok);
  REQUIRE(queue.take().id == 1);
  Peer anonymous(directory, "anonymous", OpenMode::create, Shape{.flags = kAnonymous});
  interproc::sync::Doorbell bell(directory.open());
  auto channel = SpscChannel::open(bell, "channel", OpenMode::create,
                                   header_of({.kind = Kind::spsc}), SpscChannel::producer);
  REQUIRE(channel.ok());
  const auto message = Message::make(100, 1);
  REQUIRE(channel.value()->put(message.data(), message.size()) == Code::ok);

  REQUIRE(interproc::ring::list(directory.open()).value().size() == 3);
  const CatalogEntry one = entry_of(directory, "queue");
  CHECK(one.kind == Kind::mpmc);
  CHECK(one.participants == 1);
  CHECK(one.size == 2);
  CHECK(one.persist);
  CHECK_FALSE(one.anonymous);
  CHECK(one.problem.code == Code::ok);
  CHECK(entry_of(directory, "anonymous").anonymous);
  const CatalogEntry other = entry_of(directory, "channel");
  CHECK(other.kind == Kind::spsc);
  CHECK(other.size == 104);
  // It took no slot by looking.
  CHECK(Peer(directory, "queue", OpenMode::open).ok());
}

TEST_CASE("the list names what it cannot read, and why") {
  TestDirectory directory;
  std::FILE* file = std::fopen(directory.path_of("rubbish").c_str(), "w");
  std::fputs("no segment", file);
  std::fclose(file);
  CHECK(entry_of(directory, "rubbish").problem.code != Code::ok);
}

TEST_CASE("prune removes what nobody uses and nothing keeps, and says what") {
  TestDirectory directory;
  Peer used(directory, "used", OpenMode::create);
  in_killed_process([&] {
    Peer empty(directory, "empty", OpenMode::create);
    Peer full(directory, "full", OpenMode::create);
    full.put(1);
    Peer kept(directory, "kept", OpenMode::create, Shape{.flags = kPersist});
    full.bell().hang();
    full.queue().arm(interproc::sync::kPut, 1);
    kill(getpid(), SIGKILL);
  });
  std::FILE* file = std::fopen(directory.path_of("rubbish").c_str(), "w");
  std::fclose(file);
  const auto all = directory.names();
  CHECK(all.size() == 6);
  CHECK(pruned(directory, true) == std::vector<std::string>{"empty", "full"});
  CHECK(directory.names() == all);
  CHECK(pruned(directory) == std::vector<std::string>{"empty", "full"});
  CHECK(directory.names() == std::vector<std::string>{"kept", "rubbish", "used"});
  CHECK(pruned(directory).empty());
  CHECK(used.put(1) == Code::ok);
}

TEST_CASE("prune leaves alone what is being opened") {
  TestDirectory directory;
  in_killed_process([&] {
    Peer left(directory, "q", OpenMode::create);
    left.put(1);
    kill(getpid(), SIGKILL);
  });
  Peer peer(directory, "q", OpenMode::open);
  REQUIRE(peer.ok());
  CHECK(pruned(directory).empty());
  CHECK(peer.take().id == 1);
}
