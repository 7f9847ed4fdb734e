// The names that the socket backend has in the directory: a live broker's are refused, a dead one's taken away, and sockets of
// other programs left alone, also where a system call fails on the way.

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "memory/marker.h"
#include "ring/catalog.h"
#include "test/peer.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::kPersist;
using interproc::memory::Marker;
using interproc::memory::marker_at;
using interproc::memory::OpenMode;
using interproc::platform::File;
using interproc::test::Peer;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::Watchdog;

namespace {

// The errors of calls that are to fail; 0: none does.
struct Failing {
  int socket = 0;
  int connect = 0;
  int rename = 0;
  int link = 0;
};
Failing failing;
// Once, before a name is moved.
std::function<void()> before_rename;

bool fails(int errnum) {
  errno = errnum;
  return errnum != 0;
}

}  // namespace

// The program's own stand before the C library's.
extern "C" int socket(int domain, int type, int protocol) noexcept {
  if (fails(failing.socket)) return -1;
  return static_cast<int>(syscall(SYS_socket, domain, type, protocol));
}

extern "C" int connect(int descriptor, const sockaddr* address, socklen_t bytes) {
  if (fails(failing.connect)) return -1;
  return static_cast<int>(syscall(SYS_connect, descriptor, address, bytes));
}

extern "C" int renameat(int from, const char* name, int to, const char* other) noexcept {
  if (before_rename) std::exchange(before_rename, nullptr)();
  if (fails(failing.rename)) return -1;
  return static_cast<int>(syscall(SYS_renameat2, from, name, to, other, 0));
}

extern "C" int linkat(int from, const char* name, int to, const char* other, int flags) noexcept {
  if (fails(failing.link)) return -1;
  return static_cast<int>(syscall(SYS_linkat, from, name, to, other, flags));
}

namespace {

File listen_at(const std::string& path) {
  File file(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(file.is_open());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.size() < sizeof address.sun_path);
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
  REQUIRE(bind(file.descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
          0);
  REQUIRE(listen(file.descriptor(), 1) == 0);
  return file;
}

// What brokers do to a directory, without being one.
class Brokers {
 public:
  explicit Brokers(const TestDirectory& directory) : directory_(directory) {
    REQUIRE(mkdir(directory.path_of("~socket").c_str(), 0700) == 0);
  }

  // One listens under a name of its own, and takes the seat.
  void start(const std::string& key) {
    key_ = "~socket/" + key;
    listening_ = listen_at(directory_.path_of(key_));
    unlink(directory_.path_of("~socket/broker").c_str());
    mark("~socket/broker");
  }
  // It leaves everything as it is.
  void kill() { listening_.close(); }
  void mark(const std::string& name) {
    REQUIRE(link(directory_.path_of(key_).c_str(), directory_.path_of(name).c_str()) == 0);
  }

 private:
  const TestDirectory& directory_;
  std::string key_;
  File listening_;
};

constexpr OpenMode kModes[] = {OpenMode::open, OpenMode::create, OpenMode::open_or_create};

Code opening(const TestDirectory& directory, OpenMode mode) {
  return Peer(directory, "q", mode).error().code;
}

// It is refused however it is opened, and stays.
void refuses(const TestDirectory& directory, Code expected) {
  const auto names = directory.names();
  for (OpenMode mode : kModes) {
    CAPTURE(static_cast<int>(mode));
    CHECK(opening(directory, mode) == expected);
  }
  CHECK(directory.names() == names);
}

std::vector<std::string> listed(const TestDirectory& directory) {
  auto entries = interproc::ring::list(directory.open());
  REQUIRE(entries.ok());
  std::vector<std::string> names;
  for (const auto& each : entries.value()) names.push_back(each.name);
  return names;
}

std::vector<std::string> pruned(const TestDirectory& directory, bool dry_run = false) {
  auto removed = interproc::ring::prune(directory.open(), dry_run);
  REQUIRE(removed.ok());
  return removed.value();
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a name of a living broker is the other backend's, for all who ask") {
  const Watchdog watchdog("a living broker");
  TestDirectory directory;
  Brokers brokers(directory);
  brokers.start("1-key");
  brokers.mark("q");
  CHECK(marker_at(directory.open(), "q") == Marker::alive);
  refuses(directory, Code::backend);
  CHECK(listed(directory) == Names{});
  CHECK(pruned(directory, true) == Names{});
  CHECK(pruned(directory) == Names{});
  CHECK(directory.names() == Names{"q", "~socket"});
}

TEST_CASE("a name of a dead broker is free, whoever wants it and how") {
  const Watchdog watchdog("a dead broker");
  for (OpenMode mode : kModes) {
    CAPTURE(static_cast<int>(mode));
    TestDirectory directory;
    Brokers brokers(directory);
    brokers.start("1-key");
    brokers.mark("q");
    brokers.kill();
    CHECK(marker_at(directory.open(), "q") == Marker::dead);
    CHECK(listed(directory) == Names{});
    CHECK(directory.has("q"));
    CHECK(opening(directory, mode) == (mode == OpenMode::open ? Code::not_found : Code::ok));
    CHECK(marker_at(directory.open(), "q") == Marker::gone);
    CHECK(directory.names() == Names{"~socket"});
    // Nor is anything left where it was moved to.
    CHECK(directory.open().names("~socket").value().size() == 2);
  }
}

TEST_CASE("a name of the broker before this one is free, and this one's are not") {
  const Watchdog watchdog("two brokers");
  TestDirectory directory;
  Brokers brokers(directory);
  brokers.start("1-key");
  brokers.mark("q");
  brokers.kill();
  brokers.start("2-key");
  brokers.mark("r");
  CHECK(pruned(directory, true) == Names{});
  CHECK(directory.has("q"));
  // No object of anybody's was removed.
  CHECK(pruned(directory) == Names{});
  CHECK(directory.names() == Names{"r", "~socket"});
  CHECK(marker_at(directory.open(), "r") == Marker::alive);
}

TEST_CASE("a socket of another program is none of ours, with or without a broker") {
  const Watchdog watchdog("another program");
  TestDirectory directory;
  const auto check = [&] {
    CHECK(marker_at(directory.open(), "q") == Marker::none);
    refuses(directory, Code::permission);
    const Names shown = listed(directory);
    CHECK(std::count(shown.begin(), shown.end(), "q") == 1);
    CHECK(pruned(directory) == Names{});
    CHECK(directory.has("q"));
  };
  File theirs = listen_at(directory.path_of("q"));
  check();
  // A second name makes it no marker either.
  REQUIRE(link(directory.path_of("q").c_str(), directory.path_of("second").c_str()) == 0);
  check();
  Brokers brokers(directory);
  check();
  brokers.start("1-key");
  check();
  theirs.close();
  check();
  brokers.kill();
  check();
}

TEST_CASE("who cannot find out whether a broker lives takes it for alive") {
  const Watchdog watchdog("a broker that cannot be asked");
  TestDirectory directory;
  Brokers brokers(directory);
  brokers.start("1-key");
  brokers.mark("q");
  brokers.kill();
  // Too many descriptors; too many that connect; a sandbox; no /proc.
  for (const Failing& each : {Failing{.socket = EMFILE}, Failing{.connect = EAGAIN},
                              Failing{.connect = EACCES}, Failing{.connect = ENOENT}}) {
    failing = each;
    CAPTURE(each.connect);
    refuses(directory, Code::backend);
    CHECK(listed(directory) == Names{});
    CHECK(pruned(directory) == Names{});
    failing = {};
    CHECK(directory.names() == Names{"q", "~socket"});
  }
  CHECK(opening(directory, OpenMode::create) == Code::ok);
}

TEST_CASE("a dead broker's name that cannot be taken away is refused as the system says") {
  const Watchdog watchdog("a marker that stays");
  TestDirectory directory;
  Brokers brokers(directory);
  brokers.start("1-key");
  brokers.mark("q");
  brokers.kill();
  for (int errnum : {EACCES, EROFS}) {
    CAPTURE(errnum);
    failing.rename = errnum;
    refuses(directory, Code::permission);
    CHECK(pruned(directory) == Names{});
    failing = {};
  }
  failing.rename = ENOSPC;
  refuses(directory, Code::no_space);
  failing = {};
  CHECK(opening(directory, OpenMode::create) == Code::ok);
}

TEST_CASE("what takes a dead broker's name while it is being taken away keeps it") {
  const Watchdog watchdog("in the way");
  int link_fails = 0;
  const auto test = [&](const std::function<void(const TestDirectory&)>& taking) {
    TestDirectory directory;
    Brokers brokers(directory);
    brokers.start("1-key");
    brokers.mark("q");
    brokers.kill();
    before_rename = [&] {
      REQUIRE(unlink(directory.path_of("q").c_str()) == 0);
      taking(directory);
      failing.link = link_fails;
    };
    const Code code = opening(directory, OpenMode::open);
    failing = {};
    CHECK_FALSE(before_rename);
    CHECK(directory.open().names("~socket").value().size() == 2);
    return code;
  };
  // Also where there is no room for a second name, and where it has as many as it can have.
  for (int errnum : {0, ENOSPC, EMLINK}) {
    CAPTURE(errnum);
    link_fails = errnum;
    std::optional<Peer> other;
    // A segment, a socket of another program, and nothing.
    CHECK(test([&](const TestDirectory& directory) {
            other.emplace(directory, "q", OpenMode::create);
          }) == Code::ok);
    other.reset();
    File theirs;
    CHECK(test([&](const TestDirectory& directory) {
            theirs = listen_at(directory.path_of("q"));
          }) == Code::permission);
    CHECK(test([](const TestDirectory&) {}) == Code::not_found);
  }
}
