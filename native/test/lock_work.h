#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include "test/lock_peer.h"
#include "test/random.h"

namespace interproc::test {

// What really happens under the locks of one scene, written down by those who work under them, in memory that outlives them.
struct LockAccount {
  static constexpr std::size_t kWorkers = 6;
  std::atomic<int> holder{0};  // worker + 1
  std::atomic<std::uint64_t> plain{0};
  std::array<std::atomic<int>, kWorkers> inside{};   // permits, or reads
  std::array<std::atomic<int>, kWorkers> is_dead{};  // what it did counts no more
  std::atomic<int> stock{0};                         // of the condition; under its lock
  std::atomic<std::uint64_t> recovered{0};
  std::array<std::atomic<std::uint64_t>, kWorkers> done{};
  std::atomic<const char*> wrong{nullptr};

  void complain(const char* what) { wrong = what; }
  int all_inside() const {
    int sum = 0;
    for (std::size_t i = 0; i < kWorkers; ++i) sum += is_dead[i] != 0 ? 0 : inside[i].load();
    return sum;
  }
};

// One who uses a lock at random, blocking, with time-outs, by its event loop, and only trying; and checks that nobody else is where it may be alone.
class LockWork {
 public:
  LockWork(LockPeer& peer, Kind kind, const LockShape& shape, LockAccount& account,
           std::size_t self, std::uint64_t seed)
      : peer_(peer), kind_(kind), shape_(shape), account_(account), self_(self), random_(seed) {}

  // How to learn whether somebody has died.
  void learn_of_deaths_by(std::function<bool()> ask) { ask_who_died_ = std::move(ask); }

  // True if it got what it asked for.
  bool step() {
    const bool got = act();
    if (got) ++account_.done[self_];
    return got;
  }

 private:
  static constexpr std::int64_t kBriefNs = 300'000;

  bool act() {
    switch (kind_) {
      case Kind::lock:
        return lock();
      case Kind::semaphore:
        return permit();
      case Kind::event:
        return event();
      case Kind::condition:
        return condition();
      case Kind::barrier:
        return barrier();
      case Kind::rw:
        return random_.one_in(2) ? write() : read();
    }
    return false;
  }

  std::int64_t patience() { return random_.one_in(4) ? kBriefNs : 3'000'000; }

  // One of the ways to get something.
  template <class Attempt>
  Code get(sync::Waiting& waiting, Attempt attempt) {
    if (random_.one_in(8)) {
      const Code code = attempt(sync::Try::asking);
      if (code == Code::busy) waiting.leave();
      return code;
    }
    const std::int64_t deadline = platform::now_ns() + patience();
    if (random_.one_in(3) && peer_.bell().hang().code == Code::ok) {
      // As an event loop: looks when the bell has rung, and at a slow tick now and then.
      for (int turn = 0;; ++turn) {
        const Code code = attempt(sync::Try::quick);
        if (code != Code::busy) return code;
        if (platform::now_ns() >= deadline) break;
        if (waiting.arm(1)) continue;
        while (!waiting.answer(turn % 3 == 2) && platform::now_ns() < deadline) {
          ++turn;
          platform::sleep_ns(50'000);
        }
      }
      waiting.leave();
      return Code::busy;
    }
    return peer_.until(waiting, deadline, [&] { return attempt(sync::Try::quick); });
  }

  void enter(bool recovered) {
    const int before = account_.holder.exchange(static_cast<int>(self_) + 1);
    if (before != 0 && !recovered) account_.complain("two hold it, or one was not told");
    if (recovered) ++account_.recovered;
    // Plainly, as users do: a load and a store, which nobody may come between.
    const std::uint64_t value = account_.plain.load(std::memory_order_relaxed);
    if (random_.one_in(4)) platform::yield();
    account_.plain.store(value + 1, std::memory_order_relaxed);
  }
  // Somebody is where he should not be: if he lives, something is wrong. The kernel gives back what the dead had before it says that they are.
  void complain_unless_dead(const char* what, std::uint64_t allowed) {
    if (!ask_who_died_() || account_.all_inside() > static_cast<int>(allowed))
      account_.complain(what);
  }
  void leave() {
    if (account_.holder.exchange(0) != static_cast<int>(self_) + 1)
      account_.complain("another was there too");
  }

  bool acquire() {
    bool recovered = false;
    const Code code =
        get(peer_->locking, [&](sync::Try how) { return peer_->lock.try_acquire(how, recovered); });
    if (code != Code::ok) return false;
    enter(recovered);
    return true;
  }
  void release() {
    leave();
    if (peer_->lock.release() != Code::ok) account_.complain("its owner cannot release it");
  }

  bool lock() {
    if (!acquire()) return false;
    release();
    return true;
  }

  bool permit() {
    bool recovered = false;
    const Code code = get(peer_->permitting, [&](sync::Try how) {
      return peer_->semaphore.try_acquire(how, recovered);
    });
    if (code != Code::ok) return false;
    if (recovered) ++account_.recovered;
    ++account_.inside[self_];
    if (account_.all_inside() > static_cast<int>(shape_.permits))
      complain_unless_dead("more hold permits than there are", shape_.permits);
    if (random_.one_in(4)) platform::yield();
    if (random_.one_in(4)) permit();
    --account_.inside[self_];
    if (peer_->semaphore.release() != Code::ok) account_.complain("a permit cannot be released");
    return true;
  }

  bool event() {
    if (random_.one_in(3)) {
      peer_->event.set();
      return true;
    }
    if (random_.one_in(3)) {
      peer_->event.clear();
      return true;
    }
    const std::uint64_t begun = peer_->event.sets();
    peer_->event.await(begun);
    return get(peer_->eventually, [&](sync::Try) {
             return peer_->event.happened(begun) ? Code::ok : Code::busy;
           }) == Code::ok;
  }

  bool condition() {
    if (!acquire()) return false;
    if (random_.one_in(2)) {
      ++account_.stock;
      std::uint64_t notified = 0;
      if (peer_->condition.notify(random_.one_in(4) ? sync::Condition::kEverybody : 1, notified) !=
          Code::ok)
        account_.complain("the lock is held, and cannot notify");
      release();
      return true;
    }
    for (int i = 0; i < 3 && account_.stock == 0; ++i) {
      leave();
      bool recovered = false;
      const Code code = peer_.await_condition(recovered, patience());
      enter(recovered);
      if (code != Code::ok && code != Code::busy)
        account_.complain("the lock is held, and cannot wait");
    }
    const bool any = account_.stock > 0;
    if (any) --account_.stock;
    release();
    return any;
  }

  bool barrier() {
    sync::Barrier::Place place;
    const Code code = peer_.await_barrier(place, patience());
    if (code == Code::broken) peer_->barrier.reset();
    return code == Code::ok;
  }

  bool read() {
    bool recovered = false;
    const Code code =
        get(peer_->reading, [&](sync::Try how) { return peer_->rw.try_read(how, recovered); });
    if (code != Code::ok) return false;
    if (recovered) account_.holder = 0;
    if (recovered) ++account_.recovered;
    ++account_.inside[self_];
    if (account_.holder != 0) account_.complain("one writes while another reads");
    if (random_.one_in(4)) platform::yield();
    --account_.inside[self_];
    if (peer_->rw.release_read() != Code::ok) account_.complain("a reader cannot release it");
    return true;
  }
  bool write() {
    bool recovered = false;
    const Code code =
        get(peer_->writing, [&](sync::Try how) { return peer_->rw.try_write(how, recovered); });
    if (code != Code::ok) return false;
    enter(recovered);
    if (account_.all_inside() > 0) complain_unless_dead("one reads while another writes", 0);
    leave();
    if (peer_->rw.release_write() != Code::ok) account_.complain("a writer cannot release it");
    return true;
  }

  LockPeer& peer_;
  Kind kind_;
  LockShape shape_;
  LockAccount& account_;
  std::size_t self_;
  Random random_;
  std::function<bool()> ask_who_died_ = [] { return false; };
};

}  // namespace interproc::test
