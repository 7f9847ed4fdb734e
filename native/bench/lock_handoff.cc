// Our lock in the place of futex_handoff's mutex: the same turns, without JavaScript around them.
//
//   [INTERPROC_DIR=…] lock_handoff [--count N] [--cpus A,B]
#include <string>

#include "bench_directory.h"
#include "handoff.h"
#include "sync/lock.h"
#include "sync/waiting.h"

namespace {

using interproc::Code;
using interproc::memory::Registry;
using interproc::memory::Segment;

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "lock_handoff: %s\n", what);
  std::exit(1);
}

interproc::platform::Directory open_directory(const std::string& path) {
  auto directory = interproc::platform::Directory::open(path);
  if (!directory.ok()) give_up(path.c_str());
  return std::move(directory.value());
}

// A handle of a lock, as each process has its own.
class SharedLock {
 public:
  explicit SharedLock(const std::string& path)
      : directory_(open_directory(path)),
        bell_(open_directory(path)),
        segment_(open(directory_)),
        registry_(*segment_),
        waiters_(*segment_, registry_, bell_),
        party_(registry_, segment_->lock_words<interproc::sync::LockWords>(), waiters_),
        lock_(party_),
        waiting_(registry_, waiters_, bell_, lock_, interproc::sync::kAcquire) {
    if (registry_.join([](interproc::memory::Owner) {}).code != Code::ok) give_up("cannot join");
  }
  ~SharedLock() { registry_.leave(); }

  void acquire() {
    bool recovered = false;
    while (lock_.try_acquire(interproc::sync::Try::quick, recovered) != Code::ok)
      waiting_.wait(interproc::sync::kSliceNs);
  }
  void release() {
    if (lock_.release() != Code::ok) give_up("cannot release");
  }

 private:
  static std::unique_ptr<Segment> open(const interproc::platform::Directory& directory) {
    interproc::memory::Header header{};
    header.kind = interproc::memory::Kind::lock;
    header.max_participants = 64;
    Segment::Kindred kindred;
    kindred.initialise = [](Segment&) {};
    kindred.holds_something = [](Segment&) { return false; };
    kindred.join = [](Segment&) { return interproc::Error{}; };
    auto opened = Segment::open(directory, "lock", interproc::memory::OpenMode::open_or_create,
                                header, kindred);
    if (!opened.ok()) give_up("cannot open");
    return std::move(opened.value());
  }

  interproc::platform::Directory directory_;
  interproc::sync::Doorbell bell_;
  std::unique_ptr<Segment> segment_;
  Registry registry_;
  interproc::sync::Waiters waiters_;
  interproc::sync::Party party_;
  interproc::sync::Lock lock_;
  interproc::sync::Waiting waiting_;
};

}  // namespace

int main(int argc, char** argv) {
  using namespace interproc::bench;
  const CommandLine line =
      parse_command_line(argc, argv, {.bytes = 0, .count = 100'000, .cpus = {}});
  const BenchDirectory directory;
  const bool right =
      measure_handoff(line, [&] { return std::make_unique<SharedLock>(directory.path()); });
  return right ? 0 : 1;
}
