#include "state/cells.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "platform/clock.h"
#include "platform/fault.h"
#include "state/open_state.h"
#include "test/once_at.h"
#include "test/random.h"
#include "test/scale.h"
#include "test/shape.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::Header;
using interproc::memory::Kind;
using interproc::memory::OpenMode;
using interproc::platform::FaultAction;
using interproc::platform::plan_fault;
using interproc::state::CellOperation;
using interproc::state::Cells;
using interproc::state::CellType;
using interproc::state::open_state;
using interproc::state::Operands;
using interproc::state::SharedState;
using interproc::sync::Doorbell;
using interproc::sync::kJoin;
using interproc::test::OnceAt;
using interproc::test::Random;
using interproc::test::seed_for;
using interproc::test::TestDirectory;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max() / 2;

// A value of 64 bits, or one of `whole` words that is written whole.
Header value_header(std::uint64_t whole = 0) {
  Header header{};
  header.kind = Kind::value;
  header.max_participants = 8;
  header.state_bytes = whole == 0 ? 8 : 2 * 8 * whole;
  header.parameter = 8 * whole;
  std::strcpy(header.schema, whole == 0 ? "int64" : "{}");
  return header;
}

class Handle {
 public:
  Handle(const TestDirectory& directory, const Header& header,
         OpenMode mode = OpenMode::open_or_create)
      : bell_(directory.open()) {
    auto opened = open_state(bell_, "value", mode, header, nullptr, 0);
    REQUIRE(opened.ok());
    state_ = std::move(opened.value());
  }
  Cells& cells() { return static_cast<Cells&>(*state_); }
  std::int64_t load() {
    Operands operands{};
    cells().operate(CellOperation::load, CellType::int64, 0, operands);
    return static_cast<std::int64_t>(operands.previous);
  }
  std::int64_t add(std::int64_t amount) {
    Operands operands{};
    operands.value = static_cast<std::uint64_t>(amount);
    cells().operate(CellOperation::add, CellType::int64, 0, operands);
    return static_cast<std::int64_t>(operands.previous);
  }
  // True: it is to look again.
  bool arm() {
    REQUIRE(bell_.hang().code == Code::ok);
    return cells().arm(kJoin, 1);
  }
  std::uint64_t wakes() {
    std::uint64_t sum = 0;
    for (std::uint32_t slot = 0; slot < cells().header().max_participants; ++slot)
      sum += cells().segment().participants()[slot].wakes.load();
    return sum;
  }

 private:
  Doorbell bell_;
  std::unique_ptr<SharedState> state_;
};

template <class T>
T operate(Handle& handle, CellOperation operation, CellType type, T value, T expected = {}) {
  Operands operands{};
  std::memcpy(&operands.value, &value, sizeof value);
  std::memcpy(&operands.expected, &expected, sizeof expected);
  REQUIRE(handle.cells().operate(operation, type, 0, operands));
  T previous;
  std::memcpy(&previous, &operands.previous, sizeof previous);
  return previous;
}

template <class T>
void check_integers(CellType type, std::uint64_t seed) {
  TestDirectory directory;
  Handle handle(directory, value_header());
  Random random(seed);
  T model = 0;
  for (int i = 0; i < 2'000; ++i) {
    const T value = static_cast<T>(random.next());
    const T before = model;
    const auto operation =
        static_cast<CellOperation>(random.below(interproc::state::kCellOperations));
    const T expected = random.one_in(2) ? model : static_cast<T>(random.next());
    using U = std::make_unsigned_t<T>;
    switch (operation) {
      case CellOperation::load:
        break;
      case CellOperation::store:
      case CellOperation::exchange:
        model = value;
        break;
      case CellOperation::add:
        model = static_cast<T>(static_cast<U>(static_cast<U>(model) + static_cast<U>(value)));
        break;
      case CellOperation::sub:
        model = static_cast<T>(static_cast<U>(static_cast<U>(model) - static_cast<U>(value)));
        break;
      case CellOperation::bit_and:
        model = static_cast<T>(model & value);
        break;
      case CellOperation::bit_or:
        model = static_cast<T>(model | value);
        break;
      case CellOperation::bit_xor:
        model = static_cast<T>(model ^ value);
        break;
      case CellOperation::compare_exchange:
        if (model == expected) model = value;
        break;
    }
    const T previous = operate<T>(handle, operation, type, value, expected);
    CAPTURE(static_cast<int>(operation));
    if (operation != CellOperation::store) REQUIRE(previous == before);
    REQUIRE(operate<T>(handle, CellOperation::load, type, 0) == model);
  }
}

}  // namespace

TEST_CASE("operations on integers of every size do what arithmetic says, and wrap") {
  const std::uint64_t seed = seed_for("cells: integers");
  check_integers<std::int8_t>(CellType::int8, seed);
  check_integers<std::uint8_t>(CellType::uint8, seed);
  check_integers<std::int16_t>(CellType::int16, seed);
  check_integers<std::uint16_t>(CellType::uint16, seed);
  check_integers<std::int32_t>(CellType::int32, seed);
  check_integers<std::uint32_t>(CellType::uint32, seed);
  check_integers<std::int64_t>(CellType::int64, seed);
  check_integers<std::uint64_t>(CellType::uint64, seed);
}

TEST_CASE("floats are added and exchanged; a NaN is found by a NaN, and zero is not minus zero") {
  TestDirectory directory;
  Handle handle(directory, value_header());
  const double nan = std::nan("");
  CHECK(operate(handle, CellOperation::add, CellType::float64, 1.5) == 0.0);
  CHECK(operate(handle, CellOperation::sub, CellType::float64, 4.0) == 1.5);
  CHECK(operate(handle, CellOperation::exchange, CellType::float64, nan) == -2.5);
  CHECK(std::isnan(
      operate(handle, CellOperation::compare_exchange, CellType::float64, 0.0, -std::nan("7"))));
  CHECK(operate(handle, CellOperation::compare_exchange, CellType::float64, 1.0, -0.0) == 0.0);
  CHECK(operate(handle, CellOperation::load, CellType::float64, 0.0) == 0.0);
  CHECK(operate(handle, CellOperation::compare_exchange, CellType::float64, 1.0, 0.0) == 0.0);
  CHECK(operate(handle, CellOperation::load, CellType::float64, 0.0) == 1.0);
  operate(handle, CellOperation::store, CellType::float32, 2.0f);
  CHECK(operate(handle, CellOperation::add, CellType::float32, 0.25f) == 2.0f);
  CHECK(operate(handle, CellOperation::load, CellType::float32, 0.0f) == 2.25f);
}

TEST_CASE("floats have no bits") {
  TestDirectory directory;
  Handle handle(directory, value_header());
  for (const CellType type : {CellType::float32, CellType::float64}) {
    for (const CellOperation operation :
         {CellOperation::bit_and, CellOperation::bit_or, CellOperation::bit_xor}) {
      Operands operands{};
      CHECK_FALSE(handle.cells().operate(operation, type, 0, operands));
    }
  }
}

TEST_CASE("threads that add lose nothing, floats included") {
  const Watchdog watchdog("cells: adding threads");
  TestDirectory directory;
  Handle handle(directory, value_header());
  const std::uint64_t turns = times(20'000, 2'000, 200'000);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      Handle own(directory, value_header());
      for (std::uint64_t turn = 0; turn < turns; ++turn)
        operate(own, CellOperation::add, CellType::float64, 1.0);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(operate(handle, CellOperation::load, CellType::float64, 0.0) ==
        static_cast<double>(3 * turns));
}

TEST_CASE("a change that nobody waits for leaves the waiting alone") {
  TestDirectory directory;
  Handle handle(directory, value_header());
  handle.add(1);
  CHECK(handle.cells().watch_word().load() == 0);
  handle.cells().watch();
  CHECK(handle.cells().watch_word().load() == 1);
  // It ends what somebody began who does not wait after all.
  handle.add(1);
  CHECK(handle.cells().watch_word().load() == 2);
}

TEST_CASE("a change between the look and the sleep is not missed") {
  TestDirectory directory;
  Handle writer(directory, value_header());
  Handle waiter(directory, value_header());
  waiter.cells().watch();
  writer.add(1);
  CHECK(waiter.arm());
}

TEST_CASE("a change between the look and the sleep is not missed while another sleeps") {
  TestDirectory directory;
  Handle writer(directory, value_header());
  Handle sleeper(directory, value_header());
  Handle waiter(directory, value_header());
  sleeper.cells().watch();
  CHECK_FALSE(sleeper.arm());
  waiter.cells().watch();
  writer.add(1);
  CHECK(waiter.arm());
}

TEST_CASE("who comes to sleep while a changer stops watching for sleepers is told") {
  TestDirectory directory;
  Handle writer(directory, value_header());
  Handle early(directory, value_header());
  Handle late(directory, value_header());
  early.cells().watch();
  const OnceAt once("cells.unwatch", [&] {
    late.cells().watch();
    CHECK_FALSE(late.arm());
  });
  writer.add(1);
  CHECK(once.ran());
  late.cells().disarm(kJoin);
  CHECK(late.wakes() == 1);
}

TEST_CASE("who watches while a changer stops watching looks again") {
  TestDirectory directory;
  Handle writer(directory, value_header());
  Handle early(directory, value_header());
  Handle late(directory, value_header());
  early.cells().watch();
  const OnceAt once("cells.unwatch", [&] { late.cells().watch(); });
  writer.add(1);
  CHECK(once.ran());
  CHECK(late.arm());
}

namespace {

// Of the thread that waits: what had been announced at the moment it woke up.
thread_local const std::atomic<std::int64_t>* announced = nullptr;
thread_local std::int64_t announced_at_waking = 0;

void note_waking(const char* point) {
  if (std::strcmp(point, "state.woke") == 0) announced_at_waking = announced->load();
}

void pause_at_random(Random& random) {
  if (random.one_in(4)) return;
  if (random.one_in(50)) return interproc::platform::sleep_ns(200'000);
  for (std::uint64_t i = 0, turns = random.below(3'000); i < turns; ++i)
    interproc::platform::relax();
}

}  // namespace

TEST_CASE("no change is missed by who sleeps until it comes") {
  const Watchdog watchdog("cells: lost wakes");
  const std::uint64_t seed = seed_for("cells: lost wakes");
  const std::int64_t rounds = static_cast<std::int64_t>(times(8'000, 800, 200'000));
  constexpr int kWaiters = 2;
  TestDirectory directory;
  Handle writer(directory, value_header());
  std::atomic<std::int64_t> complete{0};
  std::atomic<std::int64_t> seen[kWaiters] = {};
  std::atomic<std::uint64_t> lost{0};
  std::vector<std::thread> waiters;
  for (int i = 0; i < kWaiters; ++i) {
    waiters.emplace_back([&, i] {
      Handle own(directory, value_header());
      announced = &complete;
      interproc::platform::observe_faults(note_waking);
      Random random(seed + static_cast<std::uint64_t>(i));
      for (std::int64_t target = 1; target <= rounds; ++target) {
        for (;;) {
          own.cells().watch();
          if (own.load() >= target) break;
          pause_at_random(random);
          announced_at_waking = 0;
          const std::int64_t began = interproc::platform::now_ns();
          own.cells().wait(kJoin, kForEver);
          // It slept to the end of its slice, and the change had been made and told before.
          const bool slept_out = interproc::platform::now_ns() - began >= interproc::sync::kSliceNs;
          if (slept_out && announced_at_waking >= target) ++lost;
        }
        seen[i] = target;
      }
      interproc::platform::observe_faults(nullptr);
    });
  }
  Random random(seed + 99);
  for (std::int64_t round = 1; round <= rounds; ++round) {
    pause_at_random(random);
    writer.add(1);
    complete = round;
    // One of them may be behind: then it meets changes in the middle of its look.
    while (seen[random.below(kWaiters)] + 1 < round) std::this_thread::yield();
  }
  for (std::thread& waiter : waiters) waiter.join();
  CHECK(lost == 0);
}

TEST_CASE("a plain store is seen after a notify") {
  const Watchdog watchdog("cells: notify");
  TestDirectory directory;
  Handle writer(directory, value_header());
  std::thread waiter([&] {
    Handle own(directory, value_header());
    for (;;) {
      own.cells().watch();
      if (own.load() == 7) return;
      own.cells().wait(kJoin, kForEver);
    }
  });
  operate<std::int64_t>(writer, CellOperation::store, CellType::int64, 7);
  writer.cells().notify();
  waiter.join();
}

TEST_CASE("who is killed at any step of a change keeps nobody asleep") {
  const Watchdog watchdog("cells: killed changer", 600);
  std::uint64_t kills = 0;
  for (std::uint64_t at = 1;; ++at) {
    CAPTURE(at);
    TestDirectory directory;
    Handle handle(directory, value_header());
    std::thread waiter([&] {
      Handle own(directory, value_header());
      for (;;) {
        own.cells().watch();
        if (own.load() != 0) return;
        own.cells().wait(kJoin, kForEver);
      }
    });
    // Asleep, or about to be.
    while ((handle.cells().watch_word().load() & 1) == 0) std::this_thread::yield();
    const pid_t child = fork();
    if (child == 0) {
      Doorbell bell(directory.open());
      auto opened = open_state(bell, "value", OpenMode::open, value_header(), nullptr, 0);
      if (!opened.ok()) _exit(1);
      auto& cells = static_cast<Cells&>(*opened.value());
      Operands operands{};
      operands.value = 1;
      plan_fault(FaultAction::kill, at);
      cells.operate(CellOperation::add, CellType::int64, 0, operands);
      plan_fault(FaultAction::none, 0);
      _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    const bool killed = WIFSIGNALED(status);
    // Every point comes after the change itself.
    waiter.join();
    CHECK(handle.load() == 1);
    if (!killed) break;
    ++kills;
  }
  CHECK(kills >= 4);
  MESSAGE(kills << " kills");
}

TEST_CASE("who is killed at any step of waiting is forgotten by those who change it") {
  const Watchdog watchdog("cells: killed waiter", 600);
  std::uint64_t kills = 0;
  for (std::uint64_t at = 1;; ++at) {
    CAPTURE(at);
    TestDirectory directory;
    Handle handle(directory, value_header());
    const pid_t child = fork();
    if (child == 0) {
      Doorbell bell(directory.open());
      auto opened = open_state(bell, "value", OpenMode::open, value_header(), nullptr, 0);
      if (!opened.ok()) _exit(1);
      auto& cells = static_cast<Cells&>(*opened.value());
      plan_fault(FaultAction::kill, at);
      cells.watch();
      cells.wait(kJoin, 1'000'000);
      plan_fault(FaultAction::none, 0);
      _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    const bool killed = WIFSIGNALED(status);
    for (int i = 0; i < 1'000; ++i) handle.add(1);
    CHECK(handle.load() == 1'000);
    // Nobody is listed any more, so nobody watches: changes cost what they cost alone.
    CHECK((handle.cells().watch_word().load() & 1) == 0);
    if (!killed) break;
    ++kills;
  }
  CHECK(kills >= 5);
  MESSAGE(kills << " kills");
}

namespace {

constexpr std::size_t kWords = 5;
using Record = std::array<std::uint64_t, kWords>;

Record record_of(std::uint64_t number) {
  Record record;
  for (std::size_t i = 0; i < kWords; ++i) record[i] = number * 1'000 + i;
  return record;
}
// Which one it is; ~0 if it is torn.
std::uint64_t number_of(const Record& record) {
  const std::uint64_t number = record[0] / 1'000;
  if (number == 0) return record == Record{} ? 0 : ~std::uint64_t{0};
  return record == record_of(number) ? number : ~std::uint64_t{0};
}
Record read(Handle& handle, std::uint64_t* version = nullptr) {
  Record record;
  const std::uint64_t found = handle.cells().whole()->read(reinterpret_cast<std::byte*>(&record));
  if (version != nullptr) *version = found;
  return record;
}
Code write(Handle& handle, std::uint64_t number, const std::uint64_t* expected = nullptr) {
  const Record record = record_of(number);
  Code code;
  do {
    code = handle.cells().whole()->write(reinterpret_cast<const std::byte*>(&record), expected);
  } while (code == Code::busy);
  return code;
}

}  // namespace

TEST_CASE("a whole value is written over the version that was read, or not at all") {
  TestDirectory directory;
  Handle handle(directory, value_header(kWords));
  std::uint64_t version = 0;
  CHECK(number_of(read(handle, &version)) == 0);
  CHECK(write(handle, 1, &version) == Code::ok);
  CHECK(write(handle, 2, &version) == Code::full);
  CHECK(number_of(read(handle, &version)) == 1);
  CHECK(write(handle, 2, &version) == Code::ok);
  CHECK(number_of(read(handle)) == 2);
}

TEST_CASE("a value whose header is not that of a whole one has none") {
  TestDirectory directory;
  Handle handle(directory, value_header());
  CHECK(handle.cells().whole() == nullptr);
}

TEST_CASE("readers of a whole value never see halves of two") {
  const Watchdog watchdog("cells: torn values");
  TestDirectory directory;
  Handle handle(directory, value_header(kWords));
  const std::uint64_t turns = times(30'000, 3'000, 500'000);
  std::atomic<int> writing{2};
  std::vector<std::thread> threads;
  for (std::uint64_t writer = 1; writer <= 2; ++writer) {
    threads.emplace_back([&, writer] {
      Handle own(directory, value_header(kWords));
      for (std::uint64_t turn = 1; turn <= turns; ++turn) write(own, 2 * turn + writer);
      --writing;
    });
  }
  std::uint64_t torn = 0;
  std::uint64_t reads = 0;
  while (writing > 0 || reads < 1'000) {
    if (number_of(read(handle)) == ~std::uint64_t{0}) ++torn;
    ++reads;
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(torn == 0);
}

TEST_CASE("updates of a whole value by several lose none") {
  const Watchdog watchdog("cells: whole updates");
  TestDirectory directory;
  Handle handle(directory, value_header(kWords));
  const std::uint64_t turns = times(5'000, 500, 50'000);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      Handle own(directory, value_header(kWords));
      for (std::uint64_t turn = 0; turn < turns;) {
        std::uint64_t version = 0;
        const std::uint64_t number = number_of(read(own, &version));
        if (write(own, number + 1, &version) == Code::ok) ++turn;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(number_of(read(handle)) == 3 * turns);
}

TEST_CASE("a header whose sizes contradict each other has no whole value") {
  struct Claim {
    std::uint64_t state_bytes;
    std::uint64_t value_bytes;
  };
  const Claim claims[] = {{0, std::uint64_t{1} << 63},
                          {16, (std::uint64_t{1} << 63) + 8},
                          {16, (std::uint64_t{1} << 63) + 1},
                          {0, ~std::uint64_t{0}},
                          {0, 0},
                          {8, 8},
                          {16, 9},
                          {24, 8}};
  for (const Claim& claim : claims) {
    CAPTURE(claim.state_bytes);
    CAPTURE(claim.value_bytes);
    TestDirectory directory;
    Header header = value_header();
    header.state_bytes = claim.state_bytes;
    header.parameter = claim.value_bytes;
    CHECK(Handle(directory, header).cells().whole() == nullptr);
  }
}

TEST_CASE("a writer killed at any step of a write leaves the old value or the new one") {
  const Watchdog watchdog("cells: killed writer", 600);
  std::uint64_t kills = 0;
  std::uint64_t old = 0;
  for (std::uint64_t at = 1;; ++at) {
    CAPTURE(at);
    TestDirectory directory;
    Handle handle(directory, value_header(kWords));
    write(handle, 1);
    const pid_t child = fork();
    if (child == 0) {
      Doorbell bell(directory.open());
      auto opened = open_state(bell, "value", OpenMode::open, value_header(kWords), nullptr, 0);
      if (!opened.ok()) _exit(1);
      const Record record = record_of(2);
      plan_fault(FaultAction::kill, at);
      static_cast<Cells&>(*opened.value())
          .whole()
          ->write(reinterpret_cast<const std::byte*>(&record), nullptr);
      plan_fault(FaultAction::none, 0);
      _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    const bool killed = WIFSIGNALED(status);
    const std::uint64_t left = number_of(read(handle));
    CHECK((left == 1 || left == 2));
    if (left == 1) ++old;
    if (at % 2 == 0) {
      // The next writer ends what it began, and a newcomer in its slot does.
      CHECK(write(handle, 3) == Code::ok);
      CHECK(number_of(read(handle)) == 3);
    } else {
      Handle heir(directory, value_header(kWords));
      CHECK(number_of(read(heir)) == left);
      CHECK(write(heir, 3) == Code::ok);
      CHECK(number_of(read(handle)) == 3);
    }
    if (!killed) {
      CHECK(left == 2);
      break;
    }
    ++kills;
  }
  CHECK(kills >= 7);
  CHECK(old >= 3);
  MESSAGE(kills << " kills, " << old << " of them before the write");
}

TEST_CASE("a word of no writer's making keeps nobody from writing") {
  TestDirectory directory;
  Handle handle(directory, value_header(kWords));
  Handle other(directory, value_header(kWords));
  auto& word = handle.cells().segment().cell_words<interproc::state::CellWords>().writing;
  const auto name_of = [&](std::uint64_t slot) {
    const std::uint64_t identity = handle.cells().segment().participants()[slot].identity.load();
    return (identity >> 8) << 11 | slot << 3;
  };
  const std::uint64_t nobody = std::uint64_t{1} << 11 | 200 << 3;
  for (std::uint64_t forged :
       {name_of(0) | 1, name_of(0) | 2, name_of(1) | 3, name_of(1) | 7, nobody | 1, nobody | 2}) {
    CAPTURE(forged);
    write(handle, 7);
    word.store(forged | 9 << 19);
    const Record record = record_of(8);
    REQUIRE(handle.cells().whole()->write(reinterpret_cast<const std::byte*>(&record), nullptr) ==
            Code::ok);
    CHECK(number_of(read(other)) == 8);
  }
}

TEST_CASE("a stopped writer keeps no reader waiting, and is not robbed") {
  const Watchdog watchdog("cells: stopped writer");
  for (const char* point : {"whole.half_staged", "whole.committing", "whole.half_copied"}) {
    CAPTURE(point);
    TestDirectory directory;
    Handle handle(directory, value_header(kWords));
    write(handle, 1);
    const pid_t child = fork();
    if (child == 0) {
      Doorbell bell(directory.open());
      auto opened = open_state(bell, "value", OpenMode::open, value_header(kWords), nullptr, 0);
      if (!opened.ok()) _exit(1);
      const Record record = record_of(2);
      plan_fault(FaultAction::stop, 1, point);
      const Code code = static_cast<Cells&>(*opened.value())
                            .whole()
                            ->write(reinterpret_cast<const std::byte*>(&record), nullptr);
      _exit(code == Code::ok ? 0 : 2);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, WUNTRACED) == child);
    REQUIRE(WIFSTOPPED(status));
    const bool is_staging = std::strcmp(point, "whole.half_staged") == 0;
    CHECK(number_of(read(handle)) == (is_staging ? 1 : 2));
    const Record third = record_of(3);
    CHECK(handle.cells().whole()->write(reinterpret_cast<const std::byte*>(&third), nullptr) ==
          Code::busy);
    CHECK(kill(child, SIGCONT) == 0);
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    CHECK(number_of(read(handle)) == 2);
    CHECK(write(handle, 3) == Code::ok);
  }
}
