// Whether all messages are finished, as join() wants to know it: never while one is not, wherever it is on its way, and
// whatever the others do during the look.

#include <doctest/doctest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "platform/fault.h"
#include "test/once_at.h"
#include "test/peer.h"
#include "test/random.h"
#include "test/scale.h"
#include "test/test_directory.h"
#include "test/two.h"

using interproc::Code;
using interproc::memory::OpenMode;
using interproc::sync::kJoin;
using interproc::test::Got;
using interproc::test::OnceAt;
using interproc::test::Peer;
using interproc::test::Random;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::times;
using interproc::test::Two;

namespace {

// At every step of what this thread does, something else happens.
class AtEveryStep {
 public:
  explicit AtEveryStep(std::function<void()> other) {
    other_ = std::move(other);
    interproc::platform::observe_faults([](const char*) {
      if (std::exchange(running_, true)) return;
      other_();
      running_ = false;
    });
  }
  ~AtEveryStep() { interproc::platform::observe_faults(nullptr); }
  AtEveryStep(const AtEveryStep&) = delete;
  AtEveryStep& operator=(const AtEveryStep&) = delete;

 private:
  static inline thread_local std::function<void()> other_;
  static inline thread_local bool running_ = false;
};

// Participants of one queue that do things at random, and what is unfinished by the plainest possible account.
class Office {
 public:
  static constexpr std::size_t kWorkers = 3;

  explicit Office(Random& random) : random_(random) {
    joiner_ = std::make_unique<Peer>(directory_, "q", OpenMode::create, Shape{.max_items = 4});
    for (Worker& worker : workers_) open(worker);
  }

  interproc::ring::Queue& joiner() { return joiner_->queue(); }

  std::uint64_t unfinished() const {
    std::uint64_t sum = waiting_;
    for (const Worker& worker : workers_) sum += worker.held.size() + worker.tasks;
    return sum;
  }

  void act() {
    Worker& worker = workers_[random_.below(kWorkers)];
    interproc::ring::Queue& queue = worker.peer->queue();
    switch (random_.below(12)) {
      case 0:
      case 1:
        if (worker.peer->put(++sequence_, 8 + random_.below(150)) == Code::ok) ++waiting_;
        return;
      case 2:
      case 3:
        return taken(worker, worker.peer->take());
      case 4:
        return taken(worker, worker.peer->take_another());
      case 5: {
        const Got got = worker.peer->receive();
        if (got.code != Code::ok) return;
        --waiting_;
        worker.held.push_back(got.taken.receipt);
        return;
      }
      case 6:
      case 7:
      case 8:
        return settle(worker, random_.below(3));
      case 9:
      case 10:
        CHECK(queue.task_done() == (worker.tasks > 0 ? Code::ok : Code::not_owner));
        if (worker.tasks > 0) --worker.tasks;
        return;
      default:
        if (!random_.one_in(4)) return;
        worker.peer.reset();
        waiting_ += worker.held.size();
        worker.held.clear();
        worker.tasks = 0;
        open(worker);
    }
  }

 private:
  struct Worker {
    std::unique_ptr<Peer> peer;
    std::vector<double> held;
    std::uint64_t tasks = 0;
  };

  void open(Worker& worker) {
    worker.peer = std::make_unique<Peer>(directory_, "q", OpenMode::open);
    REQUIRE(worker.peer->ok());
  }
  void taken(Worker& worker, const Got& got) {
    if (got.code != Code::ok) return;
    --waiting_;
    ++worker.tasks;
  }
  void settle(Worker& worker, std::uint64_t how) {
    if (worker.held.empty()) return;
    const std::size_t i = random_.below(worker.held.size());
    const double receipt = worker.held[i];
    worker.held.erase(worker.held.begin() + static_cast<std::ptrdiff_t>(i));
    interproc::ring::Queue& queue = worker.peer->queue();
    if (how == 0) {
      CHECK(queue.ack(receipt) == Code::ok);
    } else if (how == 1) {
      CHECK(queue.nack(receipt) == Code::ok);
      ++waiting_;
    } else {
      CHECK(queue.ack_as_taken(receipt) == Code::ok);
      ++worker.tasks;
    }
  }

  Random& random_;
  TestDirectory directory_;
  std::unique_ptr<Peer> joiner_;
  std::array<Worker, kWorkers> workers_;
  std::uint64_t waiting_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace

TEST_CASE("an empty queue is finished, and one whose messages were all done or acknowledged") {
  Two two;
  CHECK(two.a.queue().finished());
  REQUIRE(two.a.put(1) == Code::ok);
  REQUIRE(two.a.put(2) == Code::ok);
  CHECK_FALSE(two.a.queue().finished());
  REQUIRE(two.b.take().id == 1);
  const Got held = two.b.receive();
  REQUIRE(held.id == 2);
  CHECK_FALSE(two.a.queue().finished());
  CHECK(two.b.queue().task_done() == Code::ok);
  CHECK_FALSE(two.a.queue().finished());
  CHECK(two.b.queue().ack(held.taken.receipt) == Code::ok);
  CHECK(two.a.queue().finished());
  CHECK(two.b.queue().finished());
}

TEST_CASE("task_done is for what this participant took, once each") {
  Two two;
  CHECK(two.a.queue().task_done() == Code::not_owner);
  REQUIRE(two.a.put(1) == Code::ok);
  REQUIRE(two.b.take().id == 1);
  CHECK(two.a.queue().task_done() == Code::not_owner);
  CHECK(two.b.queue().task_done() == Code::ok);
  CHECK(two.b.queue().task_done() == Code::not_owner);
  CHECK(two.b.queue().ack_as_taken(7) == Code::not_owner);
  CHECK(two.b.queue().task_done() == Code::not_owner);
}

TEST_CASE("what a participant has not done when it closes is nobody's, and not its successor's") {
  Two two;
  REQUIRE(two.a.put(1) == Code::ok);
  REQUIRE(two.b.take().id == 1);
  CHECK_FALSE(two.a.queue().finished());
  two.b.close();
  CHECK(two.a.queue().finished());
  Peer successor(two.directory, "q", OpenMode::open);
  CHECK(two.a.queue().finished());
  CHECK(successor.queue().task_done() == Code::not_owner);
  REQUIRE(two.a.put(2) == Code::ok);
  REQUIRE(successor.take().id == 2);
  CHECK_FALSE(two.a.queue().finished());
  CHECK(successor.queue().task_done() == Code::ok);
  CHECK(two.a.queue().finished());
}

TEST_CASE(
    "what the dead had not done is nobody's, at every step of the one who takes their place") {
  for (const char* point : {"registry.alone", "registry.named", "registry.locked", "registry.swept",
                            "registry.joined", "tasks.cleared"}) {
    CAPTURE(std::string(point));
    Two two;
    REQUIRE(two.a.put(1) == Code::ok);
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
      // The descriptors of the living hold their locks.
      syscall(SYS_close_range, 3u, ~0u, 0u);
      Peer dying(two.directory, "q", OpenMode::open);
      _exit(dying.ok() && dying.take().id == 1 && !dying.queue().finished() ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    REQUIRE(WIFEXITED(status));
    REQUIRE(WEXITSTATUS(status) == 0);
    CHECK(two.a.queue().finished());
    const OnceAt moment(point, [&] { CHECK(two.a.queue().finished()); });
    Peer successor(two.directory, "q", OpenMode::open);
    CHECK(moment.ran());
    CHECK(successor.queue().task_done() == Code::not_owner);
    CHECK(two.a.queue().finished());
  }
}

TEST_CASE("who joins is rung when the last message is finished, and not before") {
  Two two;
  REQUIRE(two.a.bell().hang().code == Code::ok);
  const auto is_rung_by = [&](const std::function<void()>& act) {
    std::uint32_t tokens[interproc::sync::Doorbell::kDrainBytes / sizeof(std::uint32_t)];
    bool overflow = false;
    act();
    return two.a.bell().drain(tokens, overflow) > 0;
  };
  CHECK(two.a.queue().arm(kJoin, 1));  // nothing to wait for
  REQUIRE(two.a.put(1) == Code::ok);
  REQUIRE(two.a.put(2) == Code::ok);
  REQUIRE_FALSE(two.a.queue().arm(kJoin, 1));
  CHECK_FALSE(two.a.queue().answer(kJoin, true));
  CHECK_FALSE(is_rung_by([&] { REQUIRE(two.b.take().id == 1); }));
  CHECK_FALSE(is_rung_by([&] { two.b.queue().task_done(); }));
  SUBCASE("by task_done") {
    CHECK_FALSE(is_rung_by([&] { REQUIRE(two.b.take().id == 2); }));
    CHECK(is_rung_by([&] { two.b.queue().task_done(); }));
  }
  SUBCASE("by ack") {
    double receipt = 0;
    CHECK_FALSE(is_rung_by([&] { receipt = two.b.receive().taken.receipt; }));
    CHECK(is_rung_by([&] { two.b.queue().ack(receipt); }));
  }
  SUBCASE("by closing") {
    CHECK_FALSE(is_rung_by([&] { REQUIRE(two.b.take().id == 2); }));
    CHECK(is_rung_by([&] { two.b.close(); }));
  }
  CHECK(two.a.queue().answer(kJoin, false));
  CHECK_FALSE(two.a.queue().armed(kJoin));
}

TEST_CASE("all who join are rung") {
  Two two;
  Peer third(two.directory, "q", OpenMode::open);
  REQUIRE(two.a.put(1) == Code::ok);
  REQUIRE(two.a.take().id == 1);
  for (Peer* peer : {&two.a, &two.b, &third}) {
    REQUIRE(peer->bell().hang().code == Code::ok);
    REQUIRE_FALSE(peer->queue().arm(kJoin, 1));
  }
  CHECK(two.a.queue().task_done() == Code::ok);
  for (Peer* peer : {&two.a, &two.b, &third}) CHECK(peer->queue().answer(kJoin, false));
  CHECK(two.b.queue().stats().wakes == 3);
}

TEST_CASE("whatever is done in whatever order, it is finished exactly when nothing is unfinished") {
  Random random(interproc::test::seed_for("joining, by turns"));
  for (std::uint64_t round = 0; round < times(200, 20, 5'000); ++round) {
    Office office(random);
    for (int turn = 0; turn < 200; ++turn) {
      office.act();
      REQUIRE(office.joiner().finished() == (office.unfinished() == 0));
    }
  }
}

TEST_CASE("a look during which others act finds all finished only if there was such a moment") {
  Random random(interproc::test::seed_for("joining, others within the look"));
  std::uint64_t finished = 0;
  std::uint64_t moments = 0;
  for (std::uint64_t round = 0; round < times(400, 20, 10'000); ++round) {
    Office office(random);
    for (int turn = 0; turn < 100; ++turn) {
      office.act();
      bool was_finished = office.unfinished() == 0;
      bool says = false;
      {
        const AtEveryStep others([&] {
          for (std::uint64_t acts = random.below(4); acts > 0; --acts) {
            office.act();
            was_finished = was_finished || office.unfinished() == 0;
          }
        });
        says = office.joiner().finished();
      }
      if (says) REQUIRE(was_finished);
      finished += says ? 1 : 0;
      moments += was_finished ? 1 : 0;
    }
  }
  MESSAGE("finished " << finished << " times of " << moments);
  CHECK(finished > 0);
}

TEST_CASE("a look in the middle of what another does never finds finished what is not") {
  Random random(interproc::test::seed_for("joining, a look within what others do"));
  std::uint64_t looks = 0;
  for (std::uint64_t round = 0; round < times(200, 10, 5'000); ++round) {
    Office office(random);
    for (int turn = 0; turn < 200; ++turn) {
      const bool before = office.unfinished() == 0;
      bool says = false;
      {
        const AtEveryStep look([&] {
          ++looks;
          says = office.joiner().finished() || says;
        });
        office.act();
      }
      if (says) REQUIRE((before || office.unfinished() == 0));
    }
  }
  CHECK(looks > 0);
}

TEST_CASE("who holds a lease has something unfinished that a join would wait for") {
  Two two;
  CHECK_FALSE(two.a.queue().has_unfinished());
  interproc::ring::Leased slot;
  REQUIRE(two.a.reserve(1, 64, 64, slot) == Code::ok);
  CHECK_FALSE(two.a.queue().finished());
  CHECK(two.a.queue().has_unfinished());
  CHECK_FALSE(two.b.queue().has_unfinished());
  REQUIRE(two.a.queue().commit(slot.lease, 64) == Code::ok);
  CHECK_FALSE(two.a.queue().has_unfinished());
  for (bool returned : {false, true}) {
    CAPTURE(returned);
    const Got got = two.b.peek();
    REQUIRE(got.code == Code::ok);
    CHECK_FALSE(two.b.queue().finished());
    CHECK(two.b.queue().has_unfinished());
    REQUIRE((returned ? two.b.queue().release(got.taken.receipt)
                      : two.b.queue().abandon(got.taken.receipt)) == Code::ok);
    CHECK_FALSE(two.b.queue().has_unfinished());
  }
  CHECK(two.a.queue().finished());
}
