// System calls that fail at a moment of the test's choosing: a file system that cannot punch holes, and one that is full when a
// message beside the ring comes.

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "test/once_at.h"
#include "test/peer.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::OpenMode;
using interproc::sync::kPut;
using interproc::test::OnceAt;
using interproc::test::Peer;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::Watchdog;

namespace {

// How many of the next calls fail.
struct Failing {
  int fallocate = 0;
  int pwrite = 0;
  int fstatvfs = 0;
};
Failing failing;

bool fails(int& count) {
  if (count == 0) return false;
  --count;
  return true;
}

constexpr int kAlways = 1 << 30;

}  // namespace

// The program's own stand before the C library's.
extern "C" int fallocate(int descriptor, int mode, off_t offset, off_t bytes) {
  if (fails(failing.fallocate)) {
    errno = EOPNOTSUPP;
    return -1;
  }
  return static_cast<int>(syscall(SYS_fallocate, descriptor, mode, offset, bytes));
}

extern "C" ssize_t pwrite(int descriptor, const void* from, size_t bytes, off_t offset) {
  if (fails(failing.pwrite)) {
    errno = ENOSPC;
    return -1;
  }
  return syscall(SYS_pwrite64, descriptor, from, bytes, offset);
}

// One that fails says that there are blocks, and none of them free.
extern "C" int fstatvfs(int, struct statvfs* status) noexcept {
  *status = {};
  status->f_blocks = 1 << 20;
  status->f_frsize = 4096;
  status->f_bavail = fails(failing.fstatvfs) ? 0 : 1 << 20;
  return 0;
}

TEST_CASE("where memory cannot be given back a put that finds none ends all the same") {
  const Watchdog watchdog("no holes");
  constexpr std::uint64_t kCapacity = interproc::memory::kMinCapacity;
  TestDirectory directory;
  Peer a(directory, "q", OpenMode::create,
         Shape{.max_message_bytes = 1 << 20, .max_side_bytes = 1 << 20});
  for (std::uint64_t id = 1; id <= 2; ++id) REQUIRE(a.put(id, 2 * kCapacity) == Code::ok);
  for (std::uint64_t id = 1; id <= 2; ++id) REQUIRE(a.take().id == id);
  // Both places keep their memory.
  failing.fallocate = kAlways;
  failing.pwrite = kAlways;
  CHECK(a.put(3, 2 * kCapacity) == Code::no_space);
  failing = {};
  CHECK(a.put(4, 2 * kCapacity) == Code::ok);
  const auto got = a.take();
  CHECK(got.id == 4);
  CHECK(got.whole);
}

TEST_CASE("a put is rung that found no place while another gave a free one's memory back") {
  const Watchdog watchdog("in the way");
  constexpr std::uint64_t kCapacity = 1 << 15;
  TestDirectory directory;
  Peer a(directory, "q", OpenMode::create,
         Shape{.capacity = kCapacity, .max_message_bytes = 1 << 17, .max_side_bytes = 1 << 30});
  Peer b(directory, "q", OpenMode::open);
  REQUIRE(b.bell().hang().code == Code::ok);
  for (std::uint32_t id = 1; id <= interproc::memory::kSideSlots; ++id)
    REQUIRE(a.put(id, kCapacity + 1) == Code::ok);
  for (std::uint32_t id = 1; id <= 2; ++id) REQUIRE(a.take().id == id);
  {
    const OnceAt moment("side.drop", [&] {
      CHECK(b.put(1'001, kCapacity + 1) == Code::full);
      CHECK_FALSE(b.queue().arm(kPut, 7));
    });
    failing.fstatvfs = 1;
    CHECK(a.put(1'000, 2 * kCapacity) == Code::ok);
    REQUIRE(moment.ran());
  }
  CHECK(b.rings() == 1);
  CHECK(b.queue().answer(kPut, false));
  CHECK(b.put(1'001, kCapacity + 1) == Code::ok);
}
