// A process that makes a queue, uses it and is the last one out, killed at any step, alone or with another that does the
// same: what it left is whole or gone, and what was accepted is there for whoever comes next.

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "test/account.h"
#include "test/peer.h"
#include "test/random.h"
#include "test/scale.h"
#include "test/test_directory.h"
#include "test/victim.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::OpenMode;
using interproc::test::Account;
using interproc::test::Got;
using interproc::test::Peer;
using interproc::test::Program;
using interproc::test::Random;
using interproc::test::TestDirectory;
using interproc::test::times;
using interproc::test::Victim;
using interproc::test::Watchdog;

TEST_CASE("a process killed at any step while it is alone leaves what it put, or nothing") {
  const std::uint64_t seed = interproc::test::seed_for("kill the last one");
  const Watchdog watchdog("kill the last one", 1'000);
  const std::uint64_t seeds = times(12, 1, 300);
  std::uint64_t kills = 0;
  for (std::uint64_t i = 0; i < seeds; ++i) {
    for (std::uint64_t at = 1;; ++at) {
      CAPTURE(seed + i);
      CAPTURE(at);
      TestDirectory directory;
      Account account;
      Victim victim(directory, account, 1, seed + i);
      const bool accompanied = i % 3 == 2;
      std::unique_ptr<Victim> companion;
      if (accompanied) {
        companion = std::make_unique<Victim>(directory, account, 2, seed + i + 1'000);
        companion->start(Program::live_alone, {});
      }
      victim.start(Program::live_alone, {.at = at});
      victim.wait();
      if (accompanied) companion->wait();
      for (const std::string& complaint : victim.read_journal()) FAIL_CHECK(complaint);
      if (accompanied) {
        for (const std::string& complaint : companion->read_journal()) FAIL_CHECK(complaint);
        REQUIRE(companion->point() == "");
      }
      const std::string point = victim.point();
      CAPTURE(point);
      // Alone, and killed before it had a name or after it was gone: there may be nothing.
      Peer heir(directory, "q", OpenMode::open_or_create);
      REQUIRE(heir.ok());
      heir.queue().sweep();
      for (;;) {
        const Got got = heir.take();
        if (got.code != Code::ok) {
          CHECK(got.code == Code::empty);
          break;
        }
        CHECK(got.whole);
        account.take(0, got.id, got.taken.deliveries);
      }
      account.close_books();
      REQUIRE(account.report() == "");
      CHECK(heir.put(1, heir.capacity()) == Code::ok);
      CHECK(heir.take().id == 1);
      CHECK(heir.queue().stats().participants == 1);
      heir.close();
      CHECK(directory.names().empty());
      if (point.empty()) break;
      ++kills;
    }
  }
  MESSAGE(kills << " kills");
}
