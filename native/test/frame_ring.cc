#include "ring/frame_ring.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "ring/pipe_end.h"
#include "test/bare_segment.h"
#include "test/pipe_peer.h"
#include "test/random.h"
#include "test/scale.h"
#include "test/watchdog.h"

using interproc::memory::OpenMode;
using interproc::ring::Direction;
using interproc::ring::FrameRing;
using interproc::ring::kEveryMark;
using interproc::ring::kMore;
using interproc::ring::kRest;
using interproc::ring::PipeWords;
using interproc::test::BareSegment;
using interproc::test::Message;
using interproc::test::pipe_header;
using interproc::test::Random;
using interproc::test::TestDirectory;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

constexpr std::uint32_t kCapacity = interproc::memory::kMinCapacity;
constexpr std::uint32_t kUnits = kCapacity / FrameRing::kUnit;

// One ring, and both its sides in one mapping, where ThreadSanitizer sees them meet.
struct Ring {
  Ring()
      : bare(BareSegment::open(opened, "p", OpenMode::create, pipe_header())),
        direction(bare->segment().pipe_words<PipeWords>().directions[0]),
        sender(direction, bare->segment().payload(), kCapacity),
        receiver(direction, bare->segment().payload(), kCapacity) {}

  bool put(std::uint64_t id, std::uint32_t length, std::uint32_t flags = 0) {
    if (sender.room() < FrameRing::units_for(length)) return false;
    Message::write(buffer.data(), length, id);
    sender.put(nullptr, 0, buffer.data(), length, flags);
    return true;
  }
  // The header of the frame at the head, as anybody can write it.
  void write_header(std::uint32_t length, std::uint32_t flags) {
    const std::uint32_t header[2] = {length, flags};
    std::memcpy(bare->segment().payload() + (direction.head.load() % kUnits) * FrameRing::kUnit,
                header, sizeof header);
  }
  FrameRing::Found look() { return receiver.front(frame); }

  TestDirectory directory;
  interproc::platform::Directory opened = directory.open();
  std::unique_ptr<BareSegment> bare;
  Direction& direction;
  FrameRing sender;
  FrameRing receiver;
  FrameRing::Frame frame;
  std::vector<std::byte> buffer = std::vector<std::byte>(kCapacity);
};

}  // namespace

TEST_CASE("frames of every length come out of a ring as they went in, at every position") {
  Ring ring;
  for (const std::uint32_t start : {0u, 1u, kUnits - 1, 0u - 1, 0u - kUnits, 0x7FFFFFFFu}) {
    ring.direction.tail.store(start);
    ring.direction.head.store(start);
    for (std::uint32_t length = 8; length <= kCapacity - 8; length += 1 + length / 50) {
      CAPTURE(start);
      CAPTURE(length);
      REQUIRE(ring.put(length, length, kMore | kEveryMark));
      REQUIRE(ring.look() == FrameRing::Found::frame);
      CHECK(ring.frame.length == length);
      CHECK(ring.frame.flags == (kMore | kEveryMark));
      std::uint64_t id = 0;
      CHECK(Message::read(ring.frame.bytes, length, id));
      CHECK(ring.receiver.holds_something());
      ring.receiver.pop(ring.frame);
      CHECK_FALSE(ring.receiver.holds_something());
      CHECK(ring.look() == FrameRing::Found::nothing);
    }
  }
}

TEST_CASE("a ring takes as much as it has room for, to the last unit") {
  Ring ring;
  CHECK(ring.sender.room() == kUnits);
  for (std::uint32_t i = 0; i < kUnits; ++i) {
    REQUIRE(ring.sender.room() == kUnits - i);
    ring.sender.put(nullptr, 0, nullptr, 0, 0);
  }
  CHECK(ring.sender.room() == 0);
  for (std::uint32_t i = 0; i < kUnits; ++i) {
    REQUIRE(ring.look() == FrameRing::Found::frame);
    CHECK(ring.frame.length == 0);
    ring.receiver.pop(ring.frame);
    CHECK(ring.sender.room() == i + 1);
  }
  CHECK(ring.look() == FrameRing::Found::nothing);
  // Bytes in front of the others are part of the frame.
  const std::uint64_t total = 77;
  ring.sender.put(&total, sizeof total, ring.buffer.data(), 5, kMore);
  REQUIRE(ring.look() == FrameRing::Found::frame);
  CHECK(ring.frame.length == 13);
  std::uint64_t read = 0;
  std::memcpy(&read, ring.frame.bytes, sizeof read);
  CHECK(read == total);
}

TEST_CASE("a frame that says more than was sent is not believed") {
  Ring ring;
  const auto says = [&](std::uint32_t length, std::uint32_t flags = 0) {
    ring.write_header(length, flags);
    return ring.look();
  };
  REQUIRE(ring.put(1, 64));
  CHECK(says(64) == FrameRing::Found::frame);
  CHECK(says(65) == FrameRing::Found::corrupt);
  CHECK(says(kCapacity - 8) == FrameRing::Found::corrupt);
  CHECK(says(kCapacity) == FrameRing::Found::corrupt);
  CHECK(says(~0u) == FrameRing::Found::corrupt);
  CHECK(says(~0u - 7) == FrameRing::Found::corrupt);
  CHECK(says(64, kRest) == FrameRing::Found::frame);
  CHECK(says(64, 4) == FrameRing::Found::corrupt);
  CHECK(says(64, 0x400) == FrameRing::Found::corrupt);
  CHECK(says(64) == FrameRing::Found::frame);
  // Positions that contradict each other: nothing to receive, no room to send into.
  ring.direction.tail.store(ring.direction.head.load() + kUnits + 1);
  CHECK(ring.look() == FrameRing::Found::corrupt);
  CHECK(ring.sender.room() == 0);
  ring.direction.head.store(ring.direction.tail.load() + 1);
  CHECK(ring.sender.room() == 0);
}

TEST_CASE("two threads pass frames of all sizes through a ring whose positions wrap") {
  const std::uint64_t seed = interproc::test::seed_for("frame ring threads");
  const Watchdog watchdog("frame ring threads", 600);
  const std::uint64_t messages = times(400'000, 40'000, 40'000'000);
  Ring ring;
  ring.direction.tail.store(0u - 1'000'000);
  ring.direction.head.store(0u - 1'000'000);
  std::atomic<std::uint64_t> wrong{0};
  std::thread receiving([&] {
    for (std::uint64_t expected = 1; expected <= messages;) {
      FrameRing::Frame frame;
      const FrameRing::Found found = ring.receiver.front(frame);
      if (found == FrameRing::Found::nothing) {
        std::this_thread::yield();
        continue;
      }
      std::uint64_t id = 0;
      if (found != FrameRing::Found::frame || !Message::read(frame.bytes, frame.length, id) ||
          id != expected) {
        ++wrong;
        return;
      }
      ring.receiver.pop(frame);
      ++expected;
    }
  });
  Random random(seed);
  for (std::uint64_t id = 1; id <= messages && wrong == 0; ++id) {
    const std::uint32_t length = 8 + random.below32(random.one_in(20) ? kCapacity - 16 : 200);
    while (!ring.put(id, length) && wrong == 0) std::this_thread::yield();
  }
  receiving.join();
  CHECK(wrong == 0);
  CHECK(ring.direction.tail.load() < 0x80000000u);
}
