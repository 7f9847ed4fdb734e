// A condition, ARCHITECTURE.md section 8: consumers that wait for a stock, time out and are killed, producers that notify.
//
//   consume   lock; none in stock? waiting + 1; unlock; until notified: arm; granted? sleep.  lock; CAS waiting - 1, granted - 1; look again
//   time out  CAS granted < waiting: waiting - 1, and go; else as notified
//   produce   lock; stock + 1; of each slot: granted < waiting? is it dead? forget it. CAS granted + 1; ring; enough.   unlock
//   forget    CAS waiting = granted; as many to others; CAS 0
//   look      (once somebody was killed) of each slot with granted: is it dead? forget it.  is the lock's owner dead? as notified
//
// Two tasks may live in one participant, and die with it. The lock is one step (lock_model.cc), a dead owner's is to be had. Wrong would be a state from which the living cannot go on: a consumer that
// sleeps though something is in stock and nobody will tell it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "explorer.h"
#include "suite.h"

namespace interproc::model {
namespace {

constexpr std::size_t kMaxTasks = 4;
constexpr std::size_t kMaxSlots = 3;

enum Pc : std::uint8_t {
  kDead,
  kDone,
  kLock,
  kConsume,
  kUnlockToWait,
  kArm,
  kLook,
  kAsleep,
  kTake,
  kTimeOut,
  kLockAgain,
  kUnlock,
  kProduce,
  kGrant,
  kRing,
  kForget,
  kPassOn,
  kEmpty,
  kLookForDead,
};

struct Word {
  std::uint8_t waiting;
  std::uint8_t granted;
  bool operator==(const Word&) const = default;
};

struct Slot {
  Word word;
  std::uint8_t wait;  // 0 awake, 1 armed, 2 rung
  std::uint8_t dead;
  std::uint8_t claimed;
};

struct Task {
  Pc pc;
  Pc after;           // of granting
  Pc forgotten;       // after forgetting
  std::uint8_t at;    // a slot
  std::uint8_t left;  // to grant
  std::uint8_t whom;  // it forgets
  std::uint8_t notified;
  Word word;  // as loaded
};

struct State {
  std::array<Slot, kMaxSlots> slot;
  std::array<Task, kMaxTasks> task;
  std::uint8_t owner;  // task + 1
  std::uint8_t stock;
  std::uint8_t kills;
  std::uint8_t timeouts;
};

enum class Mutant : std::uint8_t {
  kNone,
  kWaitsAfterUnlock,
  kNoLookArmed,
  kTimeOutKeepsNothing,
  kGrantsToTheDead,
  kForgetsGrants,
  kEmptiesFirst,
  kNobodyLooks,
  kRingsNobody,
  kOwnerDiesUnnoticed,
  kTakesBeforeLock,
};

struct Instance {
  const char* tasks;  // c or p, each with the number of its slot: "c0c1p2"
  std::uint8_t kills = 0;
  std::uint8_t timeouts = 0;
  Mutant mutant = Mutant::kNone;
};

class ConditionModel {
 public:
  using State = model::State;
  explicit ConditionModel(const Instance& instance) : in_(instance) {
    tasks_ = std::string_view(in_.tasks).size() / 2;
    for (std::size_t i = 0; i < tasks_; ++i)
      if (home(i) >= slots_) slots_ = home(i) + 1;
  }

  State initial() const {
    State s{};
    for (std::size_t i = 0; i < kMaxTasks; ++i) s.task[i].pc = i < tasks_ ? kLock : kDone;
    return s;
  }
  std::size_t bytes() const { return sizeof(State); }
  const char* broken(const State& s) const {
    for (const Slot& slot : s.slot)
      if (slot.word.granted > slot.word.waiting) return "more are notified than wait";
    return nullptr;
  }
  bool settled(const State& s) const {
    bool produced = true;
    for (std::size_t i = 0; i < tasks_; ++i)
      if (!consumes(i) && s.task[i].pc != kDone && s.task[i].pc != kDead) produced = false;
    for (std::size_t i = 0; i < tasks_; ++i) {
      const Pc pc = s.task[i].pc;
      if (pc == kDone || pc == kDead) continue;
      // There will be nothing more to consume.
      if (!(produced && consumes(i) && s.stock == 0 && pc == kAsleep)) return false;
    }
    return true;
  }

  void steps(const State& s, Steps<State>& out) const {
    for (std::size_t i = 0; i < tasks_; ++i) {
      if (s.task[i].pc == kDead || s.task[i].pc == kDone) continue;
      act(s, i, out);
    }
    for (std::size_t h = 0; h < slots_ && s.kills < in_.kills; ++h) {
      if (s.slot[h].dead != 0) continue;
      State n = s;
      ++n.kills;
      n.slot[h].dead = 1;
      for (std::size_t i = 0; i < tasks_; ++i) {
        if (home(i) != h || s.task[i].pc == kDone) continue;
        n.task[i] = {};
      }
      out.add_fate(number(h), "is killed", n);
    }
  }

  std::string describe(const State& s) const {
    std::string text("stock ");
    text.append(std::to_string(s.stock));
    if (s.owner != 0) text.append(" locked by ").append(std::to_string(s.owner - 1));
    for (std::size_t h = 0; h < slots_; ++h) {
      text.append("  ").append(std::to_string(s.slot[h].word.waiting)).append("/");
      text.append(std::to_string(s.slot[h].word.granted));
      if (s.slot[h].wait != 0) text.append(s.slot[h].wait == 1 ? " armed" : " rung");
      if (s.slot[h].dead != 0) text.append(" dead");
    }
    return text;
  }

 private:
  static int number(std::size_t i) { return static_cast<int>(i); }
  bool is(Mutant mutant) const { return in_.mutant == mutant; }
  bool consumes(std::size_t i) const { return in_.tasks[2 * i] == 'c'; }
  std::size_t home(std::size_t i) const {
    return static_cast<std::size_t>(in_.tasks[2 * i + 1] - '0');
  }
  static void ring(Slot& slot) {
    if (slot.wait == 1) slot.wait = 2;
  }

  void act(const State& s, std::size_t i, Steps<State>& out) const {
    const Task& was = s.task[i];
    State n = s;
    Task& me = n.task[i];
    Slot& own = n.slot[home(i)];
    const auto go = [&](const char* what, Pc pc) {
      me.pc = pc;
      out.add(number(i), what, n);
      n = s;
    };
    switch (was.pc) {
      case kLock:
      case kLockAgain:
        if (s.owner != 0 && s.task[s.owner - 1].pc != kDead) return;
        n.owner = static_cast<std::uint8_t>(i + 1);
        // Who is told that the last owner died looks after the others: it notifies everybody.
        if (s.owner != 0) {
          for (Slot& slot : n.slot) {
            if (slot.dead != 0) continue;
            slot.word.granted = slot.word.waiting;
            ring(slot);
          }
        }
        if (was.notified == 1 && was.pc == kLockAgain && !is(Mutant::kTakesBeforeLock)) {
          --own.word.waiting;
          --own.word.granted;
        }
        if (was.notified == 1) --own.claimed;
        return go("locks", consumes(i) ? kConsume : kProduce);
      case kConsume:
        if (was.notified == 2) return go("has timed out", kUnlock);
        if (s.stock > 0) {
          --n.stock;
          return go("consumes", kUnlock);
        }
        me.notified = 0;
        if (is(Mutant::kWaitsAfterUnlock)) {
          n.owner = 0;
          return go("unlocks", kUnlockToWait);
        }
        ++own.word.waiting;
        return go("waiting + 1", kUnlockToWait);
      case kUnlockToWait:
        if (is(Mutant::kWaitsAfterUnlock))
          ++own.word.waiting;
        else
          n.owner = 0;
        return go("waits, unlocked", kArm);
      case kArm:
        own.wait = 1;
        return go("arms", is(Mutant::kNoLookArmed) ? kAsleep : kLook);
      case kLook:
        if (s.slot[home(i)].word.granted > s.slot[home(i)].claimed) return go("is notified", kTake);
        return go("is not notified", kAsleep);
      case kAsleep:
        if (own.wait == 2 || own.wait == 0) {
          own.wait = 0;
          go("is rung", kTake);
        } else if (s.kills > 0 && !is(Mutant::kNobodyLooks)) {
          me.at = 0;
          go("looks by itself", kLookForDead);
        }
        if (s.timeouts < in_.timeouts) {
          ++n.timeouts;
          me.pc = kTimeOut;
          out.add_fate(number(i), "is out of time", n);
        }
        return;
      case kTake:
        if (own.word.granted > own.claimed ||
            (is(Mutant::kTakesBeforeLock) && own.word.granted > 0)) {
          if (is(Mutant::kTakesBeforeLock)) {
            --own.word.waiting;
            --own.word.granted;
          }
          ++own.claimed;
          me.notified = 1;
          // Another that waits here looks for itself.
          if (own.word.waiting > 0) own.wait = own.wait == 1 ? 2 : own.wait;
          return go("takes its notification", kLockAgain);
        }
        return go("has none", kArm);
      case kTimeOut: {
        const bool ours = own.word.granted >= own.word.waiting && !is(Mutant::kTimeOutKeepsNothing);
        me.notified = ours ? 1 : 2;
        if (ours) ++own.claimed;
        if (!ours) --own.word.waiting;
        if (own.word.granted > own.word.waiting) own.word.granted = own.word.waiting;
        return go(ours ? "has been notified after all" : "waits no longer", kLockAgain);
      }
      case kUnlock:
        n.owner = 0;
        return go("unlocks", kDone);

      case kProduce:
        ++n.stock;
        me.at = 0;
        me.left = 1;
        me.after = kUnlock;
        return go("produces", kGrant);
      case kGrant: {
        const std::size_t h = was.at;
        if (h == slots_ || was.left == 0) {
          me.at = me.left = 0;
          const Pc after = was.after;
          me.after = kDead;
          return go("has notified", after);
        }
        const Slot& theirs = s.slot[h];
        if (theirs.word.waiting <= theirs.word.granted) {
          me.at = static_cast<std::uint8_t>(h + 1);
          return go("nobody waits here", kGrant);
        }
        if (theirs.dead != 0 && !is(Mutant::kGrantsToTheDead) && was.after == kUnlock) {
          me.whom = was.at;
          me.word = theirs.word;
          me.forgotten = kGrant;
          return go("it is dead", kForget);
        }
        if (theirs.dead != 0 && !is(Mutant::kGrantsToTheDead)) {
          me.at = static_cast<std::uint8_t>(h + 1);
          return go("it is dead", kGrant);
        }
        ++n.slot[h].word.granted;
        --me.left;
        return go("granted + 1", kRing);
      }
      case kRing:
        if (!is(Mutant::kRingsNobody)) ring(n.slot[was.at]);
        return go("rings", kGrant);

      case kForget: {
        Word& word = n.slot[was.whom].word;
        if (word != was.word) {
          me.word = {};
          me.whom = 0;
          const Pc pc = was.forgotten;
          me.forgotten = kDead;
          return go("another is at it", pc);
        }
        if (is(Mutant::kEmptiesFirst)) {
          word = {0, 0};
          return go("empties it", kPassOn);
        }
        word.waiting = word.granted;
        return go("nobody waits there", kPassOn);
      }
      case kPassOn: {
        // What is granted here is granted in one step: kGrant shows how.
        std::uint8_t lost = is(Mutant::kForgetsGrants) ? std::uint8_t{0} : was.word.granted;
        for (std::size_t h = 0; h < slots_; ++h) {
          Slot& other = n.slot[h];
          while (lost > 0 && other.dead == 0 && other.word.waiting > other.word.granted) {
            ++other.word.granted;
            ring(other);
            --lost;
          }
        }
        return go("passes on what it was notified of", kEmpty);
      }
      case kEmpty: {
        n.slot[was.whom].word = {0, 0};
        me.word = {};
        me.whom = 0;
        const Pc pc = was.forgotten;
        me.forgotten = kDead;
        return go("empties it", pc);
      }
      case kLookForDead: {
        const std::size_t h = was.at;
        if (h == slots_) {
          me.at = 0;
          if (s.owner != 0 && s.task[s.owner - 1].pc == kDead && !is(Mutant::kOwnerDiesUnnoticed))
            own.word.granted = own.word.waiting;
          return go("has looked at all, and at the lock's owner", kTake);
        }
        me.at = static_cast<std::uint8_t>(h + 1);
        if (s.slot[h].dead != 0 && s.slot[h].word.granted > 0) {
          me.whom = was.at;
          me.word = s.slot[h].word;
          me.forgotten = kLookForDead;
          return go("it was notified, and is dead", kForget);
        }
        return go("nothing is lost here", kLookForDead);
      }
      default:
        return;
    }
  }

  Instance in_;
  std::size_t tasks_ = 0;
  std::size_t slots_ = 0;
};

std::string name_of(const Instance& in) {
  std::string text(in.tasks);
  text.append(" kills=").append(std::to_string(in.kills));
  text.append(" timeouts=").append(std::to_string(in.timeouts));
  return text;
}

void hold(Suite& suite) {
  const auto holds = [&](const Instance& in) { suite.holds(name_of(in), ConditionModel(in)); };
  holds({.tasks = "c0p1"});
  holds({.tasks = "c0c1p2", .timeouts = 2});
  holds({.tasks = "c0c0p1", .timeouts = 2});
  holds({.tasks = "c0c1p2p2", .timeouts = 1});
  holds({.tasks = "c0c1p2", .kills = 1, .timeouts = 1});
  holds({.tasks = "c0c1c2p2", .kills = 1});
}

void catch_mutants(Suite& suite) {
  const auto caught = [&](const char* rule, Mutant mutant, Instance in) {
    in.mutant = mutant;
    suite.caught(rule, ConditionModel(in));
  };
  const Instance two{.tasks = "c0c1p2", .timeouts = 1};
  const Instance mortal{.tasks = "c0c1p2", .kills = 1};
  caught("nobody notices that the lock's owner died", Mutant::kOwnerDiesUnnoticed, mortal);
  caught("a notification is taken before the lock is", Mutant::kTakesBeforeLock,
         {.tasks = "c0c1c2p2", .kills = 1});
  caught("who waits unlocks first", Mutant::kWaitsAfterUnlock, two);
  caught("who waits does not look again once armed", Mutant::kNoLookArmed, two);
  caught("who notifies rings nobody", Mutant::kRingsNobody, two);
  caught("a time-out drops its notification", Mutant::kTimeOutKeepsNothing, two);
  caught("the dead are notified, and nobody looks", Mutant::kNobodyLooks, mortal);
  caught("what the dead were notified of is forgotten", Mutant::kForgetsGrants, mortal);
  caught("the word of the dead is emptied first", Mutant::kEmptiesFirst,
         {.tasks = "c0c1c2p2", .kills = 2});
}

}  // namespace
}  // namespace interproc::model

int main(int argc, char** argv) {
  interproc::model::Suite suite(argc, argv);
  interproc::model::hold(suite);
  interproc::model::catch_mutants(suite);
  return suite.close();
}
