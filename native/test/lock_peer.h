#pragma once

#include <cstdlib>
#include <memory>

#include "sync/barrier.h"
#include "sync/condition.h"
#include "sync/event.h"
#include "sync/lock.h"
#include "sync/rw_lock.h"
#include "sync/semaphore.h"
#include "sync/waiting.h"
#include "test/bare_segment.h"
#include "test/test_directory.h"

namespace interproc::test {

// What an object of locks is, for a test.
struct LockShape {
  std::uint64_t permits = 1;
  std::uint64_t parties = 2;
  bool bounded = false;
};

// The locks of all kinds, each as a handle has it that was opened for this kind: they share the words, so a test uses one of them. Lock and
// Condition go together.
struct Locks {
  Locks(memory::Registry& registry, sync::LockWords& words, sync::Waiters& waiters,
        sync::Doorbell& bell, bool bounded)
      : party(registry, words, waiters),
        lock(party),
        semaphore(party, bounded),
        event(party),
        condition(party, lock),
        barrier(party),
        rw(party),
        locking(registry, waiters, bell, lock, sync::kAcquire),
        permitting(registry, waiters, bell, semaphore, sync::kAcquire),
        eventually(registry, waiters, bell, event, sync::kChange),
        notified(registry, waiters, bell, condition, sync::kChange),
        passing(registry, waiters, bell, barrier, sync::kChange),
        writing(registry, waiters, bell, rw, sync::kAcquire),
        reading(registry, waiters, bell, rw, sync::kShare) {}

  sync::Party party;
  sync::Lock lock;
  sync::Semaphore semaphore;
  sync::Event event;
  sync::Condition condition;
  sync::Barrier barrier;
  sync::RwLock rw;
  sync::Waiting locking, permitting, eventually, notified, passing, writing, reading;
};

enum class Kind { lock, semaphore, event, condition, barrier, rw };

// A handle of one lock, with an environment of its own; its words stand in the payload of a bare segment. It works in a forked child as in the
// test, therefore it asserts nothing.
class LockPeer {
 public:
  // `words`: those of another peer of this process, where ThreadSanitizer sees that they are the same; its own mapping of them otherwise.
  LockPeer(const TestDirectory& directory, Kind kind, memory::OpenMode mode,
           const LockShape& shape = {}, sync::LockWords* words = nullptr)
      : kind_(kind),
        opened_(directory.open()),
        bare_(BareSegment::open(opened_, "bare", mode, header_of({.max_participants = 8}))),
        registry_(bare_->segment()),
        bell_(directory.open()),
        waiters_(bare_->segment(), registry_, bell_),
        words_(words != nullptr ? *words
                                : *reinterpret_cast<sync::LockWords*>(bare_->segment().payload())),
        locks_(registry_, words_, waiters_, bell_, shape.bounded) {
    if (mode == memory::OpenMode::create) {
      if (kind == Kind::semaphore) sync::Semaphore::initialise(words_, shape.permits);
      if (kind == Kind::barrier) sync::Barrier::initialise(words_, shape.parties);
    }
    const Error error = registry_.join([this](memory::Owner last) { sweep(last); });
    if (error.code != Code::ok) std::abort();
    if (kind == Kind::semaphore) locks_.semaphore.start();
    if (kind == Kind::condition) locks_.condition.start();
    if (kind == Kind::barrier) locks_.barrier.start();
    if (kind == Kind::rw) locks_.rw.start();
    open_ = true;
  }
  ~LockPeer() { close(); }
  LockPeer(const LockPeer&) = delete;
  LockPeer& operator=(const LockPeer&) = delete;

  Locks* operator->() { return &locks_; }
  Kind kind() const { return kind_; }
  sync::LockWords& words() { return words_; }
  sync::Doorbell& bell() { return bell_; }
  sync::Waiters& waiters() { return waiters_; }
  memory::Registry& registry() { return registry_; }

  void close() {
    if (!open_) return;
    open_ = false;
    switch (kind_) {
      case Kind::lock:
        locks_.locking.leave();
        locks_.lock.close();
        break;
      case Kind::semaphore:
        locks_.permitting.leave();
        locks_.semaphore.close();
        break;
      case Kind::event:
        locks_.eventually.leave();
        break;
      case Kind::condition:
        locks_.notified.leave();
        locks_.locking.leave();
        locks_.condition.close();
        locks_.lock.close();
        break;
      case Kind::barrier:
        locks_.passing.leave();
        locks_.barrier.close();
        break;
      case Kind::rw:
        locks_.writing.leave();
        locks_.reading.leave();
        locks_.rw.close();
        break;
    }
    registry_.leave();
  }

  // Tries until ok, or something else than busy, or the deadline.
  template <class Attempt>
  Code until(sync::Waiting& waiting, std::int64_t deadline_ns, Attempt attempt) {
    for (;;) {
      const Code code = attempt();
      if (code != Code::busy) return code;
      const std::int64_t left = deadline_ns - platform::now_ns();
      if (left <= 0) {
        waiting.leave();
        return Code::busy;
      }
      waiting.wait(left);
    }
  }
  Code acquire(bool& recovered, std::int64_t timeout_ns = kFarNs) {
    return until(locks_.locking, platform::now_ns() + timeout_ns,
                 [&] { return locks_.lock.try_acquire(sync::Try::quick, recovered); });
  }
  Code acquire() {
    bool recovered = false;
    return acquire(recovered);
  }
  Code take_permit(bool& recovered, std::int64_t timeout_ns = kFarNs) {
    return until(locks_.permitting, platform::now_ns() + timeout_ns,
                 [&] { return locks_.semaphore.try_acquire(sync::Try::quick, recovered); });
  }
  Code await_event(std::int64_t timeout_ns = kFarNs) {
    const std::uint64_t begun = locks_.event.sets();
    locks_.event.await(begun);
    return until(locks_.eventually, platform::now_ns() + timeout_ns,
                 [&] { return locks_.event.happened(begun) ? Code::ok : Code::busy; });
  }
  // The lock is held before and, unless it says otherwise, after. ok: notified; busy: timed out.
  Code await_condition(bool& recovered, std::int64_t timeout_ns = kFarNs) {
    if (const Code code = locks_.condition.begin_wait(); code != Code::ok) return code;
    locks_.lock.release();
    Code code = until(locks_.notified, platform::now_ns() + timeout_ns,
                      [&] { return locks_.condition.take(); });
    if (code == Code::busy && locks_.condition.end_wait()) code = Code::ok;
    if (acquire(recovered) != Code::ok) return Code::corrupt;
    if (code == Code::ok) locks_.condition.finish_wait();
    return code;
  }
  Code await_barrier(sync::Barrier::Place& place, std::int64_t timeout_ns = kFarNs) {
    const std::int64_t deadline = platform::now_ns() + timeout_ns;
    Code code = until(locks_.passing, deadline, [&] {
      const Code came = locks_.barrier.come(place);
      locks_.barrier.await(place.phase);
      return came;
    });
    if (code != Code::ok) return code;
    if (place.last) return locks_.barrier.pass(place);
    code = until(locks_.passing, deadline, [&] { return locks_.barrier.passed(place); });
    return code == Code::busy ? locks_.barrier.give_up_place(place) : code;
  }
  Code read(bool& recovered, std::int64_t timeout_ns = kFarNs) {
    return until(locks_.reading, platform::now_ns() + timeout_ns,
                 [&] { return locks_.rw.try_read(sync::Try::quick, recovered); });
  }
  Code write(bool& recovered, std::int64_t timeout_ns = kFarNs) {
    return until(locks_.writing, platform::now_ns() + timeout_ns,
                 [&] { return locks_.rw.try_write(sync::Try::quick, recovered); });
  }

  static constexpr std::int64_t kFarNs = 600'000'000'000;

 private:
  void sweep(memory::Owner last) {
    switch (kind_) {
      case Kind::lock:
        locks_.lock.sweep(last);
        break;
      case Kind::semaphore:
        locks_.semaphore.sweep(last);
        break;
      case Kind::event:
        break;
      case Kind::condition:
        locks_.condition.sweep(last);
        locks_.lock.sweep(last);
        break;
      case Kind::barrier:
        locks_.barrier.sweep(last);
        break;
      case Kind::rw:
        locks_.rw.sweep(last);
        break;
    }
    waiters_.forget(last.slot);
  }

  Kind kind_;
  bool open_ = false;
  platform::Directory opened_;
  std::unique_ptr<BareSegment> bare_;
  memory::Registry registry_;
  sync::Doorbell bell_;
  sync::Waiters waiters_;
  sync::LockWords& words_;
  Locks locks_;
};

}  // namespace interproc::test
