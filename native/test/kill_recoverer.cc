// The one who recovers what a dead process left may be killed too, at any step of it.

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string>

#include "test/kill_scene.h"
#include "test/scale.h"
#include "test/watchdog.h"

using interproc::test::KillScene;
using interproc::test::Meanwhile;
using interproc::test::Program;
using interproc::test::Random;
using interproc::test::telling_deaths;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

// The steps of a recovery.
constexpr const char* kPoints[] = {"registry.alone",     "registry.locked", "registry.named",
                                   "registry.swept",     "ring.skip",       "ring.skip_stamped",
                                   "ring.recover",       "ledger.recover",  "queue.swept",
                                   "doorbell.found_dead"};

}  // namespace

TEST_CASE(
    "a second kill at any step of the recovery from the first leaves everything recoverable") {
  const std::uint64_t seed = interproc::test::seed_for("kill the recoverer");
  const Watchdog watchdog("kill the recoverer", 1'000);
  Random random(seed);
  const std::uint64_t rounds = times(3, 1, 50);
  std::map<std::string, std::uint64_t> kills;
  std::uint64_t total = 0;
  // What chance leaves out in one round it reaches in another.
  const auto met = [&](const char* point) { return kills[point] >= rounds; };
  const auto met_all = [&] { return std::all_of(std::begin(kPoints), std::end(kPoints), met); };
  for (std::uint64_t round = 0; round < rounds || (!met_all() && round < 20 * rounds); ++round) {
    for (const auto& death : telling_deaths()) {
      // Names of their own: clang 14 captures no structured bindings.
      const Program program = death.first;
      const auto& point = death.second;
      for (std::uint64_t at = 1;; ++at) {
        const std::uint64_t scene_seed = random.next();
        KillScene scene(scene_seed);
        // A bell is found dead by the next in its slot, and only one that found nothing to do has armed it.
        if (program != Program::wait_on_bell) scene.prepare(program);
        const std::string first =
            scene.kill_at(program, {.at = 1, .only = point}, Meanwhile::nothing);
        const std::string second = scene.kill_at(Program::recover, {.at = at}, Meanwhile::nothing);
        scene.settle(random.one_in(50));
        const std::string report = scene.report();
        if (!report.empty()) {
          CAPTURE(std::string(name_of(program)));
          CAPTURE(scene_seed);
          CAPTURE(first);
          CAPTURE(at);
          CAPTURE(second);
          FAIL(report);
        }
        if (second.empty()) break;
        ++kills[second];
        ++total;
      }
    }
  }
  for (const char* point : kPoints) {
    CAPTURE(std::string(point));
    CHECK_MESSAGE(met(point), "nobody was killed here while recovering");
  }
  MESSAGE(total << " second kills at " << kills.size() << " points");
}
