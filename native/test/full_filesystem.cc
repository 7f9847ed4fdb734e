// A full or tiny /dev/shm is an error that says so, at the call that needs the room; never a SIGBUS at some later touch; and
// whatever was given up half-way gives its room back.

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "platform/posix_semaphore.h"
#include "platform/posix_shm.h"
#include "test/peer.h"
#include "test/pipe_peer.h"
#include "test/scale.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::OpenMode;
using interproc::platform::PosixSemaphore;
using interproc::platform::PosixShm;
using interproc::test::Got;
using interproc::test::Peer;
using interproc::test::pipe_header;
using interproc::test::PipePair;
using interproc::test::PipePeer;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

constexpr char kNotPermitted[] = "not permitted: ";

void write_file(const char* path, const std::string& text) {
  std::FILE* file = std::fopen(path, "w");
  if (file == nullptr) return;
  std::fputs(text.c_str(), file);
  std::fclose(file);
}

// Mounts a small file system on `path`, for this process alone. An error text, or an empty string.
std::string mount_small(const std::string& path, const char* options) {
  const uid_t user = geteuid();
  const gid_t group = getegid();
  if (unshare(user == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0)
    return kNotPermitted + std::string("unshare: ") + std::strerror(errno);
  if (user != 0) {
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", std::to_string(user) + " " + std::to_string(user) + " 1");
    write_file("/proc/self/gid_map", std::to_string(group) + " " + std::to_string(group) + " 1");
  }
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("tmpfs", path.c_str(), "tmpfs", 0, options) != 0) {
    return kNotPermitted + std::string("mount: ") + std::strerror(errno);
  }
  return chmod(path.c_str(), 0700) == 0 ? "" : "chmod";
}

// Runs `work` in a process of its own and returns the text that it returns.
std::string in_own_process(const std::function<std::string()>& work) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const std::string text = work();
    _exit(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  close(ends[1]);
  std::string text;
  char buffer[512];
  for (ssize_t got = read(ends[0], buffer, sizeof buffer); got > 0;
       got = read(ends[0], buffer, sizeof buffer)) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return "died of signal " + std::to_string(WTERMSIG(status));
  return text;
}

std::string numbered(std::size_t number) { return std::string("/").append(std::to_string(number)); }

std::uint64_t free_blocks(const std::string& path) {
  struct statvfs status {};
  return statvfs(path.c_str(), &status) == 0 ? status.f_bfree : 0;
}
std::uint64_t free_files(const std::string& path) {
  struct statvfs status {};
  return statvfs(path.c_str(), &status) == 0 ? status.f_ffree : 0;
}

// Creates queues and uses all of each, its ledger too, until there is no more room; then gives everything back. Counts the
// creates in `creates`.
std::string fill_once(const TestDirectory& directory, const Shape& shape, std::uint64_t& creates) {
  const std::uint64_t blocks = free_blocks(directory.path());
  const std::uint64_t files = free_files(directory.path());
  {
    std::vector<std::unique_ptr<Peer>> peers;
    bool ledgers_refused = false;
    for (;;) {
      ++creates;
      auto peer =
          std::make_unique<Peer>(directory, std::to_string(peers.size()), OpenMode::create, shape);
      if (!peer->ok()) {
        if (peer->error().code != Code::no_space)
          return "create failed with code " + std::to_string(static_cast<int>(peer->error().code));
        break;
      }
      // Every byte of the ring is there.
      if (peer->put(1, peer->capacity()) != Code::ok) return "a created queue has not its room";
      const Got got = peer->receive();
      if (got.code == Code::no_space) {
        ledgers_refused = true;
      } else if (got.code != Code::ok || !got.whole) {
        return "receive failed with code " + std::to_string(static_cast<int>(got.code));
      } else if (peer->queue().ack(got.taken.receipt) != Code::ok ||
                 peer->put(1, peer->capacity()) != Code::ok) {
        return "a queue with a ledger does not work";
      }
      peers.push_back(std::move(peer));
    }
    if (peers.empty()) return "not even one queue had room";
    // Those that exist go on, with what they have.
    for (auto& peer : peers) {
      const Got got = peer->take();
      if (got.code != Code::ok || !got.whole) return "a message is gone";
      if (peer->put(2, peer->capacity()) != Code::ok || peer->take().id != 2)
        return "a queue that exists has no room any more";
    }
    // Who was refused a ledger gets one when there is room.
    if (ledgers_refused) {
      Peer& last = *peers.back();
      if (last.put(3) != Code::ok) return "put";
      const Code refused = last.receive().code;
      if (refused != Code::no_space && refused != Code::ok) return "a second refusal";
      const bool alone = peers.size() == 1;
      peers.erase(peers.begin(), peers.end() - 1);
      if (refused == Code::no_space && !alone && last.receive().id != 3)
        return "no ledger though there is room again";
    }
  }
  for (int i = 0; i < 2 && !directory.names().empty(); ++i) {
    // What was received last came back with the close and keeps its queue.
    for (const std::string& name : directory.names()) {
      Peer peer(directory, name, OpenMode::open);
      while (peer.ok() && peer.take().code == Code::ok) continue;
    }
  }
  if (!directory.names().empty()) return "something is left";
  if (free_blocks(directory.path()) != blocks) return "blocks are lost";
  if (free_files(directory.path()) != files) return "files are lost";
  return "";
}

void fill_again_and_again(const char* options, const Shape& shape, std::uint64_t wanted) {
  const Watchdog watchdog("a full file system", 600);
  TestDirectory directory;
  const std::string report = in_own_process([&]() -> std::string {
    std::string problem = mount_small(directory.path(), options);
    for (std::uint64_t creates = 0; problem.empty() && creates < wanted;)
      problem = fill_once(directory, shape, creates);
    return problem;
  });
  if (report.starts_with(kNotPermitted)) {
    MESSAGE("skipped: " << report);
  } else {
    CHECK(report == "");
  }
}

}  // namespace

TEST_CASE(
    "creating queues until the file system is full ends in no_space, and all room comes back") {
  fill_again_and_again("size=8m", Shape{.capacity = 1 << 16}, times(1'000, 100, 20'000));
}

TEST_CASE("a ledger that has no room is refused, and the messages stay where they are") {
  // The ring takes most of it: there is no room for its ledger.
  fill_again_and_again("size=2m", Shape{.capacity = 1 << 20, .max_participants = 2}, 20);
}

TEST_CASE("a file system without inodes is a full one") {
  fill_again_and_again("size=64m,nr_inodes=24", Shape{}, times(200, 50, 2'000));
}

TEST_CASE(
    "pipes are made until the file system is full, each with all its room, and all of it comes "
    "back") {
  const Watchdog watchdog("pipes and a full file system", 600);
  TestDirectory directory;
  const std::string report = in_own_process([&]() -> std::string {
    const std::string problem = mount_small(directory.path(), "size=4m");
    if (!problem.empty()) return problem;
    for (int round = 0; round < 5; ++round) {
      const std::uint64_t blocks = free_blocks(directory.path());
      std::vector<std::unique_ptr<PipePair>> pairs;
      for (;;) {
        PipePeer first(directory);
        const std::string name = std::to_string(pairs.size());
        first.create(name, 0, pipe_header(true, 1 << 15));
        if (!first.ok()) {
          if (first.error().code != Code::no_space) return "refused for another reason";
          if (directory.has(name)) return "what was refused is there";
          break;
        }
        first.close();
        pairs.push_back(std::make_unique<PipePair>(directory, name, pipe_header(true, 1 << 15)));
      }
      if (pairs.empty()) return "not even one pipe had room";
      // Every byte of both rings is there.
      for (auto& pair : pairs) {
        for (auto [from, to] : {std::pair{&pair->a, &pair->b}, std::pair{&pair->b, &pair->a}}) {
          if (from->send(1, from->end().whole_bytes()) != Code::ok || to->receive() != 1)
            return "a pipe has not its room";
        }
      }
      pairs.clear();
      if (!directory.names().empty()) return "something is left: " + directory.names().front();
      if (free_blocks(directory.path()) != blocks) return "blocks are lost";
    }
    return "";
  });
  if (report.starts_with(kNotPermitted)) {
    MESSAGE("skipped: " << report);
  } else {
    CHECK(report == "");
  }
}

TEST_CASE("a queue larger than the file system is refused and leaves it empty") {
  const Watchdog watchdog("a queue larger than the file system", 600);
  TestDirectory directory;
  const std::string report = in_own_process([&]() -> std::string {
    const std::string problem = mount_small(directory.path(), "size=4m");
    if (!problem.empty()) return problem;
    const std::uint64_t blocks = free_blocks(directory.path());
    for (int i = 0; i < 20; ++i) {
      Peer peer(directory, "q", OpenMode::open_or_create, Shape{.capacity = 1 << 26});
      if (peer.error().code != Code::no_space) return "not refused";
      if (free_blocks(directory.path()) != blocks) return "blocks are lost";
    }
    return Peer(directory, "q", OpenMode::open_or_create).ok() ? "" : "a small one is refused too";
  });
  if (report.starts_with(kNotPermitted)) {
    MESSAGE("skipped: " << report);
  } else {
    CHECK(report == "");
  }
}

TEST_CASE(
    "a large message that has no room is refused, nothing of it is queued, and the queue goes on") {
  const Watchdog watchdog("a large message and a full file system", 600);
  TestDirectory directory;
  const std::string report = in_own_process([&]() -> std::string {
    const std::string problem = mount_small(directory.path(), "size=8m");
    if (!problem.empty()) return problem;
    const std::uint64_t blocks = free_blocks(directory.path());
    {
      Peer peer(directory, "q", OpenMode::create,
                Shape{.capacity = 1 << 16,
                      .max_participants = 2,
                      .max_message_bytes = 1 << 24,
                      .max_side_bytes = 1 << 26});
      if (!peer.ok()) return "create";
      const std::uint64_t before = free_blocks(directory.path());
      for (int i = 0; i < 100; ++i) {
        if (peer.put(1, 1 << 24) != Code::no_space) return "16 MiB were not refused";
        if (free_blocks(directory.path()) != before) return "the refused one left blocks";
        if (peer.put(2, 4 << 20) != Code::ok) return "4 MiB were refused";
        if (peer.put(3, 5 << 20) != Code::no_space) return "5 MiB more were not refused";
        if (peer.put(4) != Code::ok) return "a small one was refused";
        if (peer.queue().size() != 2) return "a refused one is in the queue";
        if (const Got got = peer.take(); got.id != 2 || !got.whole) return "4 MiB are torn";
        if (peer.take().id != 4) return "the small one did not come";
        // What is kept for the next message makes way: for one that grows in its place, and for another file.
        if (const Got got = (peer.put(5, 7 << 20), peer.take()); got.id != 5 || !got.whole)
          return "7 MiB did not go through";
        if (peer.put(6, 1 << 20) != Code::ok || peer.put(7, 6 << 20) != Code::ok)
          return "what was kept did not make way";
        if (peer.take().id != 6 || peer.take().id != 7) return "the order";
        if (peer.put(1, 1 << 24) != Code::no_space) return "16 MiB were not refused at last";
      }
    }
    if (!directory.names().empty()) return "something is left";
    return free_blocks(directory.path()) == blocks ? "" : "blocks are lost";
  });
  if (report.starts_with(kNotPermitted)) {
    MESSAGE("skipped: " << report);
  } else {
    CHECK(report == "");
  }
}

TEST_CASE(
    "shared memory of POSIX that has no room is refused, and what was made has all of its own") {
  const Watchdog watchdog("shared memory of POSIX and a full file system", 600);
  const std::string report = in_own_process([&]() -> std::string {
    const std::string path = "/dev/shm";
    const std::string problem = mount_small(path, "size=4m");
    if (!problem.empty()) return problem;
    const std::uint64_t blocks = free_blocks(path);
    for (int i = 0; i < 20; ++i) {
      if (PosixShm::create("/large", 5 << 20, 0600).error().code != Code::no_space)
        return "5 MiB were not refused";
      if (free_blocks(path) != blocks) return "the refused one left blocks";
    }
    std::vector<PosixShm> made;
    for (;;) {
      auto shm = PosixShm::create(numbered(made.size()), 300'000, 0600);
      if (!shm.ok() && shm.error().code != Code::no_space) return "another error";
      if (!shm.ok()) break;
      made.push_back(std::move(shm.value()));
    }
    if (made.size() < 10) return "refused too early";
    if (PosixShm::open_or_create("/more", 300'000, 0600).error().code != Code::no_space)
      return "open_or_create was not refused";
    // Every byte is there.
    for (PosixShm& shm : made) std::memset(shm.data(), 7, shm.bytes());
    std::vector<PosixSemaphore> semaphores;
    for (;;) {
      auto semaphore = PosixSemaphore::create(numbered(semaphores.size()), 1, 0600);
      if (!semaphore.ok() && semaphore.error().code != Code::no_space) return "a semaphore";
      if (!semaphore.ok()) break;
      semaphores.push_back(std::move(semaphore.value()));
    }
    for (PosixSemaphore& semaphore : semaphores) {
      if (!semaphore.try_wait()) return "a semaphore without its permit";
    }
    for (std::size_t i = 0; i < semaphores.size(); ++i) PosixSemaphore::unlink(numbered(i));
    for (std::size_t i = 0; i < made.size(); ++i) PosixShm::unlink(numbered(i));
    semaphores.clear();
    made.clear();
    return free_blocks(path) == blocks ? "" : "blocks are lost";
  });
  if (report.starts_with(kNotPermitted)) {
    MESSAGE("skipped: " << report);
  } else {
    CHECK(report == "");
  }
}
