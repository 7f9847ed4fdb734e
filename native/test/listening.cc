// Who listens under a name, who waits there, and what becomes of the name when the listener dies.

#include "ring/listening.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "platform/clock.h"
#include "ring/abandoned.h"
#include "ring/catalog.h"
#include "test/once_at.h"
#include "test/peer.h"
#include "test/shape.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::Error;
using interproc::memory::Kind;
using interproc::memory::OpenMode;
using interproc::ring::Queue;
using interproc::ring::Taken;
using interproc::sync::kPut;
using interproc::test::header_of;
using interproc::test::OnceAt;
using interproc::test::Peer;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::Watchdog;

namespace {

using Names = std::vector<std::string>;

interproc::memory::Header listener_header(std::uint32_t backlog) {
  auto header = header_of({.kind = Kind::listener, .max_items = backlog, .max_participants = 16});
  header.state_bytes = 65'536;
  header.parameter = 1 << 20;
  return header;
}

// One environment that listens under a name, or waits there.
class Party {
 public:
  explicit Party(const TestDirectory& directory) : bell_(directory.open()) {}

  Code listen(const std::string& name = "door", std::uint32_t backlog = 4) {
    return keep(interproc::ring::listen(bell_, name, listener_header(backlog)));
  }
  Code connect(const std::string& name = "door") {
    return keep(interproc::ring::open_backlog(bell_, name));
  }
  Code put() {
    const std::byte bytes[8] = {};
    return queue_->put(bytes, sizeof bytes);
  }
  Code take() {
    std::byte bytes[64];
    Taken taken;
    return queue_->take(bytes, sizeof bytes, taken);
  }
  Queue& queue() { return *queue_; }
  interproc::sync::Doorbell& bell() { return bell_; }
  void close() { queue_.reset(); }

 private:
  Code keep(interproc::Result<std::unique_ptr<Queue>> opened) {
    const Code code = opened.error().code;
    if (opened.ok()) queue_ = std::move(opened.value());
    return code;
  }

  interproc::sync::Doorbell bell_;
  std::unique_ptr<Queue> queue_;
};

// Another process does this, says so, and waits to be killed.
class Killable {
 public:
  explicit Killable(const std::function<void()>& work) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    process_ = fork();
    if (process_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      work();
      [[maybe_unused]] const auto written = write(ends[1], "!", 1);
      for (;;) pause();
    }
    char ready = 0;
    ::close(ends[1]);
    REQUIRE(read(ends[0], &ready, 1) == 1);
    ::close(ends[0]);
  }
  ~Killable() { kill(); }
  void kill() {
    if (process_ == 0) return;
    ::kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    process_ = 0;
  }

 private:
  pid_t process_ = 0;
};

// A listener in another process, still alive.
Killable listener_in(const TestDirectory& directory) {
  return Killable([&] {
    auto* listener = new Party(directory);
    if (listener->listen() != Code::ok) _exit(1);
  });
}

Names without_bells(const TestDirectory& directory) {
  Names names = directory.names();
  std::erase_if(names, [](const std::string& name) { return name.starts_with("~bell-"); });
  return names;
}

}  // namespace

TEST_CASE("one listens under a name at a time; others find him there") {
  TestDirectory directory;
  Party listener(directory);
  Party other(directory);
  CHECK(other.connect() == Code::not_found);
  REQUIRE(listener.listen() == Code::ok);
  CHECK(other.listen() == Code::exists);
  REQUIRE(other.connect() == Code::ok);
  CHECK(listener.queue().listens());
  CHECK(other.queue().listens());
  CHECK(other.put() == Code::ok);
  CHECK(listener.take() == Code::ok);
  listener.close();
  CHECK_FALSE(other.queue().listens());
}

TEST_CASE("names are of one space with all other kinds") {
  TestDirectory directory;
  Peer queue(directory, "q", OpenMode::create);
  Party party(directory);
  CHECK(party.listen("q") == Code::exists);
  CHECK(party.connect("q") == Code::kind);
  REQUIRE(party.listen("door") == Code::ok);
  CHECK(Peer(directory, "door", OpenMode::create).error().code == Code::exists);
  CHECK(Peer(directory, "door", OpenMode::open).error().code == Code::kind);
}

TEST_CASE("the maker has slot 0, and nobody else ever has") {
  TestDirectory directory;
  Party listener(directory);
  REQUIRE(listener.listen() == Code::ok);
  Party first(directory);
  Party second(directory);
  REQUIRE(first.connect() == Code::ok);
  listener.close();
  // The slot is vacant now; the name goes on being nobody's while the first is there.
  CHECK_FALSE(first.queue().listens());
  CHECK(second.connect() == Code::not_found);
  CHECK_FALSE(first.queue().listens());
}

TEST_CASE("a listener holds no more than its backlog") {
  TestDirectory directory;
  Party listener(directory);
  REQUIRE(listener.listen("door", 2) == Code::ok);
  Party client(directory);
  REQUIRE(client.connect() == Code::ok);
  CHECK(client.put() == Code::ok);
  CHECK(client.put() == Code::ok);
  CHECK(client.put() == Code::full);
  CHECK(listener.take() == Code::ok);
  CHECK(client.put() == Code::ok);
}

TEST_CASE("nothing stays for those that were waiting") {
  TestDirectory directory;
  Party client(directory);
  {
    Party listener(directory);
    REQUIRE(listener.listen() == Code::ok);
    REQUIRE(client.connect() == Code::ok);
    REQUIRE(client.put() == Code::ok);
  }
  CHECK(without_bells(directory) == Names{"door"});
  client.close();
  CHECK(without_bells(directory).empty());
}

TEST_CASE("a killed listener is as if it were not there") {
  TestDirectory directory;
  Killable dead = listener_in(directory);
  dead.kill();
  Party party(directory);
  SUBCASE("for who wants to connect, who removes what is left of it") {
    CHECK(party.connect() == Code::not_found);
    CHECK(without_bells(directory).empty());
  }
  SUBCASE("for the next one") {
    REQUIRE(party.listen() == Code::ok);
    CHECK(party.queue().listens());
  }
  SUBCASE("for another kind of object") {
    auto made = interproc::ring::open_past_abandoned(party.bell(), "door", Kind::mpmc, [&] {
      return Queue::open(party.bell(), "door", OpenMode::create, header_of({}));
    });
    CHECK(made.ok());
  }
  SUBCASE("for prune") {
    auto removed = interproc::ring::prune(directory.open(), false);
    REQUIRE(removed.ok());
    CHECK(removed.value() == Names{"door"});
  }
}

TEST_CASE("a name is taken over from a killed listener while others are attached to it") {
  TestDirectory directory;
  Killable dead = listener_in(directory);
  Party waiting(directory);
  REQUIRE(waiting.connect() == Code::ok);
  REQUIRE(waiting.put() == Code::ok);
  dead.kill();
  CHECK_FALSE(waiting.queue().listens());
  CHECK(Party(directory).connect() == Code::not_found);

  Party next(directory);
  REQUIRE(next.listen() == Code::ok);
  CHECK(waiting.queue().ended());
  CHECK_FALSE(waiting.queue().listens());
  CHECK(next.take() == Code::empty);
  Party client(directory);
  REQUIRE(client.connect() == Code::ok);
  REQUIRE(client.put() == Code::ok);
  // What is left of the dead one takes nothing with it.
  waiting.close();
  CHECK(without_bells(directory) == Names{"door"});
  CHECK(next.take() == Code::ok);
  client.close();
  next.close();
  CHECK(without_bells(directory).empty());
}

TEST_CASE("of two that take a name over at once, one has it, and the other is told") {
  for (const char* point : {"listener.name_taken", "listener.deserted", "listener.unlinked"}) {
    CAPTURE(point);
    TestDirectory directory;
    Killable dead = listener_in(directory);
    Party waiting(directory);
    REQUIRE(waiting.connect() == Code::ok);
    dead.kill();
    Party slow(directory);
    Party quick(directory);
    Code of_quick = Code::ok;
    OnceAt once(point, [&] { of_quick = quick.listen(); });
    const Code of_slow = slow.listen();
    REQUIRE(once.ran());
    CHECK(of_quick == Code::ok);
    CHECK(of_slow == Code::exists);
    CHECK(quick.queue().listens());
    CHECK(Party(directory).connect() == Code::ok);
  }
}

TEST_CASE("who waits for room is rung when the listener closes, and when another takes its name") {
  Watchdog watchdog("a client that waits for room");
  TestDirectory directory;
  Party client(directory);
  SUBCASE("closes") {
    Party listener(directory);
    REQUIRE(listener.listen("door", 1) == Code::ok);
    REQUIRE(client.connect() == Code::ok);
    REQUIRE(client.put() == Code::ok);
    REQUIRE(client.put() == Code::full);
    REQUIRE_FALSE(client.queue().arm(kPut, 7));
    listener.close();
    CHECK(client.queue().answer(kPut, false));
    CHECK(client.put() == Code::ended);
  }
  SUBCASE("is killed, which a slow look finds") {
    Killable dead = Killable([&] {
      auto* listener = new Party(directory);
      if (listener->listen("door", 1) != Code::ok) _exit(1);
    });
    REQUIRE(client.connect() == Code::ok);
    REQUIRE(client.put() == Code::ok);
    REQUIRE(client.put() == Code::full);
    REQUIRE_FALSE(client.queue().arm(kPut, 7));
    CHECK_FALSE(client.queue().answer(kPut, true));
    dead.kill();
    CHECK(client.queue().answer(kPut, true));
    CHECK_FALSE(client.queue().listens());
  }
}

TEST_CASE("a header whose pipes nobody could make is refused") {
  TestDirectory directory;
  interproc::sync::Doorbell bell(directory.open());
  auto header = listener_header(4);
  SUBCASE("too small") { header.state_bytes = 1; }
  SUBCASE("too large") { header.state_bytes = interproc::memory::kMaxCapacity * 2; }
  SUBCASE("no message fits") { header.parameter = 0; }
  SUBCASE("absurd messages") { header.parameter = interproc::memory::kMaxMessage + 1; }
  CHECK(interproc::ring::listen(bell, "door", header).error().code == Code::argument);
}

TEST_CASE("list calls it by its kind, and counts who waits") {
  TestDirectory directory;
  Party listener(directory);
  REQUIRE(listener.listen() == Code::ok);
  Party client(directory);
  REQUIRE(client.connect() == Code::ok);
  REQUIRE(client.put() == Code::ok);
  auto entries = interproc::ring::list(directory.open());
  REQUIRE(entries.ok());
  REQUIRE(entries.value().size() == 1);
  CHECK(entries.value()[0].kind == Kind::listener);
  CHECK(entries.value()[0].size == 1);
  CHECK(entries.value()[0].participants == 2);
  CHECK_FALSE(entries.value()[0].anonymous);
}
