// The end of a queue: no more puts, the rest drains, and a reader is told the end when nothing can come any more; not
// before, as long as another holds a message that it may give back.

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "platform/clock.h"
#include "platform/fault.h"
#include "test/once_at.h"
#include "test/peer.h"
#include "test/test_directory.h"
#include "test/two.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::OpenMode;
using interproc::sync::kPut;
using interproc::sync::kTake;
using interproc::test::Got;
using interproc::test::OnceAt;
using interproc::test::Peer;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::Two;
using interproc::test::Watchdog;

namespace {

// The next message or the end, as a reader that waits sees it.
Got next(Peer& peer) {
  for (;;) {
    const Got got = peer.take();
    if (got.code != Code::empty) return got;
    peer.queue().wait(kTake, 1'000'000'000);
  }
}

}  // namespace

TEST_CASE("the end of an empty queue is told at once, to everyone, again and again") {
  Two two;
  two.a.queue().end();
  two.b.queue().end();
  CHECK(two.b.queue().ended());
  for (int i = 0; i < 3; ++i) {
    CHECK(two.a.take().code == Code::ended);
    CHECK(two.b.receive().code == Code::ended);
    CHECK(two.a.put(1) == Code::ended);
  }
  CHECK(two.a.queue().wait(kTake, 0));
  CHECK(two.a.queue().wait(kPut, 0));
  Peer late(two.directory, "q", OpenMode::open);
  CHECK(late.take().code == Code::ended);
}

TEST_CASE("what was put before the end drains in order") {
  Two two;
  for (std::uint64_t id = 1; id <= 10; ++id) REQUIRE(two.a.put(id) == Code::ok);
  two.a.queue().end();
  for (std::uint64_t id = 1; id <= 10; ++id) CHECK((id % 2 == 0 ? two.a : two.b).take().id == id);
  CHECK(two.a.take().code == Code::ended);
  CHECK(two.b.take().code == Code::ended);
}

TEST_CASE("the end of a full queue is told once it has drained") {
  Two two;
  std::uint64_t put = 0;
  while (two.a.put(put + 1) == Code::ok) ++put;
  two.a.queue().end();
  for (std::uint64_t id = 1; id <= put; ++id) CHECK(two.b.take().id == id);
  CHECK(two.b.take().code == Code::ended);
  CHECK(two.a.take().code == Code::ended);
}

TEST_CASE("a put that was under way when the end was called is in the queue or refused") {
  for (const char* point : {"ring.claim", "ring.claimed", "ring.tail_moved", "ring.written"}) {
    CAPTURE(std::string(point));
    Two two;
    const OnceAt moment(point, [&] {
      two.b.queue().end();
      const Got got = two.b.take();
      CHECK((got.code == Code::empty || got.code == Code::ended));
    });
    const Code code = two.a.put(1);
    REQUIRE(moment.ran());
    CHECK((code == Code::ok || code == Code::ended));
    if (code == Code::ok) CHECK(two.b.take().id == 1);
    CHECK(two.b.take().code == Code::ended);
  }
}

TEST_CASE(
    "a reader is not told the end while another holds a message, and gets it if it comes back") {
  Two two;
  REQUIRE(two.a.put(1) == Code::ok);
  const double receipt = two.b.receive().taken.receipt;
  two.a.queue().end();
  CHECK(two.a.take().code == Code::empty);
  CHECK_FALSE(two.a.queue().wait(kTake, 0));
  // Also when it is about to sleep and it is time to look for the dead.
  interproc::platform::sleep_ns(20'000'000);
  CHECK_FALSE(two.a.queue().wait(kTake, 0));
  SUBCASE("acknowledged") {
    CHECK(two.b.queue().ack(receipt) == Code::ok);
    CHECK(two.a.queue().wait(kTake, 0));
    CHECK(two.a.take().code == Code::ended);
  }
  SUBCASE("given back") {
    CHECK(two.b.queue().nack(receipt) == Code::ok);
    CHECK(two.a.take().id == 1);
    CHECK(two.a.take().code == Code::ended);
    CHECK(two.b.take().code == Code::ended);
  }
  SUBCASE("given back by closing") {
    two.b.close();
    CHECK(two.a.take().id == 1);
    CHECK(two.a.take().code == Code::ended);
  }
}

TEST_CASE("what a reader holds itself does not keep it from the end") {
  Two two;
  REQUIRE(two.a.put(1) == Code::ok);
  const double receipt = two.b.receive().taken.receipt;
  two.a.queue().end();
  CHECK(two.b.take().code == Code::ended);
  CHECK(two.b.queue().nack(receipt) == Code::ok);
  CHECK(two.b.take().id == 1);
  CHECK(two.b.take().code == Code::ended);
}

TEST_CASE("a message being taken is not yet gone: whoever looks meanwhile is not told the end") {
  for (const char* point : {"ring.taken", "ring.head_moved", "queue.copied", "ring.leave"}) {
    CAPTURE(std::string(point));
    Two two;
    REQUIRE(two.a.put(1) == Code::ok);
    two.a.queue().end();
    const OnceAt moment(point, [&] { CHECK(two.a.take().code == Code::empty); });
    CHECK(two.b.take().id == 1);
    REQUIRE(moment.ran());
    CHECK(two.a.take().code == Code::ended);
  }
}

TEST_CASE("a message that is being received is not yet gone either") {
  for (const char* point :
       {"ring.taken", "queue.kept", "ledger.filled", "ledger.held", "ring.leave", "ring.left"}) {
    CAPTURE(std::string(point));
    Two two;
    REQUIRE(two.a.put(1) == Code::ok);
    two.a.queue().end();
    const OnceAt moment(point, [&] { CHECK(two.a.take().code == Code::empty); });
    const Got got = two.b.receive();
    REQUIRE(got.id == 1);
    REQUIRE(moment.ran());
    CHECK(two.b.queue().nack(got.taken.receipt) == Code::ok);
    CHECK(two.a.take().id == 1);
    CHECK(two.a.take().code == Code::ended);
  }
}

TEST_CASE("a message being redelivered is not yet gone, whoever has cleared the hint") {
  for (const char* point : {"queue.hint_cleared", "ledger.take_over", "ledger.taken_over",
                            "queue.copied_returned", "ledger.ack"}) {
    CAPTURE(std::string(point));
    Two two;
    REQUIRE(two.a.put(1) == Code::ok);
    REQUIRE(two.a.queue().nack(two.a.receive().taken.receipt) == Code::ok);
    two.a.queue().end();
    Got inner;
    const OnceAt moment(point, [&] { inner = two.a.take(); });
    const Got got = two.b.take();
    REQUIRE(moment.ran());
    CHECK(inner.code != Code::ended);
    CHECK((got.code == Code::ok) != (inner.code == Code::ok));
    CHECK(two.a.take().code == Code::ended);
  }
}

TEST_CASE("a message whose redeliverer was killed is not lost behind the end") {
  const Watchdog watchdog("end after a killed redeliverer");
  for (const char* point :
       {"queue.hint_cleared", "ledger.take_over", "ledger.taken_over", "queue.copied_returned"}) {
    CAPTURE(std::string(point));
    Two two;
    REQUIRE(two.a.put(1) == Code::ok);
    REQUIRE(two.a.queue().nack(two.a.receive().taken.receipt) == Code::ok);
    two.a.queue().end();
    const pid_t child = fork();
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      Peer peer(two.directory, "q", OpenMode::open);
      interproc::platform::plan_fault(interproc::platform::FaultAction::kill, 1, point);
      peer.take();
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    REQUIRE(WIFSIGNALED(status));
    const Got got = next(two.b);
    CHECK(got.id == 1);
    CHECK(got.taken.deliveries >= 2);
    CHECK(next(two.b).code == Code::ended);
  }
}

TEST_CASE("readers that wait at the end are rung when the last held message is let go") {
  for (bool acknowledged : {true, false}) {
    CAPTURE(acknowledged);
    TestDirectory directory;
    Peer a(directory, "q", OpenMode::create);
    Peer b(directory, "q", OpenMode::open);
    Peer c(directory, "q", OpenMode::open);
    std::vector<std::uint32_t> tokens(interproc::sync::Doorbell::kDrainBytes / 4);
    bool overflow = false;
    REQUIRE(a.put(1) == Code::ok);
    const double receipt = a.receive().taken.receipt;
    a.queue().end();
    for (Peer* peer : {&b, &c}) {
      REQUIRE(peer->bell().hang().code == Code::ok);
      REQUIRE_FALSE(peer->queue().arm(kTake, 1));
    }
    if (acknowledged) {
      REQUIRE(a.queue().ack(receipt) == Code::ok);
      for (Peer* peer : {&b, &c}) {
        CHECK(peer->bell().drain(tokens.data(), overflow) == 1);
        CHECK(peer->queue().answer(kTake, false));
        CHECK(peer->take().code == Code::ended);
      }
    } else {
      REQUIRE(a.queue().nack(receipt) == Code::ok);
      Peer* first = b.bell().drain(tokens.data(), overflow) == 1 ? &b : &c;
      Peer* second = first == &b ? &c : &b;
      CHECK(first->queue().answer(kTake, false));
      CHECK(first->take().id == 1);
      CHECK(first->take().code == Code::ended);
      CHECK(second->bell().drain(tokens.data(), overflow) >= 1);
      CHECK(second->queue().answer(kTake, false));
      CHECK(second->take().code == Code::ended);
    }
  }
}

TEST_CASE("an ended queue that has drained goes with its last user, one that has not stays") {
  TestDirectory directory;
  {
    Peer peer(directory, "q", OpenMode::create);
    REQUIRE(peer.put(1) == Code::ok);
    peer.queue().end();
  }
  REQUIRE(directory.has("q"));
  {
    Peer peer(directory, "q", OpenMode::open);
    CHECK(peer.take().id == 1);
    CHECK(peer.take().code == Code::ended);
  }
  CHECK(directory.names().empty());
}
