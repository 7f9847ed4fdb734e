// Measures one round trip between two processes that wait as an event loop does: epoll_wait, read, write, per hop.
//
// The reference for an awaited round trip, because a Node process asleep in its event loop is asleep in epoll_wait, and
// a named FIFO is the cheapest thing that ends that sleep from another process: one context switch per hop.
//
//   fifo_ping_pong [--bytes N] [--count N] [--cpus A,B]
#include <fcntl.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "command_line.h"
#include "round_trip_report.h"
#include "two_processes.h"
#include "verified_message.h"

namespace {

using interproc::bench::stop_on_error;

constexpr std::uint64_t kWarmUp = 1000;

// A named FIFO, open for reading and writing: neither end ever sees the other one missing.
int open_fifo(const std::filesystem::path& path) {
  if (mkfifo(path.c_str(), 0600) != 0) stop_on_error("mkfifo");
  const int fifo = open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fifo < 0) stop_on_error("open");
  return fifo;
}

class Hop {
 public:
  explicit Hop(int fifo) : fifo_(fifo), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) stop_on_error("epoll_create1");
    epoll_event interest{};
    interest.events = EPOLLIN;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fifo, &interest) != 0) stop_on_error("epoll_ctl");
  }

  std::size_t receive(std::vector<std::byte>& message) const {
    epoll_event event{};
    while (epoll_wait(epoll_, &event, 1, -1) < 1) {
      if (errno != EINTR) stop_on_error("epoll_wait");
    }
    const ssize_t length = read(fifo_, message.data(), message.size());
    if (length < 0) stop_on_error("read");
    return static_cast<std::size_t>(length);
  }

 private:
  int fifo_;
  int epoll_;
};

void send(int fifo, const std::vector<std::byte>& message) {
  if (write(fifo, message.data(), message.size()) != static_cast<ssize_t>(message.size()))
    stop_on_error("write");
}

}  // namespace

int main(int argc, char** argv) {
  using namespace interproc::bench;
  const CommandLine line =
      parse_command_line(argc, argv, {.bytes = 64, .count = 100'000, .cpus = {}});
  if (!can_verify(line.bytes) || line.bytes > PIPE_BUF) {
    std::fprintf(stderr, "--bytes must be a power of two from 16 to %d\n", PIPE_BUF);
    return 2;
  }
  const std::uint64_t rounds = line.count + kWarmUp;

  std::string pattern = std::filesystem::temp_directory_path() / "interproc-bench-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) stop_on_error("mkdtemp");
  const std::filesystem::path directory = pattern;
  const int there = open_fifo(directory / "there");
  const int back = open_fifo(directory / "back");
  std::filesystem::remove_all(
      directory);  // the descriptors are enough from here on, also if this program is killed

  RoundTripReport report(line.count);
  const bool verified = run_in_two_processes(
      line.cpus,
      [&] {
        const Hop inbound(back);
        std::vector<std::byte> message(line.bytes), reply(line.bytes);
        MessageSource source(message.data(), message.size());
        MessageCheck check(reply.size());
        for (std::uint64_t i = 0; i < rounds; ++i) {
          source.stamp();
          const auto round_trip = [&] {
            send(there, message);
            check.accept(reply.data(), inbound.receive(reply));
          };
          if (i < kWarmUp) {
            round_trip();
          } else {
            report.time(round_trip);
          }
        }
        return check.right() && check.totals() == source.totals();
      },
      [&] {
        const Hop inbound(there);
        std::vector<std::byte> message(line.bytes);
        for (std::uint64_t i = 0; i < rounds; ++i) {
          if (inbound.receive(message) != message.size()) return false;
          send(back, message);
        }
        return true;
      });

  report.print(verified);
  return verified ? 0 : 1;
}
