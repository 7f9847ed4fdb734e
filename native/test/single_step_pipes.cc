// Who has an end of a pipe is killed at every instruction of what it does with it: the other end gets every message that was
// published, whole and in order, and then its end; an end on its way is had by somebody or is found lost; nothing is left.

#include <doctest/doctest.h>
#include <sys/mman.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "ring/catalog.h"
#include "test/instruction_killer.h"
#include "test/pipe_peer.h"

using interproc::Code;
using interproc::memory::Ticket;
using interproc::ring::redeem;
using interproc::test::every;
using interproc::test::Killer;
using interproc::test::Operate;
using interproc::test::PipePeer;
using interproc::test::sampled;
using interproc::test::TestDirectory;
using interproc::test::World;

namespace {

// Where the ticket stands that the child has made.
Ticket& shared_ticket() {
  static Ticket* const ticket =
      new (mmap(nullptr, sizeof(Ticket), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
          Ticket;
  return *ticket;
}

// The survivor has end 0 of "m". The child has the other, or gets it; "c" is what carries it.
class PipeWorld : public World {
 public:
  PipeWorld() : a_(directory_), c_(directory_), late_(directory_) { a_.create("m", 0); }

  void expect_sound(bool completed, std::uint64_t n) override {
    // It is found dead in the one way or the other.
    if (n % 2 == 0) a_.end().peer_gone(true);
    expect_messages(completed);
    CHECK(a_.end().peer_gone(true) == !late_.ok());
    REQUIRE(a_.receive() == 0);
    REQUIRE(a_.code == (late_.ok() ? Code::empty : Code::ended));
    REQUIRE(a_.send(9) == (late_.ok() ? Code::ok : Code::ended));
    for (PipePeer* each : {&late_, &a_, &c_}) each->close();
    REQUIRE(interproc::ring::prune(directory_.open(), false).ok());
    for (const std::string& name : directory_.names())
      REQUIRE(interproc::sync::Doorbell::names_bell(name));
  }

 protected:
  virtual void expect_messages(bool completed) = 0;
  // Not destroyed: it is the child's.
  PipePeer& child_end(const std::string& name, unsigned index) const {
    auto& peer = *new PipePeer(directory_);
    peer.claim(name, index);
    return peer;
  }

  TestDirectory directory_;
  PipePeer a_;
  PipePeer c_;
  PipePeer late_;
};

class Send : public PipeWorld {
 public:
  Operate set_out() override {
    PipePeer& b = child_end("m", 1);
    b.send(1, 100);
    return [&b] { b.send(2, 200); };
  }

 protected:
  void expect_messages(bool completed) override {
    REQUIRE(a_.receive() == 1);
    const std::uint64_t id = a_.receive();
    if (completed) REQUIRE(id == 2);
    REQUIRE((id == 2 || id == 0));
  }
};

class Receive : public PipeWorld {
 public:
  Receive() {
    REQUIRE(a_.send(1, 100) == Code::ok);
    REQUIRE(a_.send(2, 200) == Code::ok);
  }
  Operate set_out() override {
    PipePeer& b = child_end("m", 1);
    return [&b] { b.receive(); };
  }

 protected:
  void expect_messages(bool) override {}
};

class Close : public PipeWorld {
 public:
  Operate set_out() override {
    PipePeer& b = child_end("m", 1);
    b.send(1);
    return [&b] { b.close(); };
  }

 protected:
  void expect_messages(bool) override { REQUIRE(a_.receive() == 1); }
};

class Give : public PipeWorld {
 public:
  Give() { c_.create("c", 1); }
  Operate set_out() override {
    PipePeer& c = child_end("c", 0);
    PipePeer& b = child_end("m", 1);
    b.send(1);
    return [&b, &c] {
      if (b.end().offer() != Code::ok) return;
      auto ticket = c.end().issue_ticket(b.end().segment(), 1);
      shared_ticket() = ticket.value();
      c.send(9, 64, 1);
      b.end().give_away();
    };
  }

 protected:
  void expect_messages(bool completed) override {
    REQUIRE(a_.receive() == 1);
    const std::uint64_t id = c_.receive();
    if (completed) REQUIRE(id == 9);
    if (id != 9) return;
    late_.arrive("m", shared_ticket());
    REQUIRE(late_.ok());
    if (completed) REQUIRE_FALSE(late_.end().lost());
    redeem(late_.bell(), shared_ticket().file_name());
    c_.end().finish();
    if (late_.end().lost()) late_.close();
  }
};

class Get : public PipeWorld {
 public:
  Get() {
    c_.create("c", 0);
    PipePeer passenger(directory_);
    passenger.claim("m", 1);
    REQUIRE(passenger.send(1) == Code::ok);
    REQUIRE(c_.send_end(9, passenger, shared_ticket()) == Code::ok);
  }
  Operate set_out() override {
    PipePeer& c = child_end("c", 1);
    auto& b = *new PipePeer(directory_);
    b.bell().hang();
    c.receive();
    return [&b, &c] {
      b.arrive("m", shared_ticket());
      redeem(c.bell(), shared_ticket().file_name());
      c.end().finish();
    };
  }

 protected:
  void expect_messages(bool) override { REQUIRE(a_.receive() == 1); }
};

template <class Of>
void kill_at_instructions(const char* name, std::uint64_t samples) {
  shared_ticket();
  Killer(name, [] { return std::make_unique<Of>(); }).run(samples);
}

}  // namespace

TEST_CASE("who sends is killed at any instruction") { kill_at_instructions<Send>("send", every()); }
TEST_CASE("who receives is killed at any instruction") {
  kill_at_instructions<Receive>("receive", every());
}
TEST_CASE("who closes is killed at any instruction") {
  kill_at_instructions<Close>("close", sampled());
}
TEST_CASE("who gives its end away is killed at any instruction") {
  kill_at_instructions<Give>("give", sampled());
}
TEST_CASE("who gets an end is killed at any instruction") {
  kill_at_instructions<Get>("get", sampled());
}
