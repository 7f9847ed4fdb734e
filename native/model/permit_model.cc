// The permits of a semaphore and the accounts of those who hold them, ARCHITECTURE.md section 8: what a dead holder had returns, exactly once.
//
//   word      { permits, operation, kind, subject }: the last operation and whose account it changes        account { operations, held }
//   finish    w = word (loaded before); a = account of the subject; is a's number the one before w's? is w still the word? CAS a -> after it
//   acquire   w = word; finish(w); CAS w -> {permits - 1, acquired, me, a + 1}; finish
//   release   w = word; finish(w); held? CAS w -> {permits + 1, released, me, a + 1}, else {permits + 1, none}; finish
//   settle d  w = word; finish(w); a = account of d; sum of the other accounts; CAS w -> {permits + min(held, missing), settled, d, a + 1}; finish
//   look      (no permits) of each account that holds some: is its owner dead? settle
//   join      generation + 1; settle the slot until it is; account = {generation, 0, 0}
//
// How who waits is woken is lock_model.cc and wake_model.cc: here he just tries again. Wrong would be: permits and what the living and the
// not yet settled dead really hold do not sum up to what there was and what was given beyond it; more acquired than there ever was; a state
// from which the living cannot all have what they want.

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
  kIdle,
  kLoadOwn,
  kTake,
  kHave,
  kLoadOwnToGive,
  kGive,
  kLook,
  kSettle,
  kSettleAccount,
  kSettleSum,
  kSettleReturn,
  kStart,
  kFinish,
  kFinishCheck,
  kFinishChange,
};

enum Kind : std::uint8_t { kNone, kAcquired, kReleased, kSettled };

struct Word {
  std::uint8_t permits;
  std::uint8_t operation;
  Kind kind;
  std::uint8_t slot;
  std::uint8_t generation;
  bool operator==(const Word&) const = default;
};

struct Account {
  std::uint8_t generation;
  std::uint8_t operations;
  std::uint8_t held;
  bool operator==(const Account&) const = default;
};

struct Actor {
  Pc pc;
  Pc after;    // of finishing
  Pc settled;  // after a settlement
  std::uint8_t rounds;
  std::uint8_t holds;  // really
  std::uint8_t sweeps;
  std::uint8_t whom;
  std::uint8_t whose;  // generation
  std::uint8_t next;
  std::uint8_t sum;
  Word word;
  Account account;
};

struct State {
  Word word;
  std::array<Account, kMaxActors> account;
  std::array<std::uint8_t, kMaxActors> generation;
  std::array<Actor, kMaxActors> actor;
  // What no participant sees.
  std::array<std::uint8_t, kMaxActors> lost;  // held by a dead user of the slot
  std::uint8_t given;                         // by those who held none
  std::uint8_t taken;                         // ... and taken to be kept
  std::uint8_t kills;
  std::uint8_t joins;
};

enum class Mutant : std::uint8_t {
  kNone,
  kNotFinished,
  kNotNumbered,
  kNotChecked,
  kRobsTheLiving,
  kNeverSettles,
  kSettlesAgain,
  kSumsTooEarly,
  kReturnsAll,
  kNewcomerDoesNotSettle,
  kSettlesSlot,
};

struct Instance {
  std::size_t actors = 2;
  std::uint8_t permits = 1;
  std::uint8_t rounds = 1;
  std::uint8_t kills = 0;
  std::uint8_t joins = 0;
  std::uint8_t most = 1;  // that one holds at once
  bool signals = false;   // actor 0 only gives, the others only take
  bool handover = false;  // actor 0 gives what actor 1 took, which keeps it, and may be killed
  Mutant mutant = Mutant::kNone;
};

class PermitModel {
 public:
  using State = model::State;
  explicit PermitModel(const Instance& instance) : in_(instance) {}

  State initial() const {
    State s{};
    s.word.permits = in_.permits;
    for (std::size_t i = 0; i < in_.actors; ++i) {
      s.actor[i].pc = (in_.signals || in_.handover) && i == 0 ? kHave : kIdle;
      s.actor[i].rounds = in_.rounds;
    }
    if (in_.signals) s.actor[0].rounds = static_cast<std::uint8_t>(in_.rounds * 2);
    for (std::size_t i = in_.actors; i < kMaxActors; ++i) s.actor[i].pc = kDead;
    return s;
  }
  std::size_t bytes() const { return sizeof(State); }

  const char* broken(const State& s) const {
    int sum = s.word.permits;
    for (std::size_t i = 0; i < in_.actors; ++i) sum += s.actor[i].holds + s.lost[i];
    if (in_.signals) {
      // What the dead had taken is gone for good.
      if (s.word.permits + s.taken != s.given) return "a signal was lost or made";
      return nullptr;
    }
    return sum == in_.permits ? nullptr : "permits were lost or made";
  }

  bool settled(const State& s) const {
    for (std::size_t i = 0; i < in_.actors; ++i) {
      if (in_.handover && i == 0) continue;
      if (s.actor[i].pc != kDead && s.actor[i].pc != kDone) {
        // There will be no more signals than were sent.
        if (!(in_.signals && i > 0 && s.word.permits == 0 && s.actor[i].pc == kIdle &&
              (s.actor[0].pc == kDone || s.actor[0].pc == kDead)))
          return false;
      }
    }
    return true;
  }

  void steps(const State& s, Steps<State>& out) const {
    for (std::size_t i = 0; i < in_.actors; ++i) {
      if (s.actor[i].pc == kDead) {
        if (s.joins < in_.joins) join(s, i, out);
        continue;
      }
      act(s, i, out);
      const bool mortal = in_.handover ? i == 1 : s.actor[i].pc != kDone;
      if (s.kills < in_.kills && mortal) kill(s, i, out);
    }
  }

  std::string describe(const State& s) const {
    static constexpr const char* kKinds[] = {"none", "acquired", "released", "settled"};
    std::string text(std::to_string(s.word.permits));
    text.append(" permits, ");
    text += kKinds[s.word.kind];
    text += " #" + std::to_string(s.word.operation) + " of " + std::to_string(s.word.slot);
    for (std::size_t i = 0; i < in_.actors; ++i) {
      text += "  " + std::to_string(i) + ":" + std::to_string(s.account[i].held) + "#" +
              std::to_string(s.account[i].operations);
      text += " really " + std::to_string(s.actor[i].holds);
      if (s.lost[i] != 0) text += " lost " + std::to_string(s.lost[i]);
    }
    return text;
  }

 private:
  static int number(std::size_t i) { return static_cast<int>(i); }
  bool is(Mutant mutant) const { return in_.mutant == mutant; }

  void join(const State& s, std::size_t i, Steps<State>& out) const {
    if (i >= in_.actors) return;
    State n = s;
    ++n.joins;
    ++n.generation[i];
    n.actor[i] = {};
    n.actor[i].rounds = in_.handover ? 0 : 1;
    n.actor[i].whom = static_cast<std::uint8_t>(i);
    n.actor[i].whose = s.account[i].generation;
    n.actor[i].settled = kStart;
    n.actor[i].sweeps = 1;
    n.actor[i].pc = is(Mutant::kNewcomerDoesNotSettle) ? kStart : kSettle;
    out.add_fate(number(i), "a newcomer's generation stands", n);
  }
  void kill(const State& s, std::size_t i, Steps<State>& out) const {
    State n = s;
    n.lost[i] = static_cast<std::uint8_t>(s.lost[i] + s.actor[i].holds);
    n.actor[i] = {};
    n.actor[i].pc = kDead;
    ++n.kills;
    out.add_fate(number(i), "is killed", n);
  }

  static Word with_operation(int permits, Kind kind, std::size_t slot, const Account& account) {
    return {static_cast<std::uint8_t>(permits), static_cast<std::uint8_t>(account.operations + 1),
            kind, static_cast<std::uint8_t>(slot), account.generation};
  }

  void act(const State& s, std::size_t i, Steps<State>& out) const {
    const Actor& was = s.actor[i];
    State n = s;
    Actor& me = n.actor[i];
    const auto go = [&](const char* what, Pc pc, const char* wrong = nullptr) {
      me.pc = pc;
      out.add(number(i), what, n, wrong);
      n = s;
    };
    const auto finish_then = [&](const Word& word, Pc after) {
      me.word = word;
      me.after = after;
      me.account = {};
      return is(Mutant::kNotFinished) && after != kIdle && after != kDone && after != kHave
                 ? after
                 : kFinish;
    };
    const auto rest = [&] {
      me.word = {};
      me.account = {};
      me.whom = me.whose = me.next = me.sum = 0;
    };
    switch (was.pc) {
      case kIdle:
        if (was.rounds == 0) return go("has had all it wanted", kDone);
        if (s.word.permits == 0) {
          me.next = 0;
          return go("finds no permit", finish_then(s.word, kLook));
        }
        return go("loads the word", finish_then(s.word, kLoadOwn));
      case kLoadOwn:
        me.account = s.account[i];
        return go("loads its account", kTake);
      case kTake: {
        if (s.word != was.word || was.word.permits == 0) {
          rest();
          return go("CAS fails", was.holds > 0 ? kHave : kIdle);
        }
        n.word = with_operation(s.word.permits - 1, kAcquired, i, was.account);
        ++me.holds;
        --me.rounds;
        if (in_.signals) ++n.taken;
        return go("acquires", finish_then(n.word, kHave));
      }
      case kHave:
        rest();
        if (was.rounds == 0 && was.holds == 0) return go("has given all", kDone);
        if ((in_.signals && i > 0) || (in_.handover && i == 1)) {
          return go("keeps it", kIdle);
        }
        if (in_.handover && i == 0 && s.actor[1].holds + s.lost[1] == 0) return;
        if (was.holds > 0 && was.holds < in_.most && was.rounds > 0 && s.word.permits > 0)
          go("wants another", finish_then(s.word, kLoadOwn));
        return go("loads the word", finish_then(s.word, kLoadOwnToGive));
      case kLoadOwnToGive:
        me.account = s.account[i];
        return go("loads its account", kGive);
      case kGive: {
        if (s.word != was.word) {
          rest();
          return go("CAS fails", kHave);
        }
        const Kind kind = was.account.held > 0 ? kReleased : kNone;
        const bool handed = in_.handover && i == 0;
        if (handed && s.actor[1].holds + s.lost[1] == 0) {
          rest();
          return go("has nothing to hand over any more", kHave);
        }
        n.word = with_operation(s.word.permits + 1, kind, i, was.account);
        if (handed)
          --(s.lost[1] > 0 ? n.lost[1] : n.actor[1].holds);
        else if (me.holds > 0)
          --me.holds;
        else
          ++n.given;
        if (was.holds == 0) --me.rounds;
        return go("releases",
                  finish_then(n.word, in_.signals || handed || me.holds > 0 ? kHave : kIdle));
      }

      case kLook: {
        me.word = {};
        me.account = {};
        const std::size_t d = was.next;
        if (d == in_.actors || is(Mutant::kNeverSettles)) {
          rest();
          return go("has looked at all", kIdle);
        }
        me.next = static_cast<std::uint8_t>(d + 1);
        const bool dead = s.actor[d].pc == kDead || s.generation[d] != s.account[d].generation;
        if (d != i && s.account[d].held > 0 && (dead || is(Mutant::kRobsTheLiving))) {
          me.whom = static_cast<std::uint8_t>(d);
          me.whose = s.account[d].generation;
          me.settled = kLook;
          return go("finds a dead holder", kSettle);
        }
        return go("nothing to settle", kLook);
      }

      case kSettle:
        me.sum = 0;
        if (is(Mutant::kSumsTooEarly)) {
          for (std::size_t j = 0; j < in_.actors; ++j)
            if (j != was.whom) me.sum = static_cast<std::uint8_t>(me.sum + s.account[j].held);
        }
        return go("settles: loads the word", finish_then(s.word, kSettleAccount));
      case kSettleAccount: {
        me.account = s.account[was.whom];
        const bool another = me.account.generation != was.whose && !is(Mutant::kSettlesSlot);
        const bool is_subject = was.word.kind != kNone && was.word.slot == was.whom &&
                                was.word.generation == me.account.generation;
        if (another || (me.account.held == 0 && !is_subject)) {
          const Pc settled = was.settled;
          me.word = {};
          me.account = {};
          me.sum = 0;
          return go("nothing is left to settle", settled);
        }
        if (is(Mutant::kSumsTooEarly)) return go("loads the account", kSettleReturn);
        me.sum = 0;
        // `sweeps` counts on from here over the other accounts.
        me.sweeps = 0;
        return go("loads the account", kSettleSum);
      }
      case kSettleSum: {
        const std::size_t j = was.sweeps;
        if (j == in_.actors) return go("has summed", kSettleReturn);
        if (j != was.whom) me.sum = static_cast<std::uint8_t>(was.sum + s.account[j].held);
        me.sweeps = static_cast<std::uint8_t>(j + 1);
        return go("adds an account", kSettleSum);
      }
      case kSettleReturn: {
        me.sweeps = 0;
        if (s.word != was.word) {
          const bool sweeping = was.settled == kStart;
          me.word = {};
          me.account = {};
          me.sum = 0;
          return go("CAS fails", sweeping ? kSettle : was.settled);
        }
        const int about = s.word.permits + was.sum;
        const int missing = in_.permits > about ? in_.permits - about : 0;
        const int returned = is(Mutant::kReturnsAll)
                                 ? was.account.held
                                 : (was.account.held < missing ? was.account.held : missing);
        n.word = with_operation(s.word.permits + returned, kSettled, was.whom, was.account);
        if (is(Mutant::kSettlesAgain)) n.word = {n.word.permits, 0, kNone, 0, 0};
        me.sum = 0;
        n.lost[was.whom] = static_cast<std::uint8_t>(
            s.lost[was.whom] > returned ? s.lost[was.whom] - returned : 0);
        return go("returns them", finish_then(n.word, was.settled));
      }
      case kStart:
        n.account[i] = {s.generation[i], 0, 0};
        rest();
        me.settled = kDead;
        me.sweeps = 0;
        return go("begins an account", in_.signals && i == 0 ? kHave : kIdle);

      case kFinish: {
        const Word& word = was.word;
        if (word.kind == kNone) return go("nothing to finish", was.after);
        me.account = s.account[word.slot];
        if (me.account.generation != word.generation) return go("of another user", was.after);
        if (me.account.operations + 1 != word.operation && !is(Mutant::kNotNumbered))
          return go("is finished", was.after);
        return go("is not finished", is(Mutant::kNotChecked) ? kFinishChange : kFinishCheck);
      }
      case kFinishCheck:
        if (s.word != was.word) return go("the word has changed", was.after);
        return go("it still is the word", kFinishChange);
      case kFinishChange: {
        Account& account = n.account[was.word.slot];
        if (account == was.account) {
          account.operations = was.word.operation;
          // As many as that: without the numbers there would be no end of it.
          if (was.word.kind == kAcquired && account.held <= in_.permits) ++account.held;
          if (was.word.kind == kReleased && account.held > 0) --account.held;
          if (was.word.kind == kSettled) account.held = 0;
        }
        me.account = {};
        return go("finishes it", was.after);
      }
      default:
        return;
    }
  }

  Instance in_;
};

std::string name_of(const Instance& in) {
  return "actors=" + std::to_string(in.actors) + " permits=" + std::to_string(in.permits) +
         " rounds=" + std::to_string(in.rounds) + " kills=" + std::to_string(in.kills) +
         " newcomers=" + std::to_string(in.joins) + " at once=" + std::to_string(in.most) +
         (in.signals ? " signals" : "") + (in.handover ? " handed over" : "");
}

void hold(Suite& suite) {
  const auto holds = [&](const Instance& in) { suite.holds(name_of(in), PermitModel(in)); };
  holds({.actors = 2, .permits = 1, .rounds = 3});
  holds({.actors = 2, .permits = 1, .rounds = 2, .kills = 2, .joins = 2});
  holds({.actors = 3, .permits = 2, .rounds = 1});
  holds({.actors = 2, .permits = 2, .rounds = 2, .kills = 2, .joins = 1, .most = 2});
  holds({.actors = 3, .permits = 1, .rounds = 1, .kills = 1, .joins = 1});
  holds({.actors = 3, .permits = 2, .rounds = 1, .kills = 2});
  holds({.actors = 3, .permits = 0, .rounds = 1, .kills = 1, .joins = 1, .signals = true});
  holds({.actors = 3, .permits = 1, .rounds = 1, .kills = 1, .joins = 1, .handover = true});
  if (!suite.long_run()) return;
  holds({.actors = 3, .permits = 2, .rounds = 2});
  holds({.actors = 3, .permits = 2, .rounds = 1, .kills = 2, .joins = 1});
  holds({.actors = 3, .permits = 1, .rounds = 2, .kills = 1});
}

void catch_mutants(Suite& suite) {
  const auto caught = [&](const char* rule, Mutant mutant, Instance in) {
    in.mutant = mutant;
    suite.caught(rule, PermitModel(in));
  };
  const Instance mortal{.actors = 2, .permits = 1, .rounds = 2, .kills = 2, .joins = 2};
  const Instance three{.actors = 3, .permits = 1, .rounds = 1, .kills = 1, .joins = 1};
  caught("the last operation is not finished first", Mutant::kNotFinished, three);
  caught("operations are not numbered", Mutant::kNotNumbered,
         {.actors = 2, .permits = 2, .rounds = 2, .kills = 1, .most = 2});
  caught("the living are robbed", Mutant::kRobsTheLiving, mortal);
  caught("the dead are not settled", Mutant::kNeverSettles,
         {.actors = 2, .permits = 1, .rounds = 1, .kills = 1});
  caught("a settlement is not written down", Mutant::kSettlesAgain,
         {.actors = 3, .permits = 1, .rounds = 1, .kills = 2});
  caught("the accounts are summed before the word is loaded", Mutant::kSumsTooEarly,
         {.actors = 3, .permits = 1, .rounds = 1, .kills = 1, .joins = 1, .handover = true});
  caught("signals return like permits", Mutant::kReturnsAll,
         {.actors = 2, .permits = 0, .rounds = 2, .kills = 1, .joins = 1, .signals = true});
  caught("who settles does not ask whose account it is", Mutant::kSettlesSlot, mortal);
  caught("a newcomer does not settle", Mutant::kNewcomerDoesNotSettle, mortal);
}

}  // namespace
}  // namespace interproc::model

int main(int argc, char** argv) {
  interproc::model::Suite suite(argc, argv);
  interproc::model::hold(suite);
  interproc::model::catch_mutants(suite);
  return suite.close();
}
