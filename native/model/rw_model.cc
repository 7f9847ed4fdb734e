// A read-write lock, ARCHITECTURE.md section 8: readers that announce themselves and look, writers that claim and look, both killed anywhere, and newcomers in
// the slots of the dead.
//
//   read      w = owner; free? reads + 1; owner still free? (abandoned: CAS it away) place = empty.  else reads - 1; 0: ring the writer; wait
//   write     w = owner; free? do readers that wait come first? CAS w -> claimed.   each: reads? wait.   CAS claimed -> held
//   release   (reader) reads - 1; 0: ring the claimer, or any writer if it is free
//             (writer) does a reader wait? CAS held -> free, readers first if so; ring all readers; none waits (any more)? ring a writer
//   wait      (reader) take a place; arm; owner dead? -> free; ring all.  look; sleep; disarm        (writer) the same, no place; its own claim: dead readers -> 0
//   leave     (reader) place = empty; free? ring a writer        (writer) claimed? CAS -> free; ring all
//   join      place = empty; reads? abandoned, then 0; owner? -> free; ring
//
// Promises among writers are lock_model.cc; a ring and arming are one step each (wake_model.cc). The slow looks run once somebody was killed; so does the patience with readers
// that come first. Wrong would be: one writes while another reads or writes; one that is not told of a writer's death, or a writer that is not told of
// a reader's; a reader that waits while more than two write; a state from which the living cannot all have their turns.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "explorer.h"
#include "suite.h"

namespace interproc::model {
namespace {

constexpr std::size_t kMaxActors = 3;

enum Pc : std::uint8_t {
  kDead,
  kDone,
  // reader
  kRead,
  kAnnounce,
  kLookAgain,
  kTakeNote,
  kUndo,
  kPlaceEmpty,
  kReading,
  kPlace,
  kReaderArm,
  kReaderLookDead,
  kReaderLook,
  kReaderAsleep,
  kReaderLeave,
  kReaderLeaveLook,
  // writer
  kWrite,
  kFirst,
  kClaim,
  kScan,
  kHold,
  kWriting,
  kRelease,
  kRingReaders,
  kRingAfter,
  kWriterArm,
  kWriterLookDead,
  kForget,
  kForgetReads,
  kWriterLook,
  kWriterAsleep,
  kWriterLeave,
  // both
  kNoReader,  // reads are 0 now: ring whom that concerns
  kRecover,
  kAnnounceFree,
  kSweepPlace,
  kSweepNote,
  kSweepReads,
  kSweepOwner,
};

enum OwnerState : std::uint8_t { kFree, kClaimed, kHeld };
enum WaitState : std::uint8_t { kAwake, kArmed, kRung };

struct Owner {
  OwnerState state;
  std::uint8_t by;
  std::uint8_t generation;
  std::uint8_t serial;
  std::uint8_t abandoned;
  std::uint8_t readers_first;
  bool operator==(const Owner&) const = default;
};

struct SlotWords {
  std::uint8_t generation;
  std::uint8_t reads;
  std::uint8_t reads_of;  // a generation
  std::uint8_t place;     // it waits to read
  WaitState wait;
};

struct Actor {
  Pc pc;
  Pc after;
  std::uint8_t rounds;
  std::uint8_t at;
  std::uint8_t waiting;
  std::uint8_t saw;  // a reader that waits
  Owner owner;       // as loaded
};

struct State {
  Owner owner;
  std::array<SlotWords, kMaxActors> slot;
  std::array<Actor, kMaxActors> actor;
  // What no participant sees.
  std::array<std::uint8_t, kMaxActors> passed;  // writers while it waits to read
  std::uint8_t writer_died;
  std::uint8_t reader_died;
  std::uint8_t kills;
  std::uint8_t joins;
  std::uint8_t leaves;
  std::uint8_t stale;
};

enum class Mutant : std::uint8_t {
  kNone,
  kNoSecondLook,
  kNoScan,
  kUndoRingsNobody,
  kReaderRingsNobody,
  kWritersFirst,
  kRingsReadersOnly,
  kLeavesClaim,
  kDeadReaderCounts,
  kReadsBeforeNote,
  kNotTold,
  kNeverRecovers,
  kHoldsWithoutCas,
  kNoPatience,
};

struct Instance {
  const char* roles;  // r or w, an actor each
  std::uint8_t rounds = 1;
  std::uint8_t kills = 0;
  std::uint8_t joins = 0;
  std::uint8_t leaves = 0;
  std::uint8_t stale = 0;
  Mutant mutant = Mutant::kNone;
};

class RwModel {
 public:
  using State = model::State;
  explicit RwModel(const Instance& instance) : in_(instance) {
    actors_ = std::string_view(in_.roles).size();
  }

  State initial() const {
    State s{};
    for (std::size_t i = 0; i < kMaxActors; ++i) {
      s.actor[i].pc = i < actors_ ? begin(i) : kDone;
      s.actor[i].rounds = in_.rounds;
    }
    return s;
  }
  std::size_t bytes() const { return sizeof(State); }

  const char* broken(const State& s) const {
    for (std::size_t i = 0; i < actors_; ++i) {
      // A writer that dies does not see who waits.
      if (s.passed[i] > 2 + s.kills) return "a reader waits while more than two write";
      if (s.actor[i].pc != kWriting) continue;
      for (std::size_t j = 0; j < actors_; ++j) {
        if (j != i && (s.actor[j].pc == kWriting || s.actor[j].pc == kReading))
          return "one writes and is not alone";
      }
    }
    return nullptr;
  }
  bool settled(const State& s) const {
    for (std::size_t i = 0; i < actors_; ++i)
      if (s.actor[i].pc != kDead && s.actor[i].pc != kDone) return false;
    return true;
  }

  void steps(const State& s, Steps<State>& out) const {
    for (std::size_t i = 0; i < actors_; ++i) {
      const Actor& me = s.actor[i];
      if (me.pc == kDead) {
        if (s.joins < in_.joins) join(s, i, out);
        continue;
      }
      act(s, i, out);
      if (s.kills < in_.kills && me.pc != kDone) kill(s, i, out);
    }
    // A claim that has not been renewed for long, though its owner lives: who waits withdraws it.
    if (s.stale < in_.stale && s.owner.state == kClaimed) {
      State n = s;
      ++n.stale;
      n.owner = freed(s.owner, s.owner.abandoned != 0);
      ring_all(n);
      out.add_fate(9, "a stale claim is withdrawn", n);
    }
  }

  std::string describe(const State& s) const {
    static constexpr const char* kStates[] = {"free", "claimed by ", "held by "};
    static constexpr const char* kWaits[] = {"", " armed", " rung"};
    std::string text(kStates[s.owner.state]);
    if (s.owner.state != kFree) text.append(std::to_string(s.owner.by));
    if (s.owner.abandoned != 0) text.append(" abandoned");
    if (s.owner.readers_first != 0) text.append(" readers first");
    for (std::size_t i = 0; i < actors_; ++i) {
      text.append("  ").append(std::to_string(i)).append(":");
      text.append(std::to_string(s.slot[i].reads));
      if (s.slot[i].place != 0) text.append(" waits to read");
      text.append(kWaits[s.slot[i].wait]);
    }
    return text;
  }

 private:
  static int number(std::size_t i) { return static_cast<int>(i); }
  bool is(Mutant mutant) const { return in_.mutant == mutant; }
  bool writes(std::size_t i) const { return in_.roles[i] == 'w'; }
  Pc begin(std::size_t i) const { return writes(i) ? kWrite : kRead; }
  static Owner freed(const Owner& word, bool abandoned) {
    return {kFree, 0, 0, word.serial, static_cast<std::uint8_t>(abandoned ? 1 : 0), 0};
  }
  bool dead(const State& s, std::size_t slot, std::uint8_t generation) const {
    return s.slot[slot].generation != generation || s.actor[slot].pc == kDead;
  }
  bool mine(const State& s, std::size_t i, const Owner& word) const {
    return word.state != kFree && word.by == i && word.generation == s.slot[i].generation;
  }
  static void ring(State& s, std::size_t i) {
    if (s.slot[i].wait == kArmed) s.slot[i].wait = kRung;
  }
  void ring_all(State& s) const {
    for (std::size_t i = 0; i < actors_; ++i) ring(s, i);
  }
  bool any_place(const State& s) const {
    for (std::size_t i = 0; i < actors_; ++i)
      if (s.slot[i].place != 0) return true;
    return false;
  }
  bool any_reads(const State& s) const {
    for (std::size_t i = 0; i < actors_; ++i)
      if (s.slot[i].reads != 0) return true;
    return false;
  }

  void join(const State& s, std::size_t i, Steps<State>& out) const {
    State n = s;
    ++n.joins;
    ++n.slot[i].generation;
    n.actor[i] = {};
    n.actor[i].rounds = 1;
    n.actor[i].pc = kSweepPlace;
    out.add_fate(number(i), "a newcomer's generation stands", n);
  }
  void kill(const State& s, std::size_t i, Steps<State>& out) const {
    State n = s;
    if (s.owner.state == kHeld && mine(s, i, s.owner)) n.writer_died = 1;
    if (s.actor[i].pc == kReading) n.reader_died = 1;
    n.passed[i] = 0;
    n.actor[i] = {};
    n.actor[i].pc = kDead;
    ++n.kills;
    out.add_fate(number(i), "is killed", n);
  }

  // One writer that sleeps, whichever.
  template <class Go>
  void ring_a_writer(const State& s, State& n, Go go, Pc after) const {
    bool any = false;
    for (std::size_t j = 0; j < actors_; ++j) {
      if (!writes(j) || s.slot[j].wait != kArmed) continue;
      any = true;
      ring(n, j);
      go("rings a writer", after);
    }
    if (!any) go("no writer sleeps", after);
  }

  void act(const State& s, std::size_t i, Steps<State>& out) const {
    const Actor& was = s.actor[i];
    State n = s;
    Actor& me = n.actor[i];
    SlotWords& slot = n.slot[i];
    const auto go = [&](const char* what, Pc pc, const char* wrong = nullptr) {
      me.pc = pc;
      out.add(number(i), what, n, wrong);
      n = s;
    };
    const auto next = [&] {
      me.owner = {};
      me.at = me.saw = 0;
      me.after = kDead;
      return begin(i);
    };
    switch (was.pc) {
      case kRead:
        if (was.rounds == 0) return go("has read enough", kDone);
        return go("looks", s.owner.state == kFree ? kAnnounce : kPlace);
      case kAnnounce:
        ++slot.reads;
        slot.reads_of = slot.generation;
        return go("reads + 1", is(Mutant::kNoSecondLook) ? kPlaceEmpty : kLookAgain);
      case kLookAgain:
        if (s.owner.state != kFree) return go("it is not free any more", kUndo);
        me.owner = s.owner;
        return go("it still is free", s.owner.abandoned != 0 ? kTakeNote : kPlaceEmpty);
      case kTakeNote:
        if (s.owner != was.owner) return go("CAS fails", kLookAgain);
        n.owner.abandoned = 0;
        n.writer_died = 0;
        n.reader_died = 0;
        return go("is told", kPlaceEmpty);
      case kUndo:
        --slot.reads;
        me.after = kPlace;
        return go("reads - 1", is(Mutant::kUndoRingsNobody) ? kPlace : kNoReader);
      case kPlaceEmpty:
        if (was.waiting != 0) slot.place = 0;
        me.waiting = 0;
        n.passed[i] = 0;
        me.owner = {};
        return go("reads", kReading,
                  s.writer_died != 0 ? "a reader is not told that a writer died" : nullptr);
      case kReading:
        --me.rounds;
        --slot.reads;
        me.after = kRead;
        return go("has read: reads - 1", is(Mutant::kReaderRingsNobody) ? kRead : kNoReader);

      case kNoReader: {
        const Pc after = was.after;
        me.after = kDead;
        if (s.owner.state == kClaimed) {
          ring(n, s.owner.by);
          return go("rings who claims it", after);
        }
        if (s.owner.state == kFree) return ring_a_writer(s, n, go, after);
        return go("somebody writes", after);
      }

      case kPlace:
        me.owner = {};
        me.waiting = 1;
        slot.place = 1;
        return go("takes a place", kReaderArm);
      case kReaderArm:
        slot.wait = kArmed;
        return go("arms", kReaderLookDead);
      case kReaderLookDead:
        if (s.owner.state != kFree && dead(s, s.owner.by, s.owner.generation) &&
            !is(Mutant::kNeverRecovers)) {
          me.owner = s.owner;
          me.after = kReaderLook;
          return go("its owner is dead", kRecover);
        }
        return go("nobody is dead", kReaderLook);
      case kReaderLook:
        me.owner = {};
        if (s.owner.state != kFree) return go("looks", kReaderAsleep);
        slot.wait = kAwake;
        return go("it is free: disarms", kRead);
      case kReaderAsleep:
        if (slot.wait == kRung || s.kills > 0) {
          slot.wait = kAwake;
          go(s.slot[i].wait == kRung ? "is rung" : "looks by itself", kRead);
        }
        if (s.leaves < in_.leaves) {
          ++n.leaves;
          slot.wait = kAwake;
          me.rounds = 0;
          me.pc = kReaderLeave;
          out.add_fate(number(i), "times out", n);
        }
        return;
      case kReaderLeave:
        slot.place = 0;
        me.waiting = 0;
        n.passed[i] = 0;
        return go("its place is empty", kReaderLeaveLook);
      case kReaderLeaveLook:
        if (s.owner.state == kFree) return ring_a_writer(s, n, go, kDone);
        return go("it is not free", kDone);

      case kWrite:
        if (was.rounds == 0) return go("has written enough", kDone);
        me.owner = s.owner;
        if (s.owner.state == kFree) return go("it is free", kFirst);
        if (mine(s, i, s.owner)) return go("its own claim", kScan);
        me.owner = {};
        return go("it is another's", kWriterArm);
      case kFirst:
        if (was.owner.readers_first == 0 || !any_place(s) || is(Mutant::kWritersFirst))
          return go("no reader comes first", kClaim);
        if (s.kills > 0 && !is(Mutant::kNoPatience)) {
          for (std::size_t j = 0; j < actors_; ++j) n.slot[j].place = 0;
          n.passed = {};
          go("has waited long enough for readers", kClaim);
        }
        me.owner = {};
        return go("readers come first", kWriterArm);
      case kClaim:
        if (s.owner != was.owner) {
          me.owner = {};
          return go("CAS fails", kWrite);
        }
        n.owner = {kClaimed,          static_cast<std::uint8_t>(i),
                   slot.generation,   static_cast<std::uint8_t>(s.owner.serial + 1),
                   s.owner.abandoned, 0};
        me.owner = n.owner;
        return go("claims", is(Mutant::kNoScan) ? kHold : kScan);
      case kScan: {
        const std::size_t j = was.at;
        if (j == actors_) {
          me.at = 0;
          return go("nobody reads", kHold);
        }
        if (s.slot[j].reads != 0) {
          me.at = 0;
          me.owner = {};
          return go("somebody reads", kWriterArm);
        }
        me.at = static_cast<std::uint8_t>(j + 1);
        return go("this one does not read", kScan);
      }
      case kHold: {
        if (s.owner != was.owner && !is(Mutant::kHoldsWithoutCas)) {
          me.owner = {};
          return go("CAS fails", kWrite);
        }
        const bool told = was.owner.abandoned != 0 && !is(Mutant::kNotTold);
        const char* wrong =
            !told && (s.writer_died != 0 || s.reader_died != 0) ? "a writer is not told" : nullptr;
        n.owner = {kHeld, static_cast<std::uint8_t>(i), slot.generation, was.owner.serial, 0, 0};
        n.writer_died = n.reader_died = 0;
        for (std::size_t j = 0; j < actors_; ++j)
          if (s.slot[j].place != 0) ++n.passed[j];
        me.owner = {};
        return go("writes", kWriting, wrong);
      }
      case kWriting:
        --me.rounds;
        me.saw = any_place(s) ? 1 : 0;
        return go("has written; looks for readers that wait", kRelease);
      case kRelease:
        n.owner = freed(s.owner, s.owner.abandoned != 0);
        n.owner.readers_first = was.saw;
        return go("frees it", kRingReaders);
      case kRingReaders:
        for (std::size_t j = 0; j < actors_; ++j)
          if (!writes(j)) ring(n, j);
        return go("rings all readers",
                  is(Mutant::kRingsReadersOnly) && was.saw != 0 ? next() : kRingAfter);
      case kRingAfter:
        if (was.saw != 0 && any_place(s)) return go("they come first", next());
        return ring_a_writer(s, n, go, (me.saw = 0, kWrite));

      case kWriterArm:
        slot.wait = kArmed;
        return go("arms", kWriterLookDead);
      case kWriterLookDead:
        if (s.owner.state != kFree && dead(s, s.owner.by, s.owner.generation) &&
            !is(Mutant::kNeverRecovers)) {
          me.owner = s.owner;
          me.after = kWriterLook;
          return go("its owner is dead", kRecover);
        }
        if (mine(s, i, s.owner) && s.kills > 0 && !is(Mutant::kDeadReaderCounts)) {
          me.at = 0;
          return go("looks for dead readers", kForget);
        }
        return go("nobody is dead", kWriterLook);
      case kForget: {
        const std::size_t j = was.at;
        if (j == actors_) {
          me.at = 0;
          return go("has looked at all", kWriterLook);
        }
        if (s.slot[j].reads != 0 && dead(s, j, s.slot[j].reads_of)) {
          if (!is(Mutant::kReadsBeforeNote)) n.owner.abandoned = 1;
          if (is(Mutant::kReadsBeforeNote)) n.slot[j].reads = 0;
          return go("notes a dead reader", kForgetReads);
        }
        me.at = static_cast<std::uint8_t>(j + 1);
        return go("not this one", kForget);
      }
      case kForgetReads:
        if (is(Mutant::kReadsBeforeNote))
          n.owner.abandoned = 1;
        else if (dead(s, was.at, s.slot[was.at].reads_of))
          n.slot[was.at].reads = 0;
        me.at = static_cast<std::uint8_t>(was.at + 1);
        return go("forgets it", kForget);
      case kWriterLook: {
        me.owner = {};
        const bool free = s.owner.state == kFree && !(s.owner.readers_first != 0 && any_place(s));
        if (!free && !(mine(s, i, s.owner) && !any_reads(s))) return go("looks", kWriterAsleep);
        slot.wait = kAwake;
        return go("it is to be had: disarms", kWrite);
      }
      case kWriterAsleep:
        if (slot.wait == kRung || s.kills > 0) {
          slot.wait = kAwake;
          go(s.slot[i].wait == kRung ? "is rung" : "looks by itself", kWrite);
        }
        if (s.leaves < in_.leaves) {
          ++n.leaves;
          slot.wait = kAwake;
          me.rounds = 0;
          me.pc = kWriterLeave;
          out.add_fate(number(i), "times out", n);
        }
        return;
      case kWriterLeave:
        if (mine(s, i, s.owner)) {
          if (is(Mutant::kLeavesClaim)) return go("leaves", kDone);
          n.owner = freed(s.owner, s.owner.abandoned != 0);
          me.after = kDone;
          return go("withdraws its claim", kAnnounceFree);
        }
        if (s.owner.state == kFree) return ring_a_writer(s, n, go, kDone);
        return go("it is not free", kDone);

      case kRecover: {
        if (s.owner != was.owner) {
          me.owner = {};
          me.after = kDead;
          return go("another was faster", was.after);
        }
        n.owner = freed(s.owner, s.owner.state == kHeld || s.owner.abandoned != 0);
        me.owner = {};
        return go("frees it", kAnnounceFree);
      }
      case kAnnounceFree:
        ring_all(n);
        me.after = kDead;
        return go("rings all", was.after);

      case kSweepPlace:
        slot.place = 0;
        slot.wait = kAwake;
        return go("sweeps the place", slot.reads != 0 ? kSweepNote : kSweepOwner);
      case kSweepNote:
        n.owner.abandoned = 1;
        return go("notes a dead reader", kSweepReads);
      case kSweepReads:
        slot.reads = 0;
        me.after = kSweepOwner;
        return go("forgets it", kNoReader);
      case kSweepOwner:
        if (s.owner.state != kFree && s.owner.by == i) {
          n.owner = freed(s.owner, s.owner.state == kHeld || s.owner.abandoned != 0);
          me.after = begin(i);
          return go("sweeps: frees it", kAnnounceFree);
        }
        return go("has swept", begin(i));
      default:
        return;
    }
  }

  Instance in_;
  std::size_t actors_ = 0;
};

std::string name_of(const Instance& in) {
  std::string text(in.roles);
  text.append(" rounds=").append(std::to_string(in.rounds));
  text.append(" kills=").append(std::to_string(in.kills));
  text.append(" newcomers=").append(std::to_string(in.joins));
  text.append(" timeouts=").append(std::to_string(in.leaves));
  text.append(" stale=").append(std::to_string(in.stale));
  return text;
}

void hold(Suite& suite) {
  const auto holds = [&](const Instance& in) { suite.holds(name_of(in), RwModel(in)); };
  holds({.roles = "rw", .rounds = 3});
  holds({.roles = "rw", .rounds = 2, .kills = 2, .joins = 2, .leaves = 1});
  holds({.roles = "ww", .rounds = 2, .kills = 1, .joins = 1, .leaves = 1, .stale = 1});
  holds({.roles = "rww", .rounds = 2, .leaves = 1, .stale = 1});
  holds({.roles = "rrw", .rounds = 2, .leaves = 1});
  holds({.roles = "rww", .rounds = 1, .kills = 1, .joins = 1});
  holds({.roles = "rrw", .rounds = 1, .kills = 1, .joins = 1});
  if (!suite.long_run()) return;
  holds({.roles = "rww", .rounds = 3, .leaves = 1});
  holds({.roles = "rww", .rounds = 2, .kills = 2, .joins = 1});
  holds({.roles = "rrw", .rounds = 2, .kills = 2, .joins = 1});
}

void catch_mutants(Suite& suite) {
  const auto caught = [&](const char* rule, Mutant mutant, Instance in) {
    in.mutant = mutant;
    suite.caught(rule, RwModel(in));
  };
  const Instance two{.roles = "rw", .rounds = 2};
  const Instance rww{.roles = "rww", .rounds = 2, .leaves = 1, .stale = 1};
  const Instance mortal{.roles = "rw", .rounds = 2, .kills = 1, .joins = 1};
  caught("a reader does not look again", Mutant::kNoSecondLook, two);
  caught("a writer does not look for readers", Mutant::kNoScan, two);
  caught("who reads after all not rings nobody", Mutant::kUndoRingsNobody, two);
  caught("the last reader rings nobody", Mutant::kReaderRingsNobody, two);
  caught("writers come first", Mutant::kWritersFirst, {.roles = "rww", .rounds = 3});
  caught("readers that gave up come first all the same", Mutant::kRingsReadersOnly, rww);
  caught("who leaves keeps its claim", Mutant::kLeavesClaim, rww);
  caught("a dead reader counts", Mutant::kDeadReaderCounts, {.roles = "rw", .kills = 1});
  caught("a dead reader is forgotten before it is noted", Mutant::kReadsBeforeNote,
         {.roles = "rww", .rounds = 1, .kills = 2});
  caught("nobody is told", Mutant::kNotTold, mortal);
  caught("the dead are not looked for", Mutant::kNeverRecovers, {.roles = "rw", .kills = 1});
  caught("a withdrawn claim is held", Mutant::kHoldsWithoutCas, rww);
  caught("nobody loses patience with dead readers", Mutant::kNoPatience,
         {.roles = "rww", .rounds = 1, .kills = 1});
}

}  // namespace
}  // namespace interproc::model

int main(int argc, char** argv) {
  interproc::model::Suite suite(argc, argv);
  interproc::model::hold(suite);
  interproc::model::catch_mutants(suite);
  return suite.close();
}
