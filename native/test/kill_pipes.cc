// SIGKILL and SIGSTOP at any step of what somebody does with an end of a pipe: the other end gets what had been published, and EOF
// if and only if nobody has the first or will have it; and nothing is left when all are gone.

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "platform/clock.h"
#include "platform/fault.h"
#include "ring/catalog.h"
#include "test/peer.h"
#include "test/pipe_peer.h"
#include "test/random.h"
#include "test/scale.h"
#include "test/watchdog.h"

using interproc::Code;
using interproc::memory::kMinCapacity;
using interproc::memory::OpenMode;
using interproc::memory::Ticket;
using interproc::platform::FaultAction;
using interproc::ring::redeem;
using interproc::sync::kPut;
using interproc::sync::kTake;
using interproc::test::Message;
using interproc::test::Peer;
using interproc::test::PipePair;
using interproc::test::PipePeer;
using interproc::test::Random;
using interproc::test::TestDirectory;
using interproc::test::times;
using interproc::test::Watchdog;

namespace {

enum class Program {
  send,     // claims an end, sends, the last message in parts, and closes
  receive,  // claims an end, receives some of what there is, waits, and closes
  give,     // sends its end away through a pipe
  give_to_queue,
  get,  // receives an end through a pipe, uses and closes it
  get_from_queue,
  drop,   // closes the pipe through which an end comes, without reading
  judge,  // looks whether an end can arrive whose carrier's receiver died
};
constexpr Program kPrograms[] = {Program::send,          Program::receive, Program::give,
                                 Program::give_to_queue, Program::get,     Program::get_from_queue,
                                 Program::drop,          Program::judge};
constexpr const char* kNames[] = {"send", "receive",          "give", "give to a queue",
                                  "get",  "get from a queue", "drop", "judge"};

constexpr const char* kPoints[] = {
    "carriage.surveyed", "passengers.removed", "pipe.close",       "pipe.close_for",
    "pipe.closed",       "pipe.closed_for",    "pipe.copied",      "pipe.depart",
    "pipe.departed",     "pipe.filled",        "pipe.popped",      "pipe.send",
    "pipe.send_part",    "pipe.sent",          "pipe.sent_part",   "pipe.take",
    "pipe.taken",        "registry.joined",    "registry.locked",  "registry.named",
    "registry.swept",    "segment.detached",   "ticket.announced", "ticket.issued",
    "ticket.removed",    "wait.armed",         "wait.listed"};

// What the child leaves behind, whenever it is killed.
struct Journal {
  std::atomic<std::uint64_t> begun{0};
  std::atomic<std::uint64_t> done{0};
  std::atomic<bool> closing{false};
  std::atomic<bool> issued{false};
  std::atomic<bool> arrived{false};
  Ticket ticket;
  std::atomic<const char*> point{""};  // the same text at the same address: it is a fork
};
Journal* journal = nullptr;

// Of a message in parts.
constexpr std::size_t kLarge = 3 * kMinCapacity;
constexpr std::uint64_t kMessages = 5;

// Everything a program meets: a pipe "m", whose end 0 survives here unless the child has it, and what carries its end 1: a pipe "c" or a queue.
class Scene {
 public:
  Scene(Program program, std::uint64_t seed)
      : program_(program), random_(seed), m_(directory_), c_(directory_), late_(directory_) {
    journal = new (journal) Journal;
    if (program == Program::judge) {
      PipePeer passenger(directory_);
      passenger.create("m", 1);
      c_.create("c", 0);
      auto receiver = std::make_unique<PipePeer>(directory_);
      receiver->claim("c", 1);
      REQUIRE(c_.send_end(9, passenger, journal->ticket) == Code::ok);
      // As far as others can see it died.
      receiver->end().segment().file().unlock(receiver->end().slot());
      dead_ = std::move(receiver);
      return;
    }
    m_.create("m", 0);
    if (program == Program::give) c_.create("c", 1);
    if (program == Program::get || program == Program::drop) c_.create("c", 0);
    if (program == Program::give_to_queue || program == Program::get_from_queue)
      queue_ = std::make_unique<Peer>(directory_, "q", OpenMode::create);
    if (program == Program::receive) {
      for (std::uint64_t id = 1; id <= 3; ++id)
        REQUIRE(m_.send(id, 8 + random_.below(700)) == Code::ok);
      const auto large = Message::make(kLarge, 4);
      std::size_t from = 0;
      REQUIRE(m_.end().send_parts(large.data(), kLarge, from, 0) == Code::full);
    }
    if (program == Program::get || program == Program::drop || program == Program::get_from_queue) {
      PipePeer passenger(directory_);
      passenger.claim("m", 1);
      journal->done = journal->begun = 1;
      REQUIRE(passenger.send(1) == Code::ok);
      REQUIRE(m_.send(1) == Code::ok);
      if (queue_ == nullptr) {
        REQUIRE(c_.send_end(9, passenger, journal->ticket) == Code::ok);
      } else {
        REQUIRE(passenger.end().offer() == Code::ok);
        journal->ticket = queue_->queue().issue_ticket(passenger.end().segment(), 1).value();
        REQUIRE(queue_->put(9) == Code::ok);
        passenger.end().give_away();
      }
    }
  }

  // True: it was killed, or stopped, at its k-th step. False: it came to its end before.
  bool run(std::uint64_t k, FaultAction action) {
    std::fflush(nullptr);
    child_ = fork();
    if (child_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      alarm(120);
      // Its objects are never destroyed: what it closes it closes itself.
      auto& m = *new PipePeer(directory_);
      auto& c = *new PipePeer(directory_);
      set_out(m, c);
      interproc::platform::observe_faults([](const char* name) { journal->point = name; });
      interproc::platform::plan_fault(action, k);
      work(m, c);
      _exit(0);
    }
    return wait();
  }
  // Until it is killed, stopped or at its end. What it sends is received meanwhile.
  bool wait() {
    int status = 0;
    while (waitpid(child_, &status, WNOHANG | WUNTRACED) == 0) {
      receive();
      interproc::platform::relax();
    }
    if (WIFEXITED(status)) {
      REQUIRE(WEXITSTATUS(status) == 0);
      return false;
    }
    REQUIRE((WIFSTOPPED(status) || WTERMSIG(status) == SIGKILL));
    return true;
  }
  void resume() {
    kill(child_, SIGCONT);
    wait();
  }

  // While the child is stopped: it is alive, and so is what it has.
  void expect_alive() {
    receive();
    if (!journal->closing && m_.ok()) CHECK_FALSE(m_.end().peer_gone(true));
  }

  // When it is dead or done.
  void expect_sound() {
    if (program_ == Program::judge) {
      late_.arrive("m", journal->ticket);
      late_.close();
    } else {
      if (program_ == Program::give || program_ == Program::give_to_queue) take_over();
      // By itself, as a sleeper would, or asked.
      if (!late_.ok()) end_comes();
      receive();
      CHECK(received_ >= journal->done);
      CHECK(received_ <= journal->begun);
      CHECK(m_.code == (late_.ok() ? Code::empty : Code::ended));
      CHECK(m_.send(99) == (late_.ok() ? Code::full : Code::ended));
    }
    late_.close();
    m_.close();
    c_.close();
    dead_.reset();
    // What a killed one had taken out of a queue goes with the queue.
    queue_.reset();
    REQUIRE(interproc::ring::prune(directory_.open(), false).ok());
    CHECK(directory_.names() == own_bells());
  }

 private:
  // The ends that were made for it. An end that nobody ever had is not gone.
  void set_out(PipePeer& m, PipePeer& c) const {
    const auto is = [this](std::initializer_list<Program> those) {
      return std::find(those.begin(), those.end(), program_) != those.end();
    };
    if (is({Program::send, Program::receive, Program::give, Program::give_to_queue}))
      m.claim("m", 1);
    if (is({Program::judge})) m.claim("m", 0);
    if (is({Program::give})) c.claim("c", 0);
    if (is({Program::get, Program::drop})) c.claim("c", 1);
  }
  void work(PipePeer& m, PipePeer& c) {
    Journal& told = *journal;
    switch (program_) {
      case Program::send: {
        for (std::uint64_t id = 1; id < kMessages; ++id) send(m, id, 8 + random_.below(900));
        told.begun = kMessages;
        const auto large = Message::make(kLarge, kMessages);
        std::size_t from = 0;
        while (m.end().send_parts(large.data(), kLarge, from, 0) == Code::full)
          m.end().wait(kPut, 1'000'000'000);
        told.done = kMessages;
        break;
      }
      case Program::receive:
        for (std::uint64_t id = 1; id <= 3; ++id) {
          if (m.receive() != id) _exit(3);
        }
        m.end().wait(kPut, 1'000);
        while (m.receive() != 0) continue;
        m.end().wait(kTake, 1'000);
        break;
      case Program::give: {
        send(m, 1, 64);
        if (m.end().offer() != Code::ok) _exit(4);
        auto ticket = c.end().issue_ticket(m.end().segment(), 1);
        if (!ticket.ok()) _exit(5);
        told.ticket = ticket.value();
        told.issued = true;
        if (c.send(9, 64, 1) != Code::ok) _exit(6);
        m.end().give_away();
        m.close();
        c.close();
        return;
      }
      case Program::give_to_queue: {
        send(m, 1, 64);
        auto& queue = *new Peer(directory_, "q", OpenMode::open);
        if (m.end().offer() != Code::ok) _exit(4);
        auto ticket = queue.queue().issue_ticket(m.end().segment(), 1);
        if (!ticket.ok()) _exit(5);
        told.ticket = ticket.value();
        told.issued = true;
        if (queue.put(9) != Code::ok) _exit(6);
        m.end().give_away();
        m.close();
        queue.close();
        return;
      }
      case Program::get:
        if (c.receive() != 9) _exit(3);
        m.arrive("m", told.ticket);
        told.arrived = true;
        redeem(c.bell(), told.ticket.file_name());
        c.end().finish();
        use_arrived(m);
        c.close();
        return;
      case Program::get_from_queue: {
        auto& queue = *new Peer(directory_, "q", OpenMode::open);
        const auto got = queue.receive();
        if (got.id != 9) _exit(3);
        m.arrive("m", told.ticket);
        told.arrived = true;
        queue.queue().ack(got.taken.receipt);
        redeem(queue.bell(), told.ticket.file_name());
        use_arrived(m);
        queue.close();
        return;
      }
      case Program::drop:
        told.closing = true;
        c.close();
        return;
      case Program::judge:
        if (!m.end().peer_gone(true)) _exit(3);
        if (m.receive() != 0 || m.code != Code::ended) _exit(4);
        break;
    }
    told.closing = true;
    m.close();
  }
  static void send(PipePeer& m, std::uint64_t id, std::size_t length) {
    journal->begun = id;
    while (m.send(id, length) == Code::full) m.end().wait(kPut, 1'000'000'000);
    journal->done = id;
  }
  static void use_arrived(PipePeer& m) {
    if (m.end().lost()) _exit(7);
    send(m, 2, 200);
    if (m.receive() != 1) _exit(8);
    journal->closing = true;
    m.close();
  }

  // Nothing torn, nothing twice, nothing missing.
  void receive() {
    if (!m_.ok() || program_ == Program::judge) return;
    while (const std::uint64_t id = m_.receive()) {
      CHECK(id == received_ + 1);
      received_ = id;
    }
    CHECK((m_.code == Code::empty || m_.code == Code::ended));
  }

  // The message with the end is here, or is not; so is the end, unless its sender had not yet let go.
  void take_over() {
    std::uint64_t id = 0;
    if (queue_ != nullptr) {
      queue_->queue().sweep();
      id = queue_->take().id;
    } else {
      c_.end().peer_gone(true);
      id = c_.receive();
    }
    CHECK((id == 0 || id == 9));
    if (id == 0) {
      // Sent or not, nobody will have it.
      return;
    }
    late_.arrive("m", journal->ticket);
    REQUIRE(late_.ok());
    redeem(late_.bell(), journal->ticket.file_name());
    if (queue_ == nullptr) c_.end().finish();
    if (late_.end().lost()) {
      late_.close();
      return;
    }
    CHECK_FALSE(m_.end().peer_gone(true));
    journal->begun = 2;
    CHECK(late_.send(2) == Code::ok);
    CHECK(m_.send(1, kMinCapacity - 8) == Code::ok);
    CHECK(late_.receive() == 1);
    while (m_.send(1, kMinCapacity - 8) == Code::ok) continue;
  }

  void end_comes() {
    // Who has the carrier's other end sees to what it carries.
    if (c_.ok() && random_.one_in(2)) c_.end().peer_gone(true);
    // Taken out of the queue by one that was killed, or back there: whoever takes it next will not have it.
    if (program_ == Program::get_from_queue) {
      queue_->queue().sweep();
      if (queue_->take().id == 9) {
        late_.arrive("m", journal->ticket);
        redeem(queue_->bell(), journal->ticket.file_name());
        late_.close();
      } else {
        CHECK(journal->arrived);
      }
    }
    if (random_.one_in(4)) {
      while (m_.code != Code::ended) {
        m_.end().wait(kTake, 1'000'000'000);
        receive();
      }
    }
    CHECK(m_.end().peer_gone(true));
  }

  std::vector<std::string> own_bells() {
    std::vector<std::string> bells;
    for (PipePeer* each : {&m_, &c_, &late_})
      if (each->bell().id() != 0)
        bells.push_back(interproc::sync::Doorbell::file_name(each->bell().id()));
    std::sort(bells.begin(), bells.end());
    return bells;
  }

  Program program_;
  Random random_;
  TestDirectory directory_;
  PipePeer m_;
  PipePeer c_;
  PipePeer late_;
  std::unique_ptr<PipePeer> dead_;
  std::unique_ptr<Peer> queue_;
  std::uint64_t received_ = 0;
  pid_t child_ = 0;
};

void strike_at_every_step(FaultAction action, std::uint64_t seeds) {
  journal = static_cast<Journal*>(
      mmap(nullptr, sizeof(Journal), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const std::uint64_t first = interproc::test::seed_for("kill pipes");
  std::map<std::string, std::uint64_t> struck;
  std::uint64_t total = 0;
  for (Program program : kPrograms) {
    const Watchdog watchdog(kNames[static_cast<std::size_t>(program)], 600);
    for (std::uint64_t i = 0; i < seeds; ++i) {
      for (std::uint64_t k = 1;; ++k) {
        const std::string name = kNames[static_cast<std::size_t>(program)];
        const std::uint64_t seed = first + i;
        CAPTURE(name);
        CAPTURE(seed);
        CAPTURE(k);
        Scene scene(program, seed);
        const bool there = scene.run(k, action);
        const std::string point = journal->point.load();
        CAPTURE(point);
        if (there && action == FaultAction::stop) {
          scene.expect_alive();
          scene.resume();
        }
        scene.expect_sound();
        if (!there) break;
        ++struck[point];
        ++total;
      }
    }
  }
  for (const char* point : kPoints) {
    CAPTURE(std::string(point));
    CHECK_MESSAGE(struck.contains(point), "nobody was struck here");
  }
  munmap(journal, sizeof(Journal));
  MESSAGE(total << " times");
}

}  // namespace

TEST_CASE(
    "one that is killed at any step of anything it does with an end leaves the other end with what "
    "was sent, and its end") {
  strike_at_every_step(FaultAction::kill, times(4, 1, 100));
}

TEST_CASE("one that is stopped there is not taken for dead, and goes on as if nothing had been") {
  strike_at_every_step(FaultAction::stop, times(2, 1, 50));
}
