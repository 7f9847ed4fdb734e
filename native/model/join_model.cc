// When all messages are finished, ARCHITECTURE.md section 4: the look of who joins, against workers that take, receive, put,
// finish, close and are killed in the middle of it.
//
//   get       READY or RETURNED -> READING; takes + 1; -> DONE          of an entry: takes + 1; HELD -> FREE
//   receive   READY or RETURNED -> READING; entry HELD; -> DONE         ack: FREE    nack: RETURNED
//   taskDone  dones + 1                                                 close: dones = takes; leave
//   finished  t = tail; is all before tail DONE; each entry FREE; of each slot: whose dones; takes; is it dead; tail = t
//   announce  (after ack, taskDone, close's dones, a sweep) is a joiner listed: finished: ring
//   join      finished; list; finished; sleep until rung; unlist; again
//
// Rules J1 to J4 are in ARCHITECTURE.md; each has its mutants below. How a ringer finds a sleeper is wake_model.cc, how records
// and entries are recovered ledger_model.cc: here, a ring is one step, and so is a sweep. The store of dones is
// sequentially consistent; a mutant stores it plainly, so that it may stay in a store buffer. The slow look runs once somebody was killed.
//
// Wrong would be: who joins is let go at a moment at which a message is unfinished; a state from which the living cannot bring
// it about that it is let go.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "explorer.h"
#include "suite.h"

namespace interproc::model {
namespace {

constexpr std::size_t kMaxMessages = 3;
constexpr std::size_t kWorkers = 2;
constexpr std::size_t kActors = kWorkers + 1;
constexpr std::size_t kJoiner = kWorkers;

enum RecordState : std::uint8_t { kNone, kWriting, kReady, kReading, kReturned, kDone };
enum EntryState : std::uint8_t { kFree, kHeld, kBack };

enum Pc : std::uint8_t {
  kDead,
  kLeft,
  // worker
  kSweep,  // a newcomer, whose generation stands
  kClear,
  kBegin,
  kIdle,
  kPublish,
  kTaken,
  kCount,
  kFinish,
  kHoldFinish,
  kHolding,
  kCountHeld,
  kFreeHeld,
  kAnnounce,
  kAnnounceLook,
  kRing,
  kLeave,
  // joiner
  kLook,
  kList,
  kLookListed,
  kAsleep,
  kLetGo,
};

// A record or an entry: its state, and which slot's user reads, writes or holds it.
struct Place {
  std::uint8_t state;
  std::uint8_t by;
};

struct SlotWords {
  std::uint8_t generation;
  std::uint8_t used;
  std::uint8_t takes;
  std::uint8_t dones;
  std::uint8_t dones_of;  // a generation
};

struct Actor {
  Pc pc;
  std::uint8_t message;
  std::uint8_t owed;     // got and not done: a set of messages, which no word shows
  std::uint8_t pending;  // a store of dones has not drained
  std::uint8_t leaving;
  // of a look
  std::uint8_t at;
  std::uint8_t tail;
  std::uint8_t dones;
  std::uint8_t generation;
};

struct State {
  std::array<Place, kMaxMessages> record;
  std::array<Place, kMaxMessages> entry;
  std::array<SlotWords, kWorkers> slot;
  std::array<Actor, kActors> actor;
  std::uint8_t tail;
  std::uint8_t listed;
  std::uint8_t rung;
  // What no participant sees: sets of messages.
  std::uint8_t put;
  std::uint8_t finished;
  std::uint8_t kills;
  std::uint8_t joins;
  std::uint8_t nacks;
};

enum class Mutant : std::uint8_t {
  kNone,
  kCountedLate,
  kHeldCountedLate,
  kHeldLate,
  kLedgersFirst,
  kTasksFirst,
  kTailNotAsked,
  kNothingBegun,
  kSuccessorInherits,
  kDeadCounted,
  kDonePlain,
  kDoneRingsNobody,
  kAckRingsNobody,
  kCloseRingsNobody,
  kNoLookListed,
};

struct Instance {
  std::size_t messages = 2;
  std::size_t there = 1;  // put beforehand
  int kills = 0;
  int joins = 0;
  int nacks = 0;
  bool closes = false;
  Mutant mutant = Mutant::kNone;
};

class JoinModel {
 public:
  using State = model::State;

  explicit JoinModel(const Instance& instance) : in_(instance) {
    // The look, step by step, in its order.
    const auto ring = [&] { look_.push_back({Part::ring, 0}); };
    const auto ledgers = [&] {
      for (std::size_t m = 0; m < in_.messages; ++m) look_.push_back({Part::entry, m});
    };
    const auto tasks = [&] {
      for (std::size_t i = 0; i < kWorkers; ++i) {
        look_.push_back({Part::dones, i});
        look_.push_back({Part::takes, i});
      }
    };
    look_.push_back({Part::tail, 0});
    if (is(Mutant::kTasksFirst)) tasks();
    if (is(Mutant::kLedgersFirst)) ledgers();
    ring();
    if (!is(Mutant::kLedgersFirst)) ledgers();
    if (!is(Mutant::kTasksFirst)) tasks();
    look_.push_back({Part::same_tail, 0});
  }

  State initial() const {
    State s{};
    for (std::size_t m = 0; m < in_.there; ++m) {
      s.record[m].state = kReady;
      s.put = static_cast<std::uint8_t>(s.put | bit(m));
    }
    s.tail = static_cast<std::uint8_t>(in_.there);
    for (std::size_t i = 0; i < kWorkers; ++i) {
      s.slot[i].used = 1;
      s.actor[i].pc = kIdle;
    }
    s.actor[kJoiner].pc = kLook;
    return s;
  }

  std::size_t bytes() const { return sizeof(State); }
  const char* broken(const State&) const { return nullptr; }

  bool settled(const State& s) const {
    if (s.actor[kJoiner].pc == kLetGo) return true;
    // Nobody is left to finish what is there.
    for (std::size_t i = 0; i < kWorkers; ++i) {
      if (s.actor[i].pc != kDead && s.actor[i].pc != kLeft) return false;
    }
    return unfinished(s) != 0;
  }

  void steps(const State& s, Steps<State>& out) const {
    for (std::size_t i = 0; i < kWorkers; ++i) {
      const Actor& me = s.actor[i];
      if (me.pc == kDead || me.pc == kLeft) {
        if (s.joins < in_.joins) join(s, i, out);
        continue;
      }
      if (me.pending != 0) {
        State n = s;
        drain(n, i);
        out.add(number(i), "(the pending store of dones drains)", n);
      }
      work(s, i, out);
      if (s.kills < in_.kills) kill(s, i, out);
    }
    wait(s, out);
  }

  std::string describe(const State& s) const {
    static constexpr const char* kRecords[] = {"-",       "WRITING",  "READY",
                                               "READING", "RETURNED", "DONE"};
    static constexpr const char* kEntries[] = {"", "/HELD", "/RETURNED"};
    std::string text = "[";
    for (std::size_t m = 0; m < in_.messages; ++m) {
      if (m > 0) text += " ";
      text += kRecords[s.record[m].state];
      text += kEntries[s.entry[m].state];
      if ((unfinished(s) & bit(m)) != 0) text += "*";
    }
    text += "] tail " + std::to_string(s.tail);
    for (const SlotWords& slot : s.slot) {
      text += "  " + std::to_string(slot.generation) + (slot.used != 0 ? ":" : "-") +
              std::to_string(slot.takes) + "/" + std::to_string(slot.dones) + "@" +
              std::to_string(slot.dones_of);
    }
    return text + (s.listed != 0 ? "  listed" : "") + (s.rung != 0 ? " rung" : "");
  }

 private:
  enum class Part { tail, ring, entry, dones, takes, same_tail };
  struct LookStep {
    Part part;
    std::size_t of;
  };
  enum class Found { nothing_yet, finished, unfinished };

  static std::uint8_t bit(std::size_t m) { return static_cast<std::uint8_t>(1u << m); }
  static int number(std::size_t i) { return static_cast<int>(i); }
  bool is(Mutant mutant) const { return in_.mutant == mutant; }
  static std::uint8_t unfinished(const State& s) {
    return static_cast<std::uint8_t>(s.put & ~s.finished);
  }
  static void finish(State& s, std::uint8_t messages) {
    s.finished = static_cast<std::uint8_t>(s.finished | messages);
  }
  static void drain(State& s, std::size_t i) {
    s.slot[i].dones = static_cast<std::uint8_t>(s.slot[i].dones + s.actor[i].pending);
    s.actor[i].pending = 0;
  }

  // One step of the look of actor i; `at` says which.
  Found look(State& s, std::size_t i) const {
    Actor& me = s.actor[i];
    const LookStep step = look_[me.at++];
    Found found = Found::nothing_yet;
    switch (step.part) {
      case Part::tail:
        me.tail = s.tail;
        break;
      case Part::ring:
        for (std::size_t m = 0; m < s.tail; ++m) {
          if (s.record[m].state != kDone) found = Found::unfinished;
        }
        break;
      case Part::entry:
        if (s.entry[step.of].state != kFree) found = Found::unfinished;
        break;
      case Part::dones: {
        const SlotWords& slot = s.slot[step.of];
        const bool counts =
            slot.used != 0 && (slot.dones_of == slot.generation || is(Mutant::kSuccessorInherits));
        if (!counts) {
          ++me.at;
          break;
        }
        // Its own pending store an actor sees.
        me.dones = static_cast<std::uint8_t>(slot.dones + (i == step.of ? me.pending : 0));
        me.generation = slot.generation;
        break;
      }
      case Part::takes: {
        const SlotWords& slot = s.slot[step.of];
        const bool dead = s.actor[step.of].pc == kDead || slot.generation != me.generation;
        if (slot.takes != me.dones && (!dead || is(Mutant::kDeadCounted)))
          found = Found::unfinished;
        break;
      }
      case Part::same_tail:
        found =
            s.tail == me.tail || is(Mutant::kTailNotAsked) ? Found::finished : Found::unfinished;
        break;
    }
    // What is not needed any more is zero, so that equal states are equal bytes.
    if (step.part == Part::takes) me.dones = me.generation = 0;
    if (found != Found::nothing_yet) me.at = me.tail = 0;
    return found;
  }

  // Recovers what the user of slot i left who is dead.
  static void recover(State& s, std::size_t i) {
    for (std::size_t m = 0; m < kMaxMessages; ++m) {
      Place& record = s.record[m];
      Place& entry = s.entry[m];
      const bool held = entry.state == kHeld && entry.by == i;
      if (record.state == kWriting && record.by == i) record = {kDone, 0};
      if (record.state == kReading && record.by == i)
        record = {static_cast<std::uint8_t>(held ? kDone : kReturned), 0};
      if (held) entry = {kBack, 0};
    }
  }
  static void sweep(State& s) {
    for (std::size_t i = 0; i < kWorkers; ++i) {
      if (s.actor[i].pc == kDead) recover(s, i);
    }
  }

  void join(const State& s, std::size_t i, Steps<State>& out) const {
    State n = s;
    ++n.joins;
    ++n.slot[i].generation;
    n.slot[i].used = 1;
    n.actor[i] = {};
    n.actor[i].pc = kSweep;
    out.add_fate(number(i), "a newcomer's generation stands", n);
  }

  void kill(const State& s, std::size_t i, Steps<State>& out) const {
    State n = s;
    drain(n, i);
    // What it had got and not done, nobody will ever do.
    finish(n, n.actor[i].owed);
    n.actor[i] = {};
    n.actor[i].pc = kDead;
    ++n.kills;
    out.add_fate(number(i), "is killed", n);
  }

  void work(const State& s, std::size_t i, Steps<State>& out) const {
    const Actor& was = s.actor[i];
    const std::size_t m = was.message;
    const std::uint8_t by = static_cast<std::uint8_t>(i);
    State n = s;
    Actor& me = n.actor[i];
    const auto go = [&](const char* name, Pc pc) {
      me.pc = pc;
      out.add(number(i), name, n);
      n = s;
    };
    const auto count = [&] { ++n.slot[i].takes; };
    const auto own = [&] { me.owed = static_cast<std::uint8_t>(me.owed | bit(m)); };
    switch (was.pc) {
      case kSweep:
        recover(n, i);
        if (is(Mutant::kNothingBegun) || is(Mutant::kSuccessorInherits)) return go("sweeps", kIdle);
        return go("sweeps", kClear);
      case kClear:
        n.slot[i].takes = 0;
        return go("takes = 0", kBegin);
      case kBegin:
        n.slot[i].dones = 0;
        n.slot[i].dones_of = n.slot[i].generation;
        return go("dones = {0, generation}", kIdle);
      case kIdle:
        return start(s, i, out);
      case kPublish:
        n.record[m] = {kReady, 0};
        n.put = static_cast<std::uint8_t>(n.put | bit(m));
        me.message = 0;
        return go("publishes", kIdle);
      case kTaken:
        if (is(Mutant::kCountedLate)) {
          go("get: nothing counted yet", kFinish);
        } else {
          count();
          go("get: takes + 1", kFinish);
        }
        if (is(Mutant::kHeldLate)) {
          n.record[m] = {kDone, 0};
          return go("receive: READING -> DONE", kHoldFinish);
        }
        n.entry[m] = {kHeld, by};
        return go("receive: HELD", kHoldFinish);
      case kFinish:
        n.record[m] = {kDone, 0};
        own();
        if (is(Mutant::kCountedLate)) return go("READING -> DONE", kCount);
        me.message = 0;
        return go("READING -> DONE", kIdle);
      case kCount:
        count();
        me.message = 0;
        return go("takes + 1", kIdle);
      case kHoldFinish:
        if (is(Mutant::kHeldLate)) {
          n.entry[m] = {kHeld, by};
          return go("HELD", kHolding);
        }
        n.record[m] = {kDone, 0};
        return go("READING -> DONE", kHolding);
      case kHolding:
        n.entry[m] = {kFree, 0};
        finish(n, bit(m));
        me.message = 0;
        go("ack: FREE", is(Mutant::kAckRingsNobody) ? kIdle : kAnnounce);
        if (s.nacks < in_.nacks) {
          n.entry[m] = {kBack, 0};
          ++n.nacks;
          me.message = 0;
          go("nack: RETURNED", kIdle);
        }
        if (is(Mutant::kHeldCountedLate)) {
          n.entry[m] = {kFree, 0};
          own();
          return go("taken after all: FREE", kCount);
        }
        return go("taken after all", kCountHeld);
      case kCountHeld:
        count();
        return go("takes + 1", kFreeHeld);
      case kFreeHeld:
        n.entry[m] = {kFree, 0};
        own();
        me.message = 0;
        return go("FREE", kIdle);
      case kAnnounce:
        if (s.listed == 0) return go("nobody joins", was.leaving != 0 ? kLeave : kIdle);
        return go("somebody joins", kAnnounceLook);
      case kAnnounceLook: {
        const Found found = look(n, i);
        if (found == Found::nothing_yet) return go("looks", kAnnounceLook);
        if (found == Found::finished) return go("finds all finished", kRing);
        return go("finds something unfinished", was.leaving != 0 ? kLeave : kIdle);
      }
      case kRing:
        if (s.listed != 0) n.rung = 1;
        return go("rings", was.leaving != 0 ? kLeave : kIdle);
      case kLeave:
        n.slot[i].used = 0;
        me.leaving = 0;
        return go("leaves", kLeft);
      default:
        return;
    }
  }

  // What a worker may do that has nothing in its hands.
  void start(const State& s, std::size_t i, Steps<State>& out) const {
    const std::uint8_t by = static_cast<std::uint8_t>(i);
    State n = s;
    Actor& me = n.actor[i];
    const auto go = [&](const char* name, Pc pc) {
      me.pc = pc;
      out.add(number(i), name, n);
      n = s;
    };
    for (std::size_t m = 0; m < in_.messages; ++m) {
      me.message = static_cast<std::uint8_t>(m);
      if (s.record[m].state == kReady || s.record[m].state == kReturned) {
        n.record[m] = {kReading, by};
        go("takes -> READING", kTaken);
      } else if (s.entry[m].state == kBack) {
        n.entry[m] = {kHeld, by};
        go("takes over: RETURNED -> HELD", kHolding);
      }
      n = s;
    }
    if (s.tail < in_.messages) {
      n.record[s.tail] = {kWriting, by};
      me.message = s.tail;
      ++n.tail;
      go("claims: tail + 1", kPublish);
    }
    if (s.actor[i].owed != 0 && s.actor[i].pending == 0) {
      const std::uint8_t one = static_cast<std::uint8_t>(me.owed & -me.owed);
      me.owed = static_cast<std::uint8_t>(me.owed & ~one);
      finish(n, one);
      if (is(Mutant::kDonePlain)) {
        me.pending = 1;
      } else {
        ++n.slot[i].dones;
      }
      go("taskDone: dones + 1", is(Mutant::kDoneRingsNobody) ? kIdle : kAnnounce);
    }
    if (in_.closes && s.actor[i].pending == 0) {
      finish(n, me.owed);
      me.owed = 0;
      n.slot[i].dones = n.slot[i].takes;
      me.leaving = 1;
      go("close: dones = takes", is(Mutant::kCloseRingsNobody) ? kLeave : kAnnounce);
    }
    sweep(n);
    const bool is_any = std::memcmp(&n, &s, sizeof s) != 0;
    if (is_any) go("sweeps", kAnnounce);
  }

  void wait(const State& s, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[kJoiner];
    const int joiner = number(kJoiner);
    switch (me.pc) {
      case kLook:
      case kLookListed: {
        const Found found = look(n, kJoiner);
        if (found == Found::nothing_yet) return out.add(joiner, "looks", n);
        if (found == Found::finished) {
          me.pc = kLetGo;
          n.listed = n.rung = 0;
          return out.add(joiner, "finds all finished", n,
                         unfinished(s) != 0 ? "let go while a message is unfinished" : nullptr);
        }
        me.pc = me.pc == kLook ? kList : kAsleep;
        return out.add(joiner, "finds something unfinished", n);
      }
      case kList:
        n.listed = 1;
        me.pc = is(Mutant::kNoLookListed) ? kAsleep : kLookListed;
        return out.add(joiner, "lists itself", n);
      case kAsleep:
        if (s.rung == 0 && s.kills == 0) return;
        if (s.rung == 0) sweep(n);
        n.listed = n.rung = 0;
        me.pc = kLook;
        return out.add(joiner, s.rung != 0 ? "is rung" : "looks by itself", n);
      default:
        return;
    }
  }

  Instance in_;
  std::vector<LookStep> look_;
};

std::string name_of(const Instance& in) {
  return "messages=" + std::to_string(in.messages) + " there=" + std::to_string(in.there) +
         " kills=" + std::to_string(in.kills) + " newcomers=" + std::to_string(in.joins) +
         " nacks=" + std::to_string(in.nacks) + (in.closes ? " closing" : "");
}

void hold(Suite& suite) {
  const auto holds = [&](const Instance& in) { suite.holds(name_of(in), JoinModel(in)); };
  holds({.messages = 2, .there = 1, .nacks = 1});
  holds({.messages = 2, .there = 2, .closes = true});
  holds({.messages = 2, .there = 1, .kills = 1, .joins = 1, .nacks = 1});
  holds({.messages = 2, .there = 2, .kills = 2, .joins = 2});
  holds({.messages = 2, .there = 1, .kills = 1, .joins = 1, .closes = true});
  holds({.messages = 3, .there = 1});
  if (!suite.long_run()) return;
  holds({.messages = 3, .there = 1, .kills = 1, .joins = 1, .nacks = 1});
  holds({.messages = 3, .there = 2, .kills = 2, .joins = 1, .closes = true});
}

void catch_mutants(Suite& suite) {
  const auto caught = [&](const char* rule, Mutant mutant, Instance in) {
    in.mutant = mutant;
    suite.caught(rule, JoinModel(in));
  };
  const Instance plain{.messages = 2, .there = 1, .nacks = 1};
  const Instance mortal{.messages = 2, .there = 1, .kills = 1, .joins = 1};
  caught("J1 dropped: a take is counted after DONE", Mutant::kCountedLate, plain);
  caught("J1 dropped: a take from a ledger is counted after FREE", Mutant::kHeldCountedLate, plain);
  caught("J1 dropped: DONE before HELD", Mutant::kHeldLate, plain);
  caught("J2 dropped: the ledgers are looked at first", Mutant::kLedgersFirst, plain);
  caught("J2 dropped: the tasks are looked at first", Mutant::kTasksFirst, plain);
  caught("J3 dropped: tail is not looked at again", Mutant::kTailNotAsked, plain);
  caught("J4 dropped: a newcomer's count is not begun", Mutant::kNothingBegun, mortal);
  caught("J4 dropped: a newcomer inherits the count", Mutant::kSuccessorInherits, mortal);
  caught("the tasks of the dead count", Mutant::kDeadCounted, mortal);
  caught("taskDone -> look for joiners: dones is stored plainly", Mutant::kDonePlain, plain);
  caught("taskDone rings nobody", Mutant::kDoneRingsNobody, plain);
  caught("ack rings nobody", Mutant::kAckRingsNobody, plain);
  caught("close rings nobody", Mutant::kCloseRingsNobody,
         {.messages = 1, .there = 1, .closes = true});
  caught("who joins does not look again once listed", Mutant::kNoLookListed, plain);
}

}  // namespace
}  // namespace interproc::model

int main(int argc, char** argv) {
  interproc::model::Suite suite(argc, argv);
  interproc::model::hold(suite);
  interproc::model::catch_mutants(suite);
  return suite.close();
}
