// Participants that meet in the middle of one another's operations: at a fault point of one operation a whole operation of
// another participant runs, and inside that a third. One thread, so that every run can be had again by its seed; what
// happens is what happens when a process is descheduled at that point, which threads and processes do too rarely to rely on.

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "platform/fault.h"
#include "ring/mpmc_ring.h"
#include "test/account.h"
#include "test/bare_segment.h"
#include "test/peer.h"
#include "test/random.h"
#include "test/scale.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::OpenMode;
using interproc::platform::observe_faults;
using interproc::ring::MpmcRing;
using interproc::ring::State;
using interproc::ring::WordFormat;
using interproc::sync::kPut;
using interproc::sync::kTake;
using interproc::test::Account;
using interproc::test::BareSegment;
using interproc::test::Got;
using interproc::test::header_of;
using interproc::test::Message;
using interproc::test::Peer;
using interproc::test::Random;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::Watchdog;

namespace {

class World {
 public:
  World(std::uint64_t seed, const Shape& shape, std::uint32_t peers, bool ends)
      : random_(seed),
        ends_(ends),
        shape_(shape),
        opened_(directory_.open()),
        peers_(peers),
        busy_(peers),
        sequence_(peers),
        held_(peers) {
    for (std::uint32_t i = 0; i < peers; ++i) open(i);
    watcher_ = BareSegment::open(opened_, "q", OpenMode::open, header_of(shape));
    registry_ = std::make_unique<interproc::memory::Registry>(watcher_->segment());
    ring_ = std::make_unique<MpmcRing>(watcher_->segment(), *registry_);
  }

  void run(std::uint64_t operations) {
    current_ = this;
    observe_faults([](const char* name) { current_->pause(name); });
    for (std::uint64_t i = 0; i < operations; ++i) operate();
    observe_faults(nullptr);
  }

  // Everything is given back, taken and accounted for; then the ring is as new.
  void settle() {
    for (std::uint32_t i = 0; i < peers_.size(); ++i) {
      while (!held_[i].empty()) nack(i);
    }
    peers_[0]->queue().sweep();
    for (;;) {
      const Got got = peers_[0]->take();
      if (got.code != Code::ok) {
        if (got.code != (ended_ ? Code::ended : Code::empty))
          complain("the drain ended with another code than empty, or ended");
        break;
      }
      if (!got.whole) complain("a message is torn");
      account_.take(0, got.id, got.taken.deliveries);
    }
    account_.close_books();
    if (peers_[0]->queue().size() != 0) complain("the drained queue has a size");
    if (ended_) return;
    const std::uint64_t id = Message::id(99, 1);
    account_.intend(id);
    if (peers_[0]->put(id, peers_[0]->capacity()) != Code::ok)
      complain("a record of the whole capacity has no room in the drained queue");
  }

  const std::vector<std::string>& problems() const { return problems_; }
  Account& account() { return account_; }
  const std::set<std::string>& met_at() const { return met_at_; }

 private:
  void open(std::uint32_t i) {
    peers_[i] = std::make_unique<Peer>(directory_, "q", OpenMode::open_or_create, shape_);
    if (!peers_[i]->ok()) complain("cannot open");
  }

  void complain(const std::string& what) {
    if (problems_.size() < 20) problems_.push_back(what);
  }

  void pause(const char* name) {
    look_for_fullness();
    if (depth_ >= 3 || !random_.one_in(4)) return;
    met_at_.insert(name);
    // Who decides about the file alone is waited for by openers, and here nobody would come to an end.
    const bool exclusive = exclusive_;
    exclusive_ = exclusive || std::strncmp(name, "segment.", 8) == 0;
    if (depth_ == 1 && random_.one_in(60)) {
      // Long enough for the ring to go around under the one that waits here.
      depth_ += 2;
      for (int i = 0; i < 150; ++i) operate();
      depth_ -= 2;
    } else {
      operate();
    }
    exclusive_ = exclusive;
    look_for_fullness();
  }

  void operate() {
    const std::uint32_t i = random_.below32(static_cast<std::uint32_t>(peers_.size()));
    if (busy_[i]) return;
    busy_[i] = true;
    ++depth_;
    switch (random_.below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
        put(i);
        break;
      case 4:
      case 5:
        take(i, false);
        break;
      case 6:
        take(i, true);
        break;
      case 7:
      case 8:
        receive(i);
        break;
      case 9:
        if (!held_[i].empty()) ack(i);
        break;
      case 10:
        if (!held_[i].empty()) nack(i);
        break;
      case 11:
        peers_[i]->queue().sweep();
        break;
      case 12:
        wait(i);
        break;
      case 13:
        arm(i);
        break;
      case 14:
        if (ends_ && random_.one_in(100)) {
          ended_ = true;
          peers_[i]->queue().end();
        } else if (random_.one_in(4) && !exclusive_) {
          reopen(i);
        }
        break;
      default:
        look(i);
        break;
    }
    --depth_;
    busy_[i] = false;
  }

  void put(std::uint32_t i) {
    const std::uint64_t id = Message::id(i, ++sequence_[i]);
    const std::size_t length = Message::kMinBytes + random_.below(random_.one_in(8) ? 2'000 : 200);
    account_.intend(id);
    puts_.push_back({(length + 63) / 64, false});
    look_for_fullness();
    const Code code = peers_[i]->put(id, length);
    const bool was_full = puts_.back().was_full;
    puts_.pop_back();
    if (code == Code::ok) {
      account_.accept(id);
    } else {
      account_.refuse(id);
      if (code == Code::ended ? !ended_ : code != Code::full)
        complain("a put ended with another code than full, or ended");
      if (code == Code::full && !was_full && shape_.max_items == 0)
        complain("full was said of a ring that never was");
    }
  }

  void take(std::uint32_t i, bool another) {
    const Got got = another ? peers_[i]->take_another() : peers_[i]->take();
    if (got.code == Code::empty || is_end(i, got)) return;
    if (got.code != Code::ok) return complain("a take ended with another code than empty");
    if (!got.whole) complain("a message is torn");
    account_.take(i, got.id, got.taken.deliveries);
  }

  void receive(std::uint32_t i) {
    const Got got = peers_[i]->receive();
    if (got.code == Code::unacked) account_.put_back_one_unnamed();
    if (got.code == Code::empty || got.code == Code::unacked || is_end(i, got)) return;
    if (got.code != Code::ok) return complain("a receive ended with another code than empty");
    if (!got.whole) complain("a received message is torn");
    account_.receive(i, got.id, got.taken.deliveries);
    held_[i].push_back({got.id, got.taken.receipt});
  }

  // The end may be told only when nothing can come any more. What the others are about at this moment the books cannot
  // know: it is checked when they are about nothing.
  bool is_end(std::uint32_t i, const Got& got) {
    if (got.code != Code::ended || !ended_) return false;
    for (std::uint32_t other = 0; other < peers_.size(); ++other) {
      if (other != i && busy_[other]) return true;
    }
    for (std::uint32_t other = 0; other < peers_.size(); ++other) {
      if (other != i && !held_[other].empty())
        complain("the end was told while another held a message");
    }
    if (account_.waiting() > 0) complain("the end was told while there was a message");
    return true;
  }

  // The books change first: in the middle of the call the message may already be another's.
  void ack(std::uint32_t i) {
    const Held held = pick(i);
    if (peers_[i]->queue().ack(held.receipt) != Code::ok) complain("an ack was refused");
    account_.ack(held.id);
  }
  void nack(std::uint32_t i) {
    const Held held = pick(i);
    account_.give_back(held.id);
    if (peers_[i]->queue().nack(held.receipt) != Code::ok) complain("a nack was refused");
  }

  void wait(std::uint32_t i) { peers_[i]->queue().wait(random_.one_in(2) ? kPut : kTake, 1'000); }

  void arm(std::uint32_t i) {
    const auto side = random_.one_in(2) ? kPut : kTake;
    interproc::ring::Queue& queue = peers_[i]->queue();
    if (queue.armed(side)) {
      random_.one_in(2) ? queue.disarm(side) : static_cast<void>(queue.answer(side, false));
    } else if (peers_[i]->bell().hang().code == Code::ok) {
      queue.arm(side, i);
    }
    std::vector<std::uint32_t> tokens(interproc::sync::Doorbell::kDrainBytes / 4);
    bool overflow = false;
    if (random_.one_in(8)) peers_[i]->bell().drain(tokens.data(), overflow);
  }

  void reopen(std::uint32_t i) {
    for (const Held& held : held_[i]) account_.give_back(held.id);
    held_[i].clear();
    peers_[i]->close();
    open(i);
  }

  void look(std::uint32_t i) {
    interproc::ring::Queue& queue = peers_[i]->queue();
    queue.is_full();
    if (queue.size() > peers_[i]->capacity() / 64 + 2 * 1024) complain("a size beyond all reason");
    queue.stats();
  }

  struct Held {
    std::uint64_t id;
    double receipt;
  };
  Held pick(std::uint32_t i) {
    const std::size_t at = random_.below(held_[i].size());
    const Held held = held_[i][at];
    held_[i].erase(held_[i].begin() + static_cast<std::ptrdiff_t>(at));
    return held;
  }

  // From the first record that is not finished: what no participant can give away.
  std::uint64_t used() const {
    std::uint64_t used = 0;
    const WordFormat format(watcher_->segment().header().blocks_shift);
    ring_->each([&](std::uint64_t, std::uint64_t word) {
      if (used > 0 || WordFormat::state(word) != State::done) used += format.blocks(word);
    });
    return used;
  }
  void look_for_fullness() {
    if (puts_.empty()) return;
    const std::uint64_t now = used();
    for (Put& put : puts_) put.was_full = put.was_full || now + put.blocks > ring_->blocks();
  }

  struct Put {
    std::uint64_t blocks;
    bool was_full;
  };

  static inline World* current_ = nullptr;

  Random random_;
  bool ends_;
  bool ended_ = false;
  Shape shape_;
  TestDirectory directory_;
  interproc::platform::Directory opened_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<bool> busy_;
  std::vector<std::uint64_t> sequence_;
  std::vector<std::vector<Held>> held_;
  std::vector<Put> puts_;
  std::unique_ptr<BareSegment> watcher_;
  std::unique_ptr<interproc::memory::Registry> registry_;
  std::unique_ptr<MpmcRing> ring_;
  Account account_;
  std::vector<std::string> problems_;
  std::set<std::string> met_at_;
  int depth_ = 0;
  bool exclusive_ = false;
};

}  // namespace

TEST_CASE(
    "operations that meet at any step deliver everything once, in order, and say full only when "
    "full") {
  const std::uint64_t seed = interproc::test::seed_for("interleaved queue");
  const Watchdog watchdog("interleaved queue");
  const std::uint64_t worlds = interproc::test::times(300, 20, 20'000);
  std::set<std::string> met_at;
  for (std::uint64_t i = 0; i < worlds; ++i) {
    CAPTURE(i);
    Shape shape;
    shape.max_participants = 6;
    if (i % 4 == 3) shape.max_items = 1 + static_cast<std::uint32_t>(i % 5);
    World world(seed + i, shape, 2 + static_cast<std::uint32_t>(i % 4), i % 3 == 2);
    world.run(400);
    world.settle();
    for (const std::string& problem : world.problems()) FAIL_CHECK(problem);
    for (const std::string& problem : world.account().problems()) FAIL_CHECK(problem);
    met_at.insert(world.met_at().begin(), world.met_at().end());
    REQUIRE(world.problems().empty());
    REQUIRE(world.account().problems().empty());
  }
  MESSAGE("operations met at " << met_at.size() << " points");
}
