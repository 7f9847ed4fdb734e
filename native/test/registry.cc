#include "memory/registry.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "test/bare_segment.h"
#include "test/once_at.h"
#include "test/test_directory.h"

using interproc::Code;
using interproc::Error;
using interproc::memory::kSlotUsed;
using interproc::memory::OpenMode;
using interproc::memory::Owner;
using interproc::memory::Registry;
using interproc::test::BareSegment;
using interproc::test::header_of;
using interproc::test::OnceAt;
using interproc::test::Shape;
using interproc::test::TestDirectory;

namespace {

void sweep_nothing(Owner) {}

// The first participant's view of a segment, and a way for others to get theirs.
struct Place {
  explicit Place(std::uint32_t participants = 4)
      : shape{.max_participants = participants},
        opened(directory.open()),
        first(BareSegment::create(opened, shape)),
        registry(first->segment()) {}
  ~Place() { registry.leave(); }

  std::unique_ptr<BareSegment> another() {
    return BareSegment::open(opened, "bare", OpenMode::open, header_of(shape));
  }

  TestDirectory directory;
  Shape shape;
  interproc::platform::Directory opened;
  std::unique_ptr<BareSegment> first;
  Registry registry;
};

// A process of its own, which does `work`, says what it is called there, and then waits to be killed.
class Other {
 public:
  explicit Other(const std::function<Owner()>& work) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    process_ = fork();
    if (process_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      const Owner joined = work();
      if (write(ends[1], &joined, sizeof joined) == sizeof joined)
        for (;;) pause();
      _exit(1);
    }
    close(ends[1]);
    REQUIRE(read(ends[0], &owner, sizeof owner) == sizeof owner);
    close(ends[0]);
  }
  ~Other() { die(); }
  void stop() { signal_and_wait(SIGSTOP); }
  void die() {
    if (process_ != 0) signal_and_wait(SIGKILL);
    process_ = 0;
  }

  Owner owner;

 private:
  void signal_and_wait(int signal) {
    kill(process_, signal);
    int status = 0;
    waitpid(process_, &status, WUNTRACED);
  }
  pid_t process_ = 0;
};

// Joins from a process that will be killed: what it opened must stay open until then.
Owner join_in(Place& place) {
  auto* segment = place.another().release();
  auto* registry = new Registry(segment->segment());
  return registry->join(sweep_nothing).code == Code::ok ? registry->self() : Owner{};
}

}  // namespace

TEST_CASE("participants get slots of their own, and the first generation is not zero") {
  Place place;
  REQUIRE(place.registry.join(sweep_nothing).code == Code::ok);
  CHECK(place.registry.self() == Owner{0, 1});
  const auto second = place.another();
  Registry other(second->segment());
  REQUIRE(other.join(sweep_nothing).code == Code::ok);
  CHECK(other.self() == Owner{1, 1});
  CHECK(place.registry.living() == 2);
  CHECK(other.living() == 2);
  CHECK_FALSE(place.registry.dead(other.self()));
  CHECK_FALSE(other.dead(place.registry.self()));
  CHECK_FALSE(place.registry.dead(place.registry.self()));
  other.leave();
  CHECK(place.registry.living() == 1);
}

TEST_CASE("when all slots are taken the next is refused, and gets one when somebody leaves") {
  Place place(2);
  const auto second = place.another();
  const auto third = place.another();
  Registry b(second->segment());
  Registry c(third->segment());
  REQUIRE(place.registry.join(sweep_nothing).code == Code::ok);
  REQUIRE(b.join(sweep_nothing).code == Code::ok);
  CHECK(c.join(sweep_nothing).code == Code::no_slot);
  b.leave();
  REQUIRE(c.join(sweep_nothing).code == Code::ok);
  CHECK(c.self() == Owner{1, 2});
  c.leave();
}

TEST_CASE("a slot can be asked for among some") {
  Place place;
  REQUIRE(place.registry.join(2, 3, sweep_nothing).code == Code::ok);
  CHECK(place.registry.self().slot == 2);
  const auto second = place.another();
  Registry other(second->segment());
  CHECK(other.join(2, 3, sweep_nothing).code == Code::no_slot);
  CHECK(other.join(2, 4, sweep_nothing).code == Code::ok);
  CHECK(other.self().slot == 3);
  other.leave();
}

TEST_CASE("who left is dead, for good, and a slot's next user is another") {
  Place place;
  REQUIRE(place.registry.join(sweep_nothing).code == Code::ok);
  const auto second = place.another();
  Registry other(second->segment());
  REQUIRE(other.join(sweep_nothing).code == Code::ok);
  const Owner gone = other.self();
  other.leave();
  CHECK(place.registry.dead(gone));
  CHECK(place.registry.vacant(gone.slot));
  REQUIRE(other.join(sweep_nothing).code == Code::ok);
  CHECK(other.self() == Owner{gone.slot, static_cast<std::uint8_t>(gone.generation + 1)});
  CHECK(place.registry.dead(gone));
  CHECK_FALSE(place.registry.dead(other.self()));
  other.leave();
}

TEST_CASE("the generation goes around, and is never 0, with which those sign who have not joined") {
  Place place;
  for (int i = 0; i < 600; ++i) {
    REQUIRE(place.registry.join(sweep_nothing).code == Code::ok);
    REQUIRE(place.registry.self().generation == i % 255 + 1);
    REQUIRE(place.registry.dead(Owner{}));
    place.registry.leave();
  }
}

TEST_CASE("a slot or generation that nobody has is dead") {
  Place place;
  REQUIRE(place.registry.join(sweep_nothing).code == Code::ok);
  CHECK(place.registry.dead({3, 0}));
  CHECK(place.registry.dead({3, 7}));
  CHECK(place.registry.dead({200, 1}));
  CHECK(place.registry.dead({0, 2}));
}

TEST_CASE("the killed are dead at once, and the next in their slot sweeps what they left") {
  Place place;
  REQUIRE(place.registry.join(sweep_nothing).code == Code::ok);
  Other other([&] { return join_in(place); });
  CHECK_FALSE(place.registry.dead(other.owner));
  CHECK(place.registry.living() == 2);
  other.die();
  CHECK(place.registry.dead(other.owner));
  CHECK(place.registry.living() == 1);
  const auto second = place.another();
  Registry heir(second->segment());
  std::vector<Owner> swept;
  REQUIRE(heir.join([&](Owner last) {
                // It is dead to everybody before it is swept.
                CHECK(place.registry.dead(last));
                CHECK((place.registry.slot(last.slot).identity.load() >> 8) != last.generation);
                swept.push_back(last);
              })
              .code == Code::ok);
  REQUIRE(swept.size() == 1);
  CHECK(swept[0] == other.owner);
  CHECK(heir.self().slot == other.owner.slot);
  heir.leave();
}

TEST_CASE("who left cleanly is not swept") {
  Place place;
  for (int i = 0; i < 3; ++i) {
    int sweeps = 0;
    REQUIRE(place.registry.join([&](Owner) { ++sweeps; }).code == Code::ok);
    CHECK(sweeps == 0);
    place.registry.leave();
  }
}

TEST_CASE("a stopped process is alive") {
  Place place;
  REQUIRE(place.registry.join(sweep_nothing).code == Code::ok);
  Other other([&] { return join_in(place); });
  other.stop();
  for (int i = 0; i < 100; ++i) REQUIRE_FALSE(place.registry.dead(other.owner));
  CHECK_FALSE(place.registry.vacant(other.owner.slot));
}

TEST_CASE("a joiner that is killed half-way leaves the slot to be swept again, or swept") {
  for (const char* point : {"registry.alone", "registry.named", "registry.locked", "registry.swept",
                            "registry.joined"}) {
    CAPTURE(std::string(point));
    Place place;
    REQUIRE(place.registry.join(sweep_nothing).code == Code::ok);
    Owner first;
    {
      Other other([&] { return join_in(place); });
      first = other.owner;
    }
    const pid_t child = fork();
    if (child == 0) {
      const auto opened = place.another();
      Registry registry(opened->segment());
      interproc::platform::plan_fault(interproc::platform::FaultAction::kill, 1, point);
      registry.join(sweep_nothing);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    REQUIRE(WIFSIGNALED(status));
    const auto second = place.another();
    Registry heir(second->segment());
    std::vector<Owner> swept;
    REQUIRE(heir.join([&](Owner last) { swept.push_back(last); }).code == Code::ok);
    REQUIRE(swept.size() == 1);
    CHECK(swept[0].slot == first.slot);
    CHECK(heir.self().slot == first.slot);
    CHECK(heir.self().generation > first.generation);
    CHECK(place.registry.dead(first));
    heir.leave();
  }
}

TEST_CASE("the dead stay dead at every step of who takes their slot") {
  for (const char* point : {"registry.alone", "registry.named", "registry.locked", "registry.swept",
                            "registry.joined"}) {
    CAPTURE(std::string(point));
    Place place;
    REQUIRE(place.registry.join(sweep_nothing).code == Code::ok);
    Owner gone;
    {
      Other other([&] { return join_in(place); });
      gone = other.owner;
    }
    const auto second = place.another();
    Registry heir(second->segment());
    const OnceAt moment(point, [&] { CHECK(place.registry.dead(gone)); });
    REQUIRE(heir.join(sweep_nothing).code == Code::ok);
    CHECK(moment.ran());
    CHECK(heir.self().slot == gone.slot);
    heir.leave();
  }
}

TEST_CASE("who is moving in keeps others from the slot, and from no other") {
  Place place(2);
  const auto second = place.another();
  const auto third = place.another();
  Registry a(second->segment());
  Registry b(third->segment());
  for (const char* point : {"registry.alone", "registry.named", "registry.locked"}) {
    CAPTURE(std::string(point));
    {
      const OnceAt moment(point, [&] { CHECK(b.join(sweep_nothing).code == Code::ok); });
      REQUIRE(a.join(sweep_nothing).code == Code::ok);
      REQUIRE(moment.ran());
    }
    CHECK(a.self().slot == 0);
    CHECK(b.self().slot == 1);
    CHECK_FALSE(a.dead(b.self()));
    CHECK_FALSE(b.dead(a.self()));
    a.leave();
    b.leave();
  }
}

TEST_CASE("two that find the same slot vacant do not both get it") {
  Place place(1);
  const auto second = place.another();
  Registry other(second->segment());
  // The second look is after its rival has come and gone through the whole of it.
  const OnceAt moment("registry.vacant",
                      [&] { CHECK(other.join(sweep_nothing).code == Code::ok); });
  CHECK(place.registry.join(sweep_nothing).code == Code::no_slot);
  CHECK_FALSE(place.registry.dead(other.self()));
  other.leave();
}

TEST_CASE("many joiners at once all get different slots") {
  Place place(64);
  std::vector<std::unique_ptr<BareSegment>> segments;
  std::vector<std::unique_ptr<Registry>> registries;
  std::vector<bool> used(64);
  for (int i = 0; i < 64; ++i) {
    segments.push_back(place.another());
    registries.push_back(std::make_unique<Registry>(segments.back()->segment()));
    // Another joins just before and in the middle of it.
    std::unique_ptr<OnceAt> moment;
    if (i % 2 == 0 && i + 1 < 64) {
      segments.push_back(place.another());
      registries.push_back(std::make_unique<Registry>(segments.back()->segment()));
      Registry* other = registries.back().get();
      moment = std::make_unique<OnceAt>("registry.locked", [other] { other->join(sweep_nothing); });
      REQUIRE(registries[registries.size() - 2]->join(sweep_nothing).code == Code::ok);
      ++i;
    } else {
      REQUIRE(registries.back()->join(sweep_nothing).code == Code::ok);
    }
  }
  for (const auto& registry : registries) {
    REQUIRE_FALSE(used[registry->self().slot]);
    used[registry->self().slot] = true;
  }
  for (const auto& registry : registries) registry->leave();
}
