#include "memory/segment.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <thread>
#include <vector>

#include "test/once_at.h"
#include "test/peer.h"
#include "test/scale.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::kAnonymous;
using interproc::memory::Kind;
using interproc::memory::kPersist;
using interproc::memory::OpenMode;
using interproc::test::header_of;
using interproc::test::OnceAt;
using interproc::test::Peer;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

// Another process does this and is killed, so that nothing of it is closed.
void in_killed_process(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    work();
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
}

std::uint64_t inode_of(const TestDirectory& directory, const char* name) {
  struct stat status {};
  return stat(directory.path_of(name).c_str(), &status) == 0 ? status.st_ino : 0;
}

}  // namespace

TEST_CASE("create makes an object that is not there, and refuses one that is") {
  TestDirectory directory;
  Peer first(directory, "q", OpenMode::create);
  REQUIRE(first.ok());
  CHECK(Peer(directory, "q", OpenMode::create).error().code == Code::exists);
  CHECK(directory.names() == std::vector<std::string>{"q"});
}

TEST_CASE("open finds an object that is there, and refuses to make one") {
  TestDirectory directory;
  CHECK(Peer(directory, "q", OpenMode::open).error().code == Code::not_found);
  CHECK(directory.names().empty());
  Peer first(directory, "q", OpenMode::create);
  Peer second(directory, "q", OpenMode::open);
  REQUIRE(second.ok());
  REQUIRE(first.put(7) == Code::ok);
  CHECK(second.take().id == 7);
}

TEST_CASE("open_or_create makes the object or meets the one that is there") {
  TestDirectory directory;
  Peer first(directory, "q", OpenMode::open_or_create);
  Peer second(directory, "q", OpenMode::open_or_create);
  REQUIRE(first.put(7) == Code::ok);
  CHECK(second.take().id == 7);
}

TEST_CASE("an opener learns the geometry from the object, not from its own wishes") {
  TestDirectory directory;
  Peer first(directory, "q", OpenMode::create,
             Shape{.capacity = 8192, .max_items = 3, .max_participants = 5});
  Peer second(directory, "q", OpenMode::open_or_create, Shape{.capacity = 65'536});
  REQUIRE(second.ok());
  CHECK(second.capacity() == 8192);
  CHECK(second.queue().header().max_items == 3);
  CHECK(second.queue().header().max_participants == 5);
}

TEST_CASE("an object of another kind is refused and left as it is") {
  TestDirectory directory;
  Peer queue(directory, "q", OpenMode::create);
  for (OpenMode mode : {OpenMode::open, OpenMode::open_or_create})
    CHECK(Peer(directory, "q", mode, Shape{.kind = Kind::spsc}).error().code == Code::kind);
  CHECK(Peer(directory, "q", OpenMode::create, Shape{.kind = Kind::spsc}).error().code ==
        Code::exists);
  CHECK(queue.put(1) == Code::ok);
}

TEST_CASE("file and directory are for their owner alone") {
  TestDirectory directory;
  Peer queue(directory, "q", OpenMode::create);
  REQUIRE(queue.bell().hang().code == Code::ok);
  for (const std::string& name : directory.names()) {
    struct stat status {};
    REQUIRE(stat(directory.path_of(name).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
  }
  const std::string made = directory.path_of("made");
  REQUIRE(interproc::platform::Directory::open(made).ok());
  struct stat status {};
  REQUIRE(stat(made.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
}

TEST_CASE("the last one out removes an empty object, whoever made it") {
  TestDirectory directory;
  {
    auto first = std::make_unique<Peer>(directory, "q", OpenMode::create);
    Peer second(directory, "q", OpenMode::open);
    first.reset();
    CHECK(directory.has("q"));
  }
  CHECK(directory.names().empty());
}

TEST_CASE("a named queue that holds messages stays until it has been drained") {
  TestDirectory directory;
  {
    Peer peer(directory, "q", OpenMode::create);
    REQUIRE(peer.put(1) == Code::ok);
    REQUIRE(peer.put(2) == Code::ok);
  }
  REQUIRE(directory.has("q"));
  {
    Peer peer(directory, "q", OpenMode::open);
    REQUIRE(peer.ok());
    CHECK(peer.take().id == 1);
  }
  REQUIRE(directory.has("q"));
  {
    Peer peer(directory, "q", OpenMode::open_or_create);
    CHECK(peer.take().id == 2);
  }
  CHECK(directory.names().empty());
}

TEST_CASE("a message that was received and not acknowledged keeps the queue too") {
  TestDirectory directory;
  {
    Peer peer(directory, "q", OpenMode::create);
    REQUIRE(peer.put(1) == Code::ok);
    REQUIRE(peer.receive().id == 1);
  }
  REQUIRE(directory.has("q"));
  Peer peer(directory, "q", OpenMode::open);
  const auto got = peer.take();
  CHECK(got.id == 1);
  CHECK(got.taken.deliveries == 2);
}

TEST_CASE("persist keeps an object, empty or not") {
  TestDirectory directory;
  { Peer peer(directory, "q", OpenMode::create, Shape{.flags = kPersist}); }
  const std::uint64_t inode = inode_of(directory, "q");
  CHECK(inode != 0);
  { Peer peer(directory, "q", OpenMode::open_or_create); }
  CHECK(inode_of(directory, "q") == inode);
  CHECK(Peer(directory, "q", OpenMode::create).error().code == Code::exists);
}

TEST_CASE("an anonymous object goes with its last user, full or not") {
  TestDirectory directory;
  {
    Peer peer(directory, "q", OpenMode::create, Shape{.flags = kAnonymous});
    REQUIRE(peer.put(1) == Code::ok);
  }
  CHECK(directory.names().empty());
}

TEST_CASE(
    "what the killed left behind is removed by the next opener if it is empty, kept if it is not") {
  TestDirectory directory;
  in_killed_process([&] {
    Peer peer(directory, "q", OpenMode::create);
    kill(getpid(), SIGKILL);
  });
  const std::uint64_t left = inode_of(directory, "q");
  REQUIRE(left != 0);
  SUBCASE("open") {
    CHECK(Peer(directory, "q", OpenMode::open).error().code == Code::not_found);
    CHECK(directory.names().empty());
  }
  SUBCASE("create") {
    Peer peer(directory, "q", OpenMode::create);
    CHECK(peer.ok());
  }
  SUBCASE("open_or_create") {
    Peer peer(directory, "q", OpenMode::open_or_create, Shape{.capacity = 8192});
    REQUIRE(peer.ok());
    CHECK(peer.capacity() == 8192);
  }
  SUBCASE("with a message in it") {
    { Peer peer(directory, "q", OpenMode::create); }
    REQUIRE(directory.names().empty());
    in_killed_process([&] {
      Peer peer(directory, "q", OpenMode::create);
      peer.put(1);
      kill(getpid(), SIGKILL);
    });
    CHECK(Peer(directory, "q", OpenMode::create).error().code == Code::exists);
    Peer peer(directory, "q", OpenMode::open);
    REQUIRE(peer.ok());
    CHECK(peer.take().id == 1);
  }
  SUBCASE("an anonymous one with a message in it") {
    { Peer peer(directory, "q", OpenMode::create); }
    in_killed_process([&] {
      Peer peer(directory, "q", OpenMode::create, Shape{.flags = kAnonymous});
      peer.put(1);
      kill(getpid(), SIGKILL);
    });
    CHECK(Peer(directory, "q", OpenMode::open).error().code == Code::not_found);
    CHECK(directory.names().empty());
  }
}

TEST_CASE("the bells of the killed go with the last one out, whatever becomes of the object") {
  for (std::uint32_t flags : {0u, std::uint32_t{kAnonymous}, std::uint32_t{kPersist}}) {
    for (bool unlinked : {false, true}) {
      CAPTURE(flags);
      CAPTURE(unlinked);
      TestDirectory directory;
      Peer peer(directory, "q", OpenMode::create, Shape{.flags = flags});
      in_killed_process([&] {
        Peer dying(directory, "q", OpenMode::open);
        dying.bell().hang();
        dying.queue().arm(interproc::sync::kTake, 1);
        kill(getpid(), SIGKILL);
      });
      REQUIRE(directory.names().size() == 2);
      if (unlinked) REQUIRE(peer.queue().unlink().code == Code::ok);
      peer.close();
      const bool stays = (flags & kPersist) != 0 && !unlinked;
      CHECK(directory.names().size() == (stays ? 1 : 0));
      CHECK(directory.has("q") == stays);
    }
  }
}

TEST_CASE("an unlinked object goes on for those who have it, and its name is free at once") {
  TestDirectory directory;
  Peer first(directory, "q", OpenMode::create);
  Peer second(directory, "q", OpenMode::open);
  CHECK(first.queue().unlink().code == Code::ok);
  CHECK(first.queue().unlink().code == Code::ok);
  CHECK(directory.names().empty());
  REQUIRE(first.put(1) == Code::ok);
  Peer other(directory, "q", OpenMode::create);
  REQUIRE(other.ok());
  CHECK(other.take().code == Code::empty);
  CHECK(second.take().id == 1);
  // Whoever leaves the unlinked one leaves the new one alone.
  first.close();
  second.close();
  CHECK(directory.names() == std::vector<std::string>{"q"});
  CHECK(first.error().code == Code::ok);
}

TEST_CASE("unlink of a name that is another object's by now removes nothing") {
  TestDirectory directory;
  Peer first(directory, "q", OpenMode::create);
  REQUIRE(unlink(directory.path_of("q").c_str()) == 0);
  Peer other(directory, "q", OpenMode::create);
  REQUIRE(other.ok());
  CHECK(first.queue().unlink().code == Code::ok);
  CHECK(directory.has("q"));
}

TEST_CASE("a creator that is killed leaves an object that is whole, or none") {
  TestDirectory directory;
  for (std::uint64_t k = 1;; ++k) {
    CAPTURE(k);
    const pid_t child = fork();
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      interproc::platform::plan_fault(interproc::platform::FaultAction::kill, k);
      Peer peer(directory, "q", OpenMode::create);
      _exit(peer.ok() ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (directory.has("q")) {
      Peer peer(directory, "q", OpenMode::open_or_create);
      REQUIRE(peer.ok());
      CHECK(peer.put(1) == Code::ok);
      CHECK(peer.take().id == 1);
    }
    CHECK(directory.names().empty());
    if (!WIFSIGNALED(status)) {
      CHECK(WEXITSTATUS(status) == 0);
      break;
    }
  }
}

TEST_CASE("two creators at once: one makes it, the other meets it") {
  for (const char* point : {"segment.ready", "directory.link", "registry.joined"}) {
    for (OpenMode mode : {OpenMode::open_or_create, OpenMode::create}) {
      CAPTURE(std::string(point));
      CAPTURE(static_cast<int>(mode));
      TestDirectory directory;
      std::unique_ptr<Peer> winner;
      const OnceAt moment(point, [&] {
        winner = std::make_unique<Peer>(directory, "q", OpenMode::open_or_create);
        REQUIRE(winner->put(1) == Code::ok);
      });
      Peer second(directory, "q", mode);
      REQUIRE(moment.ran());
      if (mode == OpenMode::create) {
        CHECK(second.error().code == Code::exists);
      } else {
        REQUIRE(second.ok());
        CHECK(second.take().id == 1);
      }
      winner->close();
    }
  }
}

TEST_CASE("an opener that meets the last one leaving gets a whole object or none") {
  for (const char* point : {"registry.left", "segment.detached", "segment.decided"}) {
    for (OpenMode mode : {OpenMode::open, OpenMode::create, OpenMode::open_or_create}) {
      CAPTURE(std::string(point));
      CAPTURE(static_cast<int>(mode));
      TestDirectory directory;
      Peer leaving(directory, "q", OpenMode::create);
      std::unique_ptr<Peer> second;
      const OnceAt moment(point, [&] { second = std::make_unique<Peer>(directory, "q", mode); });
      leaving.close();
      REQUIRE(moment.ran());
      if (second->ok()) {
        CHECK(directory.has("q"));
        CHECK(second->put(1) == Code::ok);
        CHECK(second->take().id == 1);
      }
      second->close();
      CHECK(directory.names().empty());
    }
  }
}

TEST_CASE("a refused creator that turns out to be the last one there removes the object") {
  TestDirectory directory;
  Peer first(directory, "q", OpenMode::create);
  const OnceAt moment("segment.attached", [&] { first.close(); });
  Peer second(directory, "q", OpenMode::create);
  REQUIRE(moment.ran());
  CHECK(second.error().code == Code::exists);
  CHECK(directory.names().empty());
}

TEST_CASE("an opener that is refused a slot leaves nothing behind") {
  TestDirectory directory;
  Peer first(directory, "q", OpenMode::create, Shape{.max_participants = 1});
  CHECK(Peer(directory, "q", OpenMode::open).error().code == Code::no_slot);
  CHECK(first.put(1) == Code::ok);
  CHECK(first.take().id == 1);
  first.close();
  CHECK(directory.names().empty());
}

TEST_CASE("many threads that open, use and close one name never meet a broken object") {
  const Watchdog watchdog("opening threads");
  TestDirectory directory;
  const std::uint64_t cycles = times(3'000, 300, 100'000);
  std::atomic<std::uint64_t> wrong{0};
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (std::uint64_t cycle = 0; cycle < cycles; ++cycle) {
        Peer peer(directory, "q", OpenMode::open_or_create);
        if (!peer.ok() || peer.put(interproc::test::Message::id(i, cycle + 1)) != Code::ok) {
          ++wrong;
          continue;
        }
        // As many takes as puts; nothing may be there for a moment while another is still writing.
        interproc::test::Got got = peer.take();
        while (got.code == Code::empty) got = peer.take();
        if (!got.whole) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong.load() == 0);
  CHECK(directory.names().empty());
}
