// Places beside the ring, ARCHITECTURE.md section 5: slots that are claimed, filled, named by a record, owned again by who has that
// record in hand, and freed; and the sweep that finds out whether a dead one's slot is named.
//
//   put       FREE -> OWNED, serial + 1; length; ASKING; look at the others; FILLING; write; publish the record; CAS -> STANDING
//   get       record READY or RETURNED -> READING, or entry RETURNED -> HELD; read; load slot; CAS -> OWNED; record -> DONE, or
//             entry -> FREE; length = 0; CAS -> FREE
//   receive   the same, but the reference goes into the ledger first: entry HELD; record -> DONE; read      ack as get
//   look      of each other slot its state, then its length; admitted? If one behind has not decided: all again
//   sweep     records of the dead; entries of the dead; of each slot: load; is its owner dead? walk the records, then the entries;
//             CAS -> STANDING if it is named, else -> OWNED, length = 0, CAS -> FREE
//
// Rules S1, S2 and S4 are in ARCHITECTURE.md; each has its mutants below. How records and entries are claimed and recovered is
// ring_model.cc and ledger_model.cc: here each of those is one step, and a message is one record. All accesses to the slots are
// sequentially consistent; a mutant stores ASKING plainly, so that it may stay in a store buffer. "Alive" may be out of date: a
// newcomer may have taken the name between the two looks of which a verdict consists. Memory that is kept (S5) is left out.
//
// Wrong would be: a record or an entry whose bytes are not there; more admitted than the quota, but for one alone; a state from
// which the living cannot bring it about that all is consumed and every slot is free.

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

constexpr std::size_t kMaxMessages = 3;
constexpr std::size_t kMaxSlots = 3;
constexpr std::size_t kMaxActors = 4;

enum SlotState : std::uint8_t { kFree, kOwned, kAsking, kFilling, kStanding };
enum RecordState : std::uint8_t { kNone, kReady, kReading, kReturned, kDone };
enum EntryState : std::uint8_t { kEmpty, kHeld, kBack };

enum Pc : std::uint8_t {
  kDead,
  kIdle,
  // put
  kLength,
  kAsk,
  kLookState,
  kLookLength,
  kDecide,
  kFill,
  kPublish,
  kPublished,
  // take
  kKeep,
  kKeepFinish,
  kRead,
  kHolding,
  kOwnLoad,
  kOwn,
  kLetGo,
  // both, and a sweep
  kClear,
  kLeave,
  // sweep
  kSweepRecord,
  kSweepEntry,
  kSweepLoad,
  kWalkRecord,
  kWalkEntry,
  kSweepCas,
};

enum class Role : std::uint8_t { kPut, kGet, kReceive };

// A slot's word; the owner is an actor and its generation.
struct Word {
  std::uint8_t state;
  std::uint8_t serial;
  std::uint8_t by;
  std::uint8_t generation;
  bool operator==(const Word&) const = default;
};

struct Slot {
  Word word;
  std::uint8_t length;
  std::uint8_t bytes;     // number + 1 of the message in the region
  std::uint8_t admitted;  // by the quota: what an observer has seen
};

// A record or an entry: whose it is, and what it names.
struct Place {
  std::uint8_t state;
  std::uint8_t by;
  std::uint8_t generation;
  std::uint8_t slot;
  std::uint8_t serial;
};

struct Actor {
  Pc pc;
  std::uint8_t generation;
  std::uint8_t left;       // puts to come
  std::uint8_t message;    // number + 1 of the message in hand
  std::uint8_t in_ledger;  // it is an entry's
  std::uint8_t released;   // and gone (a mutant only)
  std::uint8_t slot;
  std::uint8_t serial;
  std::uint8_t sweeping;
  std::uint8_t at;     // of a look or a walk
  std::uint8_t named;  // the walk has found a record
  std::uint8_t certain;
  std::uint8_t undecided;
  std::uint8_t pending;  // ASKING and the length have not drained
  Word seen;
};

struct State {
  std::array<Slot, kMaxSlots> slot;
  std::array<Place, kMaxMessages> record;
  std::array<Place, kMaxMessages> entry;
  std::uint8_t kills;
  std::uint8_t joins;
  std::uint8_t nacks;
  std::array<Actor, kMaxActors> actor;
};

enum class Mutant : std::uint8_t {
  kNone,
  kLoadedLate,
  kLedgersFirst,
  kLedgersForgotten,
  kDeathGuessed,
  kOwnedLate,
  kFreedFirst,
  kOwnedAsksKernel,
  kStandsPlain,
  kQuotaNotAnnounced,
  kAskedPlain,
  kFrontDoesNotWait,
  kBehindIgnoresFront,
};

struct Instance {
  std::size_t slots = 2;
  std::vector<std::uint8_t> lengths{1};  // of the messages
  std::uint8_t quota = 9;
  std::vector<Role> roles;
  std::vector<std::uint8_t> puts;  // per actor
  int kills = 0;
  int joins = 0;
  int nacks = 0;
  unsigned mortal = 0;  // a set of actors
  // Then they come again: a put that is refused takes one too, and makes another state.
  std::uint8_t serials = 4;
  Mutant mutant = Mutant::kNone;
};

class SideModel {
 public:
  using State = model::State;

  explicit SideModel(Instance instance) : in_(std::move(instance)) {}

  std::size_t bytes() const { return offsetof(State, actor) + in_.roles.size() * sizeof(Actor); }

  State initial() const {
    State s{};
    for (std::size_t i = 0; i < in_.roles.size(); ++i) {
      s.actor[i].pc = kIdle;
      s.actor[i].left = i < in_.puts.size() ? in_.puts[i] : 0;
    }
    return s;
  }

  void steps(const State& s, Steps<State>& out) const {
    for (std::size_t i = 0; i < in_.roles.size(); ++i) {
      const Actor& me = s.actor[i];
      if (me.pc == kDead) {
        if (s.joins < in_.joins) join(s, i, out);
        continue;
      }
      if (me.pending != 0) {
        State n = s;
        drain(n, i);
        out.add(number(i), "(the pending stores drain)", n);
      }
      step(s, i, out);
      if (s.kills < in_.kills && (in_.mortal >> i & 1) != 0 && me.pending == 0) {
        State n = s;
        n.actor[i] = {};
        n.actor[i].generation = me.generation;
        ++n.kills;
        out.add_fate(number(i), "SIGKILL", n);
      }
    }
  }

  const char* broken(const State& s) const {
    for (std::size_t m = 0; m < in_.lengths.size(); ++m) {
      const bool in_ring = s.record[m].state != kNone && s.record[m].state != kDone;
      const bool in_ledger = s.entry[m].state != kEmpty;
      if (in_ring && !stands(s, s.record[m], m)) return "a record names what is not there";
      if (in_ledger && !stands(s, s.entry[m], m)) return "an entry names what is not there";
    }
    unsigned sum = 0;
    unsigned count = 0;
    for (const Slot& slot : s.slot) {
      if (slot.admitted == 0) continue;
      sum += slot.admitted;
      ++count;
    }
    if (count > 1 && sum > in_.quota) return "more than the quota was admitted";
    return nullptr;
  }

  bool settled(const State& s) const {
    for (std::size_t i = 0; i < in_.roles.size(); ++i) {
      const Actor& me = s.actor[i];
      if (me.pc == kDead) continue;
      if (me.pc != kIdle || me.left != 0 || me.pending != 0) return false;
    }
    for (std::size_t m = 0; m < in_.lengths.size(); ++m) {
      if (s.entry[m].state != kEmpty || (s.record[m].state != kNone && s.record[m].state != kDone))
        return false;
    }
    for (const Slot& slot : s.slot) {
      if (slot.word.state != kFree || slot.length != 0) return false;
    }
    return true;
  }

  std::string describe(const State& s) const {
    static constexpr const char* kSlots[] = {"FREE", "OWNED", "ASKING", "FILLING", "STANDING"};
    static constexpr const char* kRecords[] = {"-", "READY", "READING", "RETURNED", "DONE"};
    static constexpr const char* kEntries[] = {"-", "HELD", "RETURNED"};
    std::string text;
    for (std::size_t i = 0; i < in_.slots; ++i) {
      const Slot& slot = s.slot[i];
      text += std::string("[") + kSlots[slot.word.state] + " #" + std::to_string(slot.word.serial);
      if (slot.word.state != kFree && slot.word.state != kStanding)
        text += " of " + std::to_string(slot.word.by) + "." + std::to_string(slot.word.generation);
      text += ", " + std::to_string(slot.length) + "] ";
    }
    for (std::size_t m = 0; m < in_.lengths.size(); ++m) {
      text += " " + std::string(kRecords[s.record[m].state]) + "/" + kEntries[s.entry[m].state];
      if (s.record[m].state != kNone)
        text += "->" + std::to_string(s.record[m].slot) + "#" + std::to_string(s.record[m].serial);
    }
    return text;
  }

 private:
  static int number(std::size_t i) { return static_cast<int>(i); }
  static std::uint8_t byte(std::size_t value) { return static_cast<std::uint8_t>(value); }
  bool is(Mutant mutant) const { return in_.mutant == mutant; }

  bool stands(const State& s, const Place& place, std::size_t m) const {
    const Slot& slot = s.slot[place.slot];
    return slot.word.serial == place.serial && slot.word.state >= kOwned &&
           slot.word.state != kAsking && slot.bytes == m + 1;
  }
  // The kernel's verdict and the generation.
  bool dead(const State& s, std::uint8_t by, std::uint8_t generation) const {
    if (is(Mutant::kDeathGuessed)) return true;
    return s.actor[by].pc == kDead || s.actor[by].generation != generation;
  }
  // Whether the dead may seem to live to who asks now: it has read the generation before the newcomer's stood, and asks the kernel
  // after that.
  bool may_seem_alive(const State& s, std::uint8_t by) const { return s.actor[by].pc != kDead; }

  static Word word_of(const Actor& me, std::size_t i, std::uint8_t serial, SlotState state) {
    return {state, serial, byte(i), me.generation};
  }
  bool cas(State& n, std::size_t slot, const Word& expected, const Word& next) const {
    if (!(n.slot[slot].word == expected)) return false;
    n.slot[slot].word = next;
    return true;
  }
  static void rest(Actor& me) {
    const std::uint8_t generation = me.generation;
    const std::uint8_t left = me.left;
    me = {};
    me.generation = generation;
    me.left = left;
    me.pc = kIdle;
  }
  static void drain(State& n, std::size_t i) {
    Actor& me = n.actor[i];
    n.slot[me.slot].length = me.pending;
    n.slot[me.slot].word = word_of(me, i, me.serial, kAsking);
    me.pending = 0;
  }

  void join(const State& s, std::size_t i, Steps<State>& out) const {
    State n = s;
    ++n.joins;
    rest(n.actor[i]);
    ++n.actor[i].generation;
    n.actor[i].sweeping = 1;
    n.actor[i].pc = kSweepRecord;
    out.add_fate(number(i), "a newcomer's generation stands", n);
  }

  void step(const State& s, std::size_t i, Steps<State>& out) const {
    const Pc pc = s.actor[i].pc;
    if (pc == kIdle) return idle(s, i, out);
    if (pc < kKeep) return put_step(s, i, out);
    if (pc < kClear) return take_step(s, i, out);
    if (pc < kSweepRecord) return leave_step(s, i, out);
    sweep_step(s, i, out);
  }

  void idle(const State& s, std::size_t i, Steps<State>& out) const {
    if (s.kills > 0) {
      State n = s;
      n.actor[i].sweeping = 1;
      n.actor[i].pc = kSweepRecord;
      out.add(number(i), "begins to sweep", n);
    }
    if (in_.roles[i] == Role::kPut) return claim(s, i, out);
    for (std::size_t m = 0; m < in_.lengths.size(); ++m) {
      State n = s;
      Actor& me = n.actor[i];
      const bool returned = s.record[m].state == kReturned;
      if (s.entry[m].state == kBack) {
        n.entry[m].state = kHeld;
        n.entry[m].by = byte(i);
        n.entry[m].generation = me.generation;
        me.in_ledger = 1;
      } else if (returned || s.record[m].state == kReady) {
        n.record[m].state = kReading;
        n.record[m].by = byte(i);
        n.record[m].generation = me.generation;
      } else {
        continue;
      }
      me.message = byte(m + 1);
      const Place& place = me.in_ledger != 0 ? n.entry[m] : n.record[m];
      me.slot = place.slot;
      me.serial = place.serial;
      me.pc = in_.roles[i] == Role::kReceive && me.in_ledger == 0 ? kKeep : kRead;
      return out.add(number(i), "take", n);
    }
  }

  void claim(const State& s, std::size_t i, Steps<State>& out) const {
    if (s.actor[i].left == 0) return;
    for (std::size_t at = 0; at < in_.slots; ++at) {
      const Word word = s.slot[at].word;
      if (word.state != kFree) continue;
      State n = s;
      Actor& me = n.actor[i];
      me.slot = byte(at);
      me.serial = byte((word.serial + 1u) % in_.serials);
      n.slot[at].word = word_of(me, i, me.serial, kOwned);
      me.message = byte(next_of(s, i) + 1);
      me.pc = kLength;
      return out.add(number(i), "put: claim a slot", n);
    }
  }

  void put_step(const State& s, std::size_t i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[i];
    Slot& mine = n.slot[me.slot];
    switch (me.pc) {
      case kLength:
        if (is(Mutant::kAskedPlain)) {
          me.pending = length_of(me);
          me.pc = kLookState;
          return out.add(number(i), "put: length and ASKING into the store buffer", n);
        }
        if (!is(Mutant::kQuotaNotAnnounced)) mine.length = length_of(me);
        me.pc = kAsk;
        return out.add(number(i), "put: length", n);
      case kAsk:
        if (!is(Mutant::kQuotaNotAnnounced)) mine.word = word_of(me, i, me.serial, kAsking);
        me.pc = kLookState;
        return out.add(number(i), "put: ASKING", n);
      case kLookState: {
        if (me.at == me.slot) ++me.at;
        if (me.at >= in_.slots) {
          me.pc = kDecide;
          me.at = 0;
          return out.add(number(i), "put: has looked at all", n);
        }
        me.seen = s.slot[me.at].word;
        me.pc = kLookLength;
        if (me.seen.state == kFree) {
          me.seen = {};
          me.pc = kLookState;
          ++me.at;
        }
        return out.add(number(i), "put: look at a slot", n);
      }
      case kLookLength: {
        const bool asking = me.seen.state == kAsking;
        const bool behind = me.at > me.slot;
        const std::uint8_t bytes = s.slot[me.at].length;
        if (asking && behind && !is(Mutant::kFrontDoesNotWait)) {
          me.undecided = byte(me.undecided + bytes);
        } else if (!(asking && behind) && !(asking && is(Mutant::kBehindIgnoresFront))) {
          me.certain = byte(me.certain + bytes);
        }
        me.seen = {};
        ++me.at;
        me.pc = kLookState;
        return out.add(number(i), "put: its length", n);
      }
      case kDecide: {
        const auto fits = [&](unsigned others) {
          return others == 0 || others + length_of(me) <= in_.quota;
        };
        const unsigned certain = me.certain;
        const unsigned all = certain + me.undecided;
        me.certain = me.undecided = 0;
        if (fits(all)) {
          if (me.pending != 0) return;  // the store that follows drains them first
          mine.length = length_of(me);
          mine.word = word_of(me, i, me.serial, kFilling);
          mine.admitted = length_of(me);
          me.pc = kFill;
          return out.add(number(i), "put: admitted", n);
        }
        if (fits(certain)) {
          State again = n;
          again.actor[i].pc = kLookState;
          out.add(number(i), "put: looks again", again);
        }
        if (me.pending != 0) return;
        me.seen = mine.word;
        me.message = 0;
        me.pc = kClear;
        return out.add(number(i), "put: refused", n);
      }
      case kFill:
        mine.bytes = me.message;
        me.pc = kPublish;
        return out.add(number(i), "put: write", n);
      case kPublish: {
        Place& record = n.record[me.message - 1u];
        record = {kReady, 0, 0, me.slot, me.serial};
        --me.left;
        me.pc = kPublished;
        return out.add(number(i), "put: publish", n);
      }
      case kPublished: {
        const Word filling = word_of(me, i, me.serial, kFilling);
        const Word standing{kStanding, me.serial, 0, 0};
        if (is(Mutant::kStandsPlain)) {
          mine.word = standing;
        } else {
          cas(n, me.slot, filling, standing);
        }
        rest(me);
        return out.add(number(i), "put: STANDING", n);
      }
      default:
        return;
    }
  }

  // The message that actor i puts next: each has its own.
  std::size_t next_of(const State& s, std::size_t i) const {
    std::size_t first = 0;
    for (std::size_t before = 0; before < i && before < in_.puts.size(); ++before)
      first += in_.puts[before];
    return first + in_.puts[i] - s.actor[i].left;
  }
  std::uint8_t length_of(const Actor& me) const { return in_.lengths[me.message - 1u]; }

  void take_step(const State& s, std::size_t i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[i];
    const std::size_t m = me.message - 1u;
    Place& record = n.record[m];
    Place& entry = n.entry[m];
    switch (me.pc) {
      case kKeep:
        entry = {kHeld, byte(i), me.generation, record.slot, record.serial};
        me.in_ledger = 1;
        me.pc = kKeepFinish;
        return out.add(number(i), "receive: entry HELD", n);
      case kKeepFinish:
        record.state = kDone;
        me.pc = kRead;
        return out.add(number(i), "receive: record DONE", n);
      case kRead: {
        const Slot& slot = s.slot[me.slot];
        const bool whole = slot.word.serial == me.serial && slot.word.state != kFree &&
                           slot.length == in_.lengths[m] && slot.bytes == m + 1;
        me.pc = in_.roles[i] == Role::kReceive ? kHolding : kOwnLoad;
        return out.add(number(i), "read", n, whole ? nullptr : "a message is lost");
      }
      case kHolding:
        if (s.nacks < in_.nacks) {
          State back = s;
          ++back.nacks;
          back.entry[m].state = kBack;
          back.entry[m].by = back.entry[m].generation = 0;
          rest(back.actor[i]);
          out.add_fate(number(i), "nack", back);
        }
        me.pc = kOwnLoad;
        return out.add(number(i), "ack", n);
      case kOwnLoad:
        if (is(Mutant::kOwnedLate) && me.released == 0) {
          me.released = 1;
          return let_go(n, i, kOwnLoad, out);
        }
        me.seen = s.slot[me.slot].word;
        me.pc = kOwn;
        return out.add(number(i), "own: load the slot", n);
      case kOwn: {
        const bool gone =
            me.seen.serial != me.serial || me.seen.state == kFree || me.seen.state == kAsking;
        if (is(Mutant::kOwnedAsksKernel) && me.seen.state == kOwned &&
            may_seem_alive(s, me.seen.by)) {
          State given_up = s;
          given_up.actor[i].seen = {};
          given_up.actor[i].pc = kLetGo;
          given_up.actor[i].slot = kNoSlot;
          out.add(number(i), "own: its owner seems to live", given_up);
        }
        if (gone) return out.add(number(i), "own: it is not there", n, "a place is lost");
        if (!cas(n, me.slot, me.seen, word_of(me, i, me.serial, kOwned))) {
          me.seen = {};
          me.pc = kOwnLoad;
          return out.add(number(i), "own: CAS fails", n);
        }
        me.seen = word_of(me, i, me.serial, kOwned);
        me.pc = is(Mutant::kOwnedLate) || is(Mutant::kFreedFirst) ? kClear : kLetGo;
        return out.add(number(i), "own: CAS -> OWNED", n);
      }
      case kLetGo:
        return let_go(n, i, me.slot == kNoSlot ? kIdle : kClear, out);
      default:
        return;
    }
  }

  void let_go(State& n, std::size_t i, Pc next, Steps<State>& out) const {
    Actor& me = n.actor[i];
    const std::size_t m = me.message - 1u;
    Place& place = me.in_ledger != 0 ? n.entry[m] : n.record[m];
    const bool ours = place.state == (me.in_ledger != 0 ? byte(kHeld) : byte(kReading)) &&
                      place.by == i && place.generation == me.generation;
    place.state = me.in_ledger != 0 ? byte(kEmpty) : byte(kDone);
    place.by = place.generation = 0;
    if (is(Mutant::kFreedFirst) || next == kIdle) {
      rest(me);
    } else {
      me.pc = next;
    }
    out.add(number(i), "the record is let go of", n, ours ? nullptr : "a holder was robbed");
  }

  void leave_step(const State& s, std::size_t i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[i];
    if (me.pc == kClear) {
      n.slot[me.slot].length = n.slot[me.slot].admitted = 0;  // what it counted for is gone
      me.pc = kLeave;
      return out.add(number(i), "leave: length = 0", n);
    }
    const bool left = cas(n, me.slot, me.seen, {kFree, me.seen.serial, 0, 0});
    if (left) n.slot[me.slot].bytes = 0;
    if (me.sweeping != 0) {
      next_slot(me);
    } else if (is(Mutant::kFreedFirst) && me.message != 0) {
      me.pc = kLetGo;
    } else {
      rest(me);
    }
    out.add(number(i), "leave: CAS -> FREE", n, left ? nullptr : "a place was stolen");
  }

  void next_slot(Actor& me) const {
    const std::uint8_t slot = byte(me.slot + 1u);
    rest(me);
    if (slot >= in_.slots) return;
    me.sweeping = 1;
    me.slot = slot;
    me.pc = kSweepLoad;
  }

  void sweep_step(const State& s, std::size_t i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[i];
    const std::size_t messages = in_.lengths.size();
    switch (me.pc) {
      case kSweepRecord: {
        Place& record = n.record[me.at];
        const Place& entry = s.entry[me.at];
        if (record.state == kReading && dead(s, record.by, record.generation)) {
          const bool kept = entry.state == kHeld && entry.by == record.by &&
                            entry.generation == record.generation;
          record.state = kept ? kDone : kReturned;
          record.by = record.generation = 0;
        }
        if (++me.at == messages) {
          me.at = 0;
          me.pc = kSweepEntry;
        }
        return out.add(number(i), "sweep: a record", n);
      }
      case kSweepEntry: {
        Place& entry = n.entry[me.at];
        Place& record = n.record[me.at];
        if (entry.state == kHeld && dead(s, entry.by, entry.generation)) {
          if (record.state == kReading && record.by == entry.by &&
              record.generation == entry.generation) {
            record.state = kDone;
            record.by = record.generation = 0;
          }
          entry.state = kBack;
          entry.by = entry.generation = 0;
        }
        if (++me.at == messages) {
          me.at = 0;
          me.pc = kSweepLoad;
        }
        return out.add(number(i), "sweep: an entry", n);
      }
      case kSweepLoad:
        me.seen = s.slot[me.slot].word;
        if (me.seen.state == kFree || me.seen.state == kStanding ||
            !dead(s, me.seen.by, me.seen.generation)) {
          next_slot(me);
          return out.add(number(i), "sweep: a slot that is not a dead one's", n);
        }
        me.pc = is(Mutant::kLedgersFirst) ? kWalkEntry : kWalkRecord;
        return out.add(number(i), "sweep: a dead one's slot", n);
      case kWalkRecord: {
        const Place& record = s.record[me.at];
        if (record.state != kNone && record.state != kDone && names(me, record)) me.named = 1;
        if (++me.at == messages) {
          me.at = 0;
          me.pc =
              is(Mutant::kLedgersFirst) || is(Mutant::kLedgersForgotten) ? kSweepCas : kWalkEntry;
        }
        return out.add(number(i), "sweep: is it named by a record?", n);
      }
      case kWalkEntry: {
        const Place& entry = s.entry[me.at];
        if (entry.state != kEmpty && names(me, entry)) me.named = 1;
        if (++me.at == messages) {
          me.at = 0;
          me.pc = is(Mutant::kLedgersFirst) ? kWalkRecord : kSweepCas;
        }
        return out.add(number(i), "sweep: is it named by an entry?", n);
      }
      case kSweepCas: {
        if (is(Mutant::kLoadedLate)) me.seen = s.slot[me.slot].word;
        const std::uint8_t serial = me.seen.serial;
        const bool named = me.named != 0;
        const Word next = named ? Word{kStanding, serial, 0, 0} : word_of(me, i, serial, kOwned);
        const bool changed = cas(n, me.slot, me.seen, next);
        if (changed && !named) {
          me.seen = next;
          me.pc = kClear;
          return out.add(number(i), "sweep: CAS -> OWNED", n);
        }
        next_slot(me);
        return out.add(number(i), named ? "sweep: CAS -> STANDING" : "sweep: CAS fails", n);
      }
      default:
        return;
    }
  }
  static bool names(const Actor& me, const Place& place) {
    return place.slot == me.slot && place.serial == me.seen.serial;
  }

  static constexpr std::uint8_t kNoSlot = 255;

  Instance in_;
};

std::string name_of(const Instance& in) {
  std::string name = "sides ";
  for (std::size_t i = 0; i < in.roles.size(); ++i) {
    static constexpr const char* kRoles[] = {"put", "get", "receive"};
    name += (i > 0 ? "," : "") + std::string(kRoles[static_cast<std::size_t>(in.roles[i])]);
    if (i < in.puts.size() && in.puts[i] > 0) name += "*" + std::to_string(in.puts[i]);
  }
  name += " slots=" + std::to_string(in.slots) + " kills=" + std::to_string(in.kills);
  if (in.joins > 0) name += " newcomers=" + std::to_string(in.joins);
  if (in.nacks > 0) name += " nacks=" + std::to_string(in.nacks);
  name += " lengths=";
  for (std::uint8_t length : in.lengths) name += std::to_string(length);
  return name;
}

constexpr Role P = Role::kPut;
constexpr Role G = Role::kGet;
constexpr Role R = Role::kReceive;

void hold(Suite& suite) {
  const auto holds = [&](const Instance& in) { suite.holds(name_of(in), SideModel(in)); };
  // A slot is used again and again.
  holds({.slots = 1, .lengths = {1, 1}, .roles = {P, G}, .puts = {2}});
  holds({.slots = 1,
         .lengths = {1, 1},
         .roles = {P, G, G},
         .puts = {2},
         .kills = 2,
         .joins = 1,
         .mortal = 3});
  holds({.slots = 1,
         .lengths = {1},
         .roles = {P, G, G},
         .puts = {1},
         .kills = 2,
         .joins = 2,
         .mortal = 3});
  holds({.slots = 2,
         .lengths = {1, 1},
         .roles = {P, R, G},
         .puts = {2},
         .kills = 1,
         .joins = 1,
         .nacks = 1,
         .mortal = 3});
  holds({.slots = 1,
         .lengths = {1},
         .roles = {P, R, R},
         .puts = {1},
         .kills = 2,
         .joins = 1,
         .nacks = 1,
         .mortal = 3});
  // The quota: any two fit, or none do; one alone, whatever its size; one that dies while it asks.
  for (std::uint8_t second : {2, 3}) {
    holds({.slots = 3,
           .lengths = {2, second, 2},
           .quota = 4,
           .roles = {P, P, P, G},
           .puts = {1, 1, 1},
           .serials = 1});
  }
  holds({.slots = 2,
         .lengths = {5, 1},
         .quota = 4,
         .roles = {P, P, G},
         .puts = {1, 1},
         .kills = 1,
         .mortal = 1,
         .serials = 2});
  holds({.slots = 2,
         .lengths = {3, 3, 3},
         .quota = 4,
         .roles = {P, P, G},
         .puts = {2, 1},
         .kills = 1,
         .mortal = 2,
         .serials = 2});
  if (!suite.long_run()) return;
  holds({.slots = 2,
         .lengths = {1, 1},
         .roles = {P, R, G, G},
         .puts = {2},
         .kills = 2,
         .joins = 2,
         .nacks = 1,
         .mortal = 7});
}

void catch_mutants(Suite& suite) {
  const auto caught = [&](const char* rule, Mutant mutant, Instance in) {
    in.mutant = mutant;
    suite.caught(rule, SideModel(in));
  };
  const Instance recovery{.slots = 1,
                          .lengths = {1},
                          .roles = {P, G, G},
                          .puts = {1},
                          .kills = 2,
                          .joins = 2,
                          .mortal = 3};
  const Instance with_ledger{.slots = 1,
                             .lengths = {1},
                             .roles = {P, R, R},
                             .puts = {1},
                             .kills = 2,
                             .joins = 1,
                             .nacks = 1,
                             .mortal = 3};
  const Instance reused{.slots = 1,
                        .lengths = {1, 1},
                        .roles = {P, G, G},
                        .puts = {2},
                        .kills = 2,
                        .joins = 1,
                        .mortal = 3};
  const Instance quota{
      .slots = 3, .lengths = {2, 3, 2}, .quota = 4, .roles = {P, P, P, G}, .puts = {1, 1, 1}};
  caught("S1 dropped: the slot is loaded after the walk", Mutant::kLoadedLate, reused);
  caught("S1 dropped: the ledgers are walked before the ring", Mutant::kLedgersFirst, with_ledger);
  caught("S1 dropped: the ledgers are not walked", Mutant::kLedgersForgotten, with_ledger);
  caught("S1 dropped: death is guessed", Mutant::kDeathGuessed, recovery);
  caught("S2 dropped: the slot is owned when the record has gone", Mutant::kOwnedLate, recovery);
  caught("S2 dropped: the slot is freed before the record goes", Mutant::kFreedFirst, recovery);
  caught("own: who has the record in hand asks whether its owner lives", Mutant::kOwnedAsksKernel,
         recovery);
  caught("STANDING is stored, not exchanged", Mutant::kStandsPlain, reused);
  caught("S4 dropped: who asks is not seen", Mutant::kQuotaNotAnnounced, quota);
  caught("S4 dropped: ASKING is stored plainly", Mutant::kAskedPlain, quota);
  caught("S4 dropped: who stands in front does not wait", Mutant::kFrontDoesNotWait, quota);
  caught("S4 dropped: who stands behind does not count those in front", Mutant::kBehindIgnoresFront,
         quota);
}

}  // namespace
}  // namespace interproc::model

int main(int argc, char** argv) {
  interproc::model::Suite suite(argc, argv);
  interproc::model::hold(suite);
  interproc::model::catch_mutants(suite);
  return suite.close();
}
