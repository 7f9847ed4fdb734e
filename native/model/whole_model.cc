// A value of two words that is read and written whole: native/state/whole_value.h. Writers write it, readers copy it, any of
// them may be killed; the words of the value and of the next one are stored and loaded one by one.
//
//   write    IDLE v -> STAGING(me); next = both words; -> COMMITTING(me); value = next, word by word; -> IDLE v + 1
//            STAGING(x), x dead: -> IDLE v        COMMITTING(x), x dead: -> COMMITTING(me), value = next, -> IDLE v + 1
//   read     w = word; copy `next` if COMMITTING, else `value`; word is w still: done, else again
//
// Stores become visible in order (TSO), so each is one step here; what weaker memory needs is said at the code's fences.
//
// Wrong would be: a reader that returns halves of two writes; a value that goes back to an older write; a write that returned and is
// not there; a state from which the living cannot finish.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "explorer.h"
#include "suite.h"

namespace interproc::model {
namespace {

constexpr std::size_t kMaxWriters = 3;
constexpr std::size_t kReader = kMaxWriters;
constexpr std::size_t kActors = kMaxWriters + 1;

enum Writing : std::uint8_t { kIdle, kStaging, kCommitting };

enum Pc : std::uint8_t {
  kAbsent,
  kDead,
  kDone,
  // writer
  kClaim,
  kStageFirst,
  kStageSecond,
  kReady,
  kCopyFirst,
  kCopySecond,
  kRelease,
  // reader
  kLook,
  kReadFirst,
  kReadSecond,
  kLookAgain,
};

struct Word {
  std::uint8_t state;
  std::uint8_t owner;
  std::uint8_t version;
  bool operator==(const Word&) const = default;
};

struct Actor {
  Pc pc;
  std::uint8_t recovering;  // ends the write of a dead one, and then begins its own
  Word seen;
  std::uint8_t first;
  std::uint8_t second;
};

struct State {
  std::array<Actor, kActors> actor;
  std::array<std::uint8_t, 2> value;
  std::array<std::uint8_t, 2> next;
  Word word;
  // What no participant sees.
  std::uint8_t returned;  // the last write that returned, or was ended by another
  std::uint8_t order;     // how many writes got as far as COMMITTING
  std::uint8_t reads;     // left
  std::uint8_t kills;
  std::array<std::uint8_t, kMaxWriters> place;  // of a writer's write in that order
  std::uint8_t floor;                           // of the reader: what was there before it looked
};

enum class Mutant : std::uint8_t {
  kNone,
  kInPlace,
  kReadsValueAlways,
  kNoSecondLook,
  kNoVersion,
  kRollsBack,
  kCopiesUnclaimed,
  kNobodyRecovers,
};

struct Instance {
  std::size_t writers = 2;
  std::uint8_t reads = 1;
  int kills = 0;
  Mutant mutant = Mutant::kNone;
};

class WholeModel {
 public:
  using State = model::State;

  explicit WholeModel(const Instance& instance) : in_(instance) {}

  State initial() const {
    State s{};
    for (std::size_t i = 0; i < in_.writers; ++i) s.actor[i].pc = kClaim;
    s.actor[kReader].pc = in_.reads > 0 ? kLook : kDone;
    s.reads = in_.reads;
    return s;
  }

  std::size_t bytes() const { return sizeof(State); }

  const char* broken(const State& s) const {
    if (s.word.state != kCommitting && s.value[0] != s.value[1])
      return "nobody commits, and the value is torn";
    return nullptr;
  }

  bool settled(const State& s) const {
    for (std::size_t i = 0; i < kActors; ++i) {
      const Pc pc = s.actor[i].pc;
      if (pc != kAbsent && pc != kDone && pc != kDead) return false;
    }
    return true;
  }

  void steps(const State& s, Steps<State>& out) const {
    for (std::size_t i = 0; i < in_.writers; ++i) write(s, i, out);
    read(s, out);
    if (s.kills >= in_.kills) return;
    for (std::size_t i = 0; i < in_.writers; ++i) {
      const Pc pc = s.actor[i].pc;
      if (pc == kDead || pc == kDone) continue;
      State n = s;
      ++n.kills;
      n.actor[i] = {};
      n.actor[i].pc = kDead;
      out.add_fate(number(i), "(is killed)", n);
    }
  }

  std::string describe(const State& s) const {
    static constexpr const char* kNames[] = {"IDLE", "STAGING", "COMMITTING"};
    return std::string(kNames[s.word.state]) + "(" + std::to_string(s.word.owner) + ") v" +
           std::to_string(s.word.version) + " value " + std::to_string(s.value[0]) +
           std::to_string(s.value[1]) + " next " + std::to_string(s.next[0]) +
           std::to_string(s.next[1]);
  }

 private:
  bool is(Mutant mutant) const { return in_.mutant == mutant; }
  static int number(std::size_t actor) { return static_cast<int>(actor) + 1; }
  static std::uint8_t own(std::size_t i) { return static_cast<std::uint8_t>(i + 1); }
  // The place in the order of writes of what stands in a word.
  static std::uint8_t place(const State& s, std::uint8_t written) {
    return written == 0 ? std::uint8_t{0} : s.place[static_cast<std::size_t>(written) - 1];
  }

  void write(const State& s, std::size_t i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[i];
    const Actor& was = s.actor[i];
    const auto go = [&](const char* name, Pc pc, const char* broken = nullptr) {
      me.pc = pc;
      out.add(number(i), name, n, broken);
    };
    switch (was.pc) {
      case kClaim: {
        if (s.word.state == kIdle) {
          n.word = {kStaging, own(i), s.word.version};
          return go("IDLE -> STAGING", is(Mutant::kInPlace) ? kReady : kStageFirst);
        }
        if (s.actor[s.word.owner - 1].pc != kDead || is(Mutant::kNobodyRecovers)) return;
        if (s.word.state == kStaging || is(Mutant::kRollsBack)) {
          n.word = {kIdle, 0, s.word.version};
          return go("STAGING of the dead -> IDLE", kClaim);
        }
        if (is(Mutant::kCopiesUnclaimed)) {
          me.recovering = 1;
          return go("finds COMMITTING of the dead", kCopyFirst);
        }
        n.word = {kCommitting, own(i), s.word.version};
        me.recovering = 1;
        return go("COMMITTING of the dead -> of its own", kCopyFirst);
      }
      case kStageFirst:
        n.next[0] = own(i);
        return go("stages the first word", kStageSecond);
      case kStageSecond:
        n.next[1] = own(i);
        return go("stages the second word", kReady);
      case kReady:
        n.word.state = kCommitting;
        n.place[i] = ++n.order;
        if (is(Mutant::kInPlace)) n.next = {own(i), own(i)};
        return go("-> COMMITTING", kCopyFirst);
      case kCopyFirst:
        n.value[0] = s.next[0];
        return go("copies the first word", kCopySecond);
      case kCopySecond:
        n.value[1] = s.next[1];
        return go("copies the second word", kRelease);
      case kRelease: {
        const std::uint8_t version =
            is(Mutant::kNoVersion) ? s.word.version : static_cast<std::uint8_t>(s.word.version + 1);
        n.word = {kIdle, 0, version};
        n.returned = s.value[0];
        if (was.recovering != 0) {
          me.recovering = 0;
          return go("-> IDLE, for the dead", kClaim);
        }
        me = {};
        return go("-> IDLE", kDone,
                  place(s, s.value[0]) < place(s, own(i)) ? "a write that returns is not there"
                                                          : nullptr);
      }
      default:
        return;
    }
  }

  void read(const State& s, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[kReader];
    const Actor& was = s.actor[kReader];
    const auto go = [&](const char* name, Pc pc, const char* broken = nullptr) {
      me.pc = pc;
      out.add(number(kReader), name, n, broken);
    };
    const bool from_next =
        was.seen.state == kCommitting && !is(Mutant::kReadsValueAlways) && !is(Mutant::kInPlace);
    const auto& from = from_next ? s.next : s.value;
    switch (was.pc) {
      case kLook:
        me.seen = s.word;
        n.floor = place(s, s.returned);
        return go("looks", kReadFirst);
      case kReadFirst:
        me.first = from[0];
        return go("reads the first word", kReadSecond);
      case kReadSecond:
        me.second = from[1];
        return go("reads the second word", kLookAgain);
      case kLookAgain: {
        if (!(s.word == was.seen) && !is(Mutant::kNoSecondLook)) {
          me = {};
          return go("looks again: it has changed", kLook);
        }
        const char* broken = nullptr;
        if (was.first != was.second)
          broken = "a reader returns halves of two writes";
        else if (place(s, was.first) < s.floor)
          broken = "a reader returns a value older than one that was there";
        me = {};
        n.floor = 0;
        --n.reads;
        return go("returns", n.reads > 0 ? kLook : kDone, broken);
      }
      default:
        return;
    }
  }

  Instance in_;
};

std::string name_of(const Instance& in) {
  return "writers=" + std::to_string(in.writers) + " reads=" + std::to_string(in.reads) +
         " kills=" + std::to_string(in.kills);
}

void hold(Suite& suite) {
  const auto holds = [&](const Instance& in) { suite.holds(name_of(in), WholeModel(in)); };
  holds({.writers = 2, .reads = 2});
  holds({.writers = 2, .reads = 2, .kills = 1});
  holds({.writers = 3, .reads = 1, .kills = 2});
  holds({.writers = 3, .reads = 2, .kills = 2});
}

void catch_mutants(Suite& suite) {
  const auto caught = [&](const char* rule, Mutant mutant,
                          Instance in = {.writers = 2, .reads = 1}) {
    in.mutant = mutant;
    suite.caught(rule, WholeModel(in));
  };
  const Instance mortal{.writers = 2, .reads = 1, .kills = 1};
  caught("the next value is not staged", Mutant::kInPlace, mortal);
  caught("a reader reads the value while it is written", Mutant::kReadsValueAlways, mortal);
  caught("a reader looks at the word once", Mutant::kNoSecondLook);
  caught("the word has no version", Mutant::kNoVersion, {.writers = 3, .reads = 1});
  caught("a commit of the dead is rolled back", Mutant::kRollsBack, mortal);
  caught("a commit of the dead is ended by several", Mutant::kCopiesUnclaimed,
         {.writers = 3, .reads = 1, .kills = 1});
  caught("nobody recovers", Mutant::kNobodyRecovers, mortal);
}

}  // namespace
}  // namespace interproc::model

int main(int argc, char** argv) {
  interproc::model::Suite suite(argc, argv);
  interproc::model::hold(suite);
  interproc::model::catch_mutants(suite);
  return suite.close();
}
