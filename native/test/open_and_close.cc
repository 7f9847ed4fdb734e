// Opening and closing again and again leaks nothing: no descriptor, no mapping, no file, no memory.

#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "ring/spsc_channel.h"
#include "test/peer.h"
#include "test/scale.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::Kind;
using interproc::memory::OpenMode;
using interproc::ring::SpscChannel;
using interproc::sync::kTake;
using interproc::test::header_of;
using interproc::test::kSanitized;
using interproc::test::Peer;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

struct Belongings {
  std::size_t descriptors = 0;
  std::size_t mappings = 0;
  std::size_t files = 0;
  std::size_t resident_bytes = 0;
};

Belongings look(const TestDirectory& directory) {
  Belongings now;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd"))
    ++now.descriptors;
  std::ifstream maps("/proc/self/maps");
  // A sanitizer maps memory of its own for what was freed and is kept for a while: there only those of our files count.
  for (std::string line; std::getline(maps, line);) {
    if (!kSanitized || line.find(directory.path_of("")) != std::string::npos) ++now.mappings;
  }
  now.files = directory.names().size();
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  now.resident_bytes = pages * 4096;
  return now;
}

// Does it some times for a start, since allocators and caches have to settle, and then very often.
// Who rings bells keeps some of them open, `kept` at most.
template <class Cycle>
void leaks_nothing(const TestDirectory& directory, std::uint64_t cycles, Cycle cycle,
                   std::size_t kept = 0) {
  const Watchdog watchdog("opening and closing", 1'000);
  for (std::uint64_t i = 0; i < 500; ++i) REQUIRE(cycle(i));
  const Belongings before = look(directory);
  for (std::uint64_t i = 0; i < cycles; ++i) {
    if (!cycle(i)) FAIL("cycle " << i << " failed");
  }
  const Belongings after = look(directory);
  if (kept == 0) {
    CHECK(after.descriptors == before.descriptors);
  } else {
    CHECK(after.descriptors <= before.descriptors + kept);
  }
  CHECK(after.mappings == before.mappings);
  CHECK(after.files == before.files);
  // A sanitizer keeps what was freed for a while.
  if (!kSanitized) CHECK(after.resident_bytes <= before.resident_bytes + 5 * 1024 * 1024);
}

}  // namespace

TEST_CASE("opening and closing a queue that others use leaks nothing") {
  TestDirectory directory;
  Peer keeper(directory, "q", OpenMode::create);
  leaks_nothing(directory, times(80'000, 4'000, 800'000), [&](std::uint64_t i) {
    Peer peer(directory, "q", OpenMode::open);
    if (i % 4 != 0) return peer.ok();
    return peer.ok() && peer.put(i) == Code::ok && keeper.take().id == i;
  });
}

TEST_CASE("making a queue and being its last user leaks nothing") {
  TestDirectory directory;
  leaks_nothing(directory, times(10'000, 1'000, 100'000), [&](std::uint64_t i) {
    Peer peer(directory, "q", OpenMode::create);
    if (!peer.ok() || peer.put(i) != Code::ok) return false;
    const auto got = peer.receive();
    return got.id == i && peer.queue().ack(got.taken.receipt) == Code::ok;
  });
}

TEST_CASE("waiting for a bell in a queue that is closed again leaks nothing") {
  TestDirectory directory;
  Peer keeper(directory, "q", OpenMode::create);
  leaks_nothing(
      directory, times(5'000, 500, 50'000),
      [&](std::uint64_t i) {
        Peer peer(directory, "q", OpenMode::open);
        if (!peer.ok() || peer.bell().hang().code != Code::ok || peer.queue().arm(kTake, 1))
          return false;
        if (keeper.put(i) != Code::ok) return false;
        return i % 2 == 0 ? peer.queue().answer(kTake, false) && peer.take().id == i
                          : (peer.close(), keeper.take().id == i);
      },
      256);
}

TEST_CASE("opening and closing the two ends of a channel leaks nothing") {
  TestDirectory directory;
  leaks_nothing(directory, times(10'000, 1'000, 100'000), [&](std::uint64_t) {
    interproc::sync::Doorbell bell(directory.open());
    auto producer = SpscChannel::open(bell, "c", OpenMode::open_or_create,
                                      header_of({.kind = Kind::spsc}), SpscChannel::producer);
    auto consumer = SpscChannel::open(bell, "c", OpenMode::open_or_create,
                                      header_of({.kind = Kind::spsc}), SpscChannel::consumer);
    return producer.ok() && consumer.ok();
  });
}

TEST_CASE("refused openings leak nothing") {
  TestDirectory directory;
  Peer keeper(directory, "q", OpenMode::create, Shape{.max_participants = 1});
  leaks_nothing(directory, times(10'000, 1'000, 100'000), [&](std::uint64_t) {
    return Peer(directory, "q", OpenMode::create).error().code == Code::exists &&
           Peer(directory, "q", OpenMode::open).error().code == Code::no_slot &&
           Peer(directory, "none", OpenMode::open).error().code == Code::not_found;
  });
}
