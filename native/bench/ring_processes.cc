// The bare rings between two C++ processes, no waiting, no JavaScript: what everything above them is measured against.
// Usage: ring_processes mpmc|spsc [--bytes 64] [--count N] [--capacity BYTES] [--cpus 0,1] [--pause 1]
// --pause: how many `pause` instructions a side executes that found nothing, or no room, before it looks again.
// Prints one JSON line. The consumer checks every message (verified_message.h) and times from the end of a warm-up on.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench_directory.h"
#include "platform/clock.h"
#include "ring/mpmc_ring.h"
#include "ring/spsc_ring.h"
#include "two_processes.h"
#include "verified_message.h"

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
  std::uint32_t pause = 1;
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
    if (name == "--pause")
      options.pause = static_cast<std::uint32_t>(std::strtoul(argv[i + 1], nullptr, 10));
    if (name == "--cpus") std::sscanf(argv[i + 1], "%d,%d", &options.cpus[0], &options.cpus[1]);
  }
  if (!interproc::bench::can_verify(options.bytes) ||
      (options.ring != "mpmc" && options.ring != "spsc")) {
    std::fprintf(
        stderr,
        "usage: ring_processes mpmc|spsc [--bytes N] [--count N] [--capacity N] [--cpus A,B] "
        "[--pause N]\n");
    std::exit(2);
  }
  return options;
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

void look_away(const Options& options) {
  for (std::uint32_t i = 0; i < options.pause; ++i) interproc::platform::relax();
}

constexpr std::uint64_t kWarmUp = 100'000;

template <class Push>
interproc::bench::MessageTotals produce(const Options& options, Push push) {
  std::vector<std::byte> message(options.bytes);
  interproc::bench::MessageSource source(message.data(), message.size());
  for (std::uint64_t i = 0; i < options.count + kWarmUp; ++i) {
    source.stamp();
    while (!push(message.data())) look_away(options);
  }
  return source.totals();
}

struct Consumed {
  bool right = false;
  interproc::bench::MessageTotals totals;
  std::int64_t nanoseconds = 0;
};

// `pop` copies the next message out and returns whether there was one.
template <class Pop>
Consumed consume(const Options& options, Pop pop) {
  std::vector<std::byte> message(options.bytes);
  interproc::bench::MessageCheck check(message.size());
  const auto receive = [&](std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      while (!pop(message.data())) look_away(options);
      check.accept(message.data(), message.size());
    }
  };
  receive(kWarmUp);
  const std::int64_t started = interproc::platform::now_ns();
  receive(options.count);
  return {check.right(), check.totals(), interproc::platform::now_ns() - started};
}

interproc::bench::MessageTotals run_producer(const Directory& directory, const Options& options) {
  std::unique_ptr<Registry> registry;
  auto segment = attach(directory, options, OpenMode::open, registry);
  if (options.ring == "mpmc") {
    interproc::ring::MpmcRing ring(*segment, *registry);
    return produce(options, [&](const std::byte* bytes) {
      interproc::ring::Record record;
      if (ring.claim(options.bytes, record) != interproc::ring::Look::ok) return false;
      std::memcpy(ring.data(record.pos), bytes, options.bytes);
      return ring.publish(record, options.bytes);
    });
  } else {
    interproc::ring::SpscRing ring(*segment);
    return produce(options,
                   [&](const std::byte* bytes) { return ring.push(bytes, options.bytes); });
  }
}

Consumed run_consumer(Segment& segment, Registry& registry, const Options& options) {
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
  const interproc::bench::BenchDirectory home;
  auto directory = Directory::open(home.path());
  if (!directory.ok()) return 1;
  std::unique_ptr<Registry> registry;
  auto segment = attach(directory.value(), options, OpenMode::create, registry);
  auto* produced = static_cast<interproc::bench::MessageTotals*>(
      interproc::bench::map_shared(sizeof(interproc::bench::MessageTotals)));
  Consumed consumed;
  const bool ran = interproc::bench::run_in_two_processes(
      std::pair{options.cpus[1], options.cpus[0]},
      [&] {
        consumed = run_consumer(*segment, *registry, options);
        return consumed.right;
      },
      [&] {
        *produced = run_producer(directory.value(), options);
        return true;
      });
  const bool verified = ran && consumed.totals == *produced;
  const double seconds = static_cast<double>(consumed.nanoseconds) / 1e9;
  std::printf("{\"ring\":\"%s\",\"bytes\":%u,\"count\":%llu,\"seconds\":%.6f,\"verified\":%s}\n",
              options.ring.c_str(), options.bytes, static_cast<unsigned long long>(options.count),
              seconds, verified ? "true" : "false");
  return verified ? 0 : 1;
}
