// Another process of the same user has the segment mapped and writes into it what it likes, while two participants go on
// working: whatever they find there, they do not crash, they write no byte beyond the buffers they were given, and every
// call of theirs returns. (What the hostile one must not do is to cut the file: that is SIGBUS, and said so.)

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>
#include <vector>

#include "fuzz/script.h"
#include "fuzz/vandal.h"
#include "platform/clock.h"
#include "platform/process.h"
#include "ring/pipe_end.h"
#include "ring/queue.h"
#include "ring/spsc_channel.h"
#include "test/bare_segment.h"
#include "test/moved_ring.h"
#include "test/peer.h"
#include "test/pipe_peer.h"
#include "test/random.h"
#include "test/scale.h"
#include "test/test_directory.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::fuzz::Script;
using interproc::fuzz::Vandal;
using interproc::memory::Header;
using interproc::memory::Kind;
using interproc::memory::OpenMode;
using interproc::memory::Segment;
using interproc::memory::Word;
using interproc::ring::Direction;
using interproc::ring::EndState;
using interproc::ring::EndWord;
using interproc::ring::PipeEnd;
using interproc::ring::PipeWords;
using interproc::ring::Queue;
using interproc::ring::Received;
using interproc::ring::SpscChannel;
using interproc::ring::Taken;
using interproc::sync::Doorbell;
using interproc::sync::Side;
using interproc::test::BareSegment;
using interproc::test::header_of;
using interproc::test::move_ring;
using interproc::test::Peer;
using interproc::test::pipe_header;
using interproc::test::Random;
using interproc::test::seed_for;
using interproc::test::Shape;
using interproc::test::TestDirectory;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

namespace platform = interproc::platform;

constexpr std::uint64_t kCapacity = interproc::memory::kMinCapacity;
// No call waits longer than one slice of 50 ms; this long without one returning is a hang.
constexpr std::int64_t kHangNs = 30'000'000'000;

// Ends where the process has no memory: the first byte too many is a crash, without any sanitizer.
class GuardedBuffer {
 public:
  GuardedBuffer() {
    const std::size_t guard = platform::page_bytes();
    void* at = mmap(nullptr, kBytes + guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(at, kBytes, PROT_READ | PROT_WRITE);
    end_ = static_cast<std::byte*>(at) + kBytes;
  }
  // Room for exactly so many bytes.
  std::byte* room(std::size_t bytes) const { return end_ - bytes; }

 private:
  static constexpr std::size_t kBytes = 4 * kCapacity;
  std::byte* end_;
};

// What the participants tell the test, from process to process.
struct Progress {
  std::atomic<std::uint64_t> calls;
  std::atomic<std::int64_t> longest_ns;
  std::atomic<std::uint64_t> went_well;  // calls that moved a message
};

struct Board {
  Progress participants[2];
};

Board& shared_board() {
  void* at =
      mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(at != MAP_FAILED);
  return *new (at) Board{};
}

pid_t in_child(const std::function<void()>& work) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    work();
    _exit(0);
  }
  return child;
}

// Calls `call` so often, and keeps the books.
void make_calls(Progress& progress, std::uint64_t count, const std::function<bool()>& call) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::int64_t start = platform::now_ns();
    const bool went_well = call();
    const std::int64_t span = platform::now_ns() - start;
    progress.longest_ns.store(std::max(progress.longest_ns.load(), span));
    if (went_well) progress.went_well.fetch_add(1);
    progress.calls.fetch_add(1);
  }
}

// Waits for the participants; a crash, a failure or a hang of one is the test's.
void watch(const std::vector<pid_t>& participants, Board& board) {
  std::uint64_t seen[2] = {0, 0};
  std::int64_t moved_at[2] = {platform::now_ns(), platform::now_ns()};
  bool over[2] = {false, false};
  while (!over[0] || !over[1]) {
    platform::sleep_ns(5'000'000);
    for (std::size_t i = 0; i < 2; ++i) {
      if (over[i]) continue;
      int status = 0;
      if (waitpid(participants[i], &status, WNOHANG) == participants[i]) {
        over[i] = true;
        CAPTURE(i);
        CHECK(WIFEXITED(status));
        CHECK(status == 0);
        continue;
      }
      const std::uint64_t calls = board.participants[i].calls.load();
      if (calls != seen[i]) {
        seen[i] = calls;
        moved_at[i] = platform::now_ns();
      } else if (platform::now_ns() - moved_at[i] > kHangNs) {
        kill(participants[i], SIGABRT);
        FAIL_CHECK("a call of participant ", i, " does not return");
        moved_at[i] = platform::now_ns();
      }
    }
  }
}

void report(const char* name, const Board& board) {
  for (const Progress& progress : board.participants) {
    std::printf("%s: %llu calls, %llu messages moved, longest call %.1f ms\n", name,
                static_cast<unsigned long long>(progress.calls.load()),
                static_cast<unsigned long long>(progress.went_well.load()),
                static_cast<double>(progress.longest_ns.load()) / 1e6);
  }
  std::fflush(stdout);
}

// Some hundred calls long: the others must get into what is to be spoiled.
void pause_a_little(Random& random) {
  for (std::uint64_t turns = random.below(4000); turns > 0; --turns) platform::relax();
}

// --- a queue ---------------------------------------------------------------------------------------------------------

// Always nonsense would soon only be refused at the door: now and then everything is in order again.
void calm(Segment& segment, Random& random) {
  move_ring(segment, random.below(1u << 20) << 6, random.next() & 0xFFFF);
  segment.control().ended.store(0);
  segment.control().redeliver.store(0);
  for (std::uint32_t slot = 0; slot < segment.header().max_participants; ++slot) {
    for (std::uint32_t i = 0; i < Vandal::kEntries; ++i)
      segment.ledger(slot)->entries[i].word.store(0);
  }
}

void spoil_queue(const TestDirectory& directory, const Header& header, std::uint64_t seed) {
  Random random(seed);
  const auto opened = directory.open();
  auto bare = BareSegment::open(opened, "q", OpenMode::open, header);
  if (bare == nullptr) _exit(1);
  Segment& segment = bare->segment();
  auto* front = reinterpret_cast<Word*>(reinterpret_cast<std::byte*>(&segment.control()) -
                                        segment.layout().control);
  Vandal vandal(segment);
  for (;;) {
    std::uint64_t decisions[4];
    for (std::uint64_t& word : decisions) word = random.next();
    Script script(reinterpret_cast<const std::uint8_t*>(decisions), sizeof decisions);
    vandal.strike(script);
    if (random.one_in(4)) calm(segment, random);
    if (random.one_in(64)) {
      // A header that somebody may be reading at this moment.
      Word& word = front[random.below(sizeof(Header) / sizeof(Word))];
      const std::uint64_t sound = word.load();
      word.store(sound ^ std::uint64_t{1} << random.below(64));
      pause_a_little(random);
      word.store(sound);
    }
    pause_a_little(random);
  }
}

class QueueUser {
 public:
  QueueUser(const TestDirectory& directory, const Header& header, std::uint64_t seed)
      : bell_(directory.open()), header_(header), random_(seed) {
    if (bell_.hang().code != Code::ok) _exit(1);
  }

  bool call() {
    if (queue_ == nullptr || random_.one_in(1000)) {
      queue_.reset();
      receipts_.clear();
      auto opened = Queue::open(bell_, "q", OpenMode::open, header_);
      if (opened.ok()) queue_ = std::move(opened.value());
      return false;
    }
    const auto side = static_cast<Side>(random_.below(2));
    switch (random_.below(16)) {
      case 0:
      case 1:
      case 2:
      case 3: {
        std::size_t length = random_.one_in(8) ? kCapacity : random_.below(300);
        if (header_.max_message_bytes > kCapacity && random_.one_in(3))
          length = kCapacity + 1 + random_.below(2 * kCapacity);
        return queue_->put(buffer_.room(length), length) == Code::ok;
      }
      case 4:
      case 5:
        return take(&Queue::take);
      case 6:
        return take(&Queue::take_another);
      case 7:
      case 8:
        return take(&Queue::receive);
      case 9:
        return let_go(&Queue::ack);
      case 10:
        return let_go(&Queue::nack);
      case 11:
        queue_->arm(side, 7);
        return false;
      case 12:
        queue_->disarm(side);
        queue_->answer(side, random_.one_in(2));
        return false;
      case 13:
        if (random_.one_in(16)) queue_->wait(side, 1'000'000);
        if (random_.one_in(512)) queue_->end();
        return false;
      case 14:
        queue_->sweep();
        return false;
      default:
        queue_->size();
        queue_->is_full();
        queue_->stats();
        return false;
    }
  }

 private:
  bool take(Code (Queue::*how)(std::byte*, std::size_t, Taken&)) {
    const std::size_t rooms[] = {0, 64, 300, kCapacity, 3 * kCapacity};
    const std::size_t room = rooms[random_.below(std::size(rooms))];
    Taken taken;
    if ((queue_.get()->*how)(buffer_.room(room), room, taken) != Code::ok) return false;
    if (taken.length > room) std::abort();
    if (how == &Queue::receive) receipts_.push_back(taken.receipt);
    return true;
  }
  bool let_go(Code (Queue::*how)(double)) {
    if (receipts_.empty()) return false;
    const double receipt = receipts_.back();
    receipts_.pop_back();
    return (queue_.get()->*how)(receipt) == Code::ok;
  }

  Doorbell bell_;
  Header header_;
  Random random_;
  GuardedBuffer buffer_;
  std::unique_ptr<Queue> queue_;
  std::vector<double> receipts_;
};

// --- a byte ring -----------------------------------------------------------------------------------------------------

void spoil_byte_ring(const TestDirectory& directory, const Header& header, std::uint64_t seed) {
  Random random(seed);
  const auto opened = directory.open();
  auto bare = BareSegment::open(opened, "c", OpenMode::open, header);
  if (bare == nullptr) _exit(1);
  Segment& segment = bare->segment();
  auto* words = reinterpret_cast<Word*>(&segment.control());
  const std::uint64_t count = (segment.layout().payload - segment.layout().control) / sizeof(Word);
  for (;;) {
    Word& tail = segment.control().tail;
    Word& head = segment.control().head;
    const std::uint64_t near = head.load() + random.below(2 * kCapacity) - kCapacity;
    switch (random.below(8)) {
      case 0:
        (random.one_in(2) ? tail : head).store(near);
        break;
      case 1:
        (random.one_in(2) ? tail : head).store(random.next());
        break;
      case 2:
        words[random.below(count)].store(random.next());
        break;
      case 3:
        reinterpret_cast<Word*>(segment.payload())[near % kCapacity / sizeof(Word)].store(
            random.one_in(2) ? random.next() : random.below(2 * kCapacity));
        break;
      default:
        segment.control().ended.store(0);
        tail.store(head.load());
        break;
    }
    pause_a_little(random);
  }
}

class ByteRingUser {
 public:
  ByteRingUser(const TestDirectory& directory, const Header& header, SpscChannel::Role role,
               std::uint64_t seed)
      : bell_(directory.open()), header_(header), role_(role), random_(seed) {}

  bool call() {
    if (channel_ == nullptr || random_.one_in(50)) {
      channel_.reset();
      auto opened = SpscChannel::open(bell_, "c", OpenMode::open, header_, role_);
      if (opened.ok()) channel_ = std::move(opened.value());
      return false;
    }
    if (random_.one_in(256)) channel_->wait(1'000'000);
    if (random_.one_in(20'000)) channel_->end();
    if (role_ == SpscChannel::producer) {
      const std::size_t length = random_.one_in(8) ? kCapacity - 8 : random_.below(300);
      return channel_->put(buffer_.room(length), length) == Code::ok;
    }
    const std::size_t rooms[] = {0, 64, 300, kCapacity, 3 * kCapacity};
    const std::size_t room = rooms[random_.below(std::size(rooms))];
    std::uint32_t length = 0;
    if (channel_->take(buffer_.room(room), room, length) != Code::ok) return false;
    if (length > room) std::abort();
    return true;
  }

 private:
  Doorbell bell_;
  Header header_;
  SpscChannel::Role role_;
  Random random_;
  GuardedBuffer buffer_;
  std::unique_ptr<SpscChannel> channel_;
};

// --- a pipe ----------------------------------------------------------------------------------------------------------

constexpr std::uint64_t kPipeMessage = 3 * kCapacity;

void spoil_pipe(const TestDirectory& directory, const Header& header, std::uint64_t seed) {
  Random random(seed);
  const auto opened = directory.open();
  auto bare = BareSegment::open(opened, "p", OpenMode::open, header);
  if (bare == nullptr) _exit(1);
  Segment& segment = bare->segment();
  PipeWords& words = segment.pipe_words<PipeWords>();
  auto* front = reinterpret_cast<Word*>(&segment.control());
  const std::uint64_t count = (segment.layout().payload - segment.layout().control) / sizeof(Word);
  const std::uint32_t units = kCapacity / 8;
  for (;;) {
    const std::uint64_t which = random.below(2);
    Direction& direction = words.directions[which];
    const auto near =
        static_cast<std::uint32_t>(direction.head.load() + random.below(2 * units) - units);
    Word& end = words.ends[random.below(2)];
    switch (random.below(10)) {
      case 0:
        (random.one_in(2) ? direction.tail : direction.head).store(near);
        break;
      case 1:
        (random.one_in(2) ? direction.tail : direction.head)
            .store(static_cast<std::uint32_t>(random.next()));
        break;
      case 2:
        front[random.below(count)].store(random.next());
        break;
      case 3:
      case 4: {
        // Of a frame: a length, and flags that may be.
        const std::uint64_t flags = random.one_in(4) ? random.below(1024) : random.below(4);
        reinterpret_cast<Word*>(segment.payload(static_cast<std::uint32_t>(which)))[near % units]
            .store(flags << 32 | random.below(random.one_in(2) ? 600 : 2 * kCapacity));
        break;
      }
      case 5:
        end.store(EndWord::next(end.load(), static_cast<EndState>(random.below(8)),
                                {static_cast<std::uint8_t>(random.below(10)),
                                 static_cast<std::uint8_t>(random.below(256))}));
        break;
      default:
        // All is in order again; whoever comes may have an end.
        for (Direction& each : words.directions) each.tail.store(each.head.load());
        for (Word& each : words.ends) each.store(0);
        break;
    }
    pause_a_little(random);
  }
}

class PipeUser {
 public:
  PipeUser(const TestDirectory& directory, unsigned index, std::uint64_t seed)
      : bell_(directory.open()), index_(index), random_(seed) {}

  bool call() {
    if (end_ == nullptr || random_.one_in(100)) {
      end_.reset();
      auto opened = PipeEnd::claim(bell_, "p", index_);
      if (opened.ok()) end_ = std::move(opened.value());
      return false;
    }
    const auto side = static_cast<Side>(random_.below(2));
    const std::size_t rooms[] = {0, 64, 300, kCapacity, kPipeMessage};
    const std::size_t room = rooms[random_.below(std::size(rooms))];
    std::byte* const bytes = buffer_.room(room);
    Received received;
    std::size_t at = random_.below(room + 1);
    switch (random_.below(16)) {
      case 0:
      case 1:
      case 2:
        return end_->send(bytes, room, random_.below32(4)) == Code::ok;
      case 3:
        return end_->send_parts(bytes, room, at, 0) == Code::ok;
      case 4:
      case 5:
      case 6:
      case 7:
        if (end_->receive(bytes, room, received) != Code::ok) return false;
        if (received.length > room) std::abort();
        return true;
      case 8:
        if (end_->look(received) == Code::ok && received.length > kPipeMessage) std::abort();
        return false;
      case 9:
        end_->fill(bytes, room, at);
        if (at > room) std::abort();
        return false;
      case 10:
        end_->finish();
        return false;
      case 11:
        end_->want(random_.below(2 * kCapacity));
        end_->arm(side, 7);
        return false;
      case 12:
        end_->disarm(side);
        end_->answer(side, random_.one_in(2));
        return false;
      case 13:
        if (random_.one_in(16)) end_->wait(side, 1'000'000);
        end_->peer_bell();
        return false;
      case 14:
        end_->peer_gone(random_.one_in(8));
        return false;
      default:
        if (end_->offer() != Code::ok) return false;
        random_.one_in(4) ? end_->give_away() : end_->stay();
        return false;
    }
  }

 private:
  Doorbell bell_;
  unsigned index_;
  Random random_;
  GuardedBuffer buffer_;
  std::unique_ptr<PipeEnd> end_;
};

std::uint64_t calls_of_each() { return times(1'000'000, 200'000, 20'000'000) / 2; }

void survive_a_third(const char* name, const Shape& shape) {
  const std::uint64_t seed = seed_for(name);
  Watchdog watchdog(name, 600);
  TestDirectory directory;
  Peer anchor(directory, "q", OpenMode::create, shape);
  REQUIRE(anchor.ok());
  const Header header = anchor.queue().header();
  Board& board = shared_board();
  const pid_t hostile = in_child([&] { spoil_queue(directory, header, seed); });
  std::vector<pid_t> participants;
  for (std::uint64_t i = 0; i < 2; ++i) {
    participants.push_back(in_child([&] {
      QueueUser user(directory, header, seed + 1 + i);
      make_calls(board.participants[i], calls_of_each(), [&] { return user.call(); });
    }));
  }
  watch(participants, board);
  int status = 0;
  CHECK(waitpid(hostile, &status, WNOHANG) == 0);  // it was there all the time
  kill(hostile, SIGKILL);
  waitpid(hostile, &status, 0);
  report(name, board);
  for (const auto& progress : board.participants) CHECK(progress.went_well.load() > 0);
}

}  // namespace

TEST_CASE("two participants of a queue survive a third that overwrites its words") {
  survive_a_third("hostile peer of a queue", Shape{});
}

TEST_CASE("so they do where messages stand beside the ring") {
  survive_a_third("hostile peer beside the ring",
                  Shape{.max_message_bytes = 3 * kCapacity, .max_side_bytes = 1 << 20});
}

TEST_CASE("both ends of a byte ring survive a third that overwrites its words") {
  const std::uint64_t seed = seed_for("hostile peer of a byte ring");
  Watchdog watchdog("hostile peer of a byte ring", 600);
  TestDirectory directory;
  const Header wanted = header_of(Shape{.kind = Kind::spsc});
  const auto opened = directory.open();
  auto anchor = BareSegment::open(opened, "c", OpenMode::create, wanted);
  REQUIRE(anchor != nullptr);
  const Header header = anchor->segment().header();
  Board& board = shared_board();
  const pid_t hostile = in_child([&] { spoil_byte_ring(directory, header, seed); });
  std::vector<pid_t> participants;
  for (SpscChannel::Role role : {SpscChannel::producer, SpscChannel::consumer}) {
    participants.push_back(in_child([&] {
      ByteRingUser user(directory, header, role, seed + 1 + role);
      make_calls(board.participants[role], calls_of_each(), [&] { return user.call(); });
    }));
  }
  watch(participants, board);
  int status = 0;
  CHECK(waitpid(hostile, &status, WNOHANG) == 0);
  kill(hostile, SIGKILL);
  waitpid(hostile, &status, 0);
  report("hostile peer of a byte ring", board);
  for (const auto& progress : board.participants) CHECK(progress.went_well.load() > 0);
}

TEST_CASE("both ends of a pipe survive a third that overwrites its words and frames") {
  const std::uint64_t seed = seed_for("hostile peer of a pipe");
  Watchdog watchdog("hostile peer of a pipe", 600);
  TestDirectory directory;
  const Header wanted = pipe_header(true, kCapacity, kPipeMessage);
  const auto opened = directory.open();
  auto anchor = BareSegment::open(opened, "p", OpenMode::create, wanted);
  REQUIRE(anchor != nullptr);
  const Header header = anchor->segment().header();
  Board& board = shared_board();
  const pid_t hostile = in_child([&] { spoil_pipe(directory, header, seed); });
  std::vector<pid_t> participants;
  for (unsigned index : {0u, 1u}) {
    participants.push_back(in_child([&] {
      PipeUser user(directory, index, seed + 1 + index);
      make_calls(board.participants[index], calls_of_each(), [&] { return user.call(); });
    }));
  }
  watch(participants, board);
  int status = 0;
  CHECK(waitpid(hostile, &status, WNOHANG) == 0);
  kill(hostile, SIGKILL);
  waitpid(hostile, &status, 0);
  report("hostile peer of a pipe", board);
  for (const auto& progress : board.participants) CHECK(progress.went_well.load() > 0);
}
