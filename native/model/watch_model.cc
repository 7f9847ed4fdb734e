// Waiting for a value to change: native/state/cells.h. Writers change it and look whether anybody waits; waiters look at it
// and sleep; any of them may be killed.
//
//   wait     W: not watched: CAS -> watched; remember W and `changes`; look at the value; as wanted: done
//            list; W or changes is another: unlist, again; sleep until rung; unlist, again
//   change   value + 1 (an RMW; or a plain store, and then notify)
//   notify   W not watched: done;  changes + 1;  anyone listed: ring all;  else CAS W watched -> epoch + 1, not watched;
//            anyone listed now: ring all, who then watch anew
//
// How a ringer finds a sleeper is wake_model.cc: here, to ring one is one step. A waiter looks by itself once somebody was killed.
// RMWs are sequentially consistent; a plain store of the value may stay in the writer's store buffer until its next fence or RMW.
//
// Wrong would be: a state in which a waiter sleeps although the value is as it wants it, or will be, and the living cannot bring it
// about that it looks. So says the explorer: the survivors can never settle.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "explorer.h"
#include "suite.h"

namespace interproc::model {
namespace {

constexpr std::size_t kMaxWaiters = 2;
constexpr std::size_t kMaxWriters = 2;
constexpr std::uint8_t kEpochs = 4;

enum Pc : std::uint8_t {
  kAbsent,
  kDead,
  kDone,
  // waiter
  kWatch,
  kSetWatched,
  kRemember,
  kLook,
  kList,
  kCheckWatch,
  kCheckChanges,
  kAsleep,
  kUnlist,
  kLookLate,
  // writer
  kChange,
  kLoadWatch,
  kCount,
  kAnyone,
  kUnwatchLoad,
  kUnwatch,
  kAnyoneStill,
  kRing,
  kNext,
};

struct Actor {
  Pc pc;
  std::uint8_t watch;    // remembered, or loaded
  std::uint8_t changes;  // remembered
  std::uint8_t at;       // who is rung next
  std::uint8_t left;     // changes to make
  std::uint8_t pending;  // a plain store has not drained: the value to be
};

struct State {
  std::array<Actor, kMaxWaiters + kMaxWriters> actor;
  std::array<std::uint8_t, kMaxWaiters> listed;
  std::array<std::uint8_t, kMaxWaiters> rung;
  std::uint8_t value;
  std::uint8_t watch;  // epoch * 2 + watched
  std::uint8_t changes;
  std::uint8_t kills;
};

enum class Mutant : std::uint8_t {
  kNone,
  kLooksBeforeWatching,
  kRemembersAfterLooking,
  kNoCheck,
  kNoWatchCheck,
  kNoChangesCheck,
  kNotCounted,
  kNoSecondLook,
  kNoEpoch,
  kRingsOne,
  kPlainStore,
  kNeverLooksByItself,
};

struct Instance {
  std::size_t waiters = 1;
  std::size_t writers = 1;
  std::uint8_t changes = 2;  // by each writer
  int kills = 0;
  bool plain = false;  // stores and notify instead of an RMW, by one writer
  Mutant mutant = Mutant::kNone;
};

class WatchModel {
 public:
  using State = model::State;

  explicit WatchModel(const Instance& instance) : in_(instance) {}

  State initial() const {
    State s{};
    for (std::size_t i = 0; i < in_.waiters; ++i)
      s.actor[i].pc = is(Mutant::kLooksBeforeWatching) ? kLook : kWatch;
    for (std::size_t i = 0; i < in_.writers; ++i) {
      s.actor[writer(i)].pc = kChange;
      s.actor[writer(i)].left = in_.changes;
    }
    return s;
  }

  std::size_t bytes() const { return sizeof(State); }
  const char* broken(const State&) const { return nullptr; }

  bool settled(const State& s) const {
    for (std::size_t i = 0; i < in_.writers; ++i) {
      const Pc pc = s.actor[writer(i)].pc;
      if (pc != kDone && pc != kDead) return false;
      if (s.actor[writer(i)].pending != 0) return false;
    }
    for (std::size_t i = 0; i < in_.waiters; ++i) {
      const Pc pc = s.actor[i].pc;
      if (pc == kDone || pc == kDead) continue;
      // What it wants will never be: it may sleep, where it can be found.
      if (s.value < wanted(i) && pc == kAsleep && s.rung[i] == 0) continue;
      return false;
    }
    return true;
  }

  void steps(const State& s, Steps<State>& out) const {
    for (std::size_t i = 0; i < in_.waiters; ++i) wait(s, i, out);
    for (std::size_t i = 0; i < in_.writers; ++i) write(s, writer(i), out);
    if (s.kills >= in_.kills) return;
    for (std::size_t i = 0; i < s.actor.size(); ++i) {
      const Pc pc = s.actor[i].pc;
      if (pc == kAbsent || pc == kDead || pc == kDone) continue;
      State n = s;
      ++n.kills;
      n.actor[i] = {};
      n.actor[i].pc = kDead;
      // Its store buffer drains all the same.
      if (s.actor[i].pending != 0) n.value = s.actor[i].pending;
      out.add_fate(number(i), "(is killed)", n);
    }
  }

  std::string describe(const State& s) const {
    std::string text = "value " + std::to_string(s.value) + " epoch " +
                       std::to_string(s.watch / 2) + (s.watch % 2 != 0 ? " watched" : "") +
                       " changes " + std::to_string(s.changes) + " listed";
    for (std::size_t i = 0; i < in_.waiters; ++i) {
      if (s.listed[i] != 0) text += " " + std::to_string(number(i));
      if (s.rung[i] != 0) text += "!";
    }
    return text;
  }

 private:
  bool is(Mutant mutant) const { return in_.mutant == mutant; }
  static std::size_t writer(std::size_t i) { return kMaxWaiters + i; }
  static int number(std::size_t actor) { return static_cast<int>(actor) + 1; }
  // The first waits for the first change, the second for the last.
  std::uint8_t wanted(std::size_t waiter) const {
    const std::size_t all = in_.plain ? in_.changes : in_.changes * in_.writers;
    return waiter == 0 && in_.waiters > 1 ? 1 : static_cast<std::uint8_t>(all);
  }
  static std::uint8_t unwatched(std::uint8_t watch, bool epoch) {
    const std::uint8_t next = static_cast<std::uint8_t>(watch & ~1);
    return epoch ? static_cast<std::uint8_t>((next + 2) % (2 * kEpochs)) : next;
  }

  void wait(const State& s, std::size_t i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[i];
    const auto go = [&](const char* name, Pc pc) {
      me.pc = pc;
      out.add(number(i), name, n);
    };
    const Pc begin = is(Mutant::kLooksBeforeWatching) ? kLook : kWatch;
    switch (s.actor[i].pc) {
      case kWatch:
        me.watch = s.watch;
        return go("loads W", s.watch % 2 != 0 ? kRemember : kSetWatched);
      case kSetWatched:
        if (s.watch != me.watch) {
          me.watch = s.watch;
          return go("CAS of W fails", s.watch % 2 != 0 ? kRemember : kSetWatched);
        }
        n.watch = me.watch = static_cast<std::uint8_t>(s.watch | 1);
        return go("W -> watched", kRemember);
      case kRemember:
        if (is(Mutant::kRemembersAfterLooking)) return go("does not remember yet", kLook);
        me.changes = s.changes;
        return go("remembers changes", is(Mutant::kLooksBeforeWatching) ? kList : kLook);
      case kLook:
        if (s.value >= wanted(i)) {
          me = {};
          return go("looks: as wanted", kDone);
        }
        if (is(Mutant::kLooksBeforeWatching)) return go("looks: not yet", kWatch);
        if (is(Mutant::kRemembersAfterLooking)) return go("looks: not yet", kLookLate);
        return go("looks: not yet", kList);
      case kLookLate:
        me.watch = s.watch;
        me.changes = s.changes;
        return go("remembers W and changes", kList);
      case kList:
        n.listed[i] = 1;
        return go("lists itself", is(Mutant::kNoCheck) ? kAsleep : kCheckWatch);
      case kCheckWatch:
        if (s.watch != me.watch && !is(Mutant::kNoWatchCheck)) return go("W is another", kUnlist);
        return go("W is the same", kCheckChanges);
      case kCheckChanges:
        if (s.changes != me.changes && !is(Mutant::kNoChangesCheck))
          return go("changes is another", kUnlist);
        return go("falls asleep", kAsleep);
      case kAsleep:
        if (s.rung[i] == 0 && (s.kills == 0 || is(Mutant::kNeverLooksByItself))) return;
        // Only where there is something to see: else it would never settle.
        if (s.rung[i] == 0 && s.value < wanted(i) && s.watch % 2 != 0) return;
        return go(s.rung[i] != 0 ? "is rung" : "looks by itself", kUnlist);
      case kUnlist:
        n.listed[i] = n.rung[i] = 0;
        me = {};
        return go("unlists itself", begin);
      default:
        return;
    }
  }

  void write(const State& s, std::size_t i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[i];
    const Actor& was = s.actor[i];
    const auto go = [&](const char* name, Pc pc) {
      me.pc = pc;
      out.add(number(i), name, n);
    };
    if (was.pending != 0) {
      State drained = s;
      drained.value = was.pending;
      drained.actor[i].pending = 0;
      out.add(number(i), "(its store drains)", drained);
    }
    // An RMW or a fence waits for the store buffer.
    const bool is_drained = was.pending == 0;
    switch (was.pc) {
      case kChange:
        if (in_.plain) {
          if (!is_drained) return;
          me.pending = static_cast<std::uint8_t>(s.value + 1);
          --me.left;
          return go("stores value + 1 plainly", kLoadWatch);
        }
        ++n.value;
        --me.left;
        return go("value + 1", kLoadWatch);
      case kLoadWatch:
        // notify() begins with a fence.
        if (!is_drained && !is(Mutant::kPlainStore)) return;
        if (s.watch % 2 == 0) return go("nobody watches", kNext);
        return go("sees that it is watched", is(Mutant::kNotCounted) ? kAnyone : kCount);
      case kCount:
        if (!is_drained) return;
        n.changes = static_cast<std::uint8_t>((s.changes + 1) % 16);
        return go("changes + 1", kAnyone);
      case kAnyone:
        if (is_listed(s)) return go("sees somebody listed", kRing);
        return go("sees nobody listed", kUnwatchLoad);
      case kUnwatchLoad:
        me.watch = s.watch;
        return go("loads W", s.watch % 2 != 0 ? kUnwatch : kNext);
      case kUnwatch:
        me.watch = 0;
        if (s.watch != was.watch) return go("CAS of W fails", kNext);
        n.watch = unwatched(s.watch, !is(Mutant::kNoEpoch));
        return go("W -> not watched", is(Mutant::kNoSecondLook) ? kNext : kAnyoneStill);
      case kAnyoneStill:
        if (!is_listed(s)) return go("still sees nobody listed", kNext);
        return go("sees somebody listed now", kRing);
      case kRing: {
        std::size_t at = was.at;
        if (at == in_.waiters) {
          me.at = 0;
          return go("has rung all", kNext);
        }
        me.at = static_cast<std::uint8_t>(at + 1);
        if (s.listed[at] == 0) return go("passes one who is not listed", kRing);
        n.rung[at] = 1;
        if (is(Mutant::kRingsOne)) me.at = static_cast<std::uint8_t>(in_.waiters);
        return go("rings one", kRing);
      }
      case kNext:
        if (!is_drained && was.left == 0) return;
        return go("goes on", was.left > 0 ? kChange : kDone);
      default:
        return;
    }
  }

  bool is_listed(const State& s) const {
    for (std::size_t i = 0; i < in_.waiters; ++i) {
      if (s.listed[i] != 0) return true;
    }
    return false;
  }

  Instance in_;
};

std::string name_of(const Instance& in) {
  return "waiters=" + std::to_string(in.waiters) + " writers=" + std::to_string(in.writers) +
         " changes=" + std::to_string(in.changes) + " kills=" + std::to_string(in.kills) +
         (in.plain ? " plain stores" : "");
}

void hold(Suite& suite) {
  const auto holds = [&](const Instance& in) { suite.holds(name_of(in), WatchModel(in)); };
  holds({.waiters = 1, .writers = 1, .changes = 3});
  holds({.waiters = 2, .writers = 2, .changes = 1});
  holds({.waiters = 2, .writers = 1, .changes = 3});
  holds({.waiters = 1, .writers = 2, .changes = 2});
  holds({.waiters = 2, .writers = 1, .changes = 3, .plain = true});
  holds({.waiters = 2, .writers = 2, .changes = 1, .kills = 1});
  holds({.waiters = 1, .writers = 2, .changes = 2, .kills = 2});
  holds({.waiters = 2, .writers = 2, .changes = 2});
  if (!suite.long_run()) return;
  holds({.waiters = 2, .writers = 2, .changes = 2, .kills = 2});
  holds({.waiters = 2, .writers = 2, .changes = 3, .kills = 1});
}

void catch_mutants(Suite& suite) {
  const auto caught = [&](const char* rule, Mutant mutant, Instance in) {
    in.mutant = mutant;
    suite.caught(rule, WatchModel(in));
  };
  const Instance one{.waiters = 1, .writers = 2, .changes = 2};
  const Instance two{.waiters = 2, .writers = 2, .changes = 2};
  caught("the look comes before the watch", Mutant::kLooksBeforeWatching, one);
  caught("W and changes are remembered after the look", Mutant::kRemembersAfterLooking, one);
  caught("no check once listed", Mutant::kNoCheck, one);
  caught("W is not checked once listed", Mutant::kNoWatchCheck, two);
  caught("changes is not checked once listed", Mutant::kNoChangesCheck, two);
  caught("notify does not count", Mutant::kNotCounted, two);
  caught("no second look for who is listed", Mutant::kNoSecondLook, two);
  caught("W has no epoch", Mutant::kNoEpoch, two);
  caught("one waiter is rung", Mutant::kRingsOne, two);
  caught("notify has no fence", Mutant::kPlainStore,
         {.waiters = 1, .writers = 1, .changes = 2, .plain = true});
  caught("a waiter never looks by itself", Mutant::kNeverLooksByItself,
         {.waiters = 1, .writers = 2, .changes = 2, .kills = 1});
}

}  // namespace
}  // namespace interproc::model

int main(int argc, char** argv) {
  interproc::model::Suite suite(argc, argv);
  interproc::model::hold(suite);
  interproc::model::catch_mutants(suite);
  return suite.close();
}
