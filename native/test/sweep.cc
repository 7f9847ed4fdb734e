// What is done about the dead, one kind at a time.

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "platform/clock.h"
#include "test/account.h"
#include "test/once_at.h"
#include "test/peer.h"
#include "test/two.h"
#include "test/victim.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::OpenMode;
using interproc::sync::kPut;
using interproc::sync::kTake;
using interproc::test::Account;
using interproc::test::Got;
using interproc::test::OnceAt;
using interproc::test::Peer;
using interproc::test::Program;
using interproc::test::Shape;
using interproc::test::Two;
using interproc::test::Victim;
using interproc::test::Watchdog;

namespace {

struct Scene : Two {
  using Two::Two;

  std::unique_ptr<Victim> strike(Program program, const char* point, bool stops = false) {
    auto victim = std::make_unique<Victim>(directory, account, 10 + ++victims, 1);
    victim->start(program, {.at = 1, .only = point, .stops = stops});
    victim->wait();
    REQUIRE(victim->point() == point);
    return victim;
  }

  Account account;
  std::uint32_t victims = 0;
};

}  // namespace

TEST_CASE("a dead producer's record is no message and no room lost, wherever in the put it died") {
  for (const char* point : {"ring.claimed", "ring.tail_moved", "ring.written"}) {
    CAPTURE(std::string(point));
    Scene scene;
    REQUIRE(scene.a.put(1) == Code::ok);
    scene.strike(Program::put, point);
    REQUIRE(scene.a.put(2) == Code::ok);
    CHECK(scene.b.take().id == 1);
    // A reader that meets it asks about its writer at once, due or not.
    CHECK(scene.b.take().id == 2);
    CHECK(scene.b.take().code == Code::empty);
    CHECK(scene.a.put(3, scene.a.capacity()) == Code::ok);
  }
}

TEST_CASE("a full ring that is full of what the dead were writing has room again") {
  const Watchdog watchdog("room behind the dead");
  Scene scene(Shape{.max_items = 1});
  scene.strike(Program::put, "ring.written");
  Code code = scene.a.put(1);
  while (code == Code::full) {
    scene.a.queue().wait(kPut, 1'000'000'000);
    code = scene.a.put(1);
  }
  CHECK(code == Code::ok);
  CHECK(scene.b.take().id == 1);
}

TEST_CASE("what a dead reader had in its hands is delivered again, marked, before anything newer") {
  for (const char* point : {"ring.taken", "ring.head_moved", "queue.copied", "ring.leave"}) {
    CAPTURE(std::string(point));
    Scene scene;
    for (std::uint64_t id = 1; id <= 3; ++id) REQUIRE(scene.a.put(id) == Code::ok);
    scene.strike(Program::take, point);
    scene.a.queue().sweep();
    const Got got = scene.b.take();
    CHECK(got.id == 1);
    CHECK(got.taken.deliveries == 2);
    CHECK(scene.b.take().id == 2);
  }
}

TEST_CASE("what a dead receiver held is delivered again, once, whichever step it died at") {
  for (const char* point : {"ring.taken", "queue.kept", "ledger.filled", "ledger.held",
                            "ring.leave", "ring.left", "ledger.ack"}) {
    CAPTURE(std::string(point));
    Scene scene;
    for (std::uint64_t id = 1; id <= 3; ++id) REQUIRE(scene.a.put(id) == Code::ok);
    scene.strike(Program::receive_and_ack, point);
    for (int i = 0; i < 2; ++i) scene.a.queue().sweep();
    const Got got = scene.b.take();
    CHECK(got.id == 1);
    CHECK(got.taken.deliveries == 2);
    CHECK(scene.b.take().id == 2);
    CHECK(scene.b.take().id == 3);
    scene.a.queue().sweep();
    CHECK(scene.b.take().code == Code::empty);
    CHECK(scene.a.put(4, scene.a.capacity()) == Code::ok);
  }
}

TEST_CASE("a receiver that dies in the middle of somebody's sweep has its message delivered once") {
  Scene scene;
  for (std::uint64_t id = 1; id <= 2; ++id) REQUIRE(scene.a.put(id) == Code::ok);
  // The first has its message in its ledger and still in the ring; the second is dead already.
  const auto first = scene.strike(Program::receive_and_ack, "ledger.held", true);
  scene.strike(Program::take, "ring.taken");
  {
    // The sweep has walked past the first one's record, which lived then, and will come to its ledger.
    const OnceAt moment("ring.recover", [&] { first->kill(); });
    scene.a.queue().sweep();
    REQUIRE(moment.ran());
  }
  for (int i = 0; i < 2; ++i) scene.a.queue().sweep();
  CHECK(scene.b.take().id == 1);
  CHECK(scene.b.take().id == 2);
  scene.a.queue().sweep();
  CHECK(scene.b.take().code == Code::empty);
  CHECK(scene.a.put(3, scene.a.capacity()) == Code::ok);
}

TEST_CASE("two that sweep at the same time deliver nothing twice") {
  for (const char* point : {"ring.recover", "ring.finish_for", "ledger.recover", "queue.swept"}) {
    CAPTURE(std::string(point));
    Scene scene;
    for (std::uint64_t id = 1; id <= 3; ++id) REQUIRE(scene.a.put(id) == Code::ok);
    const auto first = scene.strike(Program::receive_and_ack, "ledger.held", true);
    scene.strike(Program::take, "ring.taken");
    std::vector<std::uint64_t> inner;
    {
      const OnceAt death("ring.recover", [&] { first->kill(); });
      scene.a.queue().sweep();
    }
    {
      const OnceAt moment(point, [&] {
        scene.b.queue().sweep();
        inner.push_back(scene.b.take().id);
      });
      scene.a.queue().sweep();
    }
    scene.a.queue().sweep();
    for (Got got = scene.a.take(); got.code == Code::ok; got = scene.a.take())
      inner.push_back(got.id);
    std::sort(inner.begin(), inner.end());
    CHECK(inner == std::vector<std::uint64_t>{1, 2, 3});
    CHECK(scene.a.put(4, scene.a.capacity()) == Code::ok);
  }
}

TEST_CASE("a sweep rings who waits for what it gives back") {
  Scene scene;
  REQUIRE(scene.a.put(1) == Code::ok);
  const auto reader = scene.strike(Program::take, "ring.taken", true);
  REQUIRE(scene.b.bell().hang().code == Code::ok);
  // Head may have to be helped past it first.
  while (scene.b.queue().arm(kTake, 1)) REQUIRE(scene.b.take().code == Code::empty);
  reader->kill();
  scene.a.queue().sweep();
  CHECK(scene.b.rings() > 0);
  CHECK(scene.b.queue().answer(kTake, false));
  CHECK(scene.b.take().id == 1);
}

TEST_CASE("a sweep rings who waits for the room it makes") {
  Scene scene;
  const auto writer = scene.strike(Program::put, "ring.written", true);
  while (scene.a.put(1) == Code::ok) continue;
  REQUIRE(scene.b.put(2) == Code::full);
  REQUIRE(scene.b.bell().hang().code == Code::ok);
  REQUIRE_FALSE(scene.b.queue().arm(kPut, 1));
  writer->kill();
  scene.a.queue().sweep();
  CHECK(scene.b.rings() > 0);
  CHECK(scene.b.queue().answer(kPut, false));
  CHECK(scene.b.put(2) == Code::ok);
}

TEST_CASE("all who wait for what a dead producer's record hides are rung, whoever finds it") {
  for (bool sweeps : {false, true}) {
    CAPTURE(sweeps);
    Scene scene;
    const auto writer = scene.strike(Program::put, "ring.written", true);
    for (std::uint64_t id = 1; id <= 3; ++id) REQUIRE(scene.a.put(id) == Code::ok);
    Peer c(scene.directory, "q", OpenMode::open);
    for (Peer* sleeper : {&scene.b, &c}) {
      REQUIRE(sleeper->bell().hang().code == Code::ok);
      REQUIRE_FALSE(sleeper->queue().arm(kTake, 1));
    }
    writer->kill();
    sweeps ? scene.a.queue().sweep() : static_cast<void>(scene.a.take());
    CHECK(scene.b.rings() > 0);
    CHECK(scene.b.queue().answer(kTake, false));
    CHECK(scene.b.take().code == Code::ok);
    CHECK(c.queue().answer(kTake, false));
    CHECK(c.take().code == Code::ok);
    CHECK(c.rings() == 1);
  }
}

TEST_CASE(
    "a put that waits for one message less is rung when a dead producer's record is skipped") {
  Scene scene({.max_items = 1});
  const auto writer = scene.strike(Program::put, "ring.written", true);
  REQUIRE(scene.b.put(1) == Code::full);
  REQUIRE(scene.b.bell().hang().code == Code::ok);
  REQUIRE_FALSE(scene.b.queue().arm(kPut, 1));
  writer->kill();
  CHECK(scene.a.take().code == Code::empty);
  CHECK(scene.b.rings() > 0);
  CHECK(scene.b.queue().answer(kPut, false));
  CHECK(scene.b.put(1) == Code::ok);
}

TEST_CASE("sleepers find what the dead left by themselves") {
  const Watchdog watchdog("sleepers find by themselves");
  Scene scene;
  REQUIRE(scene.a.put(1) == Code::ok);
  scene.strike(Program::receive_and_ack, "ledger.held");
  Got got = scene.b.take();
  while (got.code == Code::empty) {
    scene.b.queue().wait(kTake, 10'000'000'000);
    got = scene.b.take();
  }
  CHECK(got.id == 1);
  CHECK(got.taken.deliveries == 2);
}

TEST_CASE("a ringer killed while it unlists a dead waiter leaves the slot usable") {
  Scene scene;
  // The slot before the dead waiter's becomes free, so that the ringer does not take the dead one's.
  Peer first(scene.directory, "q", OpenMode::open);
  scene.strike(Program::wait_on_bell, "wait.listed");
  first.close();
  scene.strike(Program::put, "wake.unlisting");
  CHECK(scene.a.take().code == Code::ok);
  // Both dead slots are taken again, and whoever waits in them is rung.
  for (int i = 0; i < 3; ++i) {
    Peer heir(scene.directory, "q", OpenMode::open);
    REQUIRE(heir.ok());
    REQUIRE(heir.bell().hang().code == Code::ok);
    while (heir.queue().arm(kTake, 1)) REQUIRE(heir.take().code == Code::ok);
    REQUIRE(scene.a.put(1) == Code::ok);
    CHECK(heir.queue().answer(kTake, false));
    CHECK(heir.take().id == 1);
    CHECK(heir.rings() == 1);
  }
}

TEST_CASE("the living are not swept") {
  Scene scene;
  for (std::uint64_t id = 1; id <= 4; ++id) REQUIRE(scene.a.put(id) == Code::ok);
  const double receipt = scene.b.receive().taken.receipt;
  const auto reader = scene.strike(Program::take, "queue.copied", true);
  const auto receiver = scene.strike(Program::receive_and_ack, "ledger.held", true);
  const auto writer = scene.strike(Program::put, "ring.written", true);
  for (int i = 0; i < 3; ++i) {
    scene.a.queue().sweep();
    scene.b.queue().sweep();
  }
  CHECK(scene.a.take().id == 4);
  CHECK(scene.a.take().code == Code::empty);
  CHECK(scene.b.queue().ack(receipt) == Code::ok);
  for (const auto* victim : {&reader, &receiver, &writer}) {
    (*victim)->resume();
    for (const std::string& complaint : (*victim)->read_journal())
      if (complaint.find("could not open") == std::string::npos) FAIL_CHECK(complaint);
  }
}
