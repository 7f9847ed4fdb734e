// What somebody put in an object's place before us is refused with an error that says so, never followed, never waited for,
// and stays as it was.

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>

#include "memory/layout.h"
#include "test/peer.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::kPersist;
using interproc::memory::OpenMode;
using interproc::platform::Directory;
using interproc::test::Peer;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::Watchdog;

namespace {

// A sound segment, at rest.
void make_segment(const TestDirectory& directory, const char* name) {
  Peer peer(directory, name, OpenMode::create, Shape{.flags = kPersist});
  REQUIRE(peer.ok());
}

void make_file(const std::string& path, const std::string& content) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  REQUIRE(file >= 0);
  REQUIRE(write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  close(file);
}

struct stat look(const std::string& path) {
  struct stat status {};
  REQUIRE(lstat(path.c_str(), &status) == 0);
  return status;
}

void refuses(const TestDirectory& directory, Code expected) {
  const Watchdog watchdog("opening what a squatter has put there");
  const struct stat before = look(directory.path_of("q"));
  const auto names = directory.names();
  for (OpenMode mode : {OpenMode::open, OpenMode::create, OpenMode::open_or_create}) {
    CAPTURE(static_cast<int>(mode));
    CHECK(Peer(directory, "q", mode).error().code == expected);
  }
  const struct stat after = look(directory.path_of("q"));
  CHECK(before.st_ino == after.st_ino);
  CHECK(before.st_size == after.st_size);
  CHECK(before.st_mode == after.st_mode);
  CHECK(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
  CHECK(directory.names() == names);
}

}  // namespace

TEST_CASE("a file that is no segment is refused") {
  TestDirectory directory;
  for (std::size_t bytes : {std::size_t{0}, std::size_t{1}, sizeof(interproc::memory::Header) - 1,
                            sizeof(interproc::memory::Header), std::size_t{100'000}}) {
    CAPTURE(bytes);
    make_file(directory.path_of("q"), std::string(bytes, 'x'));
    refuses(directory, Code::corrupt);
  }
}

TEST_CASE("a symbolic link is refused, wherever it leads") {
  TestDirectory directory;
  make_segment(directory, "target");
  for (const char* target : {"target", "nothing", "/dev/null", "q"}) {
    CAPTURE(std::string(target));
    REQUIRE(symlink(target, directory.path_of("q").c_str()) == 0);
    refuses(directory, Code::permission);
    unlink(directory.path_of("q").c_str());
  }
}

TEST_CASE("a FIFO is refused and not waited for") {
  TestDirectory directory;
  REQUIRE(mkfifo(directory.path_of("q").c_str(), 0600) == 0);
  refuses(directory, Code::permission);
}

TEST_CASE("a directory is refused") {
  TestDirectory directory;
  REQUIRE(mkdir(directory.path_of("q").c_str(), 0700) == 0);
  refuses(directory, Code::permission);
}

TEST_CASE("a socket is refused") {
  TestDirectory directory;
  const int socket_file = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", directory.path_of("q").c_str());
  REQUIRE(bind(socket_file, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  refuses(directory, Code::permission);
  close(socket_file);
}

TEST_CASE("a segment with a second name is refused") {
  TestDirectory directory;
  make_segment(directory, "q");
  REQUIRE(link(directory.path_of("q").c_str(), directory.path_of("other").c_str()) == 0);
  refuses(directory, Code::permission);
  REQUIRE(unlink(directory.path_of("other").c_str()) == 0);
  CHECK(Peer(directory, "q", OpenMode::open).ok());
}

TEST_CASE("a segment that others may read or write is refused") {
  TestDirectory directory;
  make_segment(directory, "q");
  for (mode_t mode : {0640u, 0604u, 0620u, 0602u, 0666u, 0777u}) {
    CAPTURE(mode);
    REQUIRE(chmod(directory.path_of("q").c_str(), mode) == 0);
    refuses(directory, Code::permission);
  }
}

TEST_CASE("a segment of the wrong length is refused") {
  TestDirectory directory;
  make_segment(directory, "q");
  const off_t right = look(directory.path_of("q")).st_size;
  for (off_t length : {off_t{0}, off_t{100}, off_t{4096}, right - 1, right + 1, right * 2}) {
    CAPTURE(length);
    REQUIRE(truncate(directory.path_of("q").c_str(), right) == 0);
    REQUIRE(truncate(directory.path_of("q").c_str(), length) == 0);
    refuses(directory, Code::corrupt);
  }
}

TEST_CASE("a segment of another owner is refused") {
  TestDirectory directory;
  make_segment(directory, "q");
  if (chown(directory.path_of("q").c_str(), 12'345, 12'345) != 0) {
    MESSAGE("skipped: only root can give a file to another user");
    return;
  }
  refuses(directory, Code::permission);
}

TEST_CASE("a directory that is not ours alone is refused") {
  TestDirectory directory;
  const std::string path = directory.path_of("objects");
  const auto code_of = [&] { return Directory::open(path).error().code; };
  REQUIRE(mkdir(path.c_str(), 0700) == 0);
  CHECK(code_of() == Code::ok);
  for (mode_t mode : {0720u, 0702u, 0777u, 01777u}) {
    CAPTURE(mode);
    REQUIRE(chmod(path.c_str(), mode) == 0);
    CHECK(code_of() == Code::permission);
  }
  REQUIRE(chmod(path.c_str(), 0700) == 0);
  if (chown(path.c_str(), 12'345, 12'345) == 0) {
    CHECK(code_of() == Code::permission);
  } else {
    MESSAGE("skipped: only root can give a directory to another user");
  }
  REQUIRE(rmdir(path.c_str()) == 0);
  REQUIRE(symlink(directory.path().c_str(), path.c_str()) == 0);
  CHECK(code_of() == Code::permission);
  REQUIRE(unlink(path.c_str()) == 0);
  make_file(path, "");
  CHECK(code_of() == Code::permission);
}
