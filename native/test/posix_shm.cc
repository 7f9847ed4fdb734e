// Shared memory objects of POSIX: whole or not there, whoever is killed and whatever is refused, and as C programs have them.

#include "platform/posix_shm.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <vector>

#include "platform/fault.h"
#include "test/posix_name.h"
#include "test/scale.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::Error;
using interproc::Result;
using interproc::platform::PosixAccess;
using interproc::platform::PosixShm;
using interproc::test::PosixName;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

constexpr std::uint32_t kOwn = 0600;

// Runs `work` in a process of its own; how that ended, as waitpid has it.
template <class Work>
int in_own_process(Work work) {
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    work();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

bool is_zero(const PosixShm& shm) {
  for (std::size_t i = 0; i < shm.bytes(); ++i) {
    if (shm.data()[i] != std::byte{0}) return false;
  }
  return true;
}

struct Belongings {
  std::size_t descriptors = 0;
  std::size_t mappings = 0;
  bool operator==(const Belongings&) const = default;
};

Belongings look() {
  Belongings now;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd"))
    ++now.descriptors;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    now.mappings += line.find("/dev/shm") < line.size();
  return now;
}

}  // namespace

TEST_CASE("an object is zeros of its size, for all who open it, until it has been unlinked") {
  const PosixName name;
  auto made = PosixShm::create(name, 10'001, kOwn);
  REQUIRE(made.ok());
  CHECK(made.value().bytes() == 10'001);
  CHECK(is_zero(made.value()));
  made.value().data()[10'000] = std::byte{7};

  auto opened = PosixShm::open(name, PosixAccess::read_write);
  REQUIRE(opened.ok());
  CHECK(opened.value().bytes() == 10'001);
  CHECK(opened.value().data()[10'000] == std::byte{7});
  auto read = PosixShm::open(name, PosixAccess::read_only);
  REQUIRE(read.ok());
  CHECK(read.value().is_read_only());
  CHECK(read.value().data()[10'000] == std::byte{7});

  CHECK(PosixShm::create(name, 1, kOwn).error().code == Code::exists);
  CHECK(PosixShm::open_or_create(name, 1, kOwn).value().bytes() == 10'001);
  CHECK(PosixShm::unlink(name).code == Code::ok);
  CHECK(PosixShm::unlink(name).code == Code::not_found);
  CHECK(PosixShm::open(name, PosixAccess::read_write).error().code == Code::not_found);
  opened.value().data()[0] = std::byte{1};
  CHECK(made.value().data()[0] == std::byte{1});
  CHECK(PosixShm::open_or_create(name, 1, kOwn).value().bytes() == 1);
}

TEST_CASE("an object is one of the C library's") {
  const PosixName name;
  {
    auto made = PosixShm::create(name, 4096, 0640);
    REQUIRE(made.ok());
    const int file = shm_open(std::string(name).c_str(), O_RDWR, 0);
    REQUIRE(file >= 0);
    struct stat status {};
    REQUIRE(fstat(file, &status) == 0);
    CHECK(status.st_size == 4096);
    CHECK((status.st_mode & 0777) == 0640);
    CHECK(status.st_nlink == 1);
    CHECK(status.st_blocks * 512 >= 4096);
    REQUIRE(pwrite(file, "there", 5, 100) == 5);
    CHECK(made.value().data()[104] == std::byte{'e'});
    close(file);
    REQUIRE(shm_unlink(std::string(name).c_str()) == 0);
  }
  const int file = shm_open(std::string(name).c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
  REQUIRE(file >= 0);
  CHECK(PosixShm::open(name, PosixAccess::read_write).error().code == Code::corrupt);
  CHECK(PosixShm::open_or_create(name, 8, kOwn).error().code == Code::corrupt);
  REQUIRE(ftruncate(file, 100) == 0);
  CHECK(PosixShm::open(name, PosixAccess::read_write).value().bytes() == 100);
  close(file);
}

TEST_CASE("a reader's memory cannot be written, and only that ends the process") {
  const PosixName name;
  auto made = PosixShm::create(name, 100, kOwn);
  REQUIRE(made.ok());
  const int status = in_own_process([&] {
    signal(SIGSEGV, SIG_DFL);
    auto read = PosixShm::open(name, PosixAccess::read_only);
    if (!read.ok()) _exit(1);
    read.value().data()[0] = std::byte{1};
  });
#if !defined(__SANITIZE_ADDRESS__)
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGSEGV);
#endif
  CHECK(is_zero(made.value()));
}

#if defined(INTERPROC_FAULTS)
TEST_CASE("a creator killed at any step leaves a whole object or none") {
  const Watchdog watchdog("killing creators", 300);
  int kills = 0;
  int absent = 0;
  for (std::uint64_t at = 1;; ++at) {
    CAPTURE(at);
    const PosixName name;
    const int status = in_own_process([&] {
      interproc::platform::plan_fault(interproc::platform::FaultAction::kill, at);
      if (!PosixShm::create(name, 100'000, kOwn).ok()) _exit(1);
    });
    auto found = PosixShm::open(name, PosixAccess::read_write);
    if (found.ok()) {
      CHECK(found.value().bytes() == 100'000);
      CHECK(is_zero(found.value()));
    } else {
      CHECK(found.error().code == Code::not_found);
      ++absent;
    }
    if (!WIFSIGNALED(status)) {
      CHECK(WEXITSTATUS(status) == 0);
      CHECK(found.ok());
      break;
    }
    ++kills;
  }
  // Before the object has its name, and after.
  CHECK(kills == 4);
  CHECK(absent == 3);
}
#endif

TEST_CASE("those who open, create and unlink at the same time meet whole objects only") {
  const Watchdog watchdog("a crowd", 600);
  const PosixName name;
  const std::uint64_t rounds = times(3'000, 300, 100'000);
  std::vector<pid_t> crowd;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (std::uint64_t round = 0; round < rounds; ++round) {
        auto shm = PosixShm::open_or_create(name, 20'000, kOwn);
        // Lost to somebody else each time: not an error.
        if (!shm.ok() && shm.error().code == Code::busy) continue;
        if (!shm.ok()) _exit(2);
        if (shm.value().bytes() != 20'000) _exit(3);
        if (shm.value().data()[19'999] != std::byte{0}) _exit(4);
        const Error error = PosixShm::unlink(name);
        if (error.code != Code::ok && error.code != Code::not_found) _exit(5);
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
}

TEST_CASE("what is no shared memory is refused without waiting, and left alone") {
  const Watchdog watchdog("what is no shared memory");
  const PosixName name;
  const auto refuses = [&](Code expected) {
    for (const PosixAccess access : {PosixAccess::read_write, PosixAccess::read_only})
      CHECK(PosixShm::open(name, access).error().code == expected);
    CHECK(PosixShm::open_or_create(name, 8, kOwn).error().code == expected);
    CHECK(PosixShm::create(name, 8, kOwn).error().code == Code::exists);
    CHECK(std::filesystem::exists(std::filesystem::symlink_status(name.file())));
    std::filesystem::remove(name.file());
  };
  REQUIRE(mkdir(name.file().c_str(), 0700) == 0);
  refuses(Code::kind);
  REQUIRE(mkfifo(name.file().c_str(), 0600) == 0);
  refuses(Code::kind);
  REQUIRE(symlink("/dev/zero", name.file().c_str()) == 0);
  refuses(Code::permission);
}

TEST_CASE("names too long and sizes too large are refused by every call") {
  const std::string longer = std::string("/").append(256, 'x');
  CHECK(PosixShm::create(longer, 8, kOwn).error().code == Code::argument);
  CHECK(PosixShm::open(longer, PosixAccess::read_write).error().code == Code::argument);
  CHECK(PosixShm::unlink(longer).code == Code::argument);
  const PosixName name;
  for (const std::uint64_t bytes : {std::uint64_t{1} << 53, std::uint64_t{1} << 62}) {
    const Error error = PosixShm::create(name, bytes, kOwn).error();
    CHECK(error.code == Code::no_space);
    CHECK(error.errnum == ENOSPC);
    CHECK(!name.is_taken());
  }
}

TEST_CASE("a process short of descriptors or addresses is refused, and nothing of it is left") {
  const PosixName name;
  const PosixName there;
  auto made = PosixShm::create(there, 8, kOwn);
  REQUIRE(made.ok());
  const int status = in_own_process([&] {
    const Belongings before = look();
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t most = limit.rlim_cur;
    const int next = dup(STDERR_FILENO);
    close(next);
    const auto used = static_cast<rlim_t>(next);
    bool works = false;
    for (rlim_t left = 0; left < 64 && !works; ++left) {
      limit.rlim_cur = used + left;
      setrlimit(RLIMIT_NOFILE, &limit);
      auto created = PosixShm::create(name, 8, kOwn);
      const bool ok = created.ok();
      if (!ok && created.error().errnum != EMFILE) _exit(2);
      if (left == 0 && PosixShm::open(there, PosixAccess::read_write).error().errnum != EMFILE)
        _exit(3);
      if (left > 0 && !PosixShm::open(there, PosixAccess::read_write).ok()) _exit(4);
      if (ok != name.is_taken()) _exit(5);
      if (ok) PosixShm::unlink(name);
      works = ok;
    }
    if (!works) _exit(6);
    limit.rlim_cur = most;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (look() != before) _exit(7);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    const rlimit addresses{std::uint64_t{1} << 28, std::uint64_t{1} << 28};
    setrlimit(RLIMIT_AS, &addresses);
    const Error error = PosixShm::create(name, std::uint64_t{1} << 29, kOwn).error();
    if (error.errnum != ENOMEM || std::string(error.syscall) != "mmap") _exit(8);
    if (name.is_taken()) _exit(9);
    if (look() != before) _exit(10);
#endif
  });
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("opening and closing leaks neither descriptors nor mappings") {
  const PosixName name;
  auto kept = PosixShm::create(name, 5000, kOwn);
  REQUIRE(kept.ok());
  const Belongings before = look();
  for (std::uint64_t i = 0; i < times(20'000, 2'000, 500'000); ++i) {
    REQUIRE(PosixShm::open(name, PosixAccess::read_write).ok());
    REQUIRE(PosixShm::open(name, PosixAccess::read_only).ok());
    REQUIRE(PosixShm::create(name, 8, kOwn).error().code == Code::exists);
  }
  CHECK(look() == before);
}
