// SIGKILL at any step: survivors go on, nothing accepted is lost, nothing torn, no slot, byte or file leaked.

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "test/kill_scene.h"
#include "test/scale.h"
#include "test/watchdog.h"

using interproc::test::KillScene;
using interproc::test::kPrograms;
using interproc::test::Meanwhile;
using interproc::test::name_of;
using interproc::test::Program;
using interproc::test::Random;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

// Every step of every protocol that a participant of a living queue can go through. Creating and removing one:
// segment.cc and kill_last_one.cc.
constexpr const char* kPoints[] = {"doorbell.made",
                                   "doorbell.ring",
                                   "lease.aborted",
                                   "lease.peeked",
                                   "lease.released",
                                   "lease.reserved",
                                   "ledger.ack",
                                   "ledger.acked",
                                   "ledger.filled",
                                   "ledger.held",
                                   "ledger.nack",
                                   "ledger.recover",
                                   "ledger.reserved",
                                   "ledger.take_over",
                                   "ledger.taken_over",
                                   "queue.copied",
                                   "queue.copied_another",
                                   "queue.copied_beside",
                                   "queue.copied_returned",
                                   "queue.ended",
                                   "queue.hint_cleared",
                                   "queue.kept",
                                   "queue.ledgers_seen",
                                   "queue.owned_beside",
                                   "queue.owned_held",
                                   "queue.returned",
                                   "queue.ring_seen",
                                   "queue.sealed",
                                   "queue.swept",
                                   "queue.tail_seen",
                                   "queue.tasks_seen",
                                   "registry.alone",
                                   "registry.join",
                                   "registry.joined",
                                   "registry.left",
                                   "registry.locked",
                                   "registry.named",
                                   "registry.swept",
                                   "registry.vacant",
                                   "ring.claim",
                                   "ring.claimed",
                                   "ring.head_loaded",
                                   "ring.head_moved",
                                   "ring.leave",
                                   "ring.left",
                                   "ring.published",
                                   "ring.reclaim",
                                   "ring.reclaim_loaded",
                                   "ring.recover",
                                   "ring.skip",
                                   "ring.skip_stamped",
                                   "ring.tail_loaded",
                                   "ring.tail_moved",
                                   "ring.take",
                                   "ring.taken",
                                   "ring.taken_returned",
                                   "ring.written",
                                   "segment.attached",
                                   "segment.detached",
                                   "segment.locked",
                                   "segment.mapped",
                                   "tasks.cleared",
                                   "tasks.done",
                                   "tasks.drop",
                                   "tasks.dropped",
                                   "tasks.marked",
                                   "tasks.taken",
                                   "side.asking",
                                   "side.claim",
                                   "side.claimed",
                                   "side.emptied",
                                   "side.filled",
                                   "side.filling",
                                   "side.leave",
                                   "side.left",
                                   "side.own",
                                   "side.publishing",
                                   "side.sized",
                                   "side.written",
                                   "wait.armed",
                                   "wait.disarmed",
                                   "wait.listed",
                                   "wait.sleep",
                                   "wake.rang",
                                   "wake.ring",
                                   "wake.ringing"};

// Those that only a meeting of several accidents leads to. kill_recoverer.cc and sweep.cc go there on purpose.
constexpr const char* kRarePoints[] = {"doorbell.found_dead", "ring.finish_for", "side.drop",
                                       "wake.unlisting"};

// Kills `program` at its first step, its second, and so on to its end; every time in a new scene.
void kill_at_every_step(Program program, std::uint64_t seed,
                        std::map<std::string, std::uint64_t>& kills) {
  Random random(seed);
  for (std::uint64_t at = 1;; ++at) {
    KillScene scene(random.next());
    scene.prepare(program);
    constexpr Meanwhile kWays[] = {Meanwhile::nothing, Meanwhile::work,
                                   Meanwhile::work_while_stopped};
    const std::string point = scene.kill_at(program, {.at = at}, kWays[random.below(3)]);
    scene.work(random.below(10));
    scene.settle(random.one_in(50));
    const std::string report = scene.report();
    if (!report.empty()) {
      CAPTURE(std::string(name_of(program)));
      CAPTURE(seed);
      CAPTURE(at);
      CAPTURE(point);
      FAIL(report);
    }
    if (point.empty()) return;
    ++kills[point];
  }
}

}  // namespace

TEST_CASE("a process killed at any step of anything it does takes nothing with it") {
  const std::uint64_t seed = interproc::test::seed_for("kill anywhere");
  const std::uint64_t seeds = times(100, 3, 2'000);
  std::map<std::string, std::uint64_t> kills;
  std::uint64_t total = 0;
  for (Program program : kPrograms) {
    const Watchdog watchdog(name_of(program), 1'000);
    for (std::uint64_t i = 0; i < seeds; ++i) kill_at_every_step(program, seed + i, kills);
  }
  for (const auto& [point, count] : kills) total += count;
  for (const char* point : kPoints) {
    CAPTURE(std::string(point));
    // Few seeds do not get everywhere.
    if (seeds >= 100) CHECK_MESSAGE(kills.contains(point), "nobody was killed here");
    kills.erase(point);
  }
  for (const char* point : kRarePoints) kills.erase(point);
  // A step that is new to the code needs a program here that goes through it, and a name in the list.
  for (const auto& [point, count] : kills)
    FAIL_CHECK("a point that the list does not know: " << point);
  MESSAGE(total << " kills");
}
