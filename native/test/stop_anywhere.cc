// A stopped process is alive: nobody takes from it what it is about, others go on around it, and when it goes on itself
// everything has been delivered exactly once.

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "platform/clock.h"
#include "test/kill_scene.h"
#include "test/scale.h"
#include "test/watchdog.h"

using interproc::test::KillScene;
using interproc::test::name_of;
using interproc::test::Program;
using interproc::test::Random;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

struct Critical {
  Program program;
  const char* point;
};

// The steps at which it matters to others that somebody stands still.
constexpr Critical kCritical[] = {
    {Program::put, "ring.tail_loaded"},
    {Program::put, "ring.claim"},
    {Program::put, "ring.claimed"},
    {Program::put, "ring.tail_moved"},
    {Program::put, "ring.written"},
    {Program::put, "ring.published"},
    {Program::put, "wake.ring"},
    {Program::put, "wake.ringing"},
    {Program::put, "wake.rang"},
    {Program::put, "ring.reclaim_loaded"},
    {Program::take, "ring.head_loaded"},
    {Program::take, "ring.take"},
    {Program::take, "ring.taken"},
    {Program::take, "ring.head_moved"},
    {Program::take, "queue.copied"},
    {Program::take, "ring.leave"},
    {Program::take, "ring.left"},
    {Program::take, "queue.hint_cleared"},
    {Program::take, "ledger.take_over"},
    {Program::take, "ledger.taken_over"},
    {Program::take, "queue.copied_returned"},
    {Program::take, "ring.reclaim"},
    {Program::take_another, "queue.copied_another"},
    {Program::receive_and_ack, "ledger.reserved"},
    {Program::receive_and_ack, "queue.kept"},
    {Program::receive_and_ack, "ledger.filled"},
    {Program::receive_and_ack, "ledger.held"},
    {Program::receive_and_ack, "ring.leave"},
    {Program::receive_and_ack, "ledger.ack"},
    {Program::receive_and_nack, "ledger.nack"},
    {Program::receive_and_nack, "queue.returned"},
    {Program::reserve_and_commit, "lease.reserved"},
    {Program::reserve_and_abort, "ring.leave"},
    {Program::reserve_and_abort, "lease.aborted"},
    {Program::peek_and_release, "lease.peeked"},
    {Program::peek_and_release, "lease.released"},
    {Program::peek_and_nack, "queue.returned"},
    {Program::close_leasing, "ring.leave"},
    {Program::open_and_close, "segment.locked"},
    {Program::open_and_close, "segment.attached"},
    {Program::open_and_close, "registry.alone"},
    {Program::open_and_close, "registry.named"},
    {Program::open_and_close, "registry.locked"},
    {Program::open_and_close, "registry.swept"},
    {Program::open_and_close, "registry.left"},
    {Program::open_and_close, "segment.detached"},
    {Program::close_holding, "ledger.recover"},
    {Program::wait_on_bell, "wait.armed"},
    {Program::wait_on_bell, "wait.listed"},
    {Program::wait_on_futex, "wait.sleep"},
    {Program::end, "queue.ended"},
    {Program::recover, "ring.skip"},
    {Program::recover, "ring.recover"},
    {Program::recover, "ledger.recover"},
};

// Between a claim and its publish: what lies behind has to wait.
bool hides_others(const Critical& critical) {
  const std::string point = critical.point;
  return point == "ring.claimed" || point == "ring.tail_moved" || point == "ring.written" ||
         point == "lease.reserved" ||
         (point == "ring.leave" && (critical.program == Program::reserve_and_abort ||
                                    critical.program == Program::close_leasing));
}

// Between a take and its end: the record's room and all behind it is given back when it has been finished, so the others go
// on for at most one lap.
bool pins_room(const std::string& point) {
  return point == "ring.taken" || point == "ring.head_moved" || point == "ring.leave" ||
         point == "queue.copied" || point == "queue.copied_another" || point == "queue.kept" ||
         point == "ledger.filled" || point == "ledger.held" || point == "lease.peeked";
}

struct Case {
  std::unique_ptr<KillScene> scene;
  Critical critical;
  std::uint64_t seed = 0;
  std::string point;
};

// A scene in which the program comes to this point, and stops there.
Case stop_at(const Critical& critical, Random& random) {
  for (int attempt = 0; attempt < 1'000; ++attempt) {
    const std::uint64_t seed = random.next();
    auto scene = std::make_unique<KillScene>(seed);
    scene->prepare(critical.program);
    const std::string point =
        scene->stop_at(critical.program, {.at = 1 + random.below(2), .only = critical.point});
    if (!point.empty()) return {std::move(scene), critical, seed, point};
  }
  return {};
}

void stop_at_every_critical_step(std::uint64_t seed, std::int64_t stopped_ns) {
  Random random(seed);
  std::vector<Case> cases;
  for (const Critical& critical : kCritical) {
    CAPTURE(std::string(critical.point));
    cases.push_back(stop_at(critical, random));
    REQUIRE(cases.back().scene != nullptr);
  }
  // Around one that stands still the others pass messages, at once and later.
  const auto check_progress = [](Case& each, bool pinned) {
    if (each.critical.program == Program::end) return;
    const bool passed = each.scene->pass_one() || each.scene->pass_one();
    if (!pinned && !hides_others(each.critical)) CHECK(passed);
    // At most what it has taken or put itself stays out of reach, and what hides behind it.
    if (!hides_others(each.critical)) CHECK(each.scene->take_all() <= 3);
  };
  for (Case& each : cases) {
    CAPTURE(std::string(each.critical.point));
    CAPTURE(each.seed);
    check_progress(each, pins_room(each.point));
  }
  // All of them stand still together for longer than any of the intervals after which the others look for the dead.
  const std::int64_t until = interproc::platform::now_ns() + stopped_ns;
  while (interproc::platform::now_ns() < until) {
    for (Case& each : cases) each.scene->work(3);
    interproc::platform::sleep_ns(1'000'000);
  }
  for (Case& each : cases) {
    CAPTURE(std::string(name_of(each.critical.program)));
    CAPTURE(std::string(each.critical.point));
    CAPTURE(each.seed);
    check_progress(each, pins_room(each.point));
    each.scene->resume();
    each.scene->settle(false);
    CHECK(each.scene->report() == "");
  }
}

}  // namespace

TEST_CASE("one that is stopped at a critical step is never robbed, and the others go on") {
  const std::uint64_t seed = interproc::test::seed_for("stop anywhere");
  const Watchdog watchdog("stop anywhere", 1'000);
  const std::uint64_t rounds = times(1, 1, 25);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    CAPTURE(round);
    stop_at_every_critical_step(seed + round, 3'000'000'000);
  }
}
