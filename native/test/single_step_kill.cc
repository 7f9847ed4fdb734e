// A participant is killed at every instruction of an operation. Whatever it was about to do, the survivor goes on: it finds
// every message that was accepted, whole and in order, each once or marked as delivered before; the whole capacity is to
// be had, and every slot; and after the last close the directory is empty.

#include <doctest/doctest.h>
#include <sys/prctl.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "platform/clock.h"
#include "platform/fault.h"
#include "ring/catalog.h"
#include "ring/spsc_channel.h"
#include "test/bare_segment.h"
#include "test/instruction_killer.h"
#include "test/moved_ring.h"
#include "test/peer.h"
#include "test/scale.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::Kind;
using interproc::memory::kPersist;
using interproc::memory::OpenMode;
using interproc::ring::MpmcRing;
using interproc::ring::Queue;
using interproc::ring::SpscChannel;
using interproc::ring::Taken;
using interproc::sync::Doorbell;
using interproc::sync::kJoin;
using interproc::sync::kPut;
using interproc::sync::kTake;
using interproc::test::BareSegment;
using interproc::test::every;
using interproc::test::Got;
using interproc::test::header_of;
using interproc::test::Killer;
using interproc::test::Message;
using interproc::test::move_ring;
using interproc::test::Operate;
using interproc::test::Peer;
using interproc::test::sampled;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::times;
using interproc::test::Watchdog;
using interproc::test::World;

namespace {

// Ids: of what a survivor puts before it knows, of the message that takes the whole capacity, and of the first of those that
// take a block each.
constexpr std::uint64_t kAtOnce = 50;
constexpr std::uint64_t kWhole = 99;
constexpr std::uint64_t kSingle = 100;
// The length of a message that the ring does not take.
constexpr std::size_t kBeside = 6'000;
// Longer than one idle sweep is apart from the next, on the coarsest of coarse clocks.
constexpr std::int64_t kUntilSweepIsDueNs = 20'000'000;

using Ids = std::vector<std::uint64_t>;

struct Operation;

class QueueWorld : public World {
 public:
  explicit QueueWorld(const Operation& operation);

  Operate set_out() override;
  void meanwhile() override;
  void expect_sound(bool completed, std::uint64_t n) override;

  Peer& survivor() { return *survivor_; }
  void close_survivor() { survivor_.reset(); }
  Peer& join(OpenMode mode = OpenMode::open) const {
    return *new Peer(directory_, "q", mode, shape_);
  }
  const TestDirectory& directory() const { return directory_; }
  const Shape& shape() const { return shape_; }
  // Another participant does this and dies at that point of it.
  void die_at(const char* point, const std::function<void(Peer&)>& work) const;

 private:
  enum class Meeting {
    told,     // it sweeps first
    exactly,  // as told, and takes no more than there is
    joined,   // others join first, and sweep as they do
    put,      // it puts before anybody has swept
    alone     // it only takes, until it finds out
  };
  static Meeting meeting(std::uint64_t n);
  std::vector<std::unique_ptr<Peer>> join_all();
  void drain(std::vector<Got>& messages, bool exactly);
  void expect_messages(bool completed, Meeting how, bool joins);
  void expect_room();

  const Operation& operation_;
  Shape shape_;
  TestDirectory directory_;
  std::unique_ptr<Peer> survivor_;
};

struct Operation {
  // What the survivor does before there is a child.
  std::function<void(QueueWorld&)> prepare;
  std::function<Operate(QueueWorld&)> set_out;
  // What lies in the queue if the operation has not happened, and if it has.
  Ids before = {};
  Ids after = {};
  // The delivery that the first message would be next, and whether the operation counts as one.
  std::uint32_t first_delivery = 1;
  bool delivers = false;
  bool ends = false;
  bool leaves_no_room = false;
  // A doorbell of the child's may outlive the record of whose it is; prune() finds it.
  bool leaves_a_bell = false;
  std::uint32_t participants = 2;
  std::uint32_t max_items = 0;
  std::uint32_t flags = 0;
  bool has_sides = false;  // messages may be larger than the ring
  std::function<void(QueueWorld&)> meanwhile = [](QueueWorld&) {};
};

QueueWorld::QueueWorld(const Operation& operation)
    : operation_(operation),
      shape_{.max_items = operation.max_items,
             .max_participants = operation.participants,
             .max_message_bytes = operation.has_sides ? kBeside : 0,
             .max_side_bytes = 3 * kBeside,
             .flags = operation.flags} {
  survivor_ = std::make_unique<Peer>(directory_, "q", OpenMode::create, shape_);
  REQUIRE(survivor_->ok());
  operation.prepare(*this);
}

Operate QueueWorld::set_out() { return operation_.set_out(*this); }
void QueueWorld::meanwhile() { operation_.meanwhile(*this); }

void QueueWorld::die_at(const char* point, const std::function<void(Peer&)>& work) const {
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    Peer& peer = join();
    interproc::platform::plan_fault(interproc::platform::FaultAction::kill, 1, point);
    work(peer);
    _exit(1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
}

QueueWorld::Meeting QueueWorld::meeting(std::uint64_t n) {
  // To find out alone takes milliseconds.
  if (n % 64 == 63) return Meeting::alone;
  constexpr Meeting kMeetings[] = {Meeting::told, Meeting::exactly, Meeting::joined, Meeting::put};
  return kMeetings[n % 4];
}

void QueueWorld::expect_sound(bool completed, std::uint64_t n) {
  if (survivor_ == nullptr)
    survivor_ = std::make_unique<Peer>(directory_, "q", OpenMode::open_or_create, shape_);
  REQUIRE(survivor_->ok());
  const Meeting how = meeting(n);
  std::vector<std::unique_ptr<Peer>> others;
  if (how == Meeting::joined) others = join_all();
  expect_messages(completed, how, n % 3 == 0);
  if (!operation_.ends) expect_room();
  if (how != Meeting::joined) others = join_all();
  others.clear();
  if ((operation_.flags & kPersist) != 0) REQUIRE(survivor_->queue().unlink().code == Code::ok);
  survivor_.reset();
  if (operation_.leaves_a_bell) REQUIRE(interproc::ring::prune(directory_.open(), false).ok());
  REQUIRE(directory_.names().empty());
}

// Every slot but the survivor's can be had.
std::vector<std::unique_ptr<Peer>> QueueWorld::join_all() {
  std::vector<std::unique_ptr<Peer>> others;
  while (others.size() + 1 < operation_.participants) {
    others.push_back(std::make_unique<Peer>(directory_, "q", OpenMode::open, shape_));
    REQUIRE(others.back()->ok());
  }
  return others;
}

// `exactly`: up to the last that there can be, without a look behind it.
void QueueWorld::drain(std::vector<Got>& messages, bool exactly) {
  const Ids& expected = operation_.after.empty() ? operation_.before : operation_.after;
  for (;;) {
    const Got got = survivor_->take();
    if (got.code != Code::ok) {
      REQUIRE((got.code == Code::empty || operation_.ends));
      return;
    }
    messages.push_back(got);
    if (exactly && got.id == expected.back()) return;
  }
}

// `joins`: it asks whether all is finished before it does anything else.
void QueueWorld::expect_messages(bool completed, Meeting how, bool joins) {
  const bool was_finished = joins && survivor_->queue().finished();
  Ids before = operation_.before;
  Ids after = operation_.after;
  if (how == Meeting::put) {
    const Code code = survivor_->put(kAtOnce);
    REQUIRE((code == Code::ok || (code == Code::full && operation_.leaves_no_room) ||
             (code == Code::ended && operation_.ends)));
    if (code == Code::ok) {
      before.push_back(kAtOnce);
      after.push_back(kAtOnce);
    }
  }
  if (how != Meeting::joined && how != Meeting::alone) survivor_->queue().sweep();

  std::vector<Got> messages;
  drain(messages, how == Meeting::exactly);
  if (how == Meeting::alone) {
    interproc::platform::sleep_ns(kUntilSweepIsDueNs);
    drain(messages, false);
    // What the dead held comes when their death is known, which may be after the rest.
    std::stable_partition(messages.begin(), messages.end(),
                          [](const Got& got) { return got.taken.deliveries > 1; });
  }
  Ids ids;
  for (const Got& got : messages) ids.push_back(got.id);
  CAPTURE(ids.size());
  CAPTURE(completed);
  REQUIRE((ids == after || (ids == before && !completed)));
  for (const Got& got : messages) {
    CAPTURE(got.id);
    REQUIRE(got.whole);
    const bool is_first = !operation_.before.empty() && got.id == operation_.before.front();
    const std::uint32_t least =
        is_first ? operation_.first_delivery + (completed && operation_.delivers ? 1 : 0) : 1;
    const std::uint32_t most = is_first ? operation_.first_delivery + 1 : 1;
    REQUIRE(got.taken.deliveries >= least);
    REQUIRE(got.taken.deliveries <= most);
    REQUIRE_FALSE((was_finished && got.id != kAtOnce));
    // Until now it was unfinished, here.
    REQUIRE_FALSE(survivor_->queue().finished());
    REQUIRE(survivor_->queue().task_done() == Code::ok);
  }
  REQUIRE(survivor_->queue().task_done() == Code::not_owner);
  REQUIRE(survivor_->queue().finished());
  if (!operation_.ends) return;
  survivor_->queue().end();
  REQUIRE(survivor_->take().code == Code::ended);
}

// No block is lost, and no message can be put more or less than there may be.
void QueueWorld::expect_room() {
  const std::uint64_t blocks = survivor_->capacity() >> shape_.block_shift;
  const std::uint64_t most = shape_.max_items == 0 ? blocks : shape_.max_items;
  for (std::uint64_t i = 0; i < most; ++i) REQUIRE(survivor_->put(kSingle + i) == Code::ok);
  REQUIRE(survivor_->put(kSingle + most) == Code::full);
  REQUIRE(survivor_->queue().size() == most);
  for (std::uint64_t i = 0; i < most; ++i) {
    const Got got = survivor_->take();
    REQUIRE(got.whole);
    REQUIRE(got.id == kSingle + i);
  }
  REQUIRE(survivor_->put(kWhole, survivor_->capacity()) == Code::ok);
  const Got got = survivor_->take();
  REQUIRE(got.whole);
  REQUIRE(got.id == kWhole);
  REQUIRE(survivor_->take().code == Code::empty);
  REQUIRE(survivor_->queue().size() == 0);
  if (!operation_.has_sides) return;
  // Nothing stands beside the ring that nobody names.
  for (std::uint64_t i = 0; i < 3; ++i) REQUIRE(survivor_->put(kSingle + i, kBeside) == Code::ok);
  REQUIRE(survivor_->put(kSingle + 3, kBeside) == Code::full);
  for (std::uint64_t i = 0; i < 3; ++i) REQUIRE(survivor_->take().id == kSingle + i);
}

void kill_anywhere(const char* name, std::uint64_t samples, const Operation& operation) {
  Killer(name, [&] { return std::make_unique<QueueWorld>(operation); }).run(samples);
}

// --- what happened before --------------------------------------------------------------------------------------------

void nothing(QueueWorld&) {}

// Two messages, the second of several blocks.
void put_two(QueueWorld& world) {
  REQUIRE(world.survivor().put(1) == Code::ok);
  REQUIRE(world.survivor().put(2, 200) == Code::ok);
}

// Two messages beside the ring.
void put_two_beside(QueueWorld& world) {
  for (std::uint64_t id : {1u, 2u}) REQUIRE(world.survivor().put(id, kBeside) == Code::ok);
}

// As many as fit, of a quarter each.
void fill(QueueWorld& world) {
  for (std::uint64_t id = 1; id <= 4; ++id)
    REQUIRE(world.survivor().put(id, world.survivor().capacity() / 4) == Code::ok);
  REQUIRE(world.survivor().put(5) == Code::full);
}

// A consumer died with the first message in its hands.
void return_first(QueueWorld& world) {
  put_two(world);
  world.die_at("ring.taken", [](Peer& peer) { peer.take(); });
  world.survivor().queue().sweep();
}

// The first message has been received and given back.
void nack_first(QueueWorld& world) {
  put_two(world);
  const Got got = world.survivor().receive();
  REQUIRE(got.code == Code::ok);
  REQUIRE(world.survivor().queue().nack(got.taken.receipt) == Code::ok);
}

// --- what the child does ---------------------------------------------------------------------------------------------

struct Buffer {
  std::byte bytes[kBeside];
  Taken taken;
};

// The message is ready beforehand: its making is no part of the operation.
Operate put_third(QueueWorld& world) {
  Peer& peer = world.join();
  auto& message = *new std::vector<std::byte>(Message::make(200, 3));
  return [&] { peer.queue().put(message.data(), message.size()); };
}

Operate put_third_beside(QueueWorld& world) {
  Peer& peer = world.join();
  auto& message = *new std::vector<std::byte>(Message::make(kBeside, 3));
  return [&] { peer.queue().put(message.data(), message.size()); };
}

Operate take_first(QueueWorld& world) {
  Peer& peer = world.join();
  Buffer& into = *new Buffer;
  return [&] { peer.queue().take(into.bytes, sizeof into.bytes, into.taken); };
}

Operate receive_first(QueueWorld& world) {
  Peer& peer = world.join();
  Buffer& into = *new Buffer;
  return [&] { peer.queue().receive(into.bytes, sizeof into.bytes, into.taken); };
}

// As receive_first, by one that has a ledger already.
Operate receive_again(QueueWorld& world) {
  Peer& peer = world.join();
  Buffer& into = *new Buffer;
  peer.queue().receive(into.bytes, 0, into.taken);
  return [&] { peer.queue().receive(into.bytes, sizeof into.bytes, into.taken); };
}

Operate let_go(QueueWorld& world, Code (Queue::*how)(double)) {
  Peer& peer = world.join();
  const double receipt = peer.receive().taken.receipt;
  return [&peer, how, receipt] { (peer.queue().*how)(receipt); };
}

Operate open_queue(const QueueWorld& world, OpenMode mode) {
  auto& bell = *new Doorbell(world.directory().open());
  const auto& header = *new interproc::memory::Header(header_of(world.shape()));
  return [&bell, &header, mode] {
    auto opened = Queue::open(bell, "q", mode, header);
    opened.value().release();
  };
}

Operate close_queue(QueueWorld& world) {
  Peer& peer = world.join();
  return [&peer] { peer.close(); };
}

// --- the byte ring ---------------------------------------------------------------------------------------------------

class ByteRingWorld : public World {
 public:
  explicit ByteRingWorld(SpscChannel::Role role) : role_(role) {
    auto producer = open(SpscChannel::producer);
    for (std::uint64_t id : {1u, 2u}) REQUIRE(put(*producer, id, 200) == Code::ok);
    survivor_ = role == SpscChannel::producer ? open(SpscChannel::consumer) : std::move(producer);
  }

  Operate set_out() override {
    SpscChannel& channel = *open(role_).release();
    auto& bytes = *new std::vector<std::byte>(Message::make(200, 3));
    if (role_ == SpscChannel::producer) return [&] { channel.put(bytes.data(), bytes.size()); };
    return [&] {
      std::uint32_t length = 0;
      channel.take(bytes.data(), bytes.size(), length);
    };
  }

  void expect_sound(bool completed, std::uint64_t) override {
    // The other end is taken up where the dead one left it.
    auto successor = open(role_);
    SpscChannel& producer = role_ == SpscChannel::producer ? *successor : *survivor_;
    SpscChannel& consumer = role_ == SpscChannel::producer ? *survivor_ : *successor;
    Ids ids;
    drain(consumer, ids);
    const bool as_if_completed = ids == (role_ == SpscChannel::producer ? Ids{1, 2, 3} : Ids{2});
    CAPTURE(ids.size());
    REQUIRE((as_if_completed || (ids == Ids{1, 2} && !completed)));
    REQUIRE(put(producer, kWhole, producer.max_message_bytes()) == Code::ok);
    drain(consumer, ids);
    REQUIRE(ids.back() == kWhole);
    successor->close();
    survivor_->close();
    REQUIRE(directory_.names().empty());
  }

 private:
  std::unique_ptr<SpscChannel> open(SpscChannel::Role role) {
    auto opened = SpscChannel::open(bell_, "c", OpenMode::open_or_create,
                                    header_of(Shape{.kind = Kind::spsc}), role);
    REQUIRE(opened.ok());
    return std::move(opened.value());
  }
  static Code put(SpscChannel& producer, std::uint64_t id, std::size_t length) {
    const std::vector<std::byte> bytes = Message::make(length, id);
    return producer.put(bytes.data(), bytes.size());
  }
  static void drain(SpscChannel& consumer, Ids& ids) {
    std::vector<std::byte> bytes(consumer.max_message_bytes());
    std::uint32_t length = 0;
    while (consumer.take(bytes.data(), bytes.size(), length) == Code::ok) {
      std::uint64_t id = 0;
      REQUIRE(Message::read(bytes.data(), length, id));
      ids.push_back(id);
    }
  }

  SpscChannel::Role role_;
  TestDirectory directory_;
  Doorbell bell_{directory_.open()};
  std::unique_ptr<SpscChannel> survivor_;
};

}  // namespace

TEST_CASE("killed within put") {
  kill_anywhere("put", every(),
                {.prepare = put_two, .set_out = put_third, .before = {1, 2}, .after = {1, 2, 3}});
}

TEST_CASE("killed within a put to a queue of few messages") {
  kill_anywhere("put below maxItems", every(),
                {.prepare = put_two,
                 .set_out = put_third,
                 .before = {1, 2},
                 .after = {1, 2, 3},
                 .max_items = 4});
}

TEST_CASE("killed within a put that rings a bell") {
  kill_anywhere("put that rings", every(),
                {.prepare =
                     [](QueueWorld& world) {
                       REQUIRE(world.survivor().bell().hang().code == Code::ok);
                       REQUIRE_FALSE(world.survivor().queue().arm(kTake, 7));
                     },
                 .set_out = put_third,
                 .after = {3}});
}

TEST_CASE("killed within a put that has to reclaim space") {
  kill_anywhere("put that reclaims", every(),
                {.prepare =
                     [](QueueWorld& world) {
                       fill(world);
                       for (int i = 0; i < 4; ++i) {
                         REQUIRE(world.survivor().take().whole);
                         REQUIRE(world.survivor().queue().task_done() == Code::ok);
                       }
                     },
                 .set_out = put_third,
                 .after = {3}});
}

TEST_CASE("killed within a put that finds no room") {
  kill_anywhere("put that finds no room", every(),
                {.prepare = fill,
                 .set_out = put_third,
                 .before = {1, 2, 3, 4},
                 .after = {1, 2, 3, 4},
                 .leaves_no_room = true});
}

TEST_CASE("killed within a put that stamps the blocks within its record") {
  kill_anywhere("put that stamps", every(),
                {.prepare =
                     [](QueueWorld& world) {
                       const auto directory = world.directory().open();
                       auto bare = BareSegment::open(directory, "q", OpenMode::open,
                                                     world.survivor().queue().header());
                       const std::uint64_t blocks = std::uint64_t{1}
                                                    << bare->segment().header().blocks_shift;
                       move_ring(bare->segment(), MpmcRing::kStampLaps * blocks - 2);
                     },
                 .set_out = put_third,
                 .after = {3}});
}

TEST_CASE("killed within take") {
  kill_anywhere("take", every(),
                {.prepare = put_two, .set_out = take_first, .before = {1, 2}, .after = {2}});
}

TEST_CASE("killed within a take that makes room for a waiting put") {
  kill_anywhere("take that rings", every(),
                {.prepare =
                     [](QueueWorld& world) {
                       fill(world);
                       REQUIRE(world.survivor().bell().hang().code == Code::ok);
                       REQUIRE_FALSE(world.survivor().queue().arm(kPut, 7));
                     },
                 .set_out = take_first,
                 .before = {1, 2, 3, 4},
                 .after = {2, 3, 4},
                 .leaves_no_room = true});
}

TEST_CASE("killed within a take of what another died with") {
  kill_anywhere("take of a returned record", every(),
                {.prepare = return_first,
                 .set_out = take_first,
                 .before = {1, 2},
                 .after = {2},
                 .first_delivery = 2});
}

TEST_CASE("killed within a take of what was given back") {
  kill_anywhere("take of a returned entry", every(),
                {.prepare = nack_first,
                 .set_out = take_first,
                 .before = {1, 2},
                 .after = {2},
                 .first_delivery = 2});
}

TEST_CASE("killed within a take that finds a dead producer's record") {
  kill_anywhere("take over a dead record", every(),
                {.prepare =
                     [](QueueWorld& world) {
                       world.die_at("ring.written", [](Peer& peer) { peer.put(5, 200); });
                       REQUIRE(world.survivor().put(1) == Code::ok);
                     },
                 .set_out = take_first,
                 .before = {1},
                 .after = {}});
}

TEST_CASE("killed within the task_done for which another waits") {
  kill_anywhere("task_done that rings", every(),
                {.prepare =
                     [](QueueWorld& world) {
                       REQUIRE(world.survivor().put(1) == Code::ok);
                       REQUIRE(world.survivor().bell().hang().code == Code::ok);
                       REQUIRE_FALSE(world.survivor().queue().arm(kJoin, 7));
                     },
                 .set_out = [](QueueWorld& world) -> Operate {
                   Peer& peer = world.join();
                   Buffer& into = *new Buffer;
                   peer.queue().take(into.bytes, sizeof into.bytes, into.taken);
                   return [&peer] { peer.queue().task_done(); };
                 }});
}

TEST_CASE("killed within take_another") {
  kill_anywhere("take_another", every(),
                {.prepare = put_two,
                 .set_out = [](QueueWorld& world) -> Operate {
                   Peer& peer = world.join();
                   Buffer& into = *new Buffer;
                   return [&] {
                     peer.queue().take_another(into.bytes, sizeof into.bytes, into.taken);
                   };
                 },
                 .before = {1, 2},
                 .after = {2}});
}

TEST_CASE("killed within a put beside the ring") {
  kill_anywhere("put beside", every(),
                {.prepare = put_two_beside,
                 .set_out = put_third_beside,
                 .before = {1, 2},
                 .after = {1, 2, 3},
                 .has_sides = true});
}

TEST_CASE("killed within a put beside the ring that uses memory again, and gives some of it back") {
  kill_anywhere("put beside again", every(),
                {.prepare =
                     [](QueueWorld& world) {
                       put_two_beside(world);
                       for (std::uint64_t id : {1u, 2u}) {
                         REQUIRE(world.survivor().take().id == id);
                         REQUIRE(world.survivor().queue().task_done() == Code::ok);
                       }
                     },
                 .set_out = put_third_beside,
                 .after = {3},
                 .has_sides = true});
}

TEST_CASE("killed within a take of what stands beside the ring") {
  kill_anywhere("take beside", every(),
                {.prepare = put_two_beside,
                 .set_out = take_first,
                 .before = {1, 2},
                 .after = {2},
                 .has_sides = true});
}

TEST_CASE("killed within a take of what stands beside the ring and was given back") {
  kill_anywhere("take of a returned entry beside", every(),
                {.prepare =
                     [](QueueWorld& world) {
                       put_two_beside(world);
                       const Got got = world.survivor().receive();
                       REQUIRE(world.survivor().queue().nack(got.taken.receipt) == Code::ok);
                     },
                 .set_out = take_first,
                 .before = {1, 2},
                 .after = {2},
                 .first_delivery = 2,
                 .has_sides = true});
}

TEST_CASE("killed within a receive of what stands beside the ring") {
  kill_anywhere("receive beside", every(),
                {.prepare = put_two_beside,
                 .set_out = receive_again,
                 .before = {1, 2},
                 .after = {1, 2},
                 .delivers = true,
                 .has_sides = true});
}

TEST_CASE("killed within the ack of what stands beside the ring") {
  kill_anywhere("ack beside", every(),
                {.prepare = put_two_beside,
                 .set_out = [](QueueWorld& world) { return let_go(world, &Queue::ack); },
                 .before = {1, 2},
                 .after = {2},
                 .has_sides = true});
}

TEST_CASE("killed within a sweep that frees a dead producer's place beside the ring") {
  kill_anywhere("sweep beside", every(),
                {.prepare =
                     [](QueueWorld& world) {
                       put_two_beside(world);
                       world.die_at("side.filled", [](Peer& peer) { peer.put(5, kBeside); });
                     },
                 .set_out = [](QueueWorld& world) -> Operate {
                   Peer& peer = world.join();
                   return [&peer] { peer.queue().sweep(); };
                 },
                 .before = {1, 2},
                 .after = {1, 2},
                 .has_sides = true});
}

TEST_CASE("killed within receive") {
  kill_anywhere("receive", every(),
                {.prepare = put_two,
                 .set_out = receive_again,
                 .before = {1, 2},
                 .after = {1, 2},
                 .delivers = true});
}

TEST_CASE("killed within the first receive, which makes the ledger") {
  kill_anywhere("first receive", every(),
                {.prepare = put_two,
                 .set_out = receive_first,
                 .before = {1, 2},
                 .after = {1, 2},
                 .delivers = true});
}

TEST_CASE("killed within a receive of what another died with") {
  kill_anywhere("receive of a returned record", every(),
                {.prepare = return_first,
                 .set_out = receive_again,
                 .before = {1, 2},
                 .after = {1, 2},
                 .first_delivery = 2,
                 .delivers = true});
}

TEST_CASE("killed within a receive of what was given back") {
  kill_anywhere("receive of a returned entry", every(),
                {.prepare = nack_first,
                 .set_out = receive_again,
                 .before = {1, 2},
                 .after = {1, 2},
                 .first_delivery = 2,
                 .delivers = true});
}

TEST_CASE("killed within ack") {
  kill_anywhere("ack", every(),
                {.prepare = put_two,
                 .set_out = [](QueueWorld& world) { return let_go(world, &Queue::ack); },
                 .before = {1, 2},
                 .after = {2},
                 .first_delivery = 2});
}

TEST_CASE("killed within nack") {
  kill_anywhere("nack", every(),
                {.prepare = put_two,
                 .set_out = [](QueueWorld& world) { return let_go(world, &Queue::nack); },
                 .before = {1, 2},
                 .after = {1, 2},
                 .first_delivery = 2});
}

TEST_CASE("killed within arm and disarm") {
  kill_anywhere("arm and disarm", every(),
                {.prepare = nothing,
                 .set_out = [](QueueWorld& world) -> Operate {
                   Peer& peer = world.join();
                   peer.bell().hang();
                   const auto operate = [&peer] {
                     peer.queue().arm(kTake, 7);
                     peer.queue().disarm(kTake);
                   };
                   // The spin before arming becomes short: it is the same few instructions again and again.
                   for (int i = 0; i < 10; ++i) operate();
                   return operate;
                 },
                 .before = {},
                 .after = {}});
}

TEST_CASE("killed within end") {
  kill_anywhere("end", every(),
                {.prepare = put_two,
                 .set_out = [](QueueWorld& world) -> Operate {
                   Peer& peer = world.join();
                   return [&peer] { peer.queue().end(); };
                 },
                 .before = {1, 2},
                 .after = {1, 2},
                 .ends = true});
}

TEST_CASE("killed within the sweep of what two others died with") {
  kill_anywhere("sweep", every(),
                {.prepare = put_two,
                 .set_out = [](QueueWorld& world) -> Operate {
                   Peer& peer = world.join();
                   return [&peer] { peer.queue().sweep(); };
                 },
                 .before = {1, 2},
                 .after = {1, 2},
                 .first_delivery = 2,
                 .participants = 4,
                 .meanwhile =
                     [](QueueWorld& world) {
                       world.die_at("ring.written", [](Peer& peer) { peer.put(5, 200); });
                       // In the ledger already, and in the ring still.
                       world.die_at("ledger.held", [](Peer& peer) { peer.receive(); });
                     }});
}

TEST_CASE("killed within the opening of a queue in use") {
  kill_anywhere("open", sampled(),
                {.prepare = put_two,
                 .set_out = [](QueueWorld& world) { return open_queue(world, OpenMode::open); },
                 .before = {1, 2},
                 .after = {1, 2}});
}

TEST_CASE("killed within the opening of a queue in which somebody died") {
  kill_anywhere("open after a death", sampled(),
                {.prepare =
                     [](QueueWorld& world) {
                       put_two(world);
                       world.die_at("queue.copied", [](Peer& peer) { peer.take(); });
                     },
                 .set_out = [](QueueWorld& world) { return open_queue(world, OpenMode::open); },
                 .before = {1, 2},
                 .after = {1, 2},
                 .first_delivery = 2});
}

TEST_CASE("killed within the opening of a queue that only holds messages") {
  kill_anywhere("open of a forsaken queue", sampled(),
                {.prepare =
                     [](QueueWorld& world) {
                       put_two(world);
                       world.close_survivor();
                     },
                 .set_out = [](QueueWorld& world) { return open_queue(world, OpenMode::open); },
                 .before = {1, 2},
                 .after = {1, 2}});
}

TEST_CASE("killed within the creation of a queue") {
  kill_anywhere("create", sampled(),
                {.prepare = [](QueueWorld& world) { world.close_survivor(); },
                 .set_out = [](QueueWorld& world) { return open_queue(world, OpenMode::create); }});
}

TEST_CASE("killed within the creation of a queue that persists") {
  kill_anywhere("create to persist", sampled(),
                {.prepare =
                     [](QueueWorld& world) {
                       REQUIRE(world.survivor().queue().unlink().code == Code::ok);
                       world.close_survivor();
                     },
                 .set_out = [](QueueWorld& world) { return open_queue(world, OpenMode::create); },
                 .flags = kPersist});
}

TEST_CASE("killed within the closing of a queue that others use") {
  kill_anywhere("close", sampled(),
                {.prepare = [](QueueWorld& world) { REQUIRE(world.survivor().put(1) == Code::ok); },
                 .set_out = [](QueueWorld& world) -> Operate {
                   Peer& peer = world.join();
                   peer.receive();
                   peer.bell().hang();
                   if (peer.queue().arm(kTake, 7)) return {};
                   return [&peer] { peer.close(); };
                 },
                 .before = {1},
                 .after = {1},
                 .first_delivery = 2,
                 .leaves_a_bell = true});
}

TEST_CASE("killed within the last closing of a queue that holds messages") {
  kill_anywhere("last close", sampled(),
                {.prepare = put_two,
                 .set_out = close_queue,
                 .before = {1, 2},
                 .after = {1, 2},
                 .meanwhile = [](QueueWorld& world) { world.close_survivor(); }});
}

TEST_CASE("killed within the last closing of an empty queue") {
  kill_anywhere("last close, empty", sampled(),
                {.prepare = nothing, .set_out = close_queue, .meanwhile = [](QueueWorld& world) {
                   world.close_survivor();
                 }});
}

TEST_CASE("killed within the put of a byte ring") {
  Killer("byte ring put", [] {
    return std::make_unique<ByteRingWorld>(SpscChannel::producer);
  }).run(every());
}

TEST_CASE("killed within the take of a byte ring") {
  Killer("byte ring take", [] {
    return std::make_unique<ByteRingWorld>(SpscChannel::consumer);
  }).run(every());
}
