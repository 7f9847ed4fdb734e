#include "ring/spsc_channel.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "platform/clock.h"
#include "platform/fault.h"
#include "test/message.h"
#include "test/once_at.h"
#include "test/random.h"
#include "test/scale.h"
#include "test/shape.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::Kind;
using interproc::memory::OpenMode;
using interproc::ring::SpscChannel;
using interproc::test::header_of;
using interproc::test::Message;
using interproc::test::OnceAt;
using interproc::test::Random;
using interproc::test::TestDirectory;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

// One end and the environment it lives in.
class End {
 public:
  End(const TestDirectory& directory, SpscChannel::Role role,
      OpenMode mode = OpenMode::open_or_create, std::uint32_t flags = 0)
      : bell_(directory.open()), buffer_(4096) {
    auto opened =
        SpscChannel::open(bell_, "c", mode, header_of({.kind = Kind::spsc, .flags = flags}), role);
    code = opened.error().code;
    if (opened.ok()) channel = std::move(opened.value());
  }
  Code put(std::uint64_t id, std::uint32_t length = 64) {
    Message::write(buffer_.data(), length, id);
    return channel->put(buffer_.data(), length);
  }
  // The id, or 0.
  std::uint64_t take() {
    std::uint32_t length = 0;
    std::uint64_t id = 0;
    code = channel->take(buffer_.data(), buffer_.size(), length);
    if (code != Code::ok || !Message::read(buffer_.data(), length, id)) return 0;
    return id;
  }

  Code code = Code::ok;

 private:
  interproc::sync::Doorbell bell_;
  std::vector<std::byte> buffer_;

 public:
  std::unique_ptr<SpscChannel> channel;
};

}  // namespace

TEST_CASE("each end of a channel exists once") {
  TestDirectory directory;
  End producer(directory, SpscChannel::producer);
  End consumer(directory, SpscChannel::consumer);
  REQUIRE(producer.channel);
  REQUIRE(consumer.channel);
  CHECK(producer.channel->peer_alive());
  CHECK(End(directory, SpscChannel::producer).code == Code::no_slot);
  CHECK(End(directory, SpscChannel::consumer).code == Code::no_slot);
  producer.channel->close();
  CHECK_FALSE(consumer.channel->peer_alive());
  CHECK(End(directory, SpscChannel::producer).code == Code::ok);
}

TEST_CASE("what is put into a channel comes out in order, and the rest is said exactly") {
  TestDirectory directory;
  End producer(directory, SpscChannel::producer);
  End consumer(directory, SpscChannel::consumer);
  CHECK(consumer.take() == 0);
  CHECK(consumer.code == Code::empty);
  std::uint64_t last = 0;
  while (producer.put(last + 1, 500) == Code::ok) ++last;
  CHECK(last == 4096 / 504);
  CHECK(producer.put(99, 500) == Code::full);
  CHECK(producer.channel->used_bytes() == last * 504);
  std::uint32_t length = 0;
  std::byte small[100];
  CHECK(consumer.channel->take(small, sizeof small, length) == Code::too_large);
  CHECK(length == 500);
  for (std::uint64_t id = 1; id <= last; ++id) CHECK(consumer.take() == id);
  CHECK(consumer.take() == 0);
  std::vector<std::byte> large(4096);
  CHECK(producer.channel->put(large.data(), 4096 - 7) == Code::too_large);
  CHECK(producer.channel->put(large.data(), 4096 - 8) == Code::ok);
}

TEST_CASE("after the end of a channel the rest drains and then the end is told") {
  TestDirectory directory;
  End producer(directory, SpscChannel::producer);
  End consumer(directory, SpscChannel::consumer);
  REQUIRE(producer.put(1) == Code::ok);
  producer.channel->end();
  CHECK(producer.put(2) == Code::ended);
  CHECK(consumer.take() == 1);
  CHECK(consumer.take() == 0);
  CHECK(consumer.code == Code::ended);
}

TEST_CASE("a channel with bytes in it stays, an empty one goes with its last end") {
  TestDirectory directory;
  {
    End producer(directory, SpscChannel::producer);
    REQUIRE(producer.put(1) == Code::ok);
  }
  CHECK(directory.has("c"));
  {
    End consumer(directory, SpscChannel::consumer, OpenMode::open);
    REQUIRE(consumer.channel);
    CHECK(consumer.take() == 1);
  }
  CHECK(directory.names().empty());
}

TEST_CASE("an end goes on where the one before it stopped, even while it is being opened") {
  TestDirectory directory;
  End producer(directory, SpscChannel::producer);
  auto first = std::make_unique<End>(directory, SpscChannel::consumer);
  for (std::uint64_t id = 1; id <= 20; ++id) REQUIRE(producer.put(id, 100) == Code::ok);
  CHECK(first->take() == 1);
  // The first consumer takes more and leaves after the second has mapped the ring and before it has the slot.
  const OnceAt moment("registry.join", [&] {
    CHECK(first->take() == 2);
    CHECK(first->take() == 3);
    first.reset();
  });
  End second(directory, SpscChannel::consumer);
  REQUIRE(moment.ran());
  REQUIRE(second.channel);
  for (std::uint64_t id = 4; id <= 20; ++id) CHECK(second.take() == id);
  CHECK(second.take() == 0);
}

TEST_CASE("two threads pass everything through a channel and sleep when there is nothing to do") {
  const std::uint64_t seed = interproc::test::seed_for("channel threads");
  const Watchdog watchdog("channel threads");
  const std::uint64_t messages = times(200'000, 20'000, 20'000'000);
  TestDirectory directory;
  End producer(directory, SpscChannel::producer);
  std::uint64_t wrong = 0;
  std::thread consuming([&] {
    End consumer(directory, SpscChannel::consumer);
    Random random(seed + 1);
    for (std::uint64_t expected = 1;;) {
      const std::uint64_t id = consumer.take();
      if (consumer.code == Code::ended) {
        if (expected != messages + 1) ++wrong;
        return;
      }
      if (consumer.code == Code::empty) {
        consumer.channel->wait(1'000'000'000);
        continue;
      }
      if (id != expected++) ++wrong;
      if (random.one_in(1'000)) interproc::platform::sleep_ns(200'000);
    }
  });
  Random random(seed);
  for (std::uint64_t id = 1; id <= messages; ++id) {
    const std::uint32_t length = 8 + random.below32(200);
    while (producer.put(id, length) == Code::full) producer.channel->wait(1'000'000'000);
    if (random.one_in(1'000)) interproc::platform::sleep_ns(200'000);
  }
  producer.channel->end();
  consuming.join();
  CHECK(wrong == 0);
}

namespace {

// A child that works one end and is killed at its k-th fault point. What it had done by then it has written down in
// `progress`, before and after each step.
struct Progress {
  std::atomic<std::uint64_t> begun;
  std::atomic<std::uint64_t> done;
  std::atomic<bool> published;
};

Progress* progress = nullptr;

// True: it was killed there. False: it came to its end.
bool killed_at(std::uint64_t k, const std::function<void()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const Watchdog watchdog("a channel's child");
    interproc::platform::plan_fault(interproc::platform::FaultAction::kill, k);
    work();
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  if (WIFSIGNALED(status)) {
    REQUIRE(WTERMSIG(status) == SIGKILL);
    return true;
  }
  REQUIRE(WEXITSTATUS(status) == 0);
  return false;
}

}  // namespace

TEST_CASE(
    "a channel's producer killed at any step loses nothing that was accepted and tears nothing") {
  const Watchdog watchdog("killed channel producer");
  progress = static_cast<Progress*>(
      mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  std::uint64_t kills = 0;
  const std::uint64_t seeds = times(20, 2, 400);
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    for (std::uint64_t k = 1;; ++k) {
      CAPTURE(seed);
      CAPTURE(k);
      TestDirectory directory;
      progress->begun = 0;
      progress->done = 0;
      auto consumer = std::make_unique<End>(directory, SpscChannel::consumer);
      const bool killed = killed_at(k, [&] {
        Random random(seed);
        End producer(directory, SpscChannel::producer);
        for (std::uint64_t id = 1; id <= 4; ++id) {
          progress->begun = id;
          if (producer.put(id, 8 + random.below32(900)) != Code::ok) break;
          progress->done = id;
        }
        producer.channel->wait(1'000);
        producer.channel->end();
        producer.channel->close();
      });
      // Another takes its place at once and goes on.
      End heir(directory, SpscChannel::producer);
      REQUIRE(heir.channel);
      const bool ended = heir.channel->ended();
      CHECK(heir.put(1'000, 16) == (ended ? Code::ended : Code::ok));
      std::uint64_t last = 0;
      for (;;) {
        const std::uint64_t id = consumer->take();
        if (consumer->code != Code::ok) break;
        if (id == 1'000) break;
        CHECK(id == last + 1);
        last = id;
      }
      CHECK(last >= progress->done);
      CHECK(last <= progress->begun);
      CHECK(consumer->take() == 0);
      CHECK(consumer->code == (ended ? Code::ended : Code::empty));
      if (!ended) {
        CHECK(heir.put(2'000, 4096 - 8) == Code::ok);
        CHECK(consumer->take() == 2'000);
      }
      heir.channel->close();
      consumer->channel->close();
      CHECK(directory.names().empty());
      if (!killed) break;
      ++kills;
    }
  }
  munmap(progress, sizeof(Progress));
  MESSAGE(kills << " kills");
}

TEST_CASE("a channel's consumer killed at any step repeats at most the message it was taking") {
  const Watchdog watchdog("killed channel consumer");
  progress = static_cast<Progress*>(
      mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  std::uint64_t kills = 0;
  const std::uint64_t seeds = times(20, 2, 400);
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    for (std::uint64_t k = 1;; ++k) {
      CAPTURE(seed);
      CAPTURE(k);
      TestDirectory directory;
      progress->begun = 0;
      progress->done = 0;
      progress->published = false;
      Random random(seed);
      End producer(directory, SpscChannel::producer);
      std::uint64_t put = 0;
      while (put < 10 && producer.put(put + 1, 8 + random.below32(900)) == Code::ok) ++put;
      const bool killed = killed_at(k, [&] {
        End consumer(directory, SpscChannel::consumer);
        interproc::platform::observe_faults([](const char* name) {
          if (std::strcmp(name, "spsc.popped") == 0) progress->published = true;
        });
        for (int i = 0; i < 2; ++i) {
          progress->published = false;
          if (consumer.take() == 0) break;
          progress->done = progress->done + 1;
          progress->published = false;
        }
        consumer.channel->wait(1'000);
        consumer.channel->close();
      });
      End heir(directory, SpscChannel::consumer);
      REQUIRE(heir.channel);
      const std::uint64_t gone = progress->done + (progress->published ? 1 : 0);
      for (std::uint64_t id = gone + 1; id <= put; ++id) CHECK(heir.take() == id);
      CHECK(heir.take() == 0);
      CHECK(producer.put(2'000, 4096 - 8) == Code::ok);
      CHECK(heir.take() == 2'000);
      heir.channel->close();
      producer.channel->close();
      CHECK(directory.names().empty());
      if (!killed) break;
      ++kills;
    }
  }
  munmap(progress, sizeof(Progress));
  MESSAGE(kills << " kills");
}
