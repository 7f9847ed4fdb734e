#include "state/shared_state.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "state/open_state.h"
#include "test/shape.h"
#include "test/test_directory.h"

using interproc::Code;
using interproc::Error;
using interproc::Result;
using interproc::memory::Header;
using interproc::memory::kAnonymous;
using interproc::memory::Kind;
using interproc::memory::kPersist;
using interproc::memory::OpenMode;
using interproc::state::open_state;
using interproc::state::SharedState;
using interproc::test::TestDirectory;

namespace {

Header header_of(std::uint64_t bytes, std::uint32_t flags = 0) {
  Header header{};
  header.kind = Kind::memory;
  header.flags = flags;
  header.max_participants = 4;
  header.state_bytes = bytes;
  std::strcpy(header.schema, "bytes");
  return header;
}

Result<std::unique_ptr<SharedState>> open(interproc::sync::Doorbell& bell, OpenMode mode,
                                          const Header& header, const std::string& initial = "") {
  return open_state(bell, "state", mode, header, reinterpret_cast<const std::byte*>(initial.data()),
                    initial.size());
}

std::string text_of(const SharedState& state, std::size_t length) {
  return {reinterpret_cast<const char*>(state.bytes()), length};
}

}  // namespace

TEST_CASE("a state begins with what its creator gave it, and zeros") {
  TestDirectory directory;
  interproc::sync::Doorbell bell(directory.open());
  auto made = open(bell, OpenMode::create, header_of(10), "hello");
  REQUIRE(made.ok());
  CHECK(text_of(*made.value(), 10) == std::string("hello\0\0\0\0\0", 10));
}

TEST_CASE("who opens a state learns from it what it is, and sees the same bytes") {
  TestDirectory directory;
  interproc::sync::Doorbell bell(directory.open());
  auto made = open(bell, OpenMode::create, header_of(5000), "hello");
  Header any{};
  any.kind = Kind::memory;
  auto met = open(bell, OpenMode::open, any);
  REQUIRE(met.ok());
  CHECK(met.value()->header().state_bytes == 5000);
  CHECK(std::string(met.value()->header().schema) == "bytes");
  std::memcpy(met.value()->bytes() + 4995, "world", 5);
  CHECK(text_of(*made.value(), 5) == "hello");
  CHECK(std::memcmp(made.value()->bytes() + 4995, "world", 5) == 0);
}

TEST_CASE("a state is no other kind of state, and no queue") {
  TestDirectory directory;
  interproc::sync::Doorbell bell(directory.open());
  auto made = open(bell, OpenMode::create, header_of(8));
  REQUIRE(made.ok());
  Header other{};
  other.kind = Kind::list;
  CHECK(open(bell, OpenMode::open, other).error().code == Code::kind);
  other.kind = Kind::mpmc;
  CHECK(open(bell, OpenMode::open, other).error().code == Code::argument);
}

TEST_CASE("a state without bytes has no memory for them") {
  TestDirectory directory;
  interproc::sync::Doorbell bell(directory.open());
  auto made = open(bell, OpenMode::create, header_of(0));
  REQUIRE(made.ok());
  CHECK(made.value()->bytes() == nullptr);
}

TEST_CASE("a state goes with its last participant, unless it is to persist") {
  TestDirectory directory;
  interproc::sync::Doorbell bell(directory.open());
  {
    auto made = open(bell, OpenMode::create, header_of(8), "gone");
    auto met = open(bell, OpenMode::open, header_of(8));
    made.value()->close();
    CHECK(text_of(*met.value(), 4) == "gone");
  }
  CHECK(open(bell, OpenMode::open, header_of(8)).error().code == Code::not_found);
  { auto made = open(bell, OpenMode::create, header_of(8, kPersist), "here"); }
  auto met = open(bell, OpenMode::open, header_of(8));
  REQUIRE(met.ok());
  CHECK(text_of(*met.value(), 4) == "here");
}

TEST_CASE("what a killed process left is removed by who comes next, unless it is to persist") {
  for (const std::uint32_t flags : {0u, std::uint32_t{kPersist}}) {
    TestDirectory directory;
    const pid_t child = fork();
    if (child == 0) {
      interproc::sync::Doorbell bell(directory.open());
      auto made = open(bell, OpenMode::create, header_of(8, flags), "left");
      _exit(made.ok() && kill(getpid(), SIGKILL) == 0 ? 0 : 1);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    interproc::sync::Doorbell bell(directory.open());
    auto met = open(bell, OpenMode::open, header_of(8));
    CHECK(met.ok() == (flags == kPersist));
    auto made = open(bell, OpenMode::open_or_create, header_of(8), "anew");
    REQUIRE(made.ok());
    CHECK(text_of(*made.value(), 4) == (flags == kPersist ? "left" : "anew"));
  }
}

TEST_CASE("a header of a state that says nonsense is refused") {
  TestDirectory directory;
  interproc::sync::Doorbell bell(directory.open());
  Header header = header_of(interproc::memory::kMaxState + 1);
  CHECK(open(bell, OpenMode::create, header).error().code == Code::argument);
  header = header_of(8);
  header.max_participants = 0;
  CHECK(open(bell, OpenMode::create, header).error().code == Code::argument);
  header = header_of(8);
  std::memset(header.schema, 'x', sizeof header.schema);
  CHECK(open(bell, OpenMode::create, header).error().code == Code::argument);
}
