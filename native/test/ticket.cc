#include "memory/ticket.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "platform/fault.h"
#include "ring/catalog.h"
#include "ring/passengers.h"
#include "test/peer.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::kAnonymous;
using interproc::memory::kPersist;
using interproc::memory::OpenMode;
using interproc::memory::Ticket;
using interproc::ring::prune;
using interproc::ring::redeem;
using interproc::test::Got;
using interproc::test::Peer;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::Watchdog;

namespace {

using Names = std::vector<std::string>;

Shape anonymous() { return {.flags = kAnonymous}; }

// The carrier `c`, and the object `o` that is on its way in it and that nobody has open.
struct Journey {
  explicit Journey(const Shape& object = anonymous()) {
    carrier.emplace(directory, "c", OpenMode::create);
    REQUIRE(carrier->ok());
    ticket = send(*carrier, "o", object);
  }

  // Opens `name`, sends it in a message of `by`, and closes it.
  std::string send(Peer& by, const std::string& name, const Shape& object = anonymous()) {
    Peer passenger(directory, name, OpenMode::open_or_create, object);
    REQUIRE(passenger.ok());
    auto issued = by.queue().issue_ticket(passenger.queue().segment());
    REQUIRE(issued.ok());
    return issued.value().file_name();
  }

  Names objects() const {
    Names found = directory.names();
    std::erase_if(found, [](const std::string& name) { return Ticket::names_ticket(name); });
    return found;
  }

  TestDirectory directory;
  std::optional<Peer> carrier;
  std::string ticket;
};

}  // namespace

TEST_CASE("an object stays while it is on its way, though nobody has it open") {
  for (const Shape& shape : {Shape{}, anonymous()}) {
    Journey journey(shape);
    CHECK(journey.objects() == Names{"c", "o"});
    {
      Peer receiver(journey.directory, "o", OpenMode::open, shape);
      REQUIRE(receiver.ok());
      redeem(receiver.bell(), journey.ticket);
      CHECK_FALSE(journey.directory.has(journey.ticket));
      CHECK(receiver.put(1) == Code::ok);
      CHECK(receiver.take().id == 1);
    }
    CHECK(journey.objects() == Names{"c"});
  }
}

TEST_CASE("a ticket that is given up takes the object with it, unless something else keeps it") {
  Journey journey;
  redeem(journey.carrier->bell(), journey.ticket);
  CHECK(journey.objects() == Names{"c"});
  redeem(journey.carrier->bell(), journey.ticket);  // again: nothing

  const std::string first = journey.send(*journey.carrier, "o");
  const std::string second = journey.send(*journey.carrier, "o");
  redeem(journey.carrier->bell(), first);
  CHECK(journey.objects() == Names{"c", "o"});
  redeem(journey.carrier->bell(), second);
  CHECK(journey.objects() == Names{"c"});

  const std::string kept = journey.send(*journey.carrier, "p", {.flags = kPersist});
  redeem(journey.carrier->bell(), kept);
  CHECK(journey.objects() == Names{"c", "p"});
}

TEST_CASE("what is in the messages of an object that goes, goes with it") {
  Journey journey;
  // `i` is on its way in `o`.
  std::string inner;
  {
    Peer object(journey.directory, "o", OpenMode::open, anonymous());
    inner = journey.send(object, "i");
    CHECK(journey.directory.has(inner));
  }
  CHECK(journey.objects() == Names{"c", "i", "o"});
  SUBCASE("by its last one out") { journey.carrier.reset(); }
  SUBCASE("by its last one out after its name was removed") {
    REQUIRE(journey.carrier->queue().unlink().code == Code::ok);
    CHECK(journey.objects() == Names{"i", "o"});
    journey.carrier.reset();
  }
  CHECK(journey.directory.names().empty());
}

TEST_CASE("who has an object open keeps it when its carrier goes") {
  Journey journey;
  Peer user(journey.directory, "o", OpenMode::open, anonymous());
  REQUIRE(user.ok());
  journey.carrier.reset();
  CHECK(journey.directory.names() == Names{"o"});
  user.close();
  CHECK(journey.directory.names().empty());
}

TEST_CASE("an object in its own message is not kept by it") {
  TestDirectory directory;
  {
    Peer self(directory, "o", OpenMode::create, anonymous());
    REQUIRE(self.queue().issue_ticket(self.queue().segment()).ok());
  }
  CHECK(directory.names().empty());
}

TEST_CASE("prune spares what somebody may still take out of a message, and nothing else") {
  Journey journey;
  const auto pruned = [&](bool dry_run) {
    auto removed = prune(journey.directory.open(), dry_run);
    REQUIRE(removed.ok());
    Names names = removed.value();
    std::sort(names.begin(), names.end());
    return names;
  };
  {
    Peer object(journey.directory, "o", OpenMode::open, anonymous());
    journey.send(object, "i");
  }
  CHECK(pruned(false).empty());
  CHECK(journey.objects() == Names{"c", "i", "o"});

  // A message keeps the carrier when it is left, but not from prune; and so it does not keep its passengers.
  REQUIRE(journey.carrier->put(1) == Code::ok);
  journey.carrier.reset();
  CHECK(journey.objects() == Names{"c", "i", "o"});
  CHECK(pruned(true) == Names{"c", "i", "o"});
  CHECK(journey.objects() == Names{"c", "i", "o"});
  CHECK(pruned(false) == Names{"c", "i", "o"});
  CHECK(journey.directory.names().empty());
}

TEST_CASE("two objects that carry each other are removed by prune") {
  TestDirectory directory;
  {
    Peer a(directory, "a", OpenMode::create, anonymous());
    Peer b(directory, "b", OpenMode::create, anonymous());
    REQUIRE(a.queue().issue_ticket(b.queue().segment()).ok());
    REQUIRE(b.queue().issue_ticket(a.queue().segment()).ok());
  }
  CHECK(directory.names().size() == 4);
  REQUIRE(prune(directory.open(), false).ok());
  CHECK(directory.names().empty());
}

TEST_CASE("a ticket follows its message to another carrier") {
  Journey journey;
  Peer other(journey.directory, "d", OpenMode::create);
  Ticket ticket;
  REQUIRE(Ticket::parse(journey.ticket, ticket));
  auto changed = other.queue().change_ticket(ticket);
  REQUIRE(changed.ok());
  CHECK(changed.value().file_name().size() == journey.ticket.size());
  CHECK(other.queue().change_ticket(ticket).error().code == Code::not_found);
  journey.carrier.reset();
  CHECK(journey.objects() == Names{"d", "o"});
  other.close();
  CHECK(journey.directory.names().empty());
}

TEST_CASE("what nobody could open is not sent") {
  TestDirectory directory;
  Peer carrier(directory, "c", OpenMode::create);
  Peer object(directory, "o", OpenMode::create);
  REQUIRE(object.queue().unlink().code == Code::ok);
  CHECK(carrier.queue().issue_ticket(object.queue().segment()).error().code == Code::not_found);
  Peer successor(directory, "o", OpenMode::create);
  CHECK(carrier.queue().issue_ticket(object.queue().segment()).error().code == Code::not_found);
  CHECK(directory.names() == Names{"c", "o"});
}

TEST_CASE("files that only look like tickets harm nobody") {
  TestDirectory directory;
  Peer carrier(directory, "c", OpenMode::create);
  const std::string hex = "0123456789abcdef";
  const Names strange = {
      "~ticket-", "~ticket-" + hex, "~ticket-" + hex + "-" + hex + "-" + hex + "0",
      "~ticket-" + hex + "-" + hex + "_" + hex, "~ticket-" + hex + "-" + hex + "-0123456789ABCDEF"};
  Ticket parsed;
  for (const std::string& name : strange) {
    CAPTURE(name);
    CHECK_FALSE(Ticket::parse(name, parsed));
    redeem(carrier.bell(), name);
  }
  const std::string name = "~ticket-" + hex + "-" + hex + "-" + hex;
  REQUIRE(Ticket::parse(name, parsed));
  CHECK(parsed.file_name() == name);
  for (const std::string& content : {std::string(), std::string("../c"), std::string(300, 'x'),
                                     std::string("c\0c", 3), std::string("c")}) {
    std::ofstream(directory.path_of(name)) << content;
    redeem(carrier.bell(), name);
    CHECK(directory.names() == Names{"c"});
  }
}

// A child sends `o` in a message of `c`, moves that to `d`, takes it out there, and closes everything, killed at each step. Whatever it
// left goes with the carriers.
TEST_CASE("a process killed at any step of a journey leaves nothing that outlives the carriers") {
  const Watchdog watchdog("kill on a journey", 300);
  static int left = 0;
  std::uint64_t kills = 0;
  for (int at = 1;; ++at) {
    CAPTURE(at);
    TestDirectory directory;
    Peer c(directory, "c", OpenMode::create);
    Peer d(directory, "d", OpenMode::create);
    const pid_t child = fork();
    if (child == 0) {
      left = at;
      interproc::platform::observe_faults([](const char*) {
        if (--left == 0) raise(SIGKILL);
      });
      Peer first(directory, "c", OpenMode::open);
      Peer second(directory, "d", OpenMode::open);
      Peer object(directory, "o", OpenMode::create, anonymous());
      auto ticket = first.queue().issue_ticket(object.queue().segment());
      if (!ticket.ok() || first.put(1) != Code::ok) _exit(1);
      object.close();
      const Got received = first.receive();
      if (received.code != Code::ok) _exit(2);
      ticket = second.queue().change_ticket(ticket.value());
      if (!ticket.ok() || second.put(2) != Code::ok) _exit(3);
      if (first.queue().ack(received.taken.receipt) != Code::ok) _exit(4);
      first.close();
      if (second.take().id != 2) _exit(5);
      Peer receiver(directory, "o", OpenMode::open, anonymous());
      if (!receiver.ok()) _exit(6);
      redeem(receiver.bell(), ticket.value().file_name());
      receiver.close();
      second.close();
      _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    for (Peer* peer : {&c, &d}) {
      peer->queue().sweep();
      while (peer->take().code == Code::ok) {
        CHECK_MESSAGE(Peer(directory, "o", OpenMode::open, anonymous()).ok(),
                      "what the message carries is gone");
      }
    }
    c.close();
    d.close();
    // Nobody came by since the kill.
    Peer(directory, "o", OpenMode::open, anonymous());
    CHECK(directory.names().empty());
    if (WIFEXITED(status)) {
      CHECK(WEXITSTATUS(status) == 0);
      break;
    }
    REQUIRE(WTERMSIG(status) == SIGKILL);
    ++kills;
  }
  CHECK(kills > 50);
}
