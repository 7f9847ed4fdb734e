#include "memory/ticket.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "platform/clock.h"
#include "platform/fault.h"
#include "ring/catalog.h"
#include "ring/passengers.h"
#include "test/once_at.h"
#include "test/peer.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::kAnonymous;
using interproc::memory::kPersist;
using interproc::memory::OpenMode;
using interproc::memory::Segment;
using interproc::memory::Ticket;
using interproc::ring::prune;
using interproc::ring::redeem;
using interproc::test::Got;
using interproc::test::OnceAt;
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
    std::erase_if(found, [](const std::string& name) {
      return Ticket::names_ticket(name) || Segment::names_unlinked(name);
    });
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

TEST_CASE("prune spares what is sent in the message of a carrier in use while it looks") {
  for (const char* moment : {"prune.listed", "prune.alone"}) {
    CAPTURE(std::string(moment));
    Journey journey;
    REQUIRE(journey.carrier->put(1) == Code::ok);
    Peer other(journey.directory, "d", OpenMode::create);
    std::optional<Peer> sender(std::in_place, journey.directory, "o", OpenMode::open, anonymous());
    REQUIRE(sender->ok());
    journey.carrier.reset();
    std::string sent;
    {
      const OnceAt meanwhile(moment, [&] {
        sent = journey.send(other, "o");
        sender.reset();
      });
      REQUIRE(prune(journey.directory.open(), false).ok());
      REQUIRE(meanwhile.ran());
    }
    CHECK(journey.directory.has(sent));
    CHECK(journey.objects() == Names{"d", "o"});
  }
}

TEST_CASE("prune spares what is in the messages of a carrier that is opened while it looks") {
  Journey journey;
  REQUIRE(journey.carrier->put(1) == Code::ok);
  journey.carrier.reset();
  std::optional<Peer> receiver;
  {
    const OnceAt meanwhile("prune.listed",
                           [&] { receiver.emplace(journey.directory, "c", OpenMode::open); });
    REQUIRE(prune(journey.directory.open(), false).ok());
    REQUIRE(meanwhile.ran());
  }
  REQUIRE(receiver->ok());
  CHECK(receiver->take().id == 1);
  CHECK(Peer(journey.directory, "o", OpenMode::open, anonymous()).ok());
  CHECK(journey.directory.has(journey.ticket));
}

TEST_CASE(
    "prune leaves what is in the messages of an unlinked object, as long as somebody has that "
    "open") {
  Journey journey;
  REQUIRE(journey.carrier->queue().unlink().code == Code::ok);
  for (bool dry_run : {true, false}) {
    auto removed = prune(journey.directory.open(), dry_run);
    REQUIRE(removed.ok());
    CHECK(removed.value().empty());
  }
  CHECK(journey.objects() == Names{"o"});
  CHECK(journey.directory.has(journey.ticket));
  SUBCASE("and closes it") { journey.carrier.reset(); }
  SUBCASE("and is killed: the next prune takes it") {
    auto& file = journey.carrier->queue().segment().file();
    for (std::uint64_t byte : {std::uint64_t{0}, interproc::memory::kAttachedByte})
      file.unlock(byte);
    auto removed = prune(journey.directory.open(), false);
    REQUIRE(removed.ok());
    CHECK(removed.value() == Names{"o"});
  }
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

TEST_CASE("a message that moves to another carrier takes a ticket of its own along") {
  Journey journey;
  Peer other(journey.directory, "d", OpenMode::create);
  Ticket ticket;
  REQUIRE(Ticket::parse(journey.ticket, ticket));
  auto copied = other.queue().copy_ticket(ticket);
  REQUIRE(copied.ok());
  CHECK(copied.value().file_name().size() == journey.ticket.size());
  SUBCASE("it was moved, and the old one has been given up") {
    redeem(journey.carrier->bell(), journey.ticket);
    CHECK(other.queue().copy_ticket(ticket).error().code == Code::not_found);
    CHECK(journey.objects() == Names{"c", "d", "o"});
    journey.carrier.reset();
    CHECK(journey.objects() == Names{"d", "o"});
    other.close();
  }
  SUBCASE("it could not be put there, and the new one is given up") {
    redeem(other.bell(), copied.value().file_name());
    other.close();
    CHECK(journey.objects() == Names{"c", "o"});
    journey.carrier.reset();
  }
  SUBCASE("its mover died, and the other carrier went before its message was there") {
    other.close();
    CHECK(journey.objects() == Names{"c", "o"});
    journey.carrier.reset();
  }
  SUBCASE("it is moved twice, since its first mover died before it had left") {
    auto again = other.queue().copy_ticket(ticket);
    REQUIRE(again.ok());
    redeem(journey.carrier->bell(), journey.ticket);
    redeem(other.bell(), copied.value().file_name());
    CHECK(journey.objects() == Names{"c", "d", "o"});
    redeem(other.bell(), again.value().file_name());
    CHECK(journey.objects() == Names{"c", "d"});
    other.close();
    journey.carrier.reset();
  }
  CHECK(journey.directory.names().empty());
}

TEST_CASE("a ticket that is given up while somebody decides about its object leaves nothing") {
  const Watchdog watchdog("deciding about an object");
  for (const char* moment : {"segment.detached", "segment.decided"}) {
    CAPTURE(std::string(moment));
    Journey journey;
    Peer last(journey.directory, "o", OpenMode::open, anonymous());
    REQUIRE(last.ok());
    std::thread receiver;
    {
      std::atomic<bool> redeemed{false};
      const OnceAt decision(moment, [&] {
        receiver = std::thread([&] {
          redeem(journey.carrier->bell(), journey.ticket);
          redeemed = true;
        });
        // It may wait for us; it must not for long.
        for (int i = 0; i < 50 && !redeemed; ++i) interproc::platform::sleep_ns(1'000'000);
      });
      last.close();
      REQUIRE(decision.ran());
      receiver.join();
    }
    CHECK(journey.directory.names() == Names{"c"});
  }
}

TEST_CASE("one that is stopped while it decides keeps who gives a ticket up for a while only") {
  const Watchdog watchdog("a stopped decision");
  Journey journey;
  auto file = journey.directory.open().open_file("o");
  REQUIRE(file.ok());
  REQUIRE(file.value().try_lock(interproc::memory::kAttachedByte,
                                interproc::platform::Lock::exclusive));
  redeem(journey.carrier->bell(), journey.ticket);
  CHECK(journey.directory.has(journey.ticket));
  file.value().close();
  journey.carrier.reset();
  CHECK(journey.directory.names().empty());
}

TEST_CASE("a long chain of objects inside each other goes with the first, with few descriptors") {
  const Watchdog watchdog("a long chain");
  constexpr int kLinks = 300;
  TestDirectory directory;
  std::unique_ptr<Peer> first;
  {
    std::unique_ptr<Peer> outer;
    for (int link = 0; link < kLinks; ++link) {
      auto inner =
          std::make_unique<Peer>(directory, std::to_string(link), OpenMode::create, anonymous());
      REQUIRE(inner->ok());
      if (outer) REQUIRE(outer->queue().issue_ticket(inner->queue().segment()).ok());
      if (link == 1) first = std::move(outer);
      outer = std::move(inner);
    }
  }
  CHECK(directory.names().size() == 2 * kLinks - 1);
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit fewer{64, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &fewer) == 0);
  first.reset();
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(directory.names().empty());
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

// A child sends `o` in a message of `c`, moves that to `d`, takes it out there, and closes everything, killed at each step. No
// message is left without what it carries, and whatever the child left goes with the carriers. Others have the second
// carrier open all the time, or nobody but the child has, and then the next mover of the message comes.
void kill_on_a_journey(bool attended) {
  static int left = 0;
  std::uint64_t kills = 0;
  for (int at = 1;; ++at) {
    CAPTURE(at);
    TestDirectory directory;
    Peer c(directory, "c", OpenMode::create);
    std::optional<Peer> d;
    if (attended) d.emplace(directory, "d", OpenMode::create);
    const pid_t child = fork();
    if (child == 0) {
      left = at;
      interproc::platform::observe_faults([](const char*) {
        if (--left == 0) raise(SIGKILL);
      });
      Peer first(directory, "c", OpenMode::open);
      Peer second(directory, "d", OpenMode::open_or_create);
      Peer object(directory, "o", OpenMode::create, anonymous());
      auto ticket = first.queue().issue_ticket(object.queue().segment());
      if (!ticket.ok() || first.put(1) != Code::ok) _exit(1);
      object.close();
      const Got received = first.receive();
      if (received.code != Code::ok) _exit(2);
      const auto copied = second.queue().copy_ticket(ticket.value()).value();
      if (second.put(2) != Code::ok) _exit(3);
      if (first.queue().ack(received.taken.receipt) != Code::ok) _exit(4);
      redeem(first.bell(), ticket.value().file_name());
      first.close();
      if (second.take().id != 2) _exit(5);
      Peer receiver(directory, "o", OpenMode::open, anonymous());
      if (!receiver.ok()) _exit(6);
      redeem(receiver.bell(), copied.file_name());
      receiver.close();
      second.close();
      _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    if (!d) d.emplace(directory, "d", OpenMode::open_or_create);
    for (Peer* peer : {&*d, &c}) {
      peer->queue().sweep();
      while (peer->take().code == Code::ok) {
        CHECK_MESSAGE(Peer(directory, "o", OpenMode::open, anonymous()).ok(),
                      "what the message carries is gone");
      }
    }
    c.close();
    d->close();
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

TEST_CASE("a process killed at any step of a journey leaves nothing that outlives the carriers") {
  const Watchdog watchdog("kill on a journey", 300);
  SUBCASE("that others have open") { kill_on_a_journey(true); }
  SUBCASE("of which it alone has the second open") { kill_on_a_journey(false); }
}
