// One lock, ARCHITECTURE.md section 8: actors that acquire, time out, release, close and are killed anywhere, newcomers in the slots of the
// dead, and promises that keep waiting finite.
//
//   acquire   w = owner; free? is it promised to another? CAS w -> mine; place = empty; withdraw a promise to me
//   wait      take a place; arm; owner dead? CAS -> free, abandoned; wake.  look again; sleep until rung; disarm; acquire again
//   leave     disarm; place = empty; withdraw a promise to me; is it free? wake
//   release   turn + 1; passed whom too often? promise it the next; is its place empty? withdraw.  CAS mine -> free; wake
//   wake      ring whom it is promised to, or else anybody asleep
//   close     place = empty; withdraw; CAS mine -> free, abandoned; wake
//   join      generation + 1; place = empty; withdraw from the last; CAS of the last -> free, abandoned; wake; disarm for it
//   pass over place = empty; withdraw                                 (of whom it is promised to and who does not come)
//
// How a ringer finds a sleeper is wake_model.cc: here a ring is one step, and so is arming. The slow look runs once somebody was killed, and so does the
// patience with a promise; else both are fate. Stores that a mutant makes plainly may stay in a store buffer until the actor's next step that is none.
//
// Wrong would be: two that hold it; one that gets it and is not told that its last owner died or closed, or is told so though none did; one that takes what is
// promised to another, or that is passed by more often than the bound says; a state from which the living cannot all get it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "explorer.h"
#include "suite.h"

namespace interproc::model {
namespace {

constexpr std::size_t kMaxActors = 4;

enum Pc : std::uint8_t {
  kDead,
  kLeft,
  kDone,
  kIdle,
  // acquire
  kMayTake,
  kTake,
  kTookPlace,
  kTookPromise,
  kCritical,
  // wait
  kLineUp,
  kArm,
  kLookDead,
  kRecover,
  kLookOwner,
  kLookPromise,
  kAsleep,
  kDisarm,
  // leave
  kLeaveDisarm,
  kLeavePlace,
  kLeavePromise,
  kLeaveLook,
  // release
  kPass,
  kPromise,
  kCheckPlace,
  kWithdraw,
  kRelease,
  // close
  kClosePlace,
  kClosePromise,
  kCloseOwner,
  // join
  kSweepPlace,
  kSweepPromise,
  kSweepOwner,
  kSweepWaits,
  // pass over
  kPassOver,
  kPassOverPromise,
  // wake
  kWake,
  kWakePromised,
  kRingAny,
};

struct Name {
  std::uint8_t slot;
  std::uint8_t generation;
  bool operator==(const Name&) const = default;
};

struct Owner {
  std::uint8_t held;
  std::uint8_t abandoned;
  std::uint8_t serial;
  Name by;
  bool operator==(const Owner&) const = default;
};

struct Promise {
  std::uint8_t valid;
  std::uint8_t serial;
  Name to;
  bool operator==(const Promise&) const = default;
};

enum WaitState : std::uint8_t { kAwake, kArmed, kRung };

struct SlotWords {
  std::uint8_t generation;
  std::uint8_t since;  // turn + 1; 0: no place
  WaitState wait;
};

enum Pending : std::uint8_t { kNothing, kFree, kNoPlace };

struct Actor {
  Pc pc;
  Pc after;  // of a wake, or of passing over
  std::uint8_t rounds;
  std::uint8_t waiting;  // it had a place once: `since` of its own
  std::uint8_t since;
  std::uint8_t chosen;
  Pending pending;
  Owner owner;      // as loaded
  Promise promise;  // as loaded
};

struct State {
  Owner owner;
  Promise promise;
  std::uint8_t turns;
  std::array<SlotWords, kMaxActors> slot;
  std::array<Actor, kMaxActors> actor;
  // What no participant sees.
  std::array<std::uint8_t, kMaxActors> passed;
  std::uint8_t holders;
  std::uint8_t dirty;  // its last owner never released it
  std::uint8_t kills;
  std::uint8_t joins;
  std::uint8_t closes;
  std::uint8_t leaves;
  std::uint8_t impatience;
};

enum class Mutant : std::uint8_t {
  kNone,
  kRobsTheLiving,
  kNeverRecovers,
  kNotTold,
  kToldAfterRecovery,
  kFreesPlainly,
  kRingsNobody,
  kNoLookArmed,
  kLeavesWithWake,
  kLeavesWithPromise,
  kPlaceEmptiedPlainly,
  kPlaceNotChecked,
  kPromiseNotKept,
  kNoPromise,
  kNoSerial,
  kPassesOverTheSlow,
  kNoPassingOver,
  kSuccessorInherits,
  kCloseSaysNothing,
};

struct Instance {
  std::size_t actors = 2;
  std::uint8_t rounds = 1;
  std::uint8_t kills = 0;
  std::uint8_t joins = 0;
  std::uint8_t closes = 0;
  std::uint8_t leaves = 0;
  std::uint8_t impatience = 0;
  std::uint8_t patient_turns = 1;
  Mutant mutant = Mutant::kNone;
};

class LockModel {
 public:
  using State = model::State;
  explicit LockModel(const Instance& instance) : in_(instance) {}

  State initial() const {
    State s{};
    for (std::size_t i = 0; i < in_.actors; ++i) {
      s.actor[i].pc = kIdle;
      s.actor[i].rounds = in_.rounds;
    }
    for (std::size_t i = in_.actors; i < kMaxActors; ++i) s.actor[i].pc = kLeft;
    return s;
  }

  std::size_t bytes() const { return sizeof(State); }

  const char* broken(const State& s) const {
    for (std::size_t i = 0; i < in_.actors; ++i) {
      // Whom it is promised to can be passed by those who stand before it, once each.
      if (s.passed[i] > in_.patient_turns + in_.actors)
        return "one waits for more turns than there may be";
    }
    return nullptr;
  }

  bool settled(const State& s) const {
    for (std::size_t i = 0; i < in_.actors; ++i) {
      const Pc pc = s.actor[i].pc;
      if (pc != kDead && pc != kLeft && pc != kDone) return false;
    }
    return true;
  }

  void steps(const State& s, Steps<State>& out) const {
    for (std::size_t i = 0; i < in_.actors; ++i) {
      const Actor& me = s.actor[i];
      if (me.pc == kDead) {
        if (s.joins < in_.joins) join(s, i, out);
        continue;
      }
      if (me.pc == kLeft) continue;
      if (me.pending != kNothing) {
        State n = s;
        drain(n, i);
        out.add(number(i), "(a pending store drains)", n);
      }
      act(s, i, out);
      if (s.kills < in_.kills && me.pc != kDone) kill(s, i, out);
    }
  }

  std::string describe(const State& s) const {
    std::string text(s.owner.held != 0 ? "owner " : "free");
    const auto add = [&text](Name n) {
      text += std::to_string(n.slot);
      text += ".";
      text += std::to_string(n.generation);
    };
    if (s.owner.held != 0) add(s.owner.by);
    if (s.owner.abandoned != 0) text += " abandoned";
    if (s.promise.valid != 0) {
      text += ", promised to ";
      add(s.promise.to);
    }
    text += ", turn " + std::to_string(s.turns);
    static constexpr const char* kWaits[] = {"", " armed", " rung"};
    for (std::size_t i = 0; i < in_.actors; ++i) {
      text +=
          "  " + std::to_string(i) + ":" + std::to_string(s.slot[i].since) + kWaits[s.slot[i].wait];
    }
    return text;
  }

 private:
  static int number(std::size_t i) { return static_cast<int>(i); }
  static std::uint8_t bit(std::size_t i) { return static_cast<std::uint8_t>(1u << i); }
  bool is(Mutant mutant) const { return in_.mutant == mutant; }
  static Name name(const State& s, std::size_t i) {
    return {static_cast<std::uint8_t>(i), s.slot[i].generation};
  }
  static bool dead(const State& s, Name n) {
    const Pc pc = s.actor[n.slot].pc;
    return s.slot[n.slot].generation != n.generation || pc == kDead || pc == kLeft;
  }
  static Owner freed(Owner word, bool abandoned) {
    return {0, static_cast<std::uint8_t>(abandoned ? 1 : 0), word.serial, {0, 0}};
  }
  static void drain(State& s, std::size_t i) {
    Actor& me = s.actor[i];
    if (me.pending == kFree) s.owner = freed(s.owner, false);
    if (me.pending == kNoPlace) s.slot[i].since = 0;
    me.pending = kNothing;
  }
  static void withdraw(State& s, std::uint8_t slot_of) {
    if (s.promise.valid == 0 || s.promise.to.slot != slot_of) return;
    s.promise.valid = 0;
    s.promise.to = {0, 0};
  }
  static bool anyone_armed(const State& s) {
    for (const SlotWords& slot : s.slot) {
      if (slot.wait != kAwake) return true;
    }
    return false;
  }
  static void ring(State& s, std::size_t i) {
    if (s.slot[i].wait == kArmed) s.slot[i].wait = kRung;
  }
  static void forget_locals(Actor& me) {
    me.owner = {};
    me.promise = {};
    me.chosen = 0;
  }

  void join(const State& s, std::size_t i, Steps<State>& out) const {
    State n = s;
    ++n.joins;
    // Generations wrap: a name that nobody sweeps comes back.
    n.slot[i].generation ^= 1;
    n.actor[i] = {};
    n.actor[i].pc = is(Mutant::kSuccessorInherits) ? kIdle : kSweepPlace;
    n.actor[i].rounds = 1;
    out.add_fate(number(i), "a newcomer's generation stands", n);
  }

  void kill(const State& s, std::size_t i, Steps<State>& out) const {
    State n = s;
    drain(n, i);
    if (n.owner.held != 0 && n.owner.by == name(n, i)) n.dirty = 1;
    n.holders = static_cast<std::uint8_t>(n.holders & ~bit(i));
    n.passed[i] = 0;
    n.actor[i] = {};
    n.actor[i].pc = kDead;
    ++n.kills;
    out.add_fate(number(i), "is killed", n);
  }

  // The slow looks, which nobody has to wait for unless somebody was killed.
  void slowly(const State& s, std::size_t i, const char* what, const State& next,
              Steps<State>& out) const {
    if (s.kills > 0)
      out.add(number(i), what, next);
    else
      out.add_fate(number(i), what, next);
  }

  void act(const State& s, std::size_t i, Steps<State>& out) const {
    const Actor& was = s.actor[i];
    State n = s;
    Actor& me = n.actor[i];
    SlotWords& slot = n.slot[i];
    const Name self = name(s, i);
    const auto go = [&](const char* what, Pc pc, const char* wrong = nullptr) {
      me.pc = pc;
      out.add(number(i), what, n, wrong);
      n = s;
    };
    const auto wake_then = [&](Pc after) {
      me.after = after;
      forget_locals(me);
      return kWake;
    };
    // An RMW or a sequentially consistent access waits until the store buffer is empty.
    const bool blocked = was.pending != kNothing;
    switch (was.pc) {
      case kIdle:
        if (blocked) return;
        if (was.rounds == 0) return go("has had all its turns", kDone);
        me.owner = s.owner;
        if (s.owner.held != 0) return go("sees it held", kLineUp);
        return go("sees it free", kMayTake);
      case kMayTake:
        if (s.promise.valid == 0 || s.promise.to == self || is(Mutant::kPromiseNotKept))
          return go("it is promised to nobody else", kTake);
        if (s.kills > 0 || s.impatience < in_.impatience) {
          if (!is(Mutant::kNoPassingOver)) {
            me.promise = s.promise;
            me.after = kIdle;
            me.pc = kPassOver;
            if (s.kills == 0) ++n.impatience;
            slowly(s, i, "has waited long enough for whom it is promised to", n, out);
            n = s;
          }
        }
        return go("it is promised to another", kLineUp);
      case kTake: {
        const bool same = is(Mutant::kNoSerial)
                              ? s.owner.held == 0 && s.owner.abandoned == was.owner.abandoned
                              : s.owner == was.owner;
        if (!same) return go("CAS fails", kIdle);
        const bool told = was.owner.abandoned != 0 && !is(Mutant::kNotTold);
        const char* wrong = nullptr;
        if ((s.holders & ~bit(i)) != 0) wrong = "two hold it";
        if (told != (s.dirty != 0))
          wrong = told ? "one is told of a death that was none" : "one is not told";
        if (s.promise.valid != 0 && s.promise.to != self) wrong = "one takes what is promised";
        n.owner = {1, 0, static_cast<std::uint8_t>(is(Mutant::kNoSerial) ? 0 : s.owner.serial + 1),
                   self};
        n.dirty = 0;
        n.holders = static_cast<std::uint8_t>(n.holders | bit(i));
        for (std::size_t j = 0; j < in_.actors; ++j) {
          if (j != i && s.slot[j].since != 0) ++n.passed[j];
        }
        n.passed[i] = 0;
        forget_locals(me);
        return go("takes it", was.waiting != 0 ? kTookPlace : kCritical, wrong);
      }
      case kTookPlace:
        slot.since = 0;
        me.waiting = me.since = 0;
        return go("its place is empty", kTookPromise);
      case kTookPromise:
        withdraw(n, self.slot);
        return go("its promise is kept", kCritical);
      case kCritical:
        --me.rounds;
        go("is done", kPass);
        if (s.closes < in_.closes) {
          ++n.closes;
          me.pc = kClosePlace;
          n.dirty = 1;
          out.add_fate(number(i), "closes while it holds it", n);
        }
        return;

      case kLineUp:
        me.owner = {};
        if (was.waiting == 0) {
          me.waiting = 1;
          me.since = static_cast<std::uint8_t>(s.turns + 1);
        }
        slot.since = me.since;
        return go("takes a place", kArm);
      case kArm:
        slot.wait = kArmed;
        return go("arms", is(Mutant::kNoLookArmed) ? kAsleep : kLookDead);
      case kLookDead:
        if (s.owner.held != 0 && (dead(s, s.owner.by) || is(Mutant::kRobsTheLiving)) &&
            !is(Mutant::kNeverRecovers)) {
          me.owner = s.owner;
          return go("its owner is dead", kRecover);
        }
        return go("nobody is dead", kLookOwner);
      case kRecover:
        if (s.owner == was.owner) {
          n.owner = freed(s.owner, !is(Mutant::kToldAfterRecovery));
          return go("recovers it", wake_then(kLookOwner));
        }
        me.owner = {};
        return go("another has recovered it", kLookOwner);
      case kLookOwner:
        return go("looks", s.owner.held == 0 ? kLookPromise : kAsleep);
      case kLookPromise:
        if (s.promise.valid == 0 || s.promise.to == self) return go("it is to be had", kDisarm);
        if (s.kills > 0 && !is(Mutant::kNoPassingOver)) {
          me.promise = s.promise;
          me.after = kDisarm;
          me.pc = kPassOver;
          out.add(number(i), "has waited long enough for whom it is promised to", n);
          n = s;
        }
        return go("it is promised to another", kAsleep);
      case kAsleep:
        if (slot.wait == kRung) go("is rung", kDisarm);
        if (slot.wait != kRung && s.kills > 0) go("looks by itself", kDisarm);
        if (s.leaves < in_.leaves) {
          ++n.leaves;
          me.pc = kLeaveDisarm;
          out.add_fate(number(i), "times out", n);
        }
        return;
      case kDisarm:
        slot.wait = kAwake;
        return go("disarms", kIdle);

      case kLeaveDisarm:
        slot.wait = kAwake;
        me.rounds = 0;
        return go("disarms and leaves", is(Mutant::kLeavesWithWake) ? kDone : kLeavePlace);
      case kLeavePlace:
        me.waiting = me.since = 0;
        n.passed[i] = 0;
        if (is(Mutant::kPlaceEmptiedPlainly))
          me.pending = kNoPlace;
        else
          slot.since = 0;
        return go("its place is empty",
                  is(Mutant::kLeavesWithPromise) ? kLeaveLook : kLeavePromise);
      case kLeavePromise:
        withdraw(n, self.slot);
        return go("has no promise", kLeaveLook);
      case kLeaveLook:
        if (s.owner.held == 0) return go("it is free: passes the wake on", wake_then(kDone));
        return go("it is held", kDone);

      case kPass: {
        bool any = false;
        std::size_t oldest = 0;
        std::uint8_t longest = 0;
        for (std::size_t j = 0; j < in_.actors; ++j) {
          if (s.slot[j].since == 0) continue;
          const auto age = static_cast<std::uint8_t>(s.turns + 2 - s.slot[j].since);
          any = true;
          if (age >= longest) {
            longest = age;
            oldest = j;
          }
        }
        if (any) ++n.turns;
        if (any && s.promise.valid == 0 && longest >= in_.patient_turns &&
            !is(Mutant::kNoPromise)) {
          me.promise = s.promise;
          me.chosen = static_cast<std::uint8_t>(oldest);
          return go("has passed one too often", kPromise);
        }
        return go("nobody has waited too long", kRelease);
      }
      case kPromise:
        if (s.promise == was.promise) {
          n.promise = {1, static_cast<std::uint8_t>(s.promise.serial + 1), name(s, was.chosen)};
          me.promise = n.promise;
          return go("promises it the next turn",
                    is(Mutant::kPlaceNotChecked) ? kRelease : kCheckPlace);
        }
        me.promise = {};
        return go("CAS of the promise fails", kRelease);
      case kCheckPlace:
        if (s.slot[was.chosen].since != 0) {
          me.promise = {};
          return go("it is still there", kRelease);
        }
        return go("it has gone", kWithdraw);
      case kWithdraw:
        withdraw(n, was.promise.to.slot);
        me.promise = {};
        return go("withdraws the promise", kRelease);
      case kRelease:
        n.holders = static_cast<std::uint8_t>(n.holders & ~bit(i));
        if (is(Mutant::kFreesPlainly))
          me.pending = kFree;
        else
          n.owner = freed(s.owner, false);
        me.chosen = 0;
        me.promise = {};
        return go("frees it", is(Mutant::kRingsNobody) ? kIdle : wake_then(kIdle));

      case kClosePlace:
        slot.since = 0;
        return go("closing: has no place", kClosePromise);
      case kClosePromise:
        withdraw(n, self.slot);
        return go("closing: has no promise", kCloseOwner);
      case kCloseOwner:
        n.owner = freed(s.owner, !is(Mutant::kCloseSaysNothing));
        n.holders = static_cast<std::uint8_t>(n.holders & ~bit(i));
        return go("closing: frees it, abandoned", wake_then(kLeft));

      case kSweepPlace:
        slot.since = 0;
        return go("sweeps the place", kSweepPromise);
      case kSweepPromise:
        withdraw(n, self.slot);
        return go("sweeps the promise", kSweepOwner);
      case kSweepOwner:
        if (s.owner.held != 0 && s.owner.by.slot == self.slot) {
          n.owner = freed(s.owner, true);
          return go("sweeps: frees it, abandoned", wake_then(kSweepWaits));
        }
        return go("the last user did not hold it", kSweepWaits);
      case kSweepWaits:
        slot.wait = kAwake;
        return go("disarms for the last user", kIdle);

      case kPassOver:
        n.slot[was.promise.to.slot].since = 0;
        n.passed[was.promise.to.slot] = 0;
        return go("passes it over: it has no place", kPassOverPromise);
      case kPassOverPromise:
        if (s.promise == was.promise) withdraw(n, was.promise.to.slot);
        me.after = kDead;
        forget_locals(me);
        return go("withdraws the promise", was.after);

      case kWake:
        // Plain loads, which a pending store does not hold up.
        if (!anyone_armed(s)) {
          me.after = kDead;
          return go("nobody sleeps", was.after);
        }
        return go("somebody sleeps", kWakePromised);
      case kWakePromised:
        if (blocked) return;
        if (s.promise.valid != 0) {
          ring(n, s.promise.to.slot);
          me.after = kDead;
          return go("rings whom it is promised to", was.after);
        }
        return go("it is promised to nobody", kRingAny);
      case kRingAny: {
        bool any = false;
        for (std::size_t j = 0; j < in_.actors; ++j) {
          if (s.slot[j].wait != kArmed) continue;
          any = true;
          ring(n, j);
          me.after = kDead;
          go("rings one", was.after);
        }
        if (any) return;
        me.after = kDead;
        return go("all are rung", was.after);
      }
      default:
        return;
    }
  }

  Instance in_;
};

std::string name_of(const Instance& in) {
  return "actors=" + std::to_string(in.actors) + " rounds=" + std::to_string(in.rounds) +
         " kills=" + std::to_string(in.kills) + " newcomers=" + std::to_string(in.joins) +
         " closes=" + std::to_string(in.closes) + " timeouts=" + std::to_string(in.leaves) +
         " passed over=" + std::to_string(in.impatience);
}

void hold(Suite& suite) {
  const auto holds = [&](const Instance& in) { suite.holds(name_of(in), LockModel(in)); };
  holds({.actors = 2, .rounds = 4});
  holds({.actors = 2, .rounds = 3, .closes = 1, .leaves = 1, .impatience = 1});
  holds({.actors = 2, .rounds = 2, .kills = 2, .joins = 2});
  holds({.actors = 2, .rounds = 3, .kills = 1, .joins = 1, .leaves = 1});
  holds({.actors = 3, .rounds = 2});
  holds({.actors = 3, .rounds = 2, .leaves = 1});
  holds({.actors = 3, .rounds = 1, .kills = 1, .joins = 1, .leaves = 1});
  if (!suite.long_run()) return;
  holds({.actors = 3, .rounds = 2, .impatience = 1});
  holds({.actors = 3, .rounds = 1, .kills = 2, .joins = 1});
  holds({.actors = 3, .rounds = 2, .kills = 1});
  holds({.actors = 4, .rounds = 1, .leaves = 1});
}

void catch_mutants(Suite& suite) {
  const auto caught = [&](const char* rule, Mutant mutant, Instance in) {
    in.mutant = mutant;
    suite.caught(rule, LockModel(in));
  };
  const Instance plain{.actors = 2, .rounds = 4, .closes = 1, .leaves = 1};
  const Instance three{.actors = 3, .rounds = 2, .leaves = 1};
  const Instance mortal{.actors = 2, .rounds = 2, .kills = 1, .joins = 1};
  caught("the living are robbed", Mutant::kRobsTheLiving, plain);
  caught("the dead are not looked for", Mutant::kNeverRecovers,
         {.actors = 2, .rounds = 2, .kills = 1});
  caught("who gets it from the dead is not told", Mutant::kNotTold, mortal);
  caught("who recovers it does not note so", Mutant::kToldAfterRecovery, mortal);
  caught("release -> look for sleepers: freed plainly", Mutant::kFreesPlainly, plain);
  caught("a release rings nobody", Mutant::kRingsNobody, plain);
  caught("who waits does not look again once armed", Mutant::kNoLookArmed, plain);
  caught("who leaves keeps the wake", Mutant::kLeavesWithWake, three);
  caught("who leaves keeps the promise", Mutant::kLeavesWithPromise, three);
  caught("place -> look at the promise: emptied plainly", Mutant::kPlaceEmptiedPlainly, three);
  caught("who promises does not check the place", Mutant::kPlaceNotChecked, three);
  caught("a promise is not kept", Mutant::kPromiseNotKept, plain);
  caught("nothing is promised", Mutant::kNoPromise, {.actors = 2, .rounds = 6});
  caught("the serial stands still", Mutant::kNoSerial, {.actors = 3, .rounds = 2});
  caught("nobody passes over the dead", Mutant::kNoPassingOver,
         {.actors = 3, .rounds = 2, .kills = 1});
  caught("a newcomer does not sweep", Mutant::kSuccessorInherits,
         {.actors = 2, .rounds = 1, .kills = 2, .joins = 2});
  caught("a close says nothing", Mutant::kCloseSaysNothing, plain);
}

}  // namespace
}  // namespace interproc::model

int main(int argc, char** argv) {
  interproc::model::Suite suite(argc, argv);
  interproc::model::hold(suite);
  interproc::model::catch_mutants(suite);
  return suite.close();
}
