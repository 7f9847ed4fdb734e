// A participant is killed at every instruction of an operation. Whatever it was about to do, the survivor goes on: it finds
// every message that was accepted, whole and in order, each once or marked as delivered before; the whole capacity is to
// be had, and every slot; and after the last close the directory is empty.

#include <doctest/doctest.h>
#include <sys/prctl.h>

#include <cstdio>
#include <memory>
#include <vector>

#include "platform/clock.h"
#include "platform/fault.h"
#include "ring/catalog.h"
#include "ring/spsc_channel.h"
#include "test/bare_segment.h"
#include "test/moved_ring.h"
#include "test/peer.h"
#include "test/random.h"
#include "test/scale.h"
#include "test/stepped_child.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::OpenMode;
using interproc::ring::SpscChannel;
using interproc::sync::kPut;
using interproc::sync::kTake;
using interproc::test::BareSegment;
using interproc::test::Got;
using interproc::test::Message;
using interproc::test::Peer;
using interproc::test::Random;
using interproc::test::Shape;
using interproc::test::SteppedChild;
using interproc::test::TestDirectory;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

using Ids = std::vector<std::uint64_t>;
using Operate = std::function<void()>;

constexpr std::uint64_t kWhole = 99;  // the id of the message that takes the whole capacity
// Longer than one idle sweep is apart from the next.
constexpr std::int64_t kUntilSweepIsDueNs = 6'000'000;
constexpr std::uint64_t kEvery = ~std::uint64_t{0};

struct World {
  explicit World(const Shape& wanted) : shape(wanted) {}

  void survive() {
    if (survivor == nullptr)
      survivor = std::make_unique<Peer>(directory, "q", OpenMode::open_or_create, shape);
  }
  // In the child: an own participant, never destroyed.
  Peer& join() const { return *new Peer(directory, "q", OpenMode::open, shape); }

  Shape shape;
  TestDirectory directory;
  std::unique_ptr<Peer> survivor;
};

struct Operation {
  const char* name = "";
  // What the survivor does first; it is open already.
  std::function<void(World&)> prepare = [](World&) {};
  // In the child: everything up to the operation, which it returns.
  std::function<Operate(World&)> set_out;
  // While the child stands before the operation.
  std::function<void(World&)> meanwhile = [](World&) {};
  // What lies in the queue if the operation has not happened, and if it has.
  Ids before = {};
  Ids after = {};
  // The delivery that the first message would be next, and whether the operation counts as one.
  std::uint32_t first_delivery = 1;
  bool delivers = false;
  bool ends = false;
  // A doorbell of the child's may outlive the record of whose it is; prune() finds it.
  bool leaves_a_bell = false;
  // The ones that enter the kernel dozens of times are sampled.
  bool is_short = true;
  std::uint32_t participants = 2;
};

void drain(Peer& peer, std::vector<Got>& into, Code& last) {
  for (;;) {
    Got got = peer.take();
    last = got.code;
    if (got.code != Code::ok) return;
    into.push_back(got);
  }
}

Ids ids_of(const std::vector<Got>& messages) {
  Ids ids;
  for (const Got& got : messages) ids.push_back(got.id);
  return ids;
}

// Everything that a survivor can see; `by_itself`: it is not told that somebody died.
void expect_sound(World& world, const Operation& operation, bool completed, bool by_itself) {
  world.survive();
  Peer& survivor = *world.survivor;
  REQUIRE(survivor.ok());
  if (!by_itself) survivor.queue().sweep();

  std::vector<Got> messages;
  Code last = Code::ok;
  drain(survivor, messages, last);
  if (by_itself && ids_of(messages) != operation.before && ids_of(messages) != operation.after) {
    interproc::platform::sleep_ns(kUntilSweepIsDueNs);
    drain(survivor, messages, last);
  }
  const Ids ids = ids_of(messages);
  CAPTURE(ids.size());
  const bool as_after = ids == operation.after;
  const bool as_before = ids == operation.before;
  REQUIRE((as_after || (as_before && !completed)));
  for (const Got& got : messages) {
    REQUIRE(got.whole);
    const bool touched = got.id == operation.before.front();
    const std::uint32_t least =
        touched ? operation.first_delivery + (completed && operation.delivers ? 1 : 0) : 1;
    const std::uint32_t most = touched ? operation.first_delivery + 1 : 1;
    REQUIRE(got.taken.deliveries >= least);
    REQUIRE(got.taken.deliveries <= most);
  }

  if (operation.ends) {
    survivor.queue().end();
    REQUIRE(survivor.take().code == Code::ended);
  } else {
    REQUIRE(last == Code::empty);
    REQUIRE(survivor.queue().size() == 0);
    Code put = survivor.put(kWhole, survivor.capacity());
    if (by_itself && put == Code::full) {
      interproc::platform::sleep_ns(kUntilSweepIsDueNs);
      put = survivor.put(kWhole, survivor.capacity());
    }
    REQUIRE(put == Code::ok);
    const Got whole = survivor.take();
    REQUIRE(whole.code == Code::ok);
    REQUIRE(whole.whole);
    REQUIRE(whole.id == kWhole);
  }

  std::vector<std::unique_ptr<Peer>> others;
  while (others.size() + 1 < operation.participants) {
    others.push_back(std::make_unique<Peer>(world.directory, "q", OpenMode::open, world.shape));
    REQUIRE(others.back()->ok());
  }
  others.clear();
  world.survivor.reset();
  if (operation.leaves_a_bell) {
    auto directory = world.directory.open();
    REQUIRE(interproc::ring::prune(directory, false).ok());
  }
  REQUIRE(world.directory.names().empty());
}

// Kills one child after `steps` steps. Returns whether it had completed the operation.
bool kill_once(const Operation& operation, SteppedChild::Step step, std::uint64_t steps,
               std::uint64_t& taken) {
  CAPTURE(steps);
  Watchdog watchdog(operation.name, 60);
  World world(Shape{.max_participants = operation.participants});
  world.survive();
  REQUIRE(world.survivor->ok());
  operation.prepare(world);
  SteppedChild child([&] { return operation.set_out(world); });
  REQUIRE(child.ready());
  operation.meanwhile(world);
  const SteppedChild::Progress progress = child.advance(step, steps);
  REQUIRE(progress != SteppedChild::Progress::died);
  child.kill();
  taken = child.taken();
  const bool completed = progress == SteppedChild::Progress::completed;
  // Every other survivor has to find out by itself.
  expect_sound(world, operation, completed, steps % 2 == 0);
  return completed;
}

void kill_anywhere(const Operation& operation) {
  CAPTURE(operation.name);
  std::uint64_t instructions = 0;
  std::uint64_t kills = 0;
  std::uint64_t taken = 0;
  REQUIRE(kill_once(operation, SteppedChild::Step::instruction, kEvery, instructions));

  const std::uint64_t samples =
      operation.is_short ? times(kEvery, 60, kEvery) : times(120, 15, kEvery);
  if (samples >= instructions) {
    for (bool completed = false; !completed; ++kills)
      completed = kill_once(operation, SteppedChild::Step::instruction, kills, taken);
  } else {
    Random random(interproc::test::seed_for(operation.name));
    for (; kills < samples; ++kills)
      kill_once(operation, SteppedChild::Step::instruction, random.below(instructions), taken);
  }
  // What others see changes much at once at a system call: all of them, whatever was sampled.
  std::uint64_t calls = 0;
  for (bool completed = false; !completed; ++calls)
    completed = kill_once(operation, SteppedChild::Step::system_call, calls, taken);

  std::printf("%s: %llu instructions, killed at %llu of them and at %llu entries and returns\n",
              operation.name, static_cast<unsigned long long>(instructions),
              static_cast<unsigned long long>(kills), static_cast<unsigned long long>(calls));
  std::fflush(stdout);
}

// Two messages, the second of several blocks.
void put_two(World& world) {
  REQUIRE(world.survivor->put(1) == Code::ok);
  REQUIRE(world.survivor->put(2, 200) == Code::ok);
}

// Another participant does this and dies at that point of it.
void die_at(World& world, const char* point, const std::function<void(Peer&)>& work) {
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    Peer& peer = world.join();
    interproc::platform::plan_fault(interproc::platform::FaultAction::kill, 1, point);
    work(peer);
    _exit(1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
}

}  // namespace

TEST_CASE("put") {
  kill_anywhere({.name = "put",
                 .prepare = put_two,
                 .set_out = [](World& world) -> Operate {
                   Peer& peer = world.join();
                   return [&peer] { peer.put(3, 200); };
                 },
                 .before = {1, 2},
                 .after = {1, 2, 3}});
}
