#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <unordered_set>
#include <utility>
#include <vector>

#include "test/random.h"
#include "test/scale.h"
#include "test/stepped_child.h"
#include "test/watchdog.h"

// A participant is killed at every instruction of an operation. The operation is first traced once, instruction by instruction. To be killed
// at the n-th, a child runs to the last instruction before it that is met for the first time, and is stepped from there.

namespace interproc::test {

using Operate = std::function<void()>;
using Progress = SteppedChild::Progress;
using Step = SteppedChild::Step;

// What surrounds one child: made anew for each.
class World {
 public:
  virtual ~World() = default;
  // In the child: everything up to the operation, which it returns. Its objects are never destroyed.
  virtual Operate set_out() = 0;
  // While the child stands before the operation.
  virtual void meanwhile() {}
  // After the kill. `n` chooses how the survivor comes to meet what the dead one left.
  virtual void expect_sound(bool completed, std::uint64_t n) = 0;
};

class Killer {
 public:
  Killer(const char* name, std::function<std::unique_ptr<World>()> make_world)
      : name_(name), make_world_(std::move(make_world)) {}

  // `samples`: how many instructions to kill at, if there are more of them.
  void run(std::uint64_t samples) {
    CAPTURE(name_);
    record();
    std::uint64_t kills = 0;
    if (samples >= trace_.size()) {
      for (; kills <= trace_.size(); ++kills) kill_at_instruction(kills);
    } else {
      Random random(seed_for(name_));
      for (; kills < samples; ++kills) kill_at_instruction(random.below(trace_.size()));
    }
    // What others see changes much at once at a system call: all of them, whatever was sampled.
    std::uint64_t calls = 0;
    while (!kill_at_call(calls)) ++calls;
    std::printf("%s: %zu instructions, killed at %llu of them and at %llu entries and returns\n",
                name_, trace_.size(), static_cast<unsigned long long>(kills),
                static_cast<unsigned long long>(calls));
    std::fflush(stdout);
  }

 private:
  // The whole operation, and its survivor in the end.
  void record() {
    in_world(0, [&](SteppedChild& child) {
      std::unordered_set<std::uintptr_t> met;
      Progress progress = Progress::within;
      while (progress == Progress::within) {
        const std::uintptr_t address = child.at();
        first_.push_back(met.insert(address).second ? trace_.size() : first_.back());
        trace_.push_back(address);
        progress = child.advance(Step::instruction);
      }
      return progress;
    });
  }

  void kill_at_instruction(std::uint64_t n) {
    in_world(n, [&](SteppedChild& child) {
      if (n == trace_.size()) return run_through(child);
      std::uint64_t done = first_[n];
      Progress progress = done == 0 ? Progress::within : child.run_to(trace_[done]);
      for (; done < n && progress == Progress::within; ++done)
        progress = child.advance(Step::instruction);
      return progress;
    });
  }

  static Progress run_through(SteppedChild& child) {
    Progress progress = Progress::within;
    while (progress == Progress::within) progress = child.advance(Step::system_call);
    return progress;
  }

  // Whether there was no n-th.
  bool kill_at_call(std::uint64_t n) {
    return in_world(n, [&](SteppedChild& child) {
      Progress progress = Progress::within;
      for (std::uint64_t i = 0; i < n && progress == Progress::within; ++i)
        progress = child.advance(Step::system_call);
      return progress;
    });
  }

  template <class Take>
  bool in_world(std::uint64_t n, Take take) {
    CAPTURE(n);
    Watchdog watchdog(name_);
    const std::unique_ptr<World> world = make_world_();
    SteppedChild child([&] { return world->set_out(); });
    REQUIRE(child.ready());
    world->meanwhile();
    const Progress progress = take(child);
    REQUIRE(progress != Progress::died);
    child.kill();
    world->expect_sound(progress == Progress::completed, n);
    return progress == Progress::completed;
  }

  const char* name_;
  std::function<std::unique_ptr<World>()> make_world_;
  std::vector<std::uintptr_t> trace_;  // where each instruction stands
  std::vector<std::uint64_t> first_;   // the last one up to it that was met for the first time
};

// Short ones at every instruction; under a sanitizer, where they have some times as many, at some.
inline std::uint64_t every() { return times(~std::uint64_t{0}, 60, ~std::uint64_t{0}); }
// Those that enter the kernel dozens of times.
inline std::uint64_t sampled() { return times(300, 30, ~std::uint64_t{0}); }

}  // namespace interproc::test
