// Somebody removes the file under those who use it, as `rm` does: they go on with what they have, whoever comes by the name
// finds another object, and neither lot disturbs the other to the end.

#include <doctest/doctest.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "test/account.h"
#include "test/peer.h"
#include "test/random.h"
#include "test/scale.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::OpenMode;
using interproc::test::Account;
using interproc::test::Got;
using interproc::test::Message;
using interproc::test::Peer;
using interproc::test::Random;
using interproc::test::TestDirectory;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

// Those who share one object, and its books.
struct Lot {
  std::vector<std::unique_ptr<Peer>> peers;
  Account account;
  std::uint64_t sequence = 0;

  void use(Random& random) {
    const auto i = random.below32(static_cast<std::uint32_t>(peers.size()));
    Peer& peer = *peers[i];
    if (random.one_in(2)) {
      const std::uint64_t id = Message::id(7, ++sequence);
      account.intend(id);
      const Code code = peer.put(id, 8 + random.below(200));
      code == Code::ok ? account.accept(id) : account.refuse(id);
    } else {
      const Got got = peer.take();
      if (got.code == Code::ok) account.take(i, got.id, got.taken.deliveries);
    }
  }
  void drain() {
    for (Got got = peers[0]->take(); got.code == Code::ok; got = peers[0]->take())
      account.take(0, got.id, got.taken.deliveries);
    account.close_books();
  }
};

}  // namespace

TEST_CASE("removed underneath again and again, old and new live side by side") {
  const std::uint64_t seed = interproc::test::seed_for("unlink underneath");
  const Watchdog watchdog("unlink underneath");
  Random random(seed);
  TestDirectory directory;
  std::vector<std::unique_ptr<Lot>> lots;
  const std::uint64_t rounds = times(100, 100, 5'000);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    auto lot = std::make_unique<Lot>();
    for (std::uint64_t i = 0, peers = 1 + random.below(3); i < peers; ++i) {
      lot->peers.push_back(std::make_unique<Peer>(directory, "q", OpenMode::open_or_create));
      REQUIRE(lot->peers.back()->ok());
    }
    // What another lot has put must not be in it.
    REQUIRE(lot->peers[0]->take().code == Code::empty);
    lots.push_back(std::move(lot));
    for (int i = 0; i < 100; ++i) lots[random.below(lots.size())]->use(random);
    // By the one who uses it, or by somebody else; or not at all, and then it goes when all have left.
    if (random.one_in(2)) {
      REQUIRE(lots.back()->peers[0]->queue().unlink().code == Code::ok);
    } else {
      REQUIRE(unlink(directory.path_of("q").c_str()) == 0);
    }
    REQUIRE(directory.names().empty());
    while (lots.size() > random.below(6)) {
      const std::size_t leaving = random.below(lots.size());
      lots[leaving]->drain();
      REQUIRE(lots[leaving]->account.report() == "");
      // Full or empty: an object without a name stays for nobody.
      lots[leaving]->sequence += 1;
      REQUIRE(lots[leaving]->peers[0]->put(1) == Code::ok);
      lots.erase(lots.begin() + static_cast<std::ptrdiff_t>(leaving));
    }
  }
  for (auto& lot : lots) {
    lot->drain();
    CHECK(lot->account.report() == "");
  }
  lots.clear();
  CHECK(directory.names().empty());
}

TEST_CASE(
    "a new object under the name of an unlinked one is not removed by those who leave the old") {
  TestDirectory directory;
  for (int round = 0; round < 100; ++round) {
    auto old_one = std::make_unique<Peer>(directory, "q", OpenMode::create);
    auto old_other = std::make_unique<Peer>(directory, "q", OpenMode::open);
    REQUIRE(unlink(directory.path_of("q").c_str()) == 0);
    Peer fresh(directory, "q", OpenMode::create);
    REQUIRE(fresh.ok());
    REQUIRE(old_one->put(1) == Code::ok);
    REQUIRE(fresh.put(2) == Code::ok);
    old_one.reset();
    REQUIRE(old_other->take().id == 1);
    REQUIRE(old_other->queue().unlink().code == Code::ok);
    old_other.reset();
    REQUIRE(directory.has("q"));
    Peer another(directory, "q", OpenMode::open);
    REQUIRE(another.take().id == 2);
  }
  CHECK(directory.names().empty());
}
