#include "sync/waiters.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "platform/clock.h"
#include "test/bare_segment.h"
#include "test/once_at.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::memory::OpenMode;
using interproc::memory::Owner;
using interproc::memory::Registry;
using interproc::sync::Doorbell;
using interproc::sync::kPut;
using interproc::sync::kTake;
using interproc::sync::next_epoch;
using interproc::sync::Side;
using interproc::sync::state_of;
using interproc::sync::Waiters;
using interproc::sync::WaitState;
using interproc::sync::with_state;
using interproc::test::BareSegment;
using interproc::test::header_of;
using interproc::test::OnceAt;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::Watchdog;

namespace {

constexpr std::int64_t kFarNs = 600'000'000'000;

// A participant that can wait and ring, with an environment of its own.
class Party {
 public:
  Party(const TestDirectory& directory, OpenMode mode, std::uint32_t slot,
        std::uint32_t participants = 8)
      : opened_(directory.open()),
        bare_(BareSegment::open(opened_, "bare", mode,
                                header_of({.max_participants = participants}))),
        registry_(bare_->segment()),
        bell_(directory.open()),
        waiters_(bare_->segment(), registry_, bell_) {
    joined_ =
        registry_.join(slot, slot + 1, [this](Owner last) { waiters_.forget(last.slot); }).code ==
        interproc::Code::ok;
  }
  ~Party() { registry_.leave(); }

  Waiters* operator->() { return &waiters_; }
  Registry& registry() { return registry_; }
  Doorbell& bell() { return bell_; }
  bool joined() const { return joined_; }
  std::atomic<std::uint64_t>& word(Side side) { return registry_.self_slot().wait[side]; }
  WaitState state(Side side = kTake) { return state_of(word(side).load()); }
  bool listed(Side side = kTake) {
    const std::uint32_t slot = registry_.self().slot;
    return (bare_->control().listed[side][slot / 64].load() >> (slot % 64) & 1) != 0;
  }
  void need(std::uint32_t blocks) { registry_.self_slot().need.store(blocks); }
  void token(std::uint32_t token) { registry_.self_slot().token.store(token); }
  std::vector<std::uint32_t> heard() {
    std::vector<std::uint32_t> tokens(Doorbell::kDrainBytes / 4);
    bool overflow = false;
    tokens.resize(bell_.drain(tokens.data(), overflow));
    return tokens;
  }

 private:
  interproc::platform::Directory opened_;
  std::unique_ptr<BareSegment> bare_;
  Registry registry_;
  Doorbell bell_;
  Waiters waiters_;
  bool joined_ = false;
};

struct Scene {
  Scene() : ringer(directory, OpenMode::create, 7) {}
  TestDirectory directory;
  Party ringer;
};

// Arms in a process of its own that is then killed.
void arm_and_die(const TestDirectory& directory, std::uint32_t slot, bool bell) {
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    Party party(directory, OpenMode::open, slot);
    party.bell().hang();
    bell ? party->arm_bell(kTake) : party->arm_futex(kTake);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
}

}  // namespace

TEST_CASE("arming lists the waiter under a new epoch, disarming takes it off") {
  Scene scene;
  Party waiter(scene.directory, OpenMode::open, 0);
  CHECK(waiter.state() == WaitState::awake);
  CHECK_FALSE(scene.ringer->anyone(kTake));
  std::uint64_t last = waiter.word(kTake).load();
  for (int i = 0; i < 3; ++i) {
    waiter->arm_futex(kTake);
    CHECK(waiter.state() == WaitState::armed_futex);
    CHECK(waiter.listed());
    CHECK(scene.ringer->anyone(kTake));
    CHECK_FALSE(scene.ringer->anyone(kPut));
    CHECK((waiter.word(kTake).load() >> 3) == (last >> 3) + 1);
    last = waiter.word(kTake).load();
    CHECK_FALSE(waiter->disarm(kTake));
    CHECK(waiter.state() == WaitState::awake);
    CHECK_FALSE(waiter.listed());
    CHECK_FALSE(scene.ringer->anyone(kTake));
  }
}

TEST_CASE("a ring marks an armed waiter, and the waiter learns of it when it disarms") {
  Scene scene;
  Party waiter(scene.directory, OpenMode::open, 0);
  REQUIRE(waiter.bell().hang().code == interproc::Code::ok);
  waiter.token(42);
  for (bool bell : {false, true}) {
    CAPTURE(bell);
    bell ? waiter->arm_bell(kTake) : waiter->arm_futex(kTake);
    scene.ringer->wake(kTake, 1);
    CHECK(waiter.state() == WaitState::rung);
    CHECK(waiter.listed());
    CHECK(waiter.heard() == (bell ? std::vector<std::uint32_t>{42} : std::vector<std::uint32_t>{}));
    CHECK(waiter->disarm(kTake));
    CHECK_FALSE(waiter->disarm(kTake));
  }
}

TEST_CASE("a ring of one side leaves the other alone") {
  Scene scene;
  Party waiter(scene.directory, OpenMode::open, 0);
  waiter->arm_futex(kTake);
  waiter->arm_futex(kPut);
  scene.ringer->wake(kPut, 1);
  CHECK(waiter.state(kTake) == WaitState::armed_futex);
  CHECK(waiter.state(kPut) == WaitState::rung);
  CHECK_FALSE(waiter->disarm(kTake));
  CHECK(waiter->disarm(kPut));
}

TEST_CASE("one who is awake or has been rung is passed over for the next") {
  Scene scene;
  Party first(scene.directory, OpenMode::open, 0);
  Party second(scene.directory, OpenMode::open, 1);
  Party third(scene.directory, OpenMode::open, 2);
  for (Party* party : {&first, &second, &third}) (*party)->arm_futex(kTake);
  scene.ringer->wake(kTake, 1);
  scene.ringer->wake(kTake, 1);
  int rung = 0;
  for (Party* party : {&first, &second, &third}) rung += party->state() == WaitState::rung ? 1 : 0;
  CHECK(rung == 2);
  scene.ringer->wake(kTake, 5);
  for (Party* party : {&first, &second, &third}) CHECK((*party)->disarm(kTake));
}

TEST_CASE("exactly as many are rung as were asked for") {
  for (std::uint32_t count : {0u, 1u, 3u, 6u}) {
    Scene scene;
    std::vector<std::unique_ptr<Party>> waiters;
    for (std::uint32_t i = 0; i < 6; ++i) {
      waiters.push_back(std::make_unique<Party>(scene.directory, OpenMode::open, i));
      (*waiters.back())->arm_futex(kTake);
    }
    scene.ringer->wake(kTake, count);
    std::uint32_t rung = 0;
    for (auto& waiter : waiters) rung += (*waiter)->disarm(kTake) ? 1u : 0u;
    CHECK(rung == count);
  }
}

TEST_CASE("wake_all rings everybody") {
  Scene scene;
  std::vector<std::unique_ptr<Party>> waiters;
  for (std::uint32_t i = 0; i < 6; ++i) {
    waiters.push_back(std::make_unique<Party>(scene.directory, OpenMode::open, i));
    (*waiters.back())->arm_futex(kPut);
    waiters.back()->need(1'000'000);
  }
  scene.ringer->wake_all(kPut);
  for (auto& waiter : waiters) CHECK((*waiter)->disarm(kPut));
}

TEST_CASE("everybody gets its turn") {
  Scene scene;
  std::vector<std::unique_ptr<Party>> waiters;
  std::vector<int> turns(6);
  for (std::uint32_t i = 0; i < 6; ++i) {
    waiters.push_back(std::make_unique<Party>(scene.directory, OpenMode::open, i));
    (*waiters.back())->arm_futex(kTake);
  }
  for (int round = 0; round < 60; ++round) {
    scene.ringer->wake(kTake, 1);
    for (std::size_t i = 0; i < waiters.size(); ++i) {
      if (!(*waiters[i])->disarm(kTake)) continue;
      ++turns[i];
    }
    for (auto& waiter : waiters) (*waiter)->arm_futex(kTake);
  }
  for (int turn : turns) CHECK(turn == 10);
}

TEST_CASE("only those are rung for room whose record fits, and the room is used up") {
  Scene scene;
  Party large(scene.directory, OpenMode::open, 0);
  Party small(scene.directory, OpenMode::open, 1);
  Party other(scene.directory, OpenMode::open, 2);
  large.need(10);
  small.need(2);
  other.need(3);
  for (Party* party : {&large, &small, &other}) (*party)->arm_futex(kPut);
  scene.ringer->wake(kPut, ~0u, 4);
  CHECK(large.state(kPut) == WaitState::armed_futex);
  CHECK((small.state(kPut) == WaitState::rung) != (other.state(kPut) == WaitState::rung));
  scene.ringer->wake(kPut, ~0u, 15);
  CHECK(large.state(kPut) == WaitState::rung);
  CHECK(small.state(kPut) == WaitState::rung);
  CHECK(other.state(kPut) == WaitState::rung);
}

TEST_CASE("sleepers in every part of the bitmap are found from everywhere") {
  TestDirectory directory;
  Party ringer(directory, OpenMode::create, 130, 256);
  for (std::uint32_t slot : {0u, 1u, 63u, 64u, 65u, 127u, 128u, 191u, 192u, 254u, 255u}) {
    CAPTURE(slot);
    Party waiter(directory, OpenMode::open, slot, 256);
    REQUIRE(waiter.joined());
    for (int i = 0; i < 3; ++i) {
      waiter->arm_futex(kTake);
      ringer->wake(kTake, 1);
      CHECK(waiter->disarm(kTake));
    }
  }
}

TEST_CASE("a number of participants that is no multiple of a bitmap word leaves nobody out") {
  for (std::uint32_t participants : {1u, 3u, 63u, 64u, 65u, 100u, 129u}) {
    CAPTURE(participants);
    TestDirectory directory;
    Party waiter(directory, OpenMode::create, participants - 1, participants);
    for (std::uint32_t i = 0; i < 5; ++i) {
      waiter->arm_futex(kTake);
      // Its own ring counts too: a participant has two sides.
      waiter->wake(kTake, 1);
      CHECK(waiter->disarm(kTake));
    }
  }
}

TEST_CASE("RINGING is served like RUNG: its ringer may have been killed before it rang") {
  Scene scene;
  Party waiter(scene.directory, OpenMode::open, 0);
  for (WaitState ringing : {WaitState::ringing_futex, WaitState::ringing_bell}) {
    ringing == WaitState::ringing_futex ? waiter->arm_futex(kTake) : waiter->arm_bell(kTake);
    waiter.word(kTake).store(with_state(waiter.word(kTake).load(), ringing));
    CHECK(waiter->disarm(kTake));
  }
}

TEST_CASE("whoever meets RINGING rings again, and goes on to the next") {
  Scene scene;
  Party first(scene.directory, OpenMode::open, 0);
  Party second(scene.directory, OpenMode::open, 1);
  REQUIRE(first.bell().hang().code == interproc::Code::ok);
  first.token(9);
  first->arm_bell(kTake);
  second->arm_futex(kTake);
  // Killed between its two CASes, before it rang.
  first.word(kTake).store(with_state(first.word(kTake).load(), WaitState::ringing_bell));
  scene.ringer->wake(kTake, 1);
  CHECK(first.heard() == std::vector<std::uint32_t>{9});
  CHECK(second.state() == WaitState::rung);
  CHECK(first->disarm(kTake));
}

TEST_CASE("a sleeper is woken by whoever meets its RINGING") {
  const Watchdog watchdog("sleeper behind RINGING");
  Scene scene;
  std::atomic<int> step{0};
  std::thread sleeping([&] {
    Party waiter(scene.directory, OpenMode::open, 0);
    waiter->arm_futex(kTake);
    step = 1;
    // As if a ringer had marked it and died: the word changes under the sleeper, the kernel does not wake it.
    waiter->sleep(kTake, interproc::platform::now_ns() + kFarNs);
    CHECK(waiter->disarm(kTake));
  });
  while (step < 1) std::this_thread::yield();
  // It may or may not be asleep yet; both must end.
  interproc::platform::sleep_ns(20'000'000);
  auto& word = scene.ringer.registry().slot(0).wait[kTake];
  word.store(with_state(word.load(), WaitState::ringing_futex));
  scene.ringer->wake(kTake, 1);
  sleeping.join();
}

TEST_CASE("a late mark cannot reach a waiter that has armed anew") {
  Scene scene;
  Party waiter(scene.directory, OpenMode::open, 0);
  waiter->arm_futex(kTake);
  const OnceAt moment("wake.rang", [&] {
    // Served already; armed anew; and a second ringer has marked it and was killed before it rang.
    CHECK(waiter->disarm(kTake));
    waiter->arm_futex(kTake);
    waiter.word(kTake).store(with_state(waiter.word(kTake).load(), WaitState::ringing_futex));
  });
  scene.ringer->wake(kTake, 1);
  REQUIRE(moment.ran());
  CHECK(waiter.state() == WaitState::ringing_futex);
}

TEST_CASE("a waiter that disarms while it is being rung makes the ringer go on to the next") {
  Scene scene;
  Party first(scene.directory, OpenMode::open, 0);
  Party second(scene.directory, OpenMode::open, 1);
  first->arm_futex(kTake);
  second->arm_futex(kTake);
  const OnceAt moment("wake.ring", [&] { CHECK_FALSE(first->disarm(kTake)); });
  scene.ringer->wake(kTake, 1);
  REQUIRE(moment.ran());
  CHECK(second.state() == WaitState::rung);
  CHECK(first.state() == WaitState::awake);
}

TEST_CASE("a dead waiter's bell is noticed: the ring goes to the next, and the dead is unlisted") {
  Scene scene;
  arm_and_die(scene.directory, 0, true);
  Party living(scene.directory, OpenMode::open, 1);
  living->arm_futex(kTake);
  scene.ringer->wake(kTake, 1);
  CHECK(living.state() == WaitState::rung);
  living->disarm(kTake);
  CHECK_FALSE(scene.ringer->anyone(kTake));
}

TEST_CASE("a dead sleeper takes one ring with it, not two") {
  Scene scene;
  arm_and_die(scene.directory, 0, false);
  Party living(scene.directory, OpenMode::open, 1);
  living->arm_futex(kTake);
  scene.ringer->wake(kTake, 1);
  scene.ringer->wake(kTake, 1);
  CHECK(living.state() == WaitState::rung);
}

TEST_CASE("one who arms in the slot of a dead one just as that is unlisted is listed and rung") {
  Scene scene;
  arm_and_die(scene.directory, 0, true);
  std::unique_ptr<Party> newcomer;
  const OnceAt moment("wake.unlisting", [&] {
    newcomer = std::make_unique<Party>(scene.directory, OpenMode::open, 0);
    REQUIRE(newcomer->joined());
    (*newcomer)->arm_futex(kTake);
  });
  scene.ringer->wake(kTake, 1);
  REQUIRE(moment.ran());
  CHECK(newcomer->listed());
  CHECK((*newcomer)->disarm(kTake));
}

TEST_CASE("a bell that cannot be heard though its owner lives keeps its owner listed") {
  Scene scene;
  Party waiter(scene.directory, OpenMode::open, 0);
  // Armed for a bell that hangs nowhere.
  waiter->arm_bell(kTake);
  scene.ringer->wake(kTake, 1);
  CHECK(waiter.listed());
  CHECK(waiter->disarm(kTake));
}

TEST_CASE("a new user of a slot inherits neither its listing nor its bell") {
  Scene scene;
  arm_and_die(scene.directory, 0, true);
  REQUIRE(scene.directory.names().size() == 2);
  Party heir(scene.directory, OpenMode::open, 0);
  REQUIRE(heir.joined());
  CHECK_FALSE(heir.listed());
  CHECK(heir.state() == WaitState::awake);
  CHECK_FALSE(scene.ringer->anyone(kTake));
  CHECK(scene.directory.names() == std::vector<std::string>{"bare"});
}

TEST_CASE("a sleep ends at its deadline and not before it when nobody rings") {
  const Watchdog watchdog("sleep to a deadline");
  Scene scene;
  Party waiter(scene.directory, OpenMode::open, 0);
  for (std::int64_t span : {std::int64_t{-1'000'000}, std::int64_t{0}, std::int64_t{30'000'000}}) {
    waiter->arm_futex(kTake);
    const std::int64_t deadline = interproc::platform::now_ns() + span;
    waiter->sleep(kTake, deadline);
    CHECK(interproc::platform::now_ns() >= deadline);
    CHECK_FALSE(waiter->disarm(kTake));
  }
}

TEST_CASE("one who is not armed, or already rung, or armed for its bell does not fall asleep") {
  const Watchdog watchdog("no sleep");
  Scene scene;
  Party waiter(scene.directory, OpenMode::open, 0);
  waiter->sleep(kTake, interproc::platform::now_ns() + kFarNs);
  waiter->arm_bell(kTake);
  waiter->sleep(kTake, interproc::platform::now_ns() + kFarNs);
  waiter->disarm(kTake);
  waiter->arm_futex(kTake);
  scene.ringer->wake(kTake, 1);
  waiter->sleep(kTake, interproc::platform::now_ns() + kFarNs);
  CHECK(waiter->disarm(kTake));
  // Rung between its look at the word and the kernel's.
  waiter->arm_futex(kTake);
  const OnceAt moment("wait.sleep", [&] { scene.ringer->wake(kTake, 1); });
  waiter->sleep(kTake, interproc::platform::now_ns() + kFarNs);
  REQUIRE(moment.ran());
  CHECK(waiter->disarm(kTake));
}

TEST_CASE("a waiter counts its waits and the wakes it was given") {
  Scene scene;
  Party waiter(scene.directory, OpenMode::open, 0);
  for (int i = 0; i < 5; ++i) {
    waiter->arm_futex(kTake);
    if (i < 2) scene.ringer->wake(kTake, 1);
    waiter->disarm(kTake);
  }
  CHECK(waiter.registry().self_slot().waits.load() == 5);
  CHECK(waiter.registry().self_slot().wakes.load() == 2);
}
