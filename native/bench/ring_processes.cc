// The bare rings between two C++ processes, no waiting, no JavaScript: what everything above them is measured against.
// Usage: ring_processes mpmc|spsc [--bytes 64] [--count N] [--capacity BYTES] [--cpus 0,1]
// Prints one JSON line. Every message carries its number, checked in order by the consumer, which also sums a checksum.

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "platform/clock.h"
#include "platform/process.h"
#include "ring/mpmc_ring.h"
#include "ring/spsc_ring.h"

namespace {

using interproc::Code;
using interproc::memory::Header;
using interproc::memory::Kind;
using interproc::memory::OpenMode;
using interproc::memory::Registry;
using interproc::memory::Segment;
using interproc::platform::Directory;

struct Options {
  std::string ring = "mpmc";
  std::uint32_t bytes = 64;
  std::uint64_t count = 10'000'000;
  std::uint64_t capacity = 1 << 20;
  int cpus[2] = {0, 1};
};

Options parse(int argc, char** argv) {
  Options options;
  if (argc > 1) options.ring = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--bytes")
      options.bytes = static_cast<std::uint32_t>(std::strtoul(argv[i + 1], nullptr, 10));
    if (name == "--count") options.count = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--capacity") options.capacity = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--cpus") std::sscanf(argv[i + 1], "%d,%d", &options.cpus[0], &options.cpus[1]);
  }
  if (options.bytes < 8 || (options.ring != "mpmc" && options.ring != "spsc")) {
    std::fprintf(
        stderr,
        "usage: ring_processes mpmc|spsc [--bytes N>=8] [--count N] [--capacity N] [--cpus A,B]\n");
    std::exit(2);
  }
  return options;
}

void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

std::unique_ptr<Segment> attach(const Directory& directory, const Options& options, OpenMode mode,
                                std::unique_ptr<Registry>& registry) {
  Header header{};
  header.kind = options.ring == "mpmc" ? Kind::mpmc : Kind::spsc;
  header.flags = interproc::memory::kPersist;
  header.block_shift = interproc::memory::kMinBlockShift;
  while ((std::uint64_t{1} << (header.block_shift + header.blocks_shift)) < options.capacity)
    ++header.blocks_shift;
  header.max_participants = 2;
  header.max_message_bytes = std::uint64_t{1} << (header.block_shift + header.blocks_shift);
  Segment::Kindred kindred;
  kindred.initialise = [](Segment& segment) {
    if (segment.header().kind == Kind::mpmc) interproc::ring::MpmcRing::initialise(segment);
  };
  kindred.holds_something = [](Segment&) { return true; };
  kindred.join = [&registry](Segment& segment) {
    registry = std::make_unique<Registry>(segment);
    return registry->join([](interproc::memory::Owner) {});
  };
  auto opened = Segment::open(directory, "bench-ring", mode, header, kindred);
  if (!opened.ok()) {
    std::fprintf(stderr, "ring_processes: %s %s\n", opened.error().syscall, opened.error().detail);
    std::exit(1);
  }
  return std::move(opened.value());
}

template <class Push>
void produce(const Options& options, Push push) {
  std::vector<std::byte> message(options.bytes);
  for (std::uint64_t i = 0; i < options.count; ++i) {
    std::memcpy(message.data(), &i, sizeof i);
    while (!push(message.data())) interproc::platform::relax();
  }
}

// `pop` copies the next message out and returns whether there was one.
template <class Pop>
bool consume(const Options& options, Pop pop) {
  std::vector<std::byte> message(options.bytes);
  bool in_order = true;
  for (std::uint64_t i = 0; i < options.count; ++i) {
    while (!pop(message.data())) interproc::platform::relax();
    std::uint64_t number = 0;
    std::memcpy(&number, message.data(), sizeof number);
    in_order = in_order && number == i;
  }
  return in_order;
}

void run_producer(const Directory& directory, const Options& options) {
  pin(options.cpus[0]);
  std::unique_ptr<Registry> registry;
  auto segment = attach(directory, options, OpenMode::open, registry);
  if (options.ring == "mpmc") {
    interproc::ring::MpmcRing ring(*segment, *registry);
    produce(options, [&](const std::byte* bytes) {
      interproc::ring::Record record;
      if (ring.claim(options.bytes, record) != interproc::ring::Look::ok) return false;
      std::memcpy(ring.data(record.pos), bytes, options.bytes);
      return ring.publish(record, options.bytes);
    });
  } else {
    interproc::ring::SpscRing ring(*segment);
    produce(options, [&](const std::byte* bytes) { return ring.push(bytes, options.bytes); });
  }
}

bool run_consumer(Segment& segment, Registry& registry, const Options& options) {
  pin(options.cpus[1]);
  if (options.ring == "mpmc") {
    interproc::ring::MpmcRing ring(segment, registry);
    return consume(options, [&](std::byte* into) {
      interproc::ring::Record record;
      if (ring.take(record, options.bytes) != interproc::ring::Look::ok) return false;
      std::memcpy(into, ring.data(record.pos), record.length);
      ring.finish(record);
      return true;
    });
  }
  interproc::ring::SpscRing ring(segment);
  return consume(options, [&](std::byte* into) {
    const std::byte* bytes = nullptr;
    std::uint32_t length = 0;
    if (ring.front(bytes, length) != interproc::ring::SpscRing::Found::message) return false;
    std::memcpy(into, bytes, length);
    ring.pop(length);
    return true;
  });
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  const std::string path =
      "/dev/shm/interproc-bench-" + std::to_string(interproc::platform::process_id());
  auto directory = Directory::open(path);
  if (!directory.ok()) return 1;
  std::unique_ptr<Registry> registry;
  auto segment = attach(directory.value(), options, OpenMode::create, registry);
  const std::int64_t started = interproc::platform::now_ns();
  const pid_t producer = fork();
  if (producer == 0) {
    run_producer(directory.value(), options);
    _exit(0);
  }
  const bool verified = run_consumer(*segment, *registry, options);
  const double seconds = static_cast<double>(interproc::platform::now_ns() - started) / 1e9;
  int status = 0;
  waitpid(producer, &status, 0);
  directory.value().remove("bench-ring");
  rmdir(path.c_str());
  std::printf("{\"ring\":\"%s\",\"bytes\":%u,\"count\":%llu,\"seconds\":%.6f,\"verified\":%s}\n",
              options.ring.c_str(), options.bytes, static_cast<unsigned long long>(options.count),
              seconds, verified && status == 0 ? "true" : "false");
  return verified && status == 0 ? 0 : 1;
}
