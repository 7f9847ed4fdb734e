#include "sync/doorbell.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include "ring/catalog.h"
#include "test/once_at.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::sync::Doorbell;
using interproc::test::OnceAt;
using interproc::test::TestDirectory;
using interproc::test::Watchdog;

namespace {

struct Bell {
  explicit Bell(const TestDirectory& directory)
      : doorbell(directory.open()), tokens(Doorbell::kDrainBytes / sizeof(std::uint32_t)) {}
  // What was drained.
  std::vector<std::uint32_t> drain() {
    const std::size_t count = doorbell.drain(tokens.data(), overflow);
    return {tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(count)};
  }
  bool readable() const {
    pollfd polled{doorbell.descriptor(), POLLIN, 0};
    return poll(&polled, 1, 0) == 1;
  }

  Doorbell doorbell;
  std::vector<std::uint32_t> tokens;
  bool overflow = false;
};

std::size_t descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("a bell is a file from its first use to its end") {
  TestDirectory directory;
  {
    Bell bell(directory);
    CHECK(directory.names().empty());
    REQUIRE(bell.doorbell.hang().code == Code::ok);
    const std::uint64_t id = bell.doorbell.id();
    CHECK(id != 0);
    CHECK(directory.names() == std::vector<std::string>{Doorbell::file_name(id)});
    CHECK(Doorbell::names_bell(Doorbell::file_name(id)));
    CHECK_FALSE(Doorbell::names_bell("bell"));
    CHECK(bell.doorbell.hang().code == Code::ok);
    CHECK(bell.doorbell.id() == id);
  }
  CHECK(directory.names().empty());
}

TEST_CASE("a ring is heard with its token, in order, and only once") {
  TestDirectory directory;
  Bell bell(directory);
  Bell ringer(directory);
  REQUIRE(bell.doorbell.hang().code == Code::ok);
  CHECK_FALSE(bell.readable());
  CHECK(bell.drain().empty());
  for (std::uint32_t token : {7u, 8u, 7u}) CHECK(ringer.doorbell.ring(bell.doorbell.id(), token));
  CHECK(bell.readable());
  CHECK(bell.drain() == std::vector<std::uint32_t>{7, 8, 7});
  CHECK_FALSE(bell.overflow);
  CHECK_FALSE(bell.readable());
  CHECK(bell.drain().empty());
}

TEST_CASE("an environment can ring its own bell") {
  TestDirectory directory;
  Bell bell(directory);
  REQUIRE(bell.doorbell.hang().code == Code::ok);
  CHECK(bell.doorbell.ring(bell.doorbell.id(), 3));
  CHECK(bell.drain() == std::vector<std::uint32_t>{3});
}

TEST_CASE("a bell stays readable for its owner when every ringer has gone") {
  TestDirectory directory;
  Bell bell(directory);
  REQUIRE(bell.doorbell.hang().code == Code::ok);
  for (std::uint32_t i = 0; i < 3; ++i) {
    Bell ringer(directory);
    REQUIRE(ringer.doorbell.ring(bell.doorbell.id(), i));
  }
  CHECK(bell.drain().size() == 3);
  pollfd polled{bell.doorbell.descriptor(), POLLIN, 0};
  CHECK(poll(&polled, 1, 0) == 0);
  CHECK((polled.revents & POLLHUP) == 0);
}

TEST_CASE("a full bell counts as rung, and its owner learns that hints are missing") {
  TestDirectory directory;
  for (int pipe_bytes : {0, 4096}) {
    CAPTURE(pipe_bytes);
    Bell bell(directory);
    Bell ringer(directory);
    int file = -1;
    const OnceAt moment("doorbell.made", [&] {
      // The kernel gives smaller pipes to a user who has many.
      file = open(directory.path_of(directory.names()[0]).c_str(), O_RDWR | O_NONBLOCK);
      if (pipe_bytes > 0) REQUIRE(fcntl(file, F_SETPIPE_SZ, pipe_bytes) == pipe_bytes);
    });
    REQUIRE(bell.doorbell.hang().code == Code::ok);
    close(file);
    const std::size_t fit =
        static_cast<std::size_t>(fcntl(bell.doorbell.descriptor(), F_GETPIPE_SZ)) / 4;
    for (std::uint32_t i = 0; i < fit - 1; ++i)
      REQUIRE(ringer.doorbell.ring(bell.doorbell.id(), i));
    CHECK(bell.drain().size() == fit - 1);
    CHECK_FALSE(bell.overflow);
    for (std::uint32_t i = 0; i < fit + 10; ++i)
      REQUIRE(ringer.doorbell.ring(bell.doorbell.id(), i));
    CHECK(bell.drain().size() == fit);
    CHECK(bell.overflow);
    CHECK(bell.drain().empty());
    CHECK_FALSE(bell.overflow);
  }
}

TEST_CASE("a bell that nobody reads is not heard, whether it was open or not") {
  TestDirectory directory;
  Bell ringer(directory);
  CHECK_FALSE(ringer.doorbell.ring(0, 1));
  CHECK_FALSE(ringer.doorbell.ring(0x1234, 1));
  std::uint64_t id = 0;
  {
    Bell bell(directory);
    REQUIRE(bell.doorbell.hang().code == Code::ok);
    id = bell.doorbell.id();
    CHECK(ringer.doorbell.ring(id, 1));
  }
  CHECK_FALSE(ringer.doorbell.ring(id, 2));
  CHECK_FALSE(ringer.doorbell.ring(id, 3));
}

TEST_CASE("the bell of the killed is not heard, can be taken down, and prune finds it") {
  TestDirectory directory;
  Bell ringer(directory);
  const pid_t child = fork();
  if (child == 0) {
    Bell bell(directory);
    bell.doorbell.hang();
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(directory.names().size() == 1);
  const std::uint64_t id = std::strtoull(directory.names()[0].c_str() + 6, nullptr, 16);
  CHECK_FALSE(ringer.doorbell.ring(id, 1));
  SUBCASE("taken down") {
    ringer.doorbell.take_down(id);
    CHECK(directory.names().empty());
    ringer.doorbell.take_down(id);
  }
  SUBCASE("pruned") {
    const auto opened = directory.open();
    CHECK(interproc::ring::prune(opened, true).ok());
    CHECK(directory.names().size() == 1);
    CHECK(interproc::ring::prune(opened, false).ok());
    CHECK(directory.names().empty());
  }
}

TEST_CASE("neither take_down nor prune touches the bell of the living") {
  TestDirectory directory;
  Bell bell(directory);
  Bell other(directory);
  REQUIRE(bell.doorbell.hang().code == Code::ok);
  other.doorbell.take_down(bell.doorbell.id());
  bell.doorbell.take_down(bell.doorbell.id());
  other.doorbell.take_down(0);
  CHECK(interproc::ring::prune(directory.open(), false).ok());
  CHECK(directory.has(Doorbell::file_name(bell.doorbell.id())));
  CHECK(other.doorbell.ring(bell.doorbell.id(), 1));
}

TEST_CASE("a bell is never taken down because the one who looks has no descriptor left") {
  TestDirectory directory;
  Bell bell(directory);
  Bell other(directory);
  REQUIRE(bell.doorbell.hang().code == Code::ok);
  std::vector<int> all;
  for (int next = dup(0); next >= 0; next = dup(0)) all.push_back(next);
  other.doorbell.take_down(bell.doorbell.id());
  const bool there = directory.has(Doorbell::file_name(bell.doorbell.id()));
  for (int descriptor : all) close(descriptor);
  CHECK(there);
}

TEST_CASE("a bell that a prune took down while it was being hung is hung again") {
  TestDirectory directory;
  Bell bell(directory);
  const OnceAt moment("doorbell.made",
                      [&] { CHECK(interproc::ring::prune(directory.open(), false).ok()); });
  REQUIRE(bell.doorbell.hang().code == Code::ok);
  REQUIRE(moment.ran());
  CHECK(directory.has(Doorbell::file_name(bell.doorbell.id())));
  Bell ringer(directory);
  CHECK(ringer.doorbell.ring(bell.doorbell.id(), 5));
  CHECK(bell.drain() == std::vector<std::uint32_t>{5});
}

TEST_CASE("a prune that finds a bell while it is being hung does not make it deaf") {
  const Watchdog watchdog("a bell hung during a prune");
  TestDirectory directory;
  Bell bell(directory);
  std::atomic<int> step{0};
  std::thread hanging([&] {
    const OnceAt moment("doorbell.made", [&] {
      step = 1;
      while (step < 2) std::this_thread::yield();
    });
    bell.doorbell.hang();
  });
  while (step < 1) std::this_thread::yield();
  const OnceAt moment("doorbell.found_dead", [&] {
    step = 2;
    hanging.join();
  });
  CHECK(interproc::ring::prune(directory.open(), false).ok());
  REQUIRE(moment.ran());
  CHECK(directory.names() == std::vector<std::string>{Doorbell::file_name(bell.doorbell.id())});
  Bell ringer(directory);
  CHECK(ringer.doorbell.ring(bell.doorbell.id(), 5));
}

TEST_CASE("ringing many short-lived bells keeps few descriptors") {
  TestDirectory directory;
  Bell ringer(directory);
  const std::size_t before = descriptors();
  for (int i = 0; i < 1'000; ++i) {
    Bell bell(directory);
    REQUIRE(bell.doorbell.hang().code == Code::ok);
    REQUIRE(ringer.doorbell.ring(bell.doorbell.id(), 1));
  }
  CHECK(descriptors() <= before + 256);
}

TEST_CASE("something else under a bell's name is not rung") {
  TestDirectory directory;
  Bell ringer(directory);
  const std::string path = directory.path_of(Doorbell::file_name(0x77));
  const int file = open(path.c_str(), O_CREAT | O_RDWR, 0600);
  REQUIRE(file >= 0);
  CHECK_FALSE(ringer.doorbell.ring(0x77, 1));
  CHECK(lseek(file, 0, SEEK_END) == 0);
  close(file);
}
