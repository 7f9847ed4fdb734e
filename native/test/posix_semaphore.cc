// Named semaphores of POSIX: permits are counted right, between processes and with C programs, and no wait outlasts its deadline's
// look.

#include "platform/posix_semaphore.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <semaphore.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <vector>

#include "platform/clock.h"
#include "test/posix_name.h"
#include "test/scale.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::platform::now_ns;
using interproc::platform::PosixSemaphore;
using interproc::test::PosixName;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

constexpr std::uint32_t kOwn = 0600;

}  // namespace

TEST_CASE("permits are there for all who open it, until it has been unlinked") {
  const PosixName name;
  auto made = PosixSemaphore::create(name, 2, kOwn);
  REQUIRE(made.ok());
  auto opened = PosixSemaphore::open(name);
  REQUIRE(opened.ok());
  CHECK(opened.value().value() == 2);
  CHECK(opened.value().try_wait());
  CHECK(made.value().try_wait());
  CHECK(!opened.value().try_wait());
  CHECK(made.value().post().code == Code::ok);
  CHECK(opened.value().wait(now_ns() + 1'000'000'000));
  CHECK(opened.value().value() == 0);

  CHECK(PosixSemaphore::create(name, 1, kOwn).error().code == Code::exists);
  CHECK(PosixSemaphore::open_or_create(name, 9, kOwn).value().value() == 0);
  CHECK(PosixSemaphore::unlink(name).code == Code::ok);
  CHECK(PosixSemaphore::unlink(name).code == Code::not_found);
  CHECK(PosixSemaphore::open(name).error().code == Code::not_found);
  CHECK(made.value().post().code == Code::ok);
  CHECK(opened.value().value() == 1);
  CHECK(PosixSemaphore::open_or_create(name, 9, kOwn).value().value() == 9);
}

TEST_CASE("a semaphore is one of the C library's") {
  const PosixName name;
  auto made = PosixSemaphore::create(name, 1, 0640);
  REQUIRE(made.ok());
  struct stat status {};
  REQUIRE(stat(name.semaphore_file().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0640);
  sem_t* theirs = sem_open(std::string(name).c_str(), 0);
  REQUIRE(theirs != SEM_FAILED);
  CHECK(sem_trywait(theirs) == 0);
  CHECK(!made.value().try_wait());
  CHECK(sem_post(theirs) == 0);
  CHECK(made.value().try_wait());
  sem_close(theirs);
  CHECK(made.value().post().code == Code::ok);
}

TEST_CASE("the last permit there is room for is refused, and none is lost") {
  const PosixName name;
  auto made = PosixSemaphore::create(name, PosixSemaphore::kMaxValue, kOwn);
  REQUIRE(made.ok());
  CHECK(made.value().value() == PosixSemaphore::kMaxValue);
  const interproc::Error error = made.value().post();
  CHECK(error.code == Code::full);
  CHECK(error.errnum == EOVERFLOW);
  CHECK(made.value().value() == PosixSemaphore::kMaxValue);
}

TEST_CASE("a wait without a permit ends at its deadline, not before, and takes nothing") {
  const Watchdog watchdog("a wait without a permit");
  const PosixName name;
  auto made = PosixSemaphore::create(name, 0, kOwn);
  REQUIRE(made.ok());
  for (const std::int64_t milliseconds : {-5, 0, 1, 30}) {
    const std::int64_t deadline = now_ns() + milliseconds * 1'000'000;
    CHECK(!made.value().wait(deadline));
    CHECK(now_ns() >= deadline);
  }
  CHECK(made.value().post().code == Code::ok);
  CHECK(made.value().value() == 1);
}

TEST_CASE("processes that take and give permits lose none, and never have more than there are") {
  const Watchdog watchdog("a crowd at a semaphore", 600);
  const PosixName gate;
  const PosixName inside;
  const std::uint64_t rounds = times(20'000, 2'000, 500'000);
  auto permits = PosixSemaphore::create(gate, 2, kOwn);
  // Counts down what is free inside: refused once there are more than two.
  auto places = PosixSemaphore::create(inside, 2, kOwn);
  REQUIRE(permits.ok());
  REQUIRE(places.ok());
  std::vector<pid_t> crowd;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      auto own = PosixSemaphore::open(gate);
      auto room = PosixSemaphore::open(inside);
      if (!own.ok() || !room.ok()) _exit(1);
      for (std::uint64_t round = 0; round < rounds; ++round) {
        while (!own.value().wait(now_ns() + 50'000'000)) continue;
        if (!room.value().try_wait()) _exit(2);
        if (room.value().post().code != Code::ok) _exit(3);
        if (own.value().post().code != Code::ok) _exit(4);
      }
      _exit(0);
    }
    crowd.push_back(child);
  }
  for (const pid_t child : crowd) {
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
  }
  CHECK(permits.value().value() == 2);
  CHECK(places.value().value() == 2);
}

TEST_CASE("what is no semaphore is refused, and left alone") {
  const Watchdog watchdog("what is no semaphore");
  const PosixName name;
  const auto refuses = [&](Code expected) {
    CHECK(PosixSemaphore::open(name).error().code == expected);
    CHECK(PosixSemaphore::open_or_create(name, 1, kOwn).error().code == expected);
    CHECK(PosixSemaphore::create(name, 1, kOwn).error().code == Code::exists);
    std::filesystem::remove(name.semaphore_file());
  };
  // Touching the first of them would be a SIGBUS.
  for (const std::size_t bytes : {std::size_t{0}, sizeof(sem_t) / 2, sizeof(sem_t) + 1}) {
    std::ofstream(name.semaphore_file()) << std::string(bytes, '\0');
    refuses(Code::kind);
  }
  REQUIRE(mkfifo(name.semaphore_file().c_str(), 0600) == 0);
  refuses(Code::kind);
  REQUIRE(symlink("/dev/zero", name.semaphore_file().c_str()) == 0);
  refuses(Code::permission);
}

TEST_CASE("a name too long is refused by every call") {
  for (const std::size_t bytes : {252, 255, 256, 1000}) {
    CAPTURE(bytes);
    const std::string name = std::string("/").append(bytes, 'x');
    CHECK(PosixSemaphore::create(name, 1, kOwn).error().code == Code::argument);
    CHECK(PosixSemaphore::open(name).error().code == Code::argument);
    CHECK(PosixSemaphore::open_or_create(name, 1, kOwn).error().code == Code::argument);
    CHECK(PosixSemaphore::unlink(name).code == Code::argument);
  }
}
