// The end of a queue, ARCHITECTURE.md section 4: a flag and a marker against puts that are on their
// way and readers that still hold something.
//
//   end()    raise the flag; seal; wake every getter and every putter
//   seal     claim END at the tail, if there is room, as any record is claimed
//   put      flag raised: refuse. END at the tail: refuse. No room: wait. Else claim, publish, wake
//   receive  RETURNED; READY; nothing and the flag raised: seal; END at head: end of file, unless
//            somebody else reads or holds a message, or one is RETURNED
//
// E1  That look goes to the ring first and to the ledgers second, and to the entries themselves:
//     messages move only from ring to ledger, and the hint is down while somebody scans.
// E2  Who settles a message (get's DONE or FREE, ack) while the flag is raised wakes every getter:
//     it may have been the last one they waited for.
//
// Claims, sweeps and wakes are one step each: ring_model.cc, ledger_model.cc and wake_model.cc take
// them apart. The look for the end of file is not: it is one step for each record and each entry.
// Who finds nothing lists itself, looks again, and sleeps until it is rung. The slow re-check runs
// once somebody has been killed. TSO: the flag is stored sequentially consistently; a mutant stores
// it plainly.
//
// Wrong would be: end of file for one reader while a message that was accepted is not settled; END
// over a record that is in use; a state from which the living cannot all finish: every put accepted
// or refused, every reader at the end of file.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "explorer.h"
#include "suite.h"

namespace interproc::model {
namespace {

constexpr int kMaxRecords = 4;
constexpr int kMaxActors = 5;

enum RecordState : std::uint8_t { kNone, kWriting, kReady, kReading, kReturned, kDone, kEnd };
enum EntryState : std::uint8_t { kFree, kHeld, kEntryReturned };

enum Pc : std::uint8_t {
  kDead,
  kFinished,
  // putter
  kPutFlag,
  kPutClaim,
  kPutFull,
  kPutSleep,
  kPublish,
  kWakeGetter,
  // who calls end()
  kRaise,
  kSeal,
  kWakeGetters,
  kWakePutters,
  // reader
  kLook,
  kScan,
  kLookFlag,
  kReaderSeal,
  kEofRing,
  kEofLedger,
  kEmpty,
  kList,
  kSleep,
  kHold,
  kFinish,
  kWakePutter,
  kFinishedFlag,
  kHolding,
  kSettledFlag,
  kNackHint,
  kNackWake,
};

struct Actor {
  Pc pc;
  std::uint8_t left;    // puts to come
  std::uint8_t record;  // at hand, + 1
  std::uint8_t entry;   // at hand, + 1
  std::uint8_t at;      // where the look for the end of file is
  std::uint8_t flags;

  static constexpr std::uint8_t kToken = 1;    // a wake is in its hands
  static constexpr std::uint8_t kPending = 2;  // the flag is in its store buffer
  bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
  void set(std::uint8_t flag, bool on = true) {
    flags = static_cast<std::uint8_t>(on ? flags | flag : flags & ~flag);
  }
};

struct State {
  std::array<std::uint8_t, kMaxRecords>
      record;  // state, and the actor that writes or reads it << 3
  std::array<std::uint8_t, kMaxActors>
      entry;  // state, and the holder << 2; one entry for each reader
  std::array<std::uint8_t, kMaxActors> message;  // in the entry, + 1
  std::uint8_t tail;
  std::uint8_t ended;
  std::uint8_t hint;    // redelivery: a RETURNED message may be there
  std::uint8_t listed;  // actors asleep or about to sleep
  std::uint8_t rung;    // of these, who was rung
  std::uint8_t published;
  std::uint8_t settled;
  std::uint8_t kills;
  std::uint8_t nacks;
  std::array<Actor, kMaxActors> actor;
};

enum class Mutant : std::uint8_t {
  kNone,
  kSealWithoutRoom,
  kSealOnlyByEnd,
  kNoMarker,
  kHeldNotAsked,
  kLedgerFirst,
  kHintAsked,
  kSettleWakesNobody,
  kEndWakesNoPutter,
  kEndWakesNoGetter,
  kFlagPlain,
};

enum class Kind : std::uint8_t { kPutter, kEnder, kReceiver, kGetter };

struct Instance {
  int blocks = 1;
  std::vector<Kind> actors;
  int puts = 1;  // of each putter
  int kills = 0;
  int nacks = 0;
  bool tso = false;
  Mutant mutant = Mutant::kNone;
};

class EndModel {
 public:
  using State = model::State;

  explicit EndModel(Instance instance) : in_(std::move(instance)) {}

  std::size_t bytes() const { return offsetof(State, actor) + in_.actors.size() * sizeof(Actor); }

  State initial() const {
    State s{};
    for (int i = 0; i < actors(); ++i) {
      Actor& me = s.actor[index(i)];
      me.pc = kind(i) == Kind::kPutter ? kPutFlag : kind(i) == Kind::kEnder ? kRaise : kLook;
      me.left = kind(i) == Kind::kPutter ? byte(in_.puts) : 0;
    }
    return s;
  }

  void steps(const State& s, Steps<State>& out) const {
    for (int i = 0; i < actors(); ++i) {
      const Actor& me = s.actor[index(i)];
      if (me.has(Actor::kPending)) {
        State n = s;
        n.ended = 1;
        n.actor[index(i)].set(Actor::kPending, false);
        out.add(i, "(a pending store drains)", n);
      }
      if (me.pc == kDead || me.pc == kFinished) continue;
      if (kind(i) == Kind::kPutter) {
        put_step(s, i, out);
      } else if (kind(i) == Kind::kEnder) {
        end_step(s, i, out);
      } else {
        read_step(s, i, out);
      }
      if (s.kills < in_.kills && !me.has(Actor::kPending)) {
        State n = s;
        n.actor[index(i)] = {};
        n.listed &= byte(~(1 << i));
        n.rung &= byte(~(1 << i));
        ++n.kills;
        out.add_fate(i, "SIGKILL", n);
      }
    }
  }

  const char* broken(const State& s) const {
    int live = 0;
    for (int r = 0; r < s.tail; ++r) {
      const RecordState state = record(s, r);
      if (state == kReady || state == kReading || state == kReturned) live |= 1 << r;
    }
    for (int e = 0; e < actors(); ++e) {
      if (entry(s, e) != kFree) live |= 1 << (s.message[index(e)] - 1);
    }
    if (live != (s.published & ~s.settled))
      return "an accepted message is lost, or a settled one can be had again";
    return nullptr;
  }

  bool settled(const State& s) const {
    bool readers = false;
    for (int i = 0; i < actors(); ++i)
      readers = readers || (reads(i) && s.actor[index(i)].pc != kDead);
    for (int i = 0; i < actors(); ++i) {
      const Actor& me = s.actor[index(i)];
      if (me.pc == kDead || me.pc == kFinished) continue;
      // Without the flag (its raiser was killed) there is no end to wait for: sleepers without
      // anything to do are fine.
      if (s.ended != 0 || (s.rung >> i & 1) != 0) return false;
      if (reads(i) && (me.pc != kSleep || s.published != s.settled)) return false;
      if (!reads(i) && (me.pc != kPutSleep || readers)) return false;
    }
    return true;
  }

  std::string describe(const State& s) const {
    static constexpr const char* kRecords[] = {"-",        "WRITING", "READY", "READING",
                                               "RETURNED", "DONE",    "END"};
    static constexpr const char* kEntries[] = {"FREE", "HELD", "RETURNED"};
    std::string text = s.ended != 0 ? "ended [" : "[";
    for (int r = 0; r < s.tail; ++r)
      text += (r > 0 ? ", " : "") + std::string(kRecords[record(s, r)]);
    text += "] ledgers [";
    for (int e = 0; e < actors(); ++e) {
      if (kind(e) == Kind::kReceiver) text += std::string(" ") + kEntries[entry(s, e)];
    }
    text += " ] asleep";
    for (int i = 0; i < actors(); ++i) {
      if (s.actor[index(i)].pc == kSleep || s.actor[index(i)].pc == kPutSleep)
        text += " " + std::to_string(i);
    }
    return text;
  }

 private:
  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  static std::uint8_t byte(int value) { return static_cast<std::uint8_t>(value); }
  int actors() const { return static_cast<int>(in_.actors.size()); }
  Kind kind(int i) const { return in_.actors[index(i)]; }
  bool reads(int i) const { return kind(i) == Kind::kReceiver || kind(i) == Kind::kGetter; }
  bool is(Mutant mutant) const { return in_.mutant == mutant; }

  static RecordState record(const State& s, int r) {
    return static_cast<RecordState>(s.record[index(r)] & 7);
  }
  static int who(const State& s, int r) { return s.record[index(r)] >> 3; }
  static EntryState entry(const State& s, int e) {
    return static_cast<EntryState>(s.entry[index(e)] & 3);
  }
  static int holder(const State& s, int e) { return s.entry[index(e)] >> 2; }
  void set_record(State& n, int r, RecordState state, int by = 0) const {
    n.record[index(r)] = byte(state | by << 3);
  }
  void set_entry(State& n, int e, EntryState state, int by = 0) const {
    n.entry[index(e)] = byte(state | by << 2);
    if (state == kFree) n.message[index(e)] = 0;
  }

  bool room(const State& s) const {
    int reclaim = 0;
    while (reclaim < s.tail && record(s, reclaim) == kDone) ++reclaim;
    return s.tail < reclaim + in_.blocks;
  }
  bool sealed(const State& s) const { return s.tail > 0 && record(s, s.tail - 1) == kEnd; }
  // Where the next record will be taken.
  int head(const State& s) const {
    int r = 0;
    while (r < s.tail &&
           (record(s, r) == kReading || record(s, r) == kReturned || record(s, r) == kDone))
      ++r;
    return r;
  }

  void wake_all(State& n, bool readers) const {
    for (int i = 0; i < actors(); ++i) {
      if ((n.listed >> i & 1) != 0 && reads(i) == readers) n.rung |= byte(1 << i);
    }
  }
  // One wake, to any sleeper of the side: all choices are explored.
  void wake_one(const State& n, int i, bool readers, const char* name, Steps<State>& out) const {
    bool somebody = false;
    for (int w = 0; w < actors(); ++w) {
      if ((n.listed >> w & 1) == 0 || (n.rung >> w & 1) != 0 || reads(w) != readers) continue;
      State next = n;
      next.rung |= byte(1 << w);
      somebody = true;
      out.add(i, name, next);
    }
    if (!somebody) out.add(i, name, n);
  }
  // Gets up: whether a wake had been put into its hands.
  bool unlist(State& n, int i) const {
    const bool rung = (n.rung >> i & 1) != 0;
    n.listed &= byte(~(1 << i));
    n.rung &= byte(~(1 << i));
    return rung;
  }
  // Returns the name of what keeps the marker away, or nullptr if it stands now.
  const char* seal(State& n) const {
    if (sealed(n)) return nullptr;
    if (!room(n) && !is(Mutant::kSealWithoutRoom)) return "seal: no room";
    set_record(n, n.tail++, kEnd);
    return nullptr;
  }

  void put_step(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[index(i)];
    switch (me.pc) {
      case kPutFlag:
        me.pc = s.ended != 0 ? kFinished : kPutClaim;
        if (me.pc == kFinished) unlist(n, i);
        return out.add(i, s.ended != 0 ? "put: the flag is up, refused" : "put: load the flag", n);
      case kPutClaim:
        if (sealed(s)) {
          unlist(n, i);
          me.pc = kFinished;
          return out.add(i, "put: END, refused", n);
        }
        if (!room(s)) {
          me.pc = (s.listed >> i & 1) != 0 ? kPutSleep : kPutFull;
          return out.add(i, "put: FULL", n);
        }
        unlist(n, i);
        me.record = byte(s.tail + 1);
        set_record(n, n.tail++, kWriting, i);
        me.pc = kPublish;
        return out.add(i, "put: claim", n);
      case kPutFull:
        if (s.kills > 0) sweep(n);
        n.listed |= byte(1 << i);
        me.pc = kPutFlag;
        return out.add(i, "put: list", n);
      case kPutSleep:
        if ((s.rung >> i & 1) == 0 && s.kills == 0) return;
        unlist(n, i);
        me.pc = kPutFlag;
        return out.add(i, (s.rung >> i & 1) != 0 ? "put: rung" : "put: slow re-check", n);
      case kPublish:
        set_record(n, me.record - 1, kReady);
        n.published |= byte(1 << (me.record - 1));
        me.record = 0;
        me.pc = kWakeGetter;
        return out.add(i, "put: publish", n);
      case kWakeGetter:
        me.pc = --me.left > 0 ? kPutFlag : kFinished;
        return wake_one(n, i, true, "put: wake a getter", out);
      default:
        return;
    }
  }

  void end_step(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[index(i)];
    switch (me.pc) {
      case kRaise:
        if (is(Mutant::kFlagPlain) && in_.tso) {
          me.set(Actor::kPending);
        } else {
          n.ended = 1;
        }
        me.pc = kSeal;
        return out.add(i, "end: raise the flag", n);
      case kSeal: {
        const bool places = !sealed(s) && room(s) && !is(Mutant::kNoMarker);
        if (places && me.has(Actor::kPending)) return;  // an RMW drains first
        const char* wrong = nullptr;
        if (!is(Mutant::kNoMarker)) {
          if (!sealed(s) && !room(s) && is(Mutant::kSealWithoutRoom))
            wrong = "END was placed over a record in use";
          seal(n);
        }
        me.pc = kWakeGetters;
        return out.add(i, "end: seal", n, wrong);
      }
      case kWakeGetters:
        if (!is(Mutant::kEndWakesNoGetter)) wake_all(n, true);
        me.pc = kWakePutters;
        return out.add(i, "end: wake the getters", n);
      case kWakePutters:
        if (!is(Mutant::kEndWakesNoPutter)) wake_all(n, false);
        me.pc = kFinished;
        return out.add(i, "end: wake the putters", n);
      default:
        return;
    }
  }

  // What the dead left. Whoever brings something back wakes as a publisher does.
  void sweep(State& n) const {
    bool changed = false;
    const auto dead = [&](int a) { return n.actor[index(a)].pc == kDead; };
    for (int r = 0; r < n.tail; ++r) {
      if (record(n, r) == kWriting && dead(who(n, r))) {
        set_record(n, r, kDone);
        changed = true;
      } else if (record(n, r) == kReading && dead(who(n, r))) {
        const int owner = who(n, r);
        const bool kept = entry(n, owner) == kHeld && holder(n, owner) == owner &&
                          n.message[index(owner)] == r + 1;
        set_record(n, r, kept ? kDone : kReturned);
        changed = true;
      }
    }
    for (int e = 0; e < actors(); ++e) {
      if (entry(n, e) != kHeld || !dead(holder(n, e))) continue;
      set_entry(n, e, kEntryReturned);
      changed = true;
    }
    for (int e = 0; e < actors(); ++e) {
      if (entry(n, e) == kEntryReturned) n.hint = 1;
    }
    for (int r = 0; r < n.tail; ++r) {
      if (record(n, r) == kReturned) n.hint = 1;
    }
    if (!changed && n.hint == 0) return;
    wake_all(n, true);
    wake_all(n, false);
  }

  void nothing(State& n, int i, const char* name, Steps<State>& out) const {
    Actor& me = n.actor[index(i)];
    me.at = 0;
    me.pc = (n.listed >> i & 1) != 0 ? kSleep : kEmpty;
    out.add(i, name, n);
  }
  void eof(State& n, int i, const char* name, Steps<State>& out) const {
    unlist(n, i);
    n.actor[index(i)] = {};
    n.actor[index(i)].pc = kFinished;
    out.add(i, name, n,
            n.published == n.settled ? nullptr : "end of file while a message is not settled");
  }

  void read_step(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[index(i)];
    switch (me.pc) {
      case kLook:
        return look(s, i, out);
      case kScan:
        return scan(s, i, out);
      case kLookFlag:
        if (s.ended == 0) return nothing(n, i, "receive: EMPTY, the flag is down", out);
        if (is(Mutant::kNoMarker)) {
          me.pc = kEofRing;
          return out.add(i, "receive: EMPTY, the flag is up", n);
        }
        if (is(Mutant::kSealOnlyByEnd)) return nothing(n, i, "receive: EMPTY", out);
        me.pc = kReaderSeal;
        return out.add(i, "receive: EMPTY, the flag is up", n);
      case kReaderSeal: {
        if (head(s) != s.tail) {
          me.pc = kLook;
          return out.add(i, "seal: somebody was faster", n);
        }
        const bool full = !room(s);
        if (const char* why = seal(n)) return nothing(n, i, why, out);
        me.pc = kLook;
        return out.add(i, "seal: END", n, full ? "END was placed over a record in use" : nullptr);
      }
      case kEofRing:
      case kEofLedger:
        return look_for_eof(s, i, out);
      case kEmpty:
        if (s.kills > 0) sweep(n);
        me.pc = kList;
        return out.add(i, s.kills > 0 ? "receive: sweep" : "receive: about to sleep", n);
      case kList:
        n.listed |= byte(1 << i);
        me.pc = kLook;
        return out.add(i, "receive: list", n);
      case kSleep:
        if ((s.rung >> i & 1) == 0 && s.kills == 0) return;
        me.set(Actor::kToken, unlist(n, i));
        me.pc = kLook;
        return out.add(i, (s.rung >> i & 1) != 0 ? "receive: rung" : "receive: slow re-check", n);
      case kHold:
        set_entry(n, i, kHeld, i);
        n.message[index(i)] = me.record;
        me.entry = byte(i + 1);
        me.pc = kFinish;
        return out.add(i, "receive: HELD", n);
      case kFinish:
        set_record(n, me.record - 1, kDone);
        if (kind(i) == Kind::kGetter) n.settled |= byte(1 << (me.record - 1));
        me.record = 0;
        me.pc = kWakePutter;
        return out.add(i, "finish: DONE", n);
      case kWakePutter:
        me.pc = kFinishedFlag;
        return wake_one(n, i, false, "finish: wake a putter", out);
      case kFinishedFlag:
        if (kind(i) == Kind::kGetter && s.ended != 0 && !is(Mutant::kSettleWakesNobody))
          wake_all(n, true);
        me.pc = me.entry != 0 ? kHolding : kLook;
        return passed_on(n, i, "finish: the flag? wake the getters (E2)", out);
      case kHolding: {
        State acked = n;
        acked.settled |= byte(1 << (s.message[index(me.entry - 1)] - 1));
        set_entry(acked, me.entry - 1, kFree);
        acked.actor[index(i)].entry = 0;
        acked.actor[index(i)].pc = kind(i) == Kind::kGetter ? kWakePutter : kSettledFlag;
        out.add(i, kind(i) == Kind::kGetter ? "get: HELD -> FREE" : "ack", acked);
        if (s.nacks == in_.nacks || kind(i) == Kind::kGetter) return;
        ++n.nacks;
        set_entry(n, me.entry - 1, kEntryReturned);
        me.entry = 0;
        me.pc = kNackHint;
        return out.add(i, "nack", n);
      }
      case kSettledFlag:
        if (s.ended != 0 && !is(Mutant::kSettleWakesNobody)) wake_all(n, true);
        me.pc = kLook;
        return out.add(i, "ack: the flag? wake the getters (E2)", n);
      case kNackHint:
        n.hint = 1;
        me.pc = kNackWake;
        return out.add(i, "nack: set the hint", n);
      case kNackWake:
        me.pc = kLook;
        return wake_one(n, i, true, "nack: wake a getter", out);
      default:
        return;
    }
  }

  // Who was rung and took passes a wake on if there is more.
  void passed_on(State& n, int i, const char* name, Steps<State>& out) const {
    Actor& me = n.actor[index(i)];
    const bool token = me.has(Actor::kToken);
    me.set(Actor::kToken, false);
    if (token) return wake_one(n, i, true, name, out);
    out.add(i, name, n);
  }

  // Takes the message of record `r` or entry `e`.
  void take_record(State& n, int i, int r) const {
    Actor& me = n.actor[index(i)];
    set_record(n, r, kReading, i);
    me.record = byte(r + 1);
    me.pc = kind(i) == Kind::kGetter ? kFinish : kHold;
    if (unlist(n, i)) me.set(Actor::kToken);
  }
  void take_entry(State& n, int i, int e) const {
    Actor& me = n.actor[index(i)];
    set_entry(n, e, kHeld, i);
    me.entry = byte(e + 1);
    me.pc = kHolding;
    if (unlist(n, i)) me.set(Actor::kToken);
  }
  bool can_take(const State& s, int i) const {
    return kind(i) == Kind::kGetter || entry(s, i) == kFree;
  }

  void look(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[index(i)];
    if (s.hint != 0) {
      n.hint = 0;
      me.pc = kScan;
      return out.add(i, "receive: clear the hint", n);
    }
    const int next = head(s);
    if (next == s.tail) {
      me.pc = kLookFlag;
      return out.add(i, "receive: nothing at head", n);
    }
    if (record(s, next) == kEnd) {
      me.pc = is(Mutant::kLedgerFirst) ? kEofLedger : kEofRing;
      return out.add(i, "receive: END at head", n);
    }
    if (record(s, next) != kReady) return nothing(n, i, "receive: WRITING at head", out);
    if (!can_take(s, i)) return nothing(n, i, "receive: no entry is free", out);
    take_record(n, i, next);
    out.add(i, "receive: take", n);
  }

  void scan(const State& s, int i, Steps<State>& out) const {
    State n = s;
    int returned = 0;
    bool taken = false;
    for (int e = 0; e < actors(); ++e) {
      if (entry(s, e) != kEntryReturned) continue;
      if (returned++ == 0) take_entry(n, i, e);
      taken = true;
    }
    for (int r = 0; r < s.tail; ++r) {
      if (record(s, r) != kReturned) continue;
      ++returned;
      if (!taken && can_take(s, i)) take_record(n, i, r);
      taken = taken || can_take(s, i);
    }
    if (returned > (taken ? 1 : 0)) {
      n.hint = 1;
      if (!taken) return nothing(n, i, "scan: no entry is free", out);
      return wake_one(n, i, true, "scan: take, set the hint again, wake a getter", out);
    }
    if (!taken) {
      const int next = head(s);
      Actor& me = n.actor[index(i)];
      if (next < s.tail && record(s, next) == kReady && can_take(s, i)) {
        take_record(n, i, next);
      } else {
        me.pc = kLook;
      }
    }
    out.add(i, taken ? "scan: take" : "scan: nothing", n);
  }

  void look_for_eof(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[index(i)];
    const bool ring = me.pc == kEofRing;
    const int last = ring ? s.tail : actors();
    if (me.at < last) {
      bool waits = false;
      if (ring) {
        const RecordState state = record(s, me.at);
        waits = state == kReturned || (state == kReading && who(s, me.at) != i);
      } else {
        const EntryState state = entry(s, me.at);
        waits = (state == kEntryReturned && !is(Mutant::kHintAsked)) ||
                (state == kHeld && holder(s, me.at) != i);
      }
      if (waits && !is(Mutant::kHeldNotAsked))
        return nothing(n, i, "end of file? somebody has a message", out);
      ++me.at;
    }
    if (me.at >= last) {
      me.at = 0;
      if (is(Mutant::kHintAsked) && !ring && s.hint != 0)
        return nothing(n, i, "end of file? the hint is set", out);
      if (ring == is(Mutant::kLedgerFirst)) return eof(n, i, "end of file", out);
      me.pc = ring ? kEofLedger : kEofRing;
    }
    out.add(i, ring ? "end of file? look at a record" : "end of file? look at an entry", n);
  }

  Instance in_;
};

std::string name_of(const Instance& in) {
  std::string name = "end M=" + std::to_string(in.blocks);
  for (Kind kind : in.actors) {
    name += kind == Kind::kPutter     ? " putter"
            : kind == Kind::kEnder    ? " end()"
            : kind == Kind::kReceiver ? " receiver"
                                      : " getter";
  }
  name += " puts=" + std::to_string(in.puts) + " kills=" + std::to_string(in.kills);
  if (in.nacks > 0) name += " nacks=" + std::to_string(in.nacks);
  return name + (in.tso ? " tso" : " sc");
}

constexpr Kind kP = Kind::kPutter;
constexpr Kind kE = Kind::kEnder;
constexpr Kind kR = Kind::kReceiver;
constexpr Kind kG = Kind::kGetter;

void hold(Suite& suite) {
  const auto holds = [&](const Instance& in) { suite.holds(name_of(in), EndModel(in)); };
  holds({.blocks = 1, .actors = {kP, kE, kR, kR}, .puts = 2, .nacks = 1, .tso = true});
  holds({.blocks = 2, .actors = {kP, kE, kR, kR}, .puts = 2, .nacks = 2, .tso = true});
  holds({.blocks = 2, .actors = {kP, kE, kR, kR}, .puts = 2, .kills = 1});
  holds({.blocks = 1, .actors = {kP, kE, kR, kR}, .puts = 2, .kills = 2, .nacks = 1});
  holds({.blocks = 1, .actors = {kP, kP, kE, kR}, .puts = 1, .kills = 1});
  holds({.blocks = 2, .actors = {kP, kP, kE, kG}, .puts = 1, .kills = 1});
  holds({.blocks = 1, .actors = {kP, kE, kR, kG}, .puts = 3, .kills = 1, .nacks = 1});
  holds({.blocks = 2, .actors = {kP, kE, kG, kG}, .puts = 3, .kills = 2});
  if (!suite.long_run()) return;
  holds({.blocks = 2, .actors = {kP, kP, kE, kR, kR}, .puts = 1, .kills = 1, .nacks = 1});
  holds({.blocks = 2, .actors = {kP, kE, kR, kR, kG}, .puts = 2, .kills = 1, .nacks = 1});
}

void catch_mutants(Suite& suite) {
  const auto caught = [&](const char* rule, Mutant mutant, Instance in) {
    in.mutant = mutant;
    suite.caught(rule, EndModel(in));
  };
  const Instance narrow{.blocks = 1, .actors = {kP, kE, kR, kR}, .puts = 2, .nacks = 1};
  const Instance wide{.blocks = 2, .actors = {kP, kE, kR, kR}, .puts = 1, .nacks = 1};
  caught("no END: the flag and an empty ring are the end", Mutant::kNoMarker, narrow);
  caught("END is placed without room", Mutant::kSealWithoutRoom, narrow);
  caught("END is placed by end() alone", Mutant::kSealOnlyByEnd, narrow);
  caught("end of file though others hold a message", Mutant::kHeldNotAsked, narrow);
  caught("E1 dropped: the ledgers are looked at first", Mutant::kLedgerFirst, wide);
  caught("E1 dropped: the hint is asked instead of the entries", Mutant::kHintAsked, wide);
  caught("E2 dropped: who settles wakes nobody", Mutant::kSettleWakesNobody, narrow);
  caught("end() wakes no putter", Mutant::kEndWakesNoPutter, {.blocks = 1, .actors = {kP, kP, kE}});
  caught("end() wakes no getter", Mutant::kEndWakesNoGetter, narrow);
  caught("flag -> look: the flag is a plain store", Mutant::kFlagPlain,
         {.blocks = 1, .actors = {kP, kP, kE}, .tso = true});
}

}  // namespace
}  // namespace interproc::model

int main(int argc, char** argv) {
  interproc::model::Suite suite(argc, argv);
  interproc::model::hold(suite);
  interproc::model::catch_mutants(suite);
  return suite.close();
}
