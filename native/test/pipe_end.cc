#include "ring/pipe_end.h"

#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "platform/clock.h"
#include "platform/fault.h"
#include "ring/carriage.h"
#include "ring/catalog.h"
#include "test/once_at.h"
#include "test/peer.h"
#include "test/pipe_peer.h"
#include "test/scale.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::Header;
using interproc::memory::OpenMode;
using interproc::memory::Ticket;
using interproc::ring::can_arrive;
using interproc::ring::can_arrive_still;
using interproc::ring::EndState;
using interproc::ring::EndWord;
using interproc::ring::is_due;
using interproc::ring::PipeEnd;
using interproc::ring::PipeWords;
using interproc::ring::Received;
using interproc::ring::redeem;
using interproc::sync::kPut;
using interproc::sync::kTake;
using interproc::test::Message;
using interproc::test::OnceAt;
using interproc::test::Peer;
using interproc::test::pipe_header;
using interproc::test::PipePair;
using interproc::test::PipePeer;
using interproc::test::TestDirectory;
using interproc::test::Watchdog;

namespace {

using Names = std::vector<std::string>;

constexpr std::uint64_t kCapacity = interproc::memory::kMinCapacity;
constexpr std::uint64_t kWhole = kCapacity - 8;

EndState state_of(PipePeer& peer, unsigned end) {
  return EndWord::state(peer.end().words().ends[end].load());
}

// The words as anybody with the file can write them.
PipeWords& words_of(PipePeer& peer) { return peer.end().segment().pipe_words<PipeWords>(); }

std::size_t tickets_in(const TestDirectory& directory) {
  std::size_t count = 0;
  for (const std::string& name : directory.names()) count += Ticket::names_ticket(name) ? 1 : 0;
  return count;
}

std::size_t unlinked_in(const TestDirectory& directory) {
  std::size_t count = 0;
  for (const std::string& name : directory.names())
    count += interproc::memory::Segment::names_unlinked(name) ? 1 : 0;
  return count;
}

// No descriptor is left to this process from begin() to end().
class Scarcity {
 public:
  void begin() {
    getrlimit(RLIMIT_NOFILE, &before_);
    for (int fd = dup(0); fd >= 0 && fd < kMany; fd = dup(0)) taken_.push_back(fd);
    rlimit few = before_;
    few.rlim_cur = kMany;
    setrlimit(RLIMIT_NOFILE, &few);
  }
  void give_one_back() {
    if (taken_.empty()) return;
    close(taken_.back());
    taken_.pop_back();
  }
  void end() {
    if (taken_.empty()) return;
    while (!taken_.empty()) give_one_back();
    setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  static constexpr int kMany = 200;
  rlimit before_{};
  std::vector<int> taken_;
};
Scarcity scarcity;

// As far as others can see: its locks go, and nothing else happens.
void die(PipePeer& peer) {
  auto& file = peer.end().segment().file();
  file.unlock(peer.end().slot());
  file.unlock(interproc::memory::kAttachedByte);
}

// A process that does this and is then killed. Its parent's ends are not its own: what it has, it opens.
void kill_after(const std::function<void()>& work) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    work();
    raise(SIGKILL);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  REQUIRE(WTERMSIG(status) == SIGKILL);
}

}  // namespace

TEST_CASE("what is sent by one end is received at the other, both ways, in order and whole") {
  TestDirectory directory;
  PipePair pair(directory);
  for (auto [from, to] : {std::pair{&pair.a, &pair.b}, std::pair{&pair.b, &pair.a}}) {
    CHECK(to->receive() == 0);
    CHECK(to->code == Code::empty);
    for (std::uint64_t id = 1; id <= 20; ++id) REQUIRE(from->send(id, 8 + id * 7) == Code::ok);
    for (std::uint64_t id = 1; id <= 20; ++id) CHECK(to->receive() == id);
    CHECK(to->receive() == 0);
    CHECK(to->code == Code::empty);
  }
}

TEST_CASE("messages of every size around those of the ring and of none") {
  TestDirectory directory;
  PipePair pair(directory);
  std::vector<std::byte> none;
  REQUIRE(pair.a.end().send(none.data(), 0, 0) == Code::ok);
  Received received;
  CHECK(pair.b.end().receive(nullptr, 0, received) == Code::ok);
  CHECK(received.length == 0);
  for (std::size_t length = kWhole - 20; length <= kWhole; ++length) {
    REQUIRE(pair.a.send(length, length) == Code::ok);
    CHECK(pair.b.receive() == length);
    CHECK(pair.b.length == length);
  }
  CHECK(pair.a.send(1, kWhole + 1) == Code::too_large);
  // As many as there is room for, and then one more for each that is received.
  std::uint64_t last = 0;
  while (pair.a.send(last + 1, 56) == Code::ok) ++last;
  CHECK(last == kCapacity / 64);
  CHECK(pair.a.send(99, 8) == Code::full);
  CHECK(pair.b.receive() == 1);
  CHECK(pair.a.send(last + 1, 56) == Code::ok);
  CHECK(pair.a.send(99, 8) == Code::full);
  for (std::uint64_t id = 2; id <= last + 1; ++id) CHECK(pair.b.receive() == id);
}

TEST_CASE("a message that does not fit into its receiver's buffer stays") {
  TestDirectory directory;
  PipePair pair(directory);
  REQUIRE(pair.a.send(1, 100) == Code::ok);
  std::byte small[99];
  Received received;
  CHECK(pair.b.end().receive(small, sizeof small, received) == Code::too_large);
  CHECK(received.length == 100);
  CHECK_FALSE(received.in_parts);
  CHECK(pair.b.receive() == 1);
}

TEST_CASE("positions wrap around 32 bits without anybody noticing") {
  TestDirectory directory;
  for (std::uint32_t before = 0; before < 3 * kCapacity / 8; before += 101) {
    PipePair pair(directory);
    for (auto& direction : words_of(pair.a).directions) {
      direction.tail.store(0u - before);
      direction.head.store(0u - before);
    }
    for (std::uint64_t round = 0; round < 12; ++round) {
      for (std::uint64_t id = 1; id <= 4; ++id) REQUIRE(pair.a.send(id, 900) == Code::ok);
      CHECK(pair.a.send(5, 900) == Code::full);
      for (std::uint64_t id = 1; id <= 4; ++id) CHECK(pair.b.receive() == id);
      CHECK(pair.b.receive() == 0);
      CHECK(pair.b.code == Code::empty);
    }
  }
}

TEST_CASE("a message larger than the ring comes in parts") {
  TestDirectory directory;
  PipePair pair(directory);
  for (std::size_t length : {kWhole + 1, kWhole + 9, 3 * kCapacity, std::uint64_t{1} << 16}) {
    CAPTURE(length);
    const auto message = Message::make(length, length);
    std::size_t from = 0;
    std::size_t filled = 0;
    Received received;
    std::vector<std::byte> into(length);
    while (pair.a.end().send_parts(message.data(), length, from, 2) == Code::full) {
      if (filled == 0) {
        REQUIRE(pair.b.end().look(received) == Code::ok);
        CHECK(received.in_parts);
        CHECK(received.length == length);
        CHECK(received.marks == 2);
      }
      if (pair.b.end().fill(into.data(), length, filled) != Code::empty) FAIL("complete too early");
    }
    CHECK(from == length);
    CHECK(pair.b.end().fill(into.data(), length, filled) == Code::ok);
    CHECK(into == message);
    CHECK(pair.b.receive() == 0);
    CHECK(pair.b.code == Code::empty);
  }
}

TEST_CASE(
    "a message that fits into the ring goes whole, asked for in parts or not, and none is longer "
    "than the pipe allows") {
  TestDirectory directory;
  PipePair pair(directory, "p", pipe_header(true, kCapacity, 10'000));
  for (std::size_t length : {std::uint64_t{8}, kWhole / 4, kWhole}) {
    const auto message = Message::make(length, length);
    std::size_t from = 0;
    REQUIRE(pair.a.end().send_parts(message.data(), length, from, 0) == Code::ok);
    CHECK(from == length);
    CHECK(pair.b.receive() == length);
    CHECK(pair.b.length == length);
  }
  std::size_t from = 0;
  CHECK(pair.a.end().send_parts(nullptr, 0, from, 0) == Code::ok);
  Received received;
  CHECK(pair.b.end().receive(nullptr, 0, received) == Code::ok);
  CHECK(received.length == 0);
  const auto large = Message::make(10'001, 1);
  CHECK(pair.a.end().send_parts(large.data(), large.size(), from, 0) == Code::too_large);
  CHECK(pair.b.receive() == 0);
  CHECK(pair.b.code == Code::empty);
}

TEST_CASE("parts that their sender gave up are forgotten, and what follows comes") {
  TestDirectory directory;
  PipePair pair(directory);
  const auto message = Message::make(2 * kCapacity, 7);
  std::vector<std::byte> into(message.size());
  std::size_t from = 0;
  REQUIRE(pair.a.end().send_parts(message.data(), message.size(), from, 0) == Code::full);
  std::size_t filled = 0;
  CHECK(pair.b.end().fill(into.data(), into.size(), filled) == Code::empty);
  CHECK(filled > 0);
  SUBCASE("for one that is whole") { REQUIRE(pair.a.send(8) == Code::ok); }
  SUBCASE("for another in parts") {
    const auto next = Message::make(5'000, 8);
    std::size_t sent = 0;
    // Of which the last part comes later: the ring is smaller.
    REQUIRE(pair.a.end().send_parts(next.data(), next.size(), sent, 0) == Code::full);
    CHECK(pair.b.end().fill(into.data(), into.size(), filled) == Code::lost);
    std::vector<std::byte> whole(next.size());
    filled = 0;
    CHECK(pair.b.end().fill(whole.data(), whole.size(), filled) == Code::empty);
    REQUIRE(pair.a.end().send_parts(next.data(), next.size(), sent, 0) == Code::ok);
    CHECK(pair.b.end().fill(whole.data(), whole.size(), filled) == Code::ok);
    CHECK(whole == next);
    REQUIRE(pair.a.send(9) == Code::ok);
    CHECK(pair.b.receive() == 9);
    return;
  }
  CHECK(pair.b.end().fill(into.data(), into.size(), filled) == Code::lost);
  CHECK(pair.b.receive() == 8);
}

TEST_CASE("of parts whose sender is gone nothing is delivered") {
  TestDirectory directory;
  PipePair pair(directory);
  const auto message = Message::make(2 * kCapacity, 7);
  std::vector<std::byte> into(message.size());
  std::size_t from = 0;
  REQUIRE(pair.a.send(6) == Code::ok);
  REQUIRE(pair.a.end().send_parts(message.data(), message.size(), from, 0) == Code::full);
  pair.a.close();
  CHECK(pair.b.receive() == 6);
  std::size_t filled = 0;
  CHECK(pair.b.end().fill(into.data(), into.size(), filled) == Code::ended);
}

TEST_CASE("the rest of a message whose beginning somebody forgot is passed over") {
  TestDirectory directory;
  PipePair pair(directory);
  const auto message = Message::make(5'000, 7);
  std::vector<std::byte> into(message.size());
  std::size_t from = 0;
  std::size_t filled = 0;
  REQUIRE(pair.a.end().send_parts(message.data(), message.size(), from, 0) == Code::full);
  CHECK(pair.b.end().fill(into.data(), into.size(), filled) == Code::empty);
  REQUIRE(pair.a.end().send_parts(message.data(), message.size(), from, 0) == Code::ok);
  CHECK(pair.b.receive() == 0);
  CHECK(pair.b.code == Code::empty);
  REQUIRE(pair.a.send(8) == Code::ok);
  CHECK(pair.b.receive() == 8);
}

TEST_CASE("marks come with their message, and one that carries stays until it is finished") {
  TestDirectory directory;
  PipePair pair(directory);
  for (std::uint32_t marks = 0; marks < 4; ++marks) {
    REQUIRE(pair.a.send(marks + 1, 64, marks) == Code::ok);
    CHECK(pair.b.receive() == marks + 1);
    CHECK(pair.b.marks == marks);
    CHECK(pair.b.receive() == ((marks & 1) != 0 ? marks + 1 : 0));
    pair.b.end().finish();
    CHECK(pair.b.receive() == 0);
    CHECK(pair.b.code == Code::empty);
  }
  // Nothing was received that there would be to finish.
  REQUIRE(pair.a.send(9, 64, 1) == Code::ok);
  pair.b.end().finish();
  CHECK(pair.b.receive() == 9);
}

TEST_CASE("of a carrying message in parts the last stays until it is finished") {
  TestDirectory directory;
  PipePair pair(directory);
  const auto message = Message::make(5'000, 7);
  std::vector<std::byte> into(message.size());
  const auto pass = [&] {
    std::size_t from = 0;
    std::size_t filled = 0;
    CHECK(pair.a.end().send_parts(message.data(), message.size(), from, 1) == Code::full);
    CHECK(pair.b.end().fill(into.data(), into.size(), filled) == Code::empty);
    CHECK(pair.a.end().send_parts(message.data(), message.size(), from, 1) == Code::ok);
    CHECK(pair.b.end().fill(into.data(), into.size(), filled) == Code::ok);
    CHECK(into == message);
  };
  pass();
  const auto& [tail, head] = words_of(pair.a).directions[0];
  CHECK(tail.load() != head.load());
  pair.b.end().finish();
  CHECK(tail.load() == head.load());
  // Not finished: it is forgotten, and what it would have finished is not something else.
  pass();
  REQUIRE(pair.a.send(8, 64, 1) == Code::ok);
  Received received;
  CHECK(pair.b.end().look(received) == Code::ok);
  CHECK(received.length == 64);
  pair.b.end().finish();
  CHECK(pair.b.receive() == 8);
}

TEST_CASE("a one-way pipe has one ring, to end 0") {
  TestDirectory directory;
  PipePair pair(directory, "p", pipe_header(false));
  CHECK_FALSE(pair.a.end().can_send());
  CHECK(pair.a.end().can_receive());
  CHECK(pair.b.end().can_send());
  CHECK_FALSE(pair.b.end().can_receive());
  for (std::uint64_t id = 1; id <= 200; ++id) {
    REQUIRE(pair.b.send(id, 300) == Code::ok);
    CHECK(pair.a.receive() == id);
  }
  REQUIRE(pair.b.send(201) == Code::ok);
  pair.b.close();
  CHECK(pair.a.receive() == 201);
  CHECK(pair.a.receive() == 0);
  CHECK(pair.a.code == Code::ended);
}

TEST_CASE("both ends have one owner each, and with the last the pipe goes") {
  TestDirectory directory;
  {
    PipePair pair(directory);
    REQUIRE(pair.a.ok());
    REQUIRE(pair.b.ok());
    PipePeer third(directory);
    for (unsigned index : {0u, 1u}) {
      third.claim("p", index);
      CHECK_FALSE(third.ok());
      CHECK(third.error().code == Code::busy);
    }
    CHECK(directory.has("p"));
  }
  CHECK(directory.names().empty());
}

TEST_CASE("what was sent before a close is delivered, then comes the end; sending ends at once") {
  TestDirectory directory;
  PipePair pair(directory);
  REQUIRE(pair.b.bell().hang().code == Code::ok);
  for (std::uint64_t id = 1; id <= 3; ++id) REQUIRE(pair.a.send(id) == Code::ok);
  pair.a.close();
  CHECK(pair.b.send(4) == Code::ended);
  std::size_t from = 0;
  std::vector<std::byte> large(2 * kCapacity);
  CHECK(pair.b.end().send_parts(large.data(), large.size(), from, 0) == Code::ended);
  CHECK(pair.b.end().peer_gone(false));
  CHECK(pair.b.end().peer_bell() == 0);
  for (std::uint64_t id = 1; id <= 3; ++id) CHECK(pair.b.receive() == id);
  for (int i = 0; i < 2; ++i) {
    CHECK(pair.b.receive() == 0);
    CHECK(pair.b.code == Code::ended);
  }
  CHECK(pair.b.end().wait(kTake, 1'000'000'000'000));
}

TEST_CASE(
    "a message that was sent just before the close, after a look that found none, is not lost") {
  TestDirectory directory;
  PipePair pair(directory);
  const OnceAt moment("pipe.seen_empty", [&] {
    REQUIRE(pair.a.send(1) == Code::ok);
    pair.a.close();
  });
  CHECK(pair.b.receive() == 1);
  CHECK(moment.ran());
  CHECK(pair.b.receive() == 0);
  CHECK(pair.b.code == Code::ended);
}

TEST_CASE("who waits is told at once that the other end was closed") {
  TestDirectory directory;
  for (auto side : {kTake, kPut}) {
    PipePair pair(directory);
    REQUIRE(pair.b.bell().hang().code == Code::ok);
    while (side == kPut && pair.b.send(1, 500) == Code::ok) continue;
    REQUIRE_FALSE(pair.b.end().arm(side, 7));
    pair.a.close();
    CHECK(pair.b.end().answer(side, false));
    bool overflow = false;
    std::vector<std::uint32_t> tokens(interproc::sync::Doorbell::kDrainBytes / 4);
    CHECK(pair.b.bell().drain(tokens.data(), overflow) == 1);
    CHECK(tokens[0] == 7);
  }
}

TEST_CASE("an end whose owner died is closed by whoever looks, all that it sent is delivered") {
  TestDirectory directory;
  PipePeer a(directory);
  a.create("p", 0);
  kill_after([&] {
    auto& b = *new PipePeer(directory);
    b.claim("p", 1);
    for (std::uint64_t id = 1; id <= 3; ++id) b.send(id);
  });
  CHECK(state_of(a, 1) == EndState::owned);
  CHECK(a.receive() == 1);
  SUBCASE("asked") { CHECK(a.end().peer_gone(false)); }
  SUBCASE("before it sleeps") {
    CHECK(a.receive() == 2);
    CHECK(a.receive() == 3);
    CHECK(a.end().wait(kTake, 1'000'000'000'000));
    CHECK(a.receive() == 0);
    CHECK(a.code == Code::ended);
    return;
  }
  SUBCASE("who takes the slot of the dead") {
    PipePeer third(directory);
    third.claim("p", 1);
    CHECK(third.error().code == Code::busy);
  }
  CHECK(state_of(a, 1) == EndState::closed);
  CHECK(a.send(9) == Code::ended);
  CHECK(a.receive() == 2);
  CHECK(a.receive() == 3);
  CHECK(a.receive() == 0);
  CHECK(a.code == Code::ended);
}

TEST_CASE("an end that was never claimed is not gone") {
  TestDirectory directory;
  PipePeer a(directory);
  a.create("p", 0);
  CHECK_FALSE(a.end().peer_gone(true));
  CHECK(a.send(1) == Code::ok);
  PipePeer b(directory);
  b.claim("p", 1);
  CHECK(b.receive() == 1);
}

// --- moving ----------------------------------------------------------------------------------------------------------

TEST_CASE("an end travels in a message of a pipe or a queue and goes on where it was") {
  TestDirectory directory;
  const auto journey = [&](auto carry) {
    PipePair moved(directory, "m");
    REQUIRE(moved.a.send(1) == Code::ok);
    REQUIRE(moved.a.send(2) == Code::ok);
    REQUIRE(moved.b.send(1, 900) == Code::ok);
    CHECK(moved.b.receive() == 1);
    PipePeer arrived(directory);
    carry(moved.b, arrived);
    REQUIRE(arrived.ok());
    CHECK_FALSE(arrived.end().lost());
    CHECK_FALSE(moved.a.end().peer_gone(true));
    CHECK(arrived.receive() == 2);
    CHECK(arrived.send(2) == Code::ok);
    CHECK(moved.a.receive() == 1);
    CHECK(moved.a.receive() == 2);
    CHECK(tickets_in(directory) == 0);
  };
  SUBCASE("of a pipe") {
    journey([&](PipePeer& passenger, PipePeer& arrived) {
      PipePair carrier(directory, "c");
      Ticket ticket;
      REQUIRE(carrier.a.send_end(9, passenger, ticket) == Code::ok);
      CHECK(carrier.b.receive() == 9);
      arrived.arrive("m", ticket);
      redeem(carrier.b.bell(), ticket.file_name());
      carrier.b.end().finish();
    });
  }
  SUBCASE("of a queue") {
    journey([&](PipePeer& passenger, PipePeer& arrived) {
      Peer carrier(directory, "q", OpenMode::create);
      REQUIRE(passenger.end().offer() == Code::ok);
      auto ticket =
          carrier.queue().issue_ticket(passenger.end().segment(), passenger.end().index());
      REQUIRE(ticket.ok());
      REQUIRE(carrier.put(9) == Code::ok);
      SUBCASE("arrived after it had gone") {
        passenger.end().give_away();
        passenger.close();
        CHECK(carrier.take().id == 9);
        arrived.arrive("m", ticket.value());
      }
      SUBCASE("arrived before its sender had let go") {
        CHECK(carrier.take().id == 9);
        arrived.arrive("m", ticket.value());
        CHECK_FALSE(arrived.end().lost());
        passenger.end().give_away();
        passenger.close();
      }
      redeem(carrier.bell(), ticket.value().file_name());
    });
  }
  CHECK(directory.names().empty());
}

TEST_CASE("an end that is offered stays if its message was not put") {
  TestDirectory directory;
  PipePair pair(directory);
  REQUIRE(pair.b.end().offer() == Code::ok);
  CHECK(state_of(pair.a, 1) == EndState::offered);
  CHECK(pair.b.end().offer() == Code::not_owner);
  CHECK_FALSE(pair.a.end().peer_gone(true));
  pair.b.end().stay();
  CHECK(state_of(pair.a, 1) == EndState::owned);
  CHECK(pair.b.send(1) == Code::ok);
  CHECK(pair.a.receive() == 1);
  // Closed while it is offered it is closed.
  REQUIRE(pair.b.end().offer() == Code::ok);
  pair.b.close();
  CHECK(pair.a.end().peer_gone(false));
}

TEST_CASE("an end cannot travel through its own pipe") {
  TestDirectory directory;
  PipePair pair(directory);
  CHECK(pair.a.end().issue_ticket(pair.b.end().segment(), 1).error().code == Code::argument);
}

TEST_CASE("a ticket brings an end once: who comes with it later has a lost one") {
  TestDirectory directory;
  PipePair moved(directory, "m");
  PipePair carrier(directory, "c");
  Ticket ticket;
  REQUIRE(carrier.a.send_end(9, moved.b, ticket) == Code::ok);
  PipePeer first(directory);
  first.arrive("m", ticket);
  PipePeer second(directory);
  second.arrive("m", ticket);
  REQUIRE(second.ok());
  CHECK_FALSE(first.end().lost());
  CHECK(second.end().lost());
  CHECK(second.send(1) == Code::ended);
  CHECK(second.receive() == 0);
  CHECK(second.code == Code::ended);
  CHECK(second.end().wait(kTake, 1'000'000'000'000));
  CHECK(second.end().offer() == Code::not_owner);
  // That its handle is closed is nothing to the one who has it.
  second.close();
  CHECK(first.send(1) == Code::ok);
  CHECK(moved.a.receive() == 1);
  CHECK(moved.a.send(2) == Code::ok);
  CHECK(first.receive() == 2);
  redeem(first.bell(), ticket.file_name());
}

TEST_CASE("a ticket of another pipe that had the name brings nothing") {
  TestDirectory directory;
  PipePair pair(directory);
  PipePeer arrived(directory);
  arrived.arrive("p", Ticket{pair.a.end().segment().identity() + 1, 5, 1});
  CHECK_FALSE(arrived.ok());
  CHECK(arrived.error().code == Code::not_found);
}

TEST_CASE("an end goes from hand to hand more often than there are generations of a slot") {
  const Watchdog watchdog("hand to hand", 300);
  TestDirectory directory;
  PipePair carrier(directory, "c");
  PipePair moved(directory, "m");
  std::unique_ptr<PipePeer> holder;
  for (std::uint64_t id = 1; id <= 600; ++id) {
    PipePeer& from = holder ? *holder : moved.b;
    REQUIRE(from.send(id) == Code::ok);
    Ticket ticket;
    REQUIRE(carrier.a.send_end(id, from, ticket) == Code::ok);
    CHECK(carrier.b.receive() == id);
    auto next = std::make_unique<PipePeer>(directory);
    next->arrive("m", ticket);
    REQUIRE(next->ok());
    REQUIRE_FALSE(next->end().lost());
    redeem(carrier.b.bell(), ticket.file_name());
    carrier.b.end().finish();
    holder = std::move(next);
    CHECK(moved.a.receive() == id);
  }
}

TEST_CASE("of an end on its way the other learns that it is lost with its carrier") {
  TestDirectory directory;
  PipePair moved(directory, "m");
  Ticket ticket;
  REQUIRE(moved.b.send(1) == Code::ok);
  SUBCASE("that nobody reads any more: at once") {
    auto carrier = std::make_unique<PipePair>(directory, "c");
    REQUIRE(carrier->a.send_end(9, moved.b, ticket) == Code::ok);
    CHECK_FALSE(moved.a.end().peer_gone(true));
    carrier->b.close();
  }
  SUBCASE("that is gone: at once") {
    auto carrier = std::make_unique<PipePair>(directory, "c");
    REQUIRE(carrier->a.send_end(9, moved.b, ticket) == Code::ok);
    carrier->a.close();
    CHECK_FALSE(moved.a.end().peer_gone(true));
    carrier.reset();
  }
  SUBCASE("whose receiver was killed: at its own next look") {
    PipePeer sender(directory);
    sender.create("c", 0);
    kill_after([&] {
      auto& receiver = *new PipePeer(directory);
      receiver.claim("c", 1);
    });
    REQUIRE(sender.send_end(9, moved.b, ticket) == Code::ok);
    CHECK(state_of(moved.a, 1) == EndState::flying);
    CHECK(moved.a.end().peer_gone(true));
  }
  SUBCASE("whose both owners were killed: at its own next look") {
    PipePair carrier(directory, "c");
    REQUIRE(carrier.a.send_end(9, moved.b, ticket) == Code::ok);
    for (PipePeer* each : {&carrier.a, &carrier.b}) die(*each);
    CHECK(moved.a.end().peer_gone(true));
    CHECK_FALSE(directory.has("c"));
  }
  CHECK(state_of(moved.a, 1) == EndState::closed);
  CHECK(moved.a.receive() == 1);
  CHECK(moved.a.receive() == 0);
  CHECK(moved.a.code == Code::ended);
  CHECK(tickets_in(directory) == 0);
  PipePeer late(directory);
  late.arrive("m", ticket);
  REQUIRE(late.ok());
  CHECK(late.end().lost());
}

TEST_CASE("an end that arrives while it is found lost has arrived, or is lost, and not both") {
  TestDirectory directory;
  PipePair moved(directory, "m");
  PipePair carrier(directory, "c");
  PipePeer arrived(directory);
  Ticket ticket;
  const auto arrive = [&] { arrived.arrive("m", ticket); };
  SUBCASE("on its way, its ticket gone already") {
    REQUIRE(carrier.a.send_end(9, moved.b, ticket) == Code::ok);
    REQUIRE(directory.open().remove(ticket.file_name()).code == Code::ok);
    const OnceAt moment("pipe.close_for", arrive);
    CHECK_FALSE(moved.a.end().peer_gone(true));
    CHECK(moment.ran());
  }
  SUBCASE("its sender dead before it had let go") {
    REQUIRE(moved.b.end().offer() == Code::ok);
    ticket = carrier.a.end().issue_ticket(moved.b.end().segment(), 1).value();
    die(moved.b);
    const OnceAt moment("pipe.close_for", arrive);
    CHECK_FALSE(moved.a.end().peer_gone(true));
    CHECK(moment.ran());
    redeem(carrier.a.bell(), ticket.file_name());
  }
  REQUIRE(arrived.ok());
  CHECK_FALSE(arrived.end().lost());
  CHECK(arrived.send(1) == Code::ok);
  CHECK(moved.a.receive() == 1);
  // The other way round.
  PipePair other(directory, "o");
  REQUIRE(carrier.a.send_end(9, other.b, ticket) == Code::ok);
  REQUIRE(directory.open().remove(ticket.file_name()).code == Code::ok);
  PipePeer late(directory);
  const OnceAt moment("pipe.take", [&] { CHECK(other.a.end().peer_gone(true)); });
  late.arrive("o", ticket);
  CHECK(moment.ran());
  REQUIRE(late.ok());
  CHECK(late.end().lost());
}

TEST_CASE("an end is not given up while a queue that stays holds its message") {
  TestDirectory directory;
  PipePair moved(directory, "m");
  auto queue = std::make_unique<Peer>(directory, "q", OpenMode::create);
  REQUIRE(moved.b.end().offer() == Code::ok);
  auto ticket = queue->queue().issue_ticket(moved.b.end().segment(), 1);
  REQUIRE(ticket.ok());
  REQUIRE(queue->put(1) == Code::ok);
  moved.b.end().give_away();
  moved.b.close();
  queue.reset();
  REQUIRE(directory.has("q"));
  CHECK_FALSE(moved.a.end().peer_gone(true));
  PipePeer arrived(directory);
  {
    Peer taker(directory, "q", OpenMode::open);
    CHECK(taker.take().id == 1);
    SUBCASE("and taken it arrives") {
      arrived.arrive("m", ticket.value());
      CHECK_FALSE(arrived.end().lost());
      redeem(taker.bell(), ticket.value().file_name());
      CHECK_FALSE(moved.a.end().peer_gone(true));
    }
    // Its taker never opened it, and the queue goes.
    SUBCASE("and taken it is thrown away") {}
  }
  CHECK(moved.a.end().peer_gone(true) == !arrived.ok());
}

TEST_CASE("who waits for ends on their way asks in turn, once for all that one carrier has") {
  const Watchdog watchdog("turns", 60);
  TestDirectory directory;
  PipePair x(directory, "x");
  PipePair y(directory, "y");
  PipePair z(directory, "z");
  PipePair carrier(directory, "c");
  PipePair other(directory, "o");
  Ticket in_x;
  Ticket in_y;
  Ticket in_z;
  REQUIRE(carrier.a.send_end(1, x.b, in_x) == Code::ok);
  REQUIRE(carrier.a.send_end(2, y.b, in_y) == Code::ok);
  REQUIRE(other.a.send_end(3, z.b, in_z) == Code::ok);
  // As in a directory of many files: what it takes is what the others wait for, many times over.
  interproc::platform::observe_faults([](const char* name) {
    if (std::strcmp(name, "carriage.listed") == 0) usleep(50'000);
  });
  CHECK(can_arrive_still(x.a.bell(), in_x.object, 1));
  interproc::platform::observe_faults(nullptr);
  CHECK_FALSE(is_due(in_x.object, 1));
  CHECK_FALSE(is_due(in_y.object, 1));
  CHECK_FALSE(is_due(in_z.object, 1));
  // Of those that share a carrier one will do, and the other carrier's turn comes after theirs.
  while (!is_due(in_x.object, 1)) usleep(1'000);
  CHECK(is_due(in_y.object, 1));
  CHECK_FALSE(is_due(in_z.object, 1));
  while (!is_due(in_z.object, 1)) usleep(1'000);
  // Whoever has to know is told at once.
  die(carrier.b);
  CHECK(x.a.end().peer_gone(true));
  CHECK_FALSE(z.a.end().peer_gone(true));
}

TEST_CASE(
    "an end is not given up while somebody has the unlinked queue open that holds its message") {
  TestDirectory directory;
  PipePair moved(directory, "m");
  auto queue = std::make_unique<Peer>(directory, "q", OpenMode::create);
  REQUIRE(moved.b.end().offer() == Code::ok);
  auto ticket = queue->queue().issue_ticket(moved.b.end().segment(), 1);
  REQUIRE(ticket.ok());
  REQUIRE(queue->put(1) == Code::ok);
  moved.b.end().give_away();
  moved.b.close();
  SUBCASE("and then it is lost with whoever had the queue") {
    REQUIRE(queue->queue().unlink().code == Code::ok);
    CHECK_FALSE(directory.has("q"));
    CHECK_FALSE(moved.a.end().peer_gone(true));
    CHECK(interproc::ring::list(directory.open()).value().size() == 1);
    CHECK(interproc::ring::prune(directory.open(), false).value().empty());
    CHECK_FALSE(moved.a.end().peer_gone(true));
    SUBCASE("who closes it") { queue.reset(); }
    SUBCASE("who is killed") {
      // To everybody else it is dead; its object here is never destroyed.
      static Peer* dead = nullptr;
      dead = queue.release();
      auto& file = dead->queue().segment().file();
      for (std::uint64_t byte : {std::uint64_t{0}, interproc::memory::kAttachedByte})
        file.unlock(byte);
    }
  }
  SUBCASE("and one who is killed between the two names is finished by the next who comes") {
    kill_after([&] {
      interproc::platform::plan_fault(interproc::platform::FaultAction::kill, 1, "segment.kept");
      Peer victim(directory, "q", OpenMode::open);
      victim.queue().unlink();
    });
    CHECK(directory.has("q"));
    SUBCASE("to open it") {
      CHECK(Peer(directory, "q", OpenMode::open).error().code == Code::not_found);
      CHECK_FALSE(directory.has("q"));
      CHECK_FALSE(moved.a.end().peer_gone(true));
    }
    // An empty queue goes with its last one out, by whichever name.
    SUBCASE("to leave it") { CHECK(queue->take().id == 1); }
    queue.reset();
    CHECK(unlinked_in(directory) == 0);
  }
  CHECK(moved.a.end().peer_gone(true));
  moved.a.close();
  CHECK(tickets_in(directory) == 0);
  CHECK(interproc::ring::list(directory.open()).value().empty());
}

TEST_CASE("ends that are on their way in each other's messages, and nowhere else, are gone") {
  TestDirectory directory;
  PipePair x(directory, "x");
  PipePair y(directory, "y");
  Ticket in_y;
  Ticket in_x;
  REQUIRE(x.a.send(1) == Code::ok);
  PipePair z(directory, "z");
  Ticket in_z;
  // x.b goes through y to y.b, which goes through x to x.b.
  REQUIRE(y.a.send_end(1, x.b, in_y) == Code::ok);
  CHECK(can_arrive(x.a.bell(), in_y.object, 1));
  SUBCASE("or not, as long as one of them can still be had") {
    REQUIRE(z.a.send_end(1, y.b, in_z) == Code::ok);
    CHECK_FALSE(x.a.end().peer_gone(true));
    CHECK_FALSE(y.a.end().peer_gone(true));
    CHECK(z.b.receive() == 1);
    PipePeer y_again(directory);
    y_again.arrive("y", in_z);
    CHECK(y_again.receive() == 1);
    PipePeer x_again(directory);
    x_again.arrive("x", in_y);
    CHECK(x_again.receive() == 1);
    redeem(z.b.bell(), in_z.file_name());
    redeem(z.b.bell(), in_y.file_name());
    return;
  }
  SUBCASE("") {
    REQUIRE(x.a.send_end(2, y.b, in_x) == Code::ok);
    CHECK(x.a.end().peer_gone(true));
    CHECK(y.a.end().peer_gone(true));
    CHECK(tickets_in(directory) == 0);
  }
}

TEST_CASE("what was on its way to an end that is lost is lost too, however long the chain") {
  const Watchdog watchdog("chain", 60);
  TestDirectory directory;
  constexpr int kLength = 40;
  std::vector<std::unique_ptr<PipePair>> pairs;
  for (int i = 0; i < kLength; ++i)
    pairs.push_back(std::make_unique<PipePair>(directory, "p" + std::to_string(i)));
  std::vector<Ticket> tickets(kLength);
  for (std::size_t i = 0; i + 1 < kLength; ++i)
    REQUIRE(pairs[i + 1]->a.send_end(1, pairs[i]->b, tickets[i]) == Code::ok);
  CHECK(can_arrive(pairs[0]->a.bell(), tickets[0].object, 1));
  // The last of them dies, and its pipe says nothing about that yet.
  die(pairs.back()->b);
  CHECK_FALSE(can_arrive(pairs[0]->a.bell(), tickets[0].object, 1));
  CHECK(pairs[0]->a.end().peer_gone(true));
}

TEST_CASE("the look whether an end can arrive sees a message that is moved meanwhile") {
  TestDirectory directory;
  PipePair moved(directory, "m");
  Peer first(directory, "q", OpenMode::create);
  Peer second(directory, "r", OpenMode::create);
  REQUIRE(moved.b.end().offer() == Code::ok);
  const auto ticket = first.queue().issue_ticket(moved.b.end().segment(), 1).value();
  moved.b.end().give_away();
  moved.b.close();
  // As if the directory was read too early and too late: no ticket is seen at first.
  REQUIRE(directory.open().link_again(ticket.file_name(), "aside").code == Code::ok);
  REQUIRE(directory.open().remove(ticket.file_name()).code == Code::ok);
  Ticket copied = ticket;
  copied.carrier = second.queue().segment().identity();
  const OnceAt moment("carriage.surveyed", [&] {
    REQUIRE(directory.open().link_again("aside", copied.file_name()).code == Code::ok);
  });
  CHECK(can_arrive(moved.a.bell(), ticket.object, 1));
  CHECK(moment.ran());
}

TEST_CASE(
    "who cannot look gives no end up: without a descriptor it is not known that nothing carries "
    "it") {
  TestDirectory directory;
  PipePair moved(directory, "m");
  PipePair carrier(directory, "c");
  Ticket ticket;
  REQUIRE(carrier.a.send_end(9, moved.b, ticket) == Code::ok);
  // Every number of descriptors that are left, from none to enough.
  for (int left = 0; left < 8; ++left) {
    CAPTURE(left);
    scarcity.begin();
    for (int i = 0; i < left; ++i) scarcity.give_one_back();
    const bool gone = moved.a.end().peer_gone(true);
    scarcity.end();
    CHECK_FALSE(gone);
  }
  // Or others take them when the directory was read, each time.
  interproc::platform::observe_faults([](const char* name) {
    if (std::strcmp(name, "carriage.listed") == 0) scarcity.begin();
    if (std::strcmp(name, "carriage.surveyed") == 0) scarcity.end();
  });
  const bool gone = moved.a.end().peer_gone(true);
  interproc::platform::observe_faults(nullptr);
  scarcity.end();
  CHECK_FALSE(gone);
}

TEST_CASE("who has too few descriptors is told so, and the end is there when there are more") {
  TestDirectory directory;
  PipePair moved(directory, "m");
  PipePair carrier(directory, "c");
  Ticket ticket;
  REQUIRE(moved.b.send(1) == Code::ok);
  REQUIRE(carrier.a.send_end(9, moved.b, ticket) == Code::ok);
  int refused = 0;
  for (int left = 0;; ++left) {
    CAPTURE(left);
    REQUIRE(left < 32);
    PipePeer made(directory);
    PipePeer arrived(directory);
    scarcity.begin();
    for (int i = 0; i < left; ++i) scarcity.give_one_back();
    made.create("n", 0);
    made.close();
    arrived.arrive("m", ticket);
    const bool ok = arrived.ok();
    const Code code = arrived.error().code;
    const bool gone = !ok && moved.a.end().peer_gone(true);
    scarcity.end();
    CHECK_FALSE(gone);
    CHECK_FALSE(directory.has("n"));
    if (ok) {
      CHECK_FALSE(arrived.end().lost());
      CHECK(moved.a.send(2) == Code::ok);
      CHECK(arrived.receive() == 2);
      break;
    }
    CHECK(code == Code::system);
    ++refused;
  }
  CHECK(refused > 1);
  CHECK(moved.a.receive() == 1);
  redeem(carrier.b.bell(), ticket.file_name());
}

TEST_CASE("tickets in messages that nobody will read are redeemed, and keep nothing") {
  TestDirectory directory;
  PipePair carrier(directory, "c");
  {
    auto object =
        std::make_unique<Peer>(directory, "o", OpenMode::create,
                               interproc::test::Shape{.flags = interproc::memory::kAnonymous});
    REQUIRE(carrier.a.end().issue_ticket(object->queue().segment(), 0).ok());
    REQUIRE(carrier.b.end().issue_ticket(object->queue().segment(), 0).ok());
  }
  REQUIRE(directory.has("o"));
  REQUIRE(tickets_in(directory) == 2);
  SUBCASE("when their receiver closes, and only those to it") {
    carrier.b.close();
    CHECK(tickets_in(directory) == 1);
    CHECK(directory.has("o"));
  }
  SUBCASE("when its receiver is found dead") {
    die(carrier.b);
    CHECK(carrier.a.end().peer_gone(false));
    CHECK(tickets_in(directory) == 1);
    CHECK(directory.has("o"));
  }
  SUBCASE("when another takes the dead one's slot") {
    die(carrier.b);
    PipePeer third(directory);
    third.claim("c", 1);
    CHECK(tickets_in(directory) == 1);
  }
  carrier.a.close();
  CHECK(tickets_in(directory) == 0);
  CHECK_FALSE(directory.has("o"));
}

// --- what a header may say --------------------------------------------------------------------------------------------

TEST_CASE("a pipe has no more participants and no larger rings than its words can tell") {
  TestDirectory directory;
  PipePeer peer(directory);
  Header header = pipe_header();
  header.max_participants = interproc::memory::kMaxPipeParticipants + 1;
  peer.create("p", 0, header);
  CHECK(peer.error().code == Code::argument);
  header = pipe_header();
  header.blocks_shift = 18;
  header.block_shift = 13;
  peer.create("p", 0, header);
  CHECK(peer.error().code == Code::argument);
  CHECK_FALSE(directory.has("p"));
}
