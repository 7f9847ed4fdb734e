// The ledger of unacknowledged messages of ARCHITECTURE.md section 4: receive, ack, nack, leave,
// redelivery in place, and the sweep that recovers what the dead held. The ring's positions are
// proven in ring_model.cc; here a ring is a few cells that are filled in order, each with its
// record's word.
//
//   entry word        { seq, generation, slot, state }, beside it pos and the bytes
//   state     leaves it by                                                   steps
//   FREE      the living owner of the region -> HELD(itself), seq + 1        receive
//   HELD(x)   x -> FREE or RETURNED; anyone, x dead -> RETURNED              ack, nack, sweep
//   RETURNED  any consumer y -> HELD(y), in place                            scan
//
//   receive   take -> READING; fill the entry; store HELD; CAS READING -> DONE             (L1)
//   sweep     ring: READING(x), dead? x's region holds it: CAS -> DONE, else -> RETURNED   (L2)
//             ledgers: load the word, HELD(x); dead? load pos; load the word again (L3);
//             d[pos] READING(x) of this lap: CAS -> DONE (L2); CAS HELD(x) -> RETURNED; hint
//   scan      clear the hint; ring words; entries; CAS the oldest RETURNED; hint if more
//
// L1  the ledger has the message before the ring lets it go.
// L2  the ring word leaves READING(x) before the entry leaves HELD(x).
// L3  a pos belongs to the word only if the word is still the same after pos was read. Without it:
//     the sweep sees HELD(x), x acknowledges, takes another message, writes its pos into the FREE
//     entry and is killed; the sweep finds x dead and the ring word of that pos READING(x), and
//     makes it DONE: a message is lost that no ledger has.
//
// Programs. A receiver's user acknowledges, hands back, closes the queue, receives another one
// first, or does nothing for as long as it likes. A getter takes either kind and is done. EMPTY
// makes both sweep and try again. A newcomer stores the next generation of a slot, which nobody else
// does meanwhile, locks it, sweeps unless it was left cleanly, and inherits the region as it is.
// Messages appear in the ring by themselves, in order, when their cell is free.
//
// Memory and kills are as in ring_model.cc. What is buffered under TSO: the fields of an entry, its
// HELD word, the generation.
//
// Wrong would be: an unacknowledged message that is nowhere; an acknowledged one that can be had
// again; two living holders of one message; a holder that finds its message taken away; bytes that
// are not those of the entry's position; a state from which the survivors cannot get every message
// acknowledged.

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

constexpr int kMaxCells = 2;
constexpr int kMaxActors = 3;
constexpr int kMaxEntries = 2;  // in a region

enum CellState : std::uint8_t { kNone, kReady, kReading, kReturned, kDone };
enum EntryState : std::uint8_t { kFree, kHeld, kEntryReturned };

struct Owner {
  std::uint8_t slot = 0;
  std::uint8_t generation = 0;
  bool operator==(const Owner&) const = default;
};

// The word of the record in a ring cell.
struct Cell {
  CellState state = kNone;
  Owner owner;
  std::uint8_t lap = 0;

  static Cell unpack(std::uint16_t bits) {
    return {static_cast<CellState>(bits & 7),
            {static_cast<std::uint8_t>(bits >> 3 & 3), static_cast<std::uint8_t>(bits >> 5 & 3)},
            static_cast<std::uint8_t>(bits >> 7)};
  }
  std::uint16_t pack() const {
    return static_cast<std::uint16_t>(state | owner.slot << 3 | owner.generation << 5 | lap << 7);
  }
  Cell to(CellState next, Owner by = {}) const { return {next, by, lap}; }
};

// The word of a ledger entry.
struct Entry {
  EntryState state = kFree;
  Owner owner;
  std::uint8_t seq = 0;

  static Entry unpack(std::uint16_t bits) {
    return {static_cast<EntryState>(bits & 3),
            {static_cast<std::uint8_t>(bits >> 2 & 3), static_cast<std::uint8_t>(bits >> 4 & 3)},
            static_cast<std::uint8_t>(bits >> 6)};
  }
  std::uint16_t pack() const {
    return static_cast<std::uint16_t>(state | owner.slot << 2 | owner.generation << 4 | seq << 6);
  }
  Entry to(EntryState next, Owner by = {}) const { return {next, by, seq}; }
};

enum Pc : std::uint8_t {
  kGone,
  kIdle,
  kScanClear,
  kScanCell,
  kScanEntry,
  kScanPos,
  kScanTake,
  kScanHint,
  kReadEntry,
  kTake,
  kFill,
  kHold,
  kFinish,
  kHolding,
  kNackHint,
  kLeave,
  kEmpty,
  kSweepCell,
  kSweepCellDead,
  kSweepHolds,
  kSweepHoldsPos,
  kSweepCellDone,
  kSweepCellReturn,
  kSweepCellHint,
  kSweepEntry,
  kSweepEntryDead,
  kSweepEntryPos,
  kSweepEntryAgain,
  kSweepEntryCell,
  kSweepEntryDone,
  kSweepEntryReturn,
  kSweepEntryHint,
  kJoinGeneration,
  kJoinLock,
};

// One participant. Unused variables are zero, so that equal means equal.
struct Actor {
  std::uint16_t word;  // the word last read at `at`
  // scan: the word of the oldest RETURNED; sweep: of the ring cell; holding: of the entry
  std::uint16_t best_word;
  std::uint16_t receipt;  // the word under which a message was acknowledged before
  std::array<std::uint16_t, 2> buffer_value;
  std::array<std::uint8_t, 2> buffer_address;  // 0: no store pending
  Pc pc;
  std::uint8_t generation;
  std::uint8_t flags;
  std::uint8_t at;             // walk: cell or entry
  std::uint8_t best;           // scan: place + 1 of the oldest RETURNED; holding: entry + 1
  std::uint8_t inner;          // sweep: entry of the dead one's own region
  std::uint8_t message;        // number + 1 of the message in hand
  std::uint8_t receipt_entry;  // + 1
  std::uint8_t kept;           // entry + 1 of an earlier message that is still in hand
  std::uint8_t kept_message;
  std::uint16_t kept_word;

  static constexpr std::uint8_t kLocked = 1;
  static constexpr std::uint8_t kJoining = 2;
  static constexpr std::uint8_t kUnclean = 4;  // the slot's last user did not leave by itself
  static constexpr std::uint8_t kMore = 8;
  static constexpr std::uint8_t kLeaving = 16;

  bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
  void set(std::uint8_t flag, bool on = true) {
    flags = static_cast<std::uint8_t>(on ? flags | flag : flags & ~flag);
  }
  bool drained() const { return buffer_address[0] == 0; }
};

struct State {
  std::array<std::uint16_t, kMaxCells> cell;
  std::array<std::uint16_t, kMaxActors * kMaxEntries> entry;
  std::array<std::uint8_t, kMaxActors * kMaxEntries> pos;    // + 1, so that zero is nothing
  std::array<std::uint8_t, kMaxActors * kMaxEntries> bytes;  // number + 1 of the message
  std::array<std::uint8_t, kMaxActors> generation;
  std::uint8_t hint;
  std::uint8_t put;    // messages put so far
  std::uint8_t acked;  // which
  std::uint8_t kills;
  std::uint8_t joins;
  std::uint8_t nacks;
  std::uint8_t leaves;
  std::array<Actor, kMaxActors> actor;
};

enum Address : std::uint8_t { kToFields = 1, kToEntry = 16, kToGeneration = 32, kToHint = 48 };

enum class Mutant : std::uint8_t {
  kNone,
  kDoneBeforeHeld,
  kWordBeforeFields,
  kReturnedBeforeDone,
  kHoldsNotAsked,
  kLapNotCompared,
  kSeqNotCounted,
  kWordNotReloaded,
  kHintLost,
  kMoreForgotten,
  kClearPlain,
  kSameGeneration,
  kNoSweepAtJoin,
  kNoKernel,
  kRegionTakenByNewcomer,
};

struct Instance {
  int cells = 1;
  int messages = 1;
  int entries = 1;
  std::vector<bool> receives;  // per actor: receive and ack, or get
  int kills = 0;
  int joins = 0;
  int nacks = 0;
  int leaves = 0;
  bool prefetches = false;  // a user that receives another message before it has settled the first
  bool settles_twice = false;  // a user that acknowledges again what it has acknowledged
  bool tso = false;
  int generation_bits = 2;
  int mortal = 7;
  Mutant mutant = Mutant::kNone;
};

class LedgerModel {
 public:
  using State = model::State;

  explicit LedgerModel(Instance instance) : in_(std::move(instance)) {}

  std::size_t bytes() const { return offsetof(State, actor) + in_.receives.size() * sizeof(Actor); }

  State initial() const {
    State s{};
    for (int i = 0; i < actors(); ++i) {
      s.actor[index(i)].flags = Actor::kLocked;
      s.actor[index(i)].pc = kIdle;
    }
    return s;
  }

  void steps(const State& s, Steps<State>& out) const {
    put(s, out);
    for (int i = 0; i < actors(); ++i) {
      const Actor& me = s.actor[index(i)];
      if (me.pc == kGone) {
        if (s.joins < in_.joins) join(s, i, out);
        continue;
      }
      if (!me.drained()) drain(s, i, out);
      step(s, i, out);
      if (s.kills < in_.kills && me.drained() && (in_.mortal >> i & 1) != 0) kill(s, i, out);
    }
  }

  const char* broken(const State& s) const {
    for (int m = 0; m < s.put; ++m) {
      const bool acked = (s.acked >> m & 1) != 0;
      bool somewhere = false;
      int holders = 0;
      const Cell cell = Cell::unpack(s.cell[index(m % in_.cells)]);
      if (cell.lap == lap(m) && cell.state != kDone) {
        somewhere = true;
        if (cell.state == kReading && alive(s, cell.owner)) holders |= 1 << cell.owner.slot;
      }
      for (int e = 0; e < actors() * in_.entries; ++e) {
        const Entry entry = Entry::unpack(s.entry[index(e)]);
        if (entry.state == kFree) continue;
        if (s.pos[index(e)] == 0) return "an entry without a message";
        if (s.bytes[index(e)] != s.pos[index(e)])
          return "an entry's bytes are not those of its position";
        if (s.bytes[index(e)] != m + 1) continue;
        somewhere = true;
        if (entry.state == kHeld && alive(s, entry.owner)) holders |= 1 << entry.owner.slot;
      }
      if (!acked && !somewhere) return "an unacknowledged message is lost";
      if (acked && somewhere) return "an acknowledged message can be had again";
      if ((holders & (holders - 1)) != 0) return "a message has two living holders";
    }
    return nullptr;
  }

  bool settled(const State& s) const {
    bool anyone = false;
    for (int i = 0; i < actors(); ++i) {
      const Actor& me = s.actor[index(i)];
      if (me.pc == kGone) continue;
      anyone = true;
      if (me.pc != kIdle || me.kept != 0 || !me.drained()) return false;
    }
    return !anyone || (s.put == in_.messages && s.acked == (1 << in_.messages) - 1);
  }

  std::string describe(const State& s) const {
    static constexpr const char* kCells[] = {"-", "READY", "READING", "RETURNED", "DONE"};
    static constexpr const char* kEntries[] = {"FREE", "HELD", "RETURNED"};
    const auto owner = [](Owner o) {
      return "(" + std::to_string(o.slot) + "." + std::to_string(o.generation) + ")";
    };
    std::string text = s.hint != 0 ? "hint ring [" : "ring [";
    for (int c = 0; c < in_.cells; ++c) {
      const Cell cell = Cell::unpack(s.cell[index(c)]);
      text += (c > 0 ? ", " : "") + std::to_string(cell.lap) + " " + kCells[cell.state];
      if (cell.state == kReading) text += owner(cell.owner);
    }
    text += "] ledgers [";
    for (int e = 0; e < actors() * in_.entries; ++e) {
      const Entry entry = Entry::unpack(s.entry[index(e)]);
      text += std::string(e > 0 ? ", " : "") + kEntries[entry.state];
      if (entry.state == kHeld) text += owner(entry.owner);
      if (entry.state != kFree) text += " #" + std::to_string(s.pos[index(e)]);
    }
    return text + "]";
  }

 private:
  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  static std::uint8_t byte(int value) { return static_cast<std::uint8_t>(value); }
  int actors() const { return static_cast<int>(in_.receives.size()); }
  bool is(Mutant mutant) const { return in_.mutant == mutant; }
  std::uint8_t lap(int pos) const { return byte(pos / in_.cells + 1); }
  int cell_of(int pos) const { return pos % in_.cells; }
  // The position of the record in cell `c`.
  int pos_of(int c, const Cell& cell) const { return (cell.lap - 1) * in_.cells + c; }
  Owner self(const State& s, int i) const { return {byte(i), s.actor[index(i)].generation}; }

  bool alive(const State& s, Owner owner) const {
    const Actor& actor = s.actor[owner.slot];
    return actor.has(Actor::kLocked) && !actor.has(Actor::kJoining) &&
           actor.generation == owner.generation;
  }
  // The kernel's verdict, as in ring_model.cc.
  bool dead(const State& s, int asking, Owner owner) const {
    if (is(Mutant::kNoKernel)) return owner.slot != asking;
    if (!is(Mutant::kSameGeneration) && s.generation[owner.slot] != owner.generation) return true;
    return !s.actor[owner.slot].has(Actor::kLocked);
  }
  // The first FREE entry of the own region, or -1. Nobody else takes a FREE entry there, so finding
  // it is no step.
  int free_entry(const State& s, int i) const {
    for (int e = i * in_.entries; e < (i + 1) * in_.entries; ++e) {
      if (Entry::unpack(s.entry[index(e)]).state == kFree) return e;
    }
    return -1;
  }
  bool can_take(const State& s, int i) const {
    return !in_.receives[index(i)] || free_entry(s, i) >= 0;
  }

  // --- the machine ---

  void write(State& n, int address, std::uint16_t value) const {
    if (address >= kToHint) {
      n.hint = byte(value);
    } else if (address >= kToGeneration) {
      n.generation[index(address - kToGeneration)] = byte(value);
    } else if (address >= kToEntry) {
      n.entry[index(address - kToEntry)] = value;
    } else {
      n.pos[index(address - kToFields)] = n.bytes[index(address - kToFields)] = byte(value);
    }
  }
  void store(State& n, int i, int address, std::uint16_t value) const {
    if (!in_.tso) return write(n, address, value);
    Actor& me = n.actor[index(i)];
    const std::size_t place = me.buffer_address[0] == 0 ? 0 : 1;
    me.buffer_address[place] = byte(address);
    me.buffer_value[place] = value;
  }
  void drain(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[index(i)];
    write(n, me.buffer_address[0], me.buffer_value[0]);
    me.buffer_address = {me.buffer_address[1], 0};
    me.buffer_value = {me.buffer_value[1], 0};
    out.add(i, "(a pending store drains)", n);
  }

  void put(const State& s, Steps<State>& out) const {
    if (s.put == in_.messages) return;
    const int c = cell_of(s.put);
    const Cell cell = Cell::unpack(s.cell[index(c)]);
    if (cell.state != kNone && cell.state != kDone) return;
    State n = s;
    n.cell[index(c)] = Cell{kReady, {}, lap(s.put)}.pack();
    ++n.put;
    out.add(actors(), "put", n);
  }
  void kill(const State& s, int i, Steps<State>& out) const {
    State n = s;
    n.actor[index(i)] = {};
    n.actor[index(i)].flags = Actor::kUnclean;
    ++n.kills;
    out.add_fate(i, "SIGKILL", n);
  }
  void join(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[index(i)];
    me.flags |= Actor::kJoining;
    me.generation = n.generation[index(i)];
    me.pc = kJoinGeneration;
    ++n.joins;
    out.add_fate(i, "a newcomer moves in", n);
  }

  static void rest(Actor& me, Pc pc) {
    me.word = me.best_word = 0;
    me.at = me.best = me.inner = me.message = 0;
    me.flags &= static_cast<std::uint8_t>(Actor::kLocked | Actor::kJoining | Actor::kUnclean);
    me.pc = pc;
  }

  static bool is_rmw(Pc pc) {
    switch (pc) {
      case kScanTake:
      case kScanHint:
      case kTake:
      case kFinish:
      case kHolding:
      case kNackHint:
      case kSweepCellDone:
      case kSweepCellReturn:
      case kSweepCellHint:
      case kSweepEntryDone:
      case kSweepEntryReturn:
      case kSweepEntryHint:
        return true;
      default:
        return false;
    }
  }

  bool cas_cell(State& n, int c, std::uint16_t expected, Cell next) const {
    if (n.cell[index(c)] != expected) return false;
    n.cell[index(c)] = next.pack();
    return true;
  }
  bool cas_entry(State& n, int e, std::uint16_t expected, Entry next) const {
    if (n.entry[index(e)] != expected) return false;
    n.entry[index(e)] = next.pack();
    return true;
  }

  void step(const State& s, int i, Steps<State>& out) const {
    const Actor& was = s.actor[index(i)];
    if (!was.drained() && (is_rmw(was.pc) || (was.pc == kScanClear && !is(Mutant::kClearPlain))))
      return;
    if (was.pc < kTake) return scan_step(s, i, out);
    if (was.pc < kSweepCell) return receive_step(s, i, out);
    return sweep_step(s, i, out);
  }

  void scan_step(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[index(i)];
    switch (me.pc) {
      case kIdle:
        settle_again(s, i, out);
        settle_kept(s, i, out);
        if (in_.receives[index(i)] && s.leaves < in_.leaves && me.kept == 0) {
          State left = s;
          ++left.leaves;
          rest(left.actor[index(i)], kLeave);
          out.add_fate(i, "close", left);
        }
        me.pc = s.hint != 0 ? kScanClear : kTake;
        return out.add(i, "receive: load hint", n);
      case kScanClear:
        if (is(Mutant::kClearPlain)) {
          store(n, i, kToHint, 0);
        } else {
          n.hint = 0;
        }
        rest(me, kScanCell);
        return out.add(i, "scan: clear the hint", n);
      case kScanCell: {
        const Cell cell = Cell::unpack(s.cell[me.at]);
        if (cell.state == kReturned) {
          if (can_take(s, i)) {
            consider(s, me, me.at, s.cell[me.at], pos_of(me.at, cell));
          } else {
            me.set(Actor::kMore);
          }
        }
        if (++me.at == in_.cells) {
          me.at = 0;
          me.pc = kScanEntry;
        }
        return out.add(i, "scan: load a ring word", n);
      }
      case kScanEntry:
        if (Entry::unpack(s.entry[me.at]).state == kEntryReturned) {
          me.word = s.entry[me.at];
          me.pc = kScanPos;
        } else {
          next_entry(me);
        }
        return out.add(i, "scan: load an entry's word", n);
      case kScanPos:
        consider(s, me, in_.cells + me.at, me.word, s.pos[me.at] - 1);
        me.word = 0;
        next_entry(me);
        return out.add(i, "scan: load its pos", n);
      case kScanTake: {
        const int place = me.best - 1;
        if (place < in_.cells) {
          const Cell mine = Cell::unpack(me.best_word).to(kReading, self(s, i));
          if (!cas_cell(n, place, me.best_word, mine)) return scan_over(i, n, out);
          me.best_word = mine.pack();
          me.at = byte(place);
          me.best = 0;
          me.pc = in_.receives[index(i)] ? kFill : kFinish;
          if (is(Mutant::kDoneBeforeHeld)) me.pc = kFinish;
        } else {
          const Entry mine = Entry::unpack(me.best_word).to(kHeld, self(s, i));
          if (!cas_entry(n, place - in_.cells, me.best_word, mine)) return scan_over(i, n, out);
          me.best_word = mine.pack();
          me.best = byte(place - in_.cells + 1);
          me.pc = kReadEntry;
        }
        if (me.has(Actor::kMore) && !is(Mutant::kMoreForgotten)) {
          me.inner = me.pc;
          me.pc = kScanHint;
        }
        me.set(Actor::kMore, false);
        return out.add(i, "scan: CAS RETURNED -> mine", n);
      }
      case kScanHint:
        n.hint = 1;
        me.pc = me.inner == 0 ? kTake : static_cast<Pc>(me.inner);
        me.inner = 0;
        return out.add(i, "scan: set the hint again", n);
      case kReadEntry: {
        const int read = s.bytes[index(me.best - 1)];
        const char* wrong =
            read != me.message ? "the message taken is not the one that was found" : nullptr;
        me.pc = kHolding;
        return out.add(i, "redeliver: read the bytes in place", n, wrong);
      }
      default:
        return;
    }
  }

  // The oldest one found so far; `message` remembers its position + 1.
  void consider(const State&, Actor& me, int place, std::uint16_t word, int pos) const {
    if (me.best != 0) me.set(Actor::kMore);
    if (me.best != 0 && me.message - 1 <= pos) return;
    me.best = byte(place + 1);
    me.best_word = word;
    me.message = byte(pos + 1);
  }
  void next_entry(Actor& me) const {
    me.pc = kScanEntry;
    if (++me.at < actors() * in_.entries) return;
    me.at = 0;
    me.pc = me.best != 0 ? kScanTake : me.has(Actor::kMore) ? kScanHint : kTake;
    if (me.best == 0) me.flags &= static_cast<std::uint8_t>(~Actor::kMore);
  }
  void scan_over(int i, State& n, Steps<State>& out) const {
    rest(n.actor[index(i)], kScanCell);
    out.add(i, "scan: CAS RETURNED fails", n);
  }

  void receive_step(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[index(i)];
    switch (me.pc) {
      case kTake: {
        rest(me, kEmpty);
        int oldest = -1;
        for (int c = 0; c < in_.cells; ++c) {
          const Cell cell = Cell::unpack(s.cell[index(c)]);
          if (cell.state != kReady || !can_take(s, i)) continue;
          if (oldest < 0 || cell.lap < Cell::unpack(s.cell[index(oldest)]).lap) oldest = c;
        }
        if (oldest < 0) return out.add(i, "take: EMPTY", n);
        const Cell cell = Cell::unpack(s.cell[index(oldest)]);
        const Cell mine = cell.to(kReading, self(s, i));
        n.cell[index(oldest)] = mine.pack();
        me.at = byte(oldest);
        me.best_word = mine.pack();
        me.message = byte(pos_of(oldest, cell) + 1);
        me.pc = in_.receives[index(i)] && !is(Mutant::kDoneBeforeHeld) ? kFill : kFinish;
        return out.add(i, "take: CAS READY -> READING", n);
      }
      case kFill:
        if (me.best == 0) me.best = byte(free_entry(s, i) + 1);
        if (is(Mutant::kWordBeforeFields) && me.word == 0) return hold(s, i, n, out);
        store(n, i, kToFields + me.best - 1, me.message);
        me.pc = kHold;
        if (is(Mutant::kWordBeforeFields)) after_hold(me);
        return out.add(i, "receive: fill the entry", n);
      case kHold:
        return hold(s, i, n, out);
      case kFinish: {
        const bool ours = cas_cell(n, me.at, me.best_word, Cell::unpack(me.best_word).to(kDone));
        const char* wrong = ours ? nullptr : "a living consumer was robbed";
        if (!in_.receives[index(i)]) {
          if ((s.acked >> (me.message - 1) & 1) != 0) wrong = "a message was delivered twice";
          n.acked |= byte(1 << (me.message - 1));
          rest(me, kIdle);
        } else if (is(Mutant::kDoneBeforeHeld) && me.best == 0) {
          me.pc = kFill;
        } else {
          me.best_word = me.word;
          me.word = 0;
          me.at = 0;
          me.pc = kHolding;
        }
        return out.add(i, "receive: CAS READING -> DONE", n, wrong);
      }
      case kHolding:
        return settle(s, i, out);
      case kNackHint: {
        n.hint = 1;
        const bool leaving = me.has(Actor::kLeaving);
        rest(me, leaving ? kLeave : kIdle);
        return out.add(i, "nack: set the hint", n);
      }
      case kLeave:
        if (!me.drained()) return;
        me = {};
        return out.add(i, "leave: drop the lock", n);
      case kEmpty:
        rest(me, in_.kills > 0 ? kSweepCell : kIdle);
        return out.add(i, "(about to sleep)", n);
      default:
        return;
    }
  }

  void hold(const State& s, int i, State& n, Steps<State>& out) const {
    Actor& me = n.actor[index(i)];
    Entry entry = Entry::unpack(s.entry[index(me.best - 1)]);
    if (!is(Mutant::kSeqNotCounted)) entry.seq = byte((entry.seq + 1) & 7);
    me.word = entry.to(kHeld, self(s, i)).pack();
    store(n, i, kToEntry + me.best - 1, me.word);
    if (is(Mutant::kWordBeforeFields)) {
      me.pc = kFill;
    } else {
      after_hold(me);
    }
    out.add(i, "receive: store HELD", n);
  }
  void after_hold(Actor& me) const {
    me.pc = kFinish;
    if (!is(Mutant::kDoneBeforeHeld)) return;
    me.best_word = me.word;
    me.word = 0;
    me.at = 0;
    me.pc = kHolding;
  }

  // What the user does with the message in its hands.
  void settle(const State& s, int i, Steps<State>& out) const {
    settle_again(s, i, out);
    const Actor& was = s.actor[index(i)];
    const int entry = was.best - 1;
    const Entry word = Entry::unpack(was.best_word);
    {
      State n = s;
      Actor& me = n.actor[index(i)];
      const char* wrong = cas_entry(n, entry, was.best_word, word.to(kFree))
                              ? nullptr
                              : "a living holder was robbed";
      if ((s.acked >> (was.message - 1) & 1) != 0) wrong = "a message was acknowledged twice";
      n.acked |= byte(1 << (was.message - 1));
      rest(me, kIdle);
      if (in_.settles_twice) {
        me.receipt = was.best_word;
        me.receipt_entry = was.best;
      }
      out.add(i, in_.receives[index(i)] ? "ack: CAS HELD -> FREE" : "get: CAS HELD -> FREE", n,
              wrong);
    }
    if (!in_.receives[index(i)]) return;
    if (in_.prefetches && was.kept == 0) {
      State n = s;
      Actor& me = n.actor[index(i)];
      me.kept = was.best;
      me.kept_message = was.message;
      me.kept_word = was.best_word;
      rest(me, kIdle);
      out.add(i, "(keeps it and wants another)", n);
    }
    for (const bool leaving : {false, true}) {
      if (leaving ? s.leaves >= in_.leaves || was.kept != 0 : s.nacks >= in_.nacks) continue;
      State n = s;
      Actor& me = n.actor[index(i)];
      const bool ours = cas_entry(n, entry, was.best_word, word.to(kEntryReturned));
      rest(me, kNackHint);
      me.set(Actor::kLeaving, leaving);
      ++(leaving ? n.leaves : n.nacks);
      out.add(i, leaving ? "close: CAS HELD -> RETURNED" : "nack: CAS HELD -> RETURNED", n,
              ours ? nullptr : "a living holder was robbed");
    }
  }
  void settle_kept(const State& s, int i, Steps<State>& out) const {
    const Actor& was = s.actor[index(i)];
    if (was.kept == 0 || !was.drained()) return;
    State n = s;
    Actor& me = n.actor[index(i)];
    const bool ours =
        cas_entry(n, was.kept - 1, was.kept_word, Entry::unpack(was.kept_word).to(kFree));
    n.acked |= byte(1 << (was.kept_message - 1));
    me.kept = me.kept_message = 0;
    me.kept_word = 0;
    out.add(i, "ack of the kept one: CAS HELD -> FREE", n,
            ours ? nullptr : "a living holder was robbed");
  }
  // A receipt that has been used must not settle anything again.
  void settle_again(const State& s, int i, Steps<State>& out) const {
    const Actor& was = s.actor[index(i)];
    if (was.receipt_entry == 0 || !was.drained()) return;
    State n = s;
    Actor& me = n.actor[index(i)];
    me.receipt = me.receipt_entry = 0;
    const bool matches = s.entry[index(was.receipt_entry - 1)] == was.receipt;
    out.add(i, "ack again with an old receipt", n,
            matches ? "a used receipt settled another message" : nullptr);
  }

  void sweep_step(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[index(i)];
    const Cell cell = Cell::unpack(me.best_word);
    const Entry entry = Entry::unpack(me.word);
    switch (me.pc) {
      case kSweepCell: {
        const Cell seen = Cell::unpack(s.cell[me.at]);
        if (seen.state == kReading) {
          me.best_word = s.cell[me.at];
          me.pc = kSweepCellDead;
        } else if (seen.state == kReturned && !is(Mutant::kHintLost)) {
          me.pc = kSweepCellHint;
        } else {
          next_swept_cell(me);
        }
        return out.add(i, "sweep: load a ring word", n);
      }
      case kSweepCellDead:
        if (!dead(s, i, cell.owner)) {
          next_swept_cell(me);
        } else if (is(Mutant::kHoldsNotAsked)) {
          me.pc = kSweepCellReturn;
        } else {
          me.inner = byte(cell.owner.slot * in_.entries);
          me.pc = kSweepHolds;
        }
        return out.add(i, "sweep: is its reader dead?", n);
      case kSweepHolds: {
        const Entry seen = Entry::unpack(s.entry[me.inner]);
        if (seen.state == kHeld && seen.owner == cell.owner) {
          me.pc = kSweepHoldsPos;
        } else {
          next_held(me, cell.owner);
        }
        return out.add(i, "sweep: load a word of its region", n);
      }
      case kSweepHoldsPos:
        if (s.pos[me.inner] == pos_of(me.at, cell) + 1) {
          me.inner = 0;
          me.pc = kSweepCellDone;
        } else {
          next_held(me, cell.owner);
        }
        return out.add(i, "sweep: load that entry's pos", n);
      case kSweepCellDone:
        cas_cell(n, me.at, me.best_word, cell.to(kDone));
        next_swept_cell(me);
        return out.add(i, "sweep: CAS READING -> DONE, the ledger has it", n);
      case kSweepCellReturn:
        if (cas_cell(n, me.at, me.best_word, cell.to(kReturned))) {
          me.best_word = 0;
          me.pc = kSweepCellHint;
          return out.add(i, "sweep: CAS READING -> RETURNED", n);
        }
        next_swept_cell(me);
        return out.add(i, "sweep: CAS READING fails", n);
      case kSweepCellHint:
        n.hint = 1;
        next_swept_cell(me);
        return out.add(i, "sweep: set the hint", n);
      case kSweepEntry: {
        const Entry seen = Entry::unpack(s.entry[me.at]);
        if (seen.state == kHeld) {
          me.word = s.entry[me.at];
          me.pc = kSweepEntryDead;
        } else if (seen.state == kEntryReturned && !is(Mutant::kHintLost)) {
          me.pc = kSweepEntryHint;
        } else {
          next_swept_entry(me);
        }
        return swept(i, n, out, "sweep: load an entry's word");
      }
      case kSweepEntryDead:
        if (!dead(s, i, entry.owner)) {
          next_swept_entry(me);
        } else {
          me.pc = is(Mutant::kReturnedBeforeDone) ? kSweepEntryReturn : kSweepEntryPos;
        }
        return swept(i, n, out, "sweep: is its holder dead?");
      case kSweepEntryPos:
        me.message = s.pos[me.at];
        me.pc = is(Mutant::kWordNotReloaded) ? kSweepEntryCell : kSweepEntryAgain;
        return out.add(i, "sweep: load its pos", n);
      case kSweepEntryAgain:
        if (s.entry[me.at] == me.word) {
          me.pc = kSweepEntryCell;
        } else {
          next_swept_entry(me);
        }
        return swept(i, n, out, "sweep: load its word again (L3)");
      case kSweepEntryCell: {
        const int pos = me.message - 1;
        const Cell seen = Cell::unpack(s.cell[index(cell_of(pos))]);
        const bool same = seen.lap == lap(pos) || is(Mutant::kLapNotCompared);
        me.pc = is(Mutant::kReturnedBeforeDone) ? kSweepEntryHint : kSweepEntryReturn;
        if (seen.state == kReading && seen.owner == entry.owner && same) {
          me.best_word = s.cell[index(cell_of(pos))];
          me.pc = kSweepEntryDone;
        }
        return out.add(i, "sweep: load the ring word at that pos", n);
      }
      case kSweepEntryDone:
        cas_cell(n, cell_of(me.message - 1), me.best_word, cell.to(kDone));
        me.best_word = 0;
        me.pc = is(Mutant::kReturnedBeforeDone) ? kSweepEntryHint : kSweepEntryReturn;
        return out.add(i, "sweep: CAS READING -> DONE, before RETURNED", n);
      case kSweepEntryReturn:
        me.message = 0;
        if (cas_entry(n, me.at, me.word, entry.to(kEntryReturned))) {
          me.pc = kSweepEntryHint;
          if (is(Mutant::kReturnedBeforeDone)) {
            me.message = s.pos[me.at];
            me.pc = kSweepEntryCell;
          }
          return out.add(i, "sweep: CAS HELD -> RETURNED", n);
        }
        next_swept_entry(me);
        return swept(i, n, out, "sweep: CAS HELD fails");
      case kSweepEntryHint:
        n.hint = 1;
        next_swept_entry(me);
        return swept(i, n, out, "sweep: set the hint");
      case kJoinGeneration: {
        const int next = (me.generation + 1) & ((1 << in_.generation_bits) - 1);
        if (!is(Mutant::kSameGeneration)) {
          me.generation = byte(next);
          store(n, i, kToGeneration + i, byte(next));
        }
        if (is(Mutant::kRegionTakenByNewcomer)) {
          for (int e = i * in_.entries; e < (i + 1) * in_.entries; ++e) n.entry[index(e)] = 0;
        }
        me.pc = kJoinLock;
        return out.add(i, "join: store the generation", n);
      }
      case kJoinLock: {
        if (!me.drained()) return;  // the kernel's own lock
        me.flags |= Actor::kLocked;
        if (me.has(Actor::kUnclean) && !is(Mutant::kNoSweepAtJoin)) {
          rest(me, kSweepCell);
        } else {
          joined(me);
        }
        return out.add(i, "join: lock the slot", n);
      }
      default:
        return;
    }
  }

  static void joined(Actor& me) {
    me.flags = Actor::kLocked;
    rest(me, kIdle);
  }
  void next_swept_cell(Actor& me) const {
    const int at = me.at + 1;
    rest(me, kSweepCell);
    me.at = byte(at);
    if (at < in_.cells) return;
    me.at = 0;
    me.pc = kSweepEntry;
  }
  void next_held(Actor& me, Owner owner) const {
    me.pc = kSweepHolds;
    if (++me.inner < (owner.slot + 1) * in_.entries) return;
    me.inner = 0;
    me.pc = kSweepCellReturn;
  }
  void next_swept_entry(Actor& me) const {
    const int at = me.at + 1;
    rest(me, kSweepEntry);
    me.at = byte(at);
  }
  // Behind the last entry the sweep is over.
  void swept(int i, State& n, Steps<State>& out, const char* name) const {
    Actor& me = n.actor[index(i)];
    if (me.pc == kSweepEntry && me.at == actors() * in_.entries) {
      me.has(Actor::kJoining) ? joined(me) : rest(me, kIdle);
    }
    out.add(i, name, n);
  }

  Instance in_;
};

std::string name_of(const Instance& in) {
  std::string name = "ledger ";
  for (bool receives : in.receives) name += receives ? "receiver," : "getter,";
  name.back() = ' ';
  name += "cells=" + std::to_string(in.cells) + " messages=" + std::to_string(in.messages) +
          " entries=" + std::to_string(in.entries) + " kills=" + std::to_string(in.kills);
  if (in.joins > 0) name += " newcomers=" + std::to_string(in.joins);
  if (in.nacks > 0) name += " nacks=" + std::to_string(in.nacks);
  if (in.leaves > 0) name += " leaves=" + std::to_string(in.leaves);
  if (in.prefetches) name += " prefetch";
  if (in.settles_twice) name += " settles twice";
  return name + (in.tso ? " tso" : " sc");
}

void hold(Suite& suite) {
  const auto holds = [&](const Instance& in) { suite.holds(name_of(in), LedgerModel(in)); };
  const bool R = true;   // a receiver
  const bool G = false;  // a getter
  holds({.messages = 2, .receives = {R, R}, .nacks = 2, .settles_twice = true, .tso = true});
  holds({.cells = 2, .messages = 2, .receives = {R, R, G}, .nacks = 2, .tso = true});
  holds({.messages = 2, .receives = {R, R, R}, .kills = 2, .tso = true});
  holds({.messages = 2, .receives = {R, R, R}, .kills = 2, .joins = 1});
  holds({.messages = 2, .receives = {R, R}, .kills = 2, .joins = 2, .nacks = 1, .tso = true});
  holds({.messages = 2,
         .receives = {R, G},
         .kills = 1,
         .joins = 1,
         .nacks = 1,
         .leaves = 1,
         .tso = true});
  holds({.cells = 2,
         .messages = 3,
         .receives = {R, R},
         .kills = 1,
         .joins = 1,
         .nacks = 1,
         .tso = true});
  holds({.messages = 2,
         .entries = 2,
         .receives = {R, R},
         .kills = 1,
         .joins = 1,
         .nacks = 1,
         .tso = true});
  holds({.messages = 3,
         .entries = 2,
         .receives = {R, R},
         .kills = 2,
         .prefetches = true,
         .tso = true});
  if (!suite.long_run()) return;
  holds({.cells = 2, .messages = 3, .receives = {R, R, G}, .kills = 2, .nacks = 1});
  holds({.messages = 3, .receives = {R, R, R}, .kills = 3, .joins = 1, .tso = true});
  holds({.messages = 3,
         .entries = 2,
         .receives = {R, R},
         .kills = 2,
         .joins = 2,
         .nacks = 1,
         .prefetches = true});
  holds({.cells = 2, .messages = 2, .entries = 2, .receives = {R, R, R}, .kills = 2, .leaves = 1});
}

void catch_mutants(Suite& suite) {
  const auto caught = [&](const char* rule, Mutant mutant, Instance in) {
    in.mutant = mutant;
    suite.caught(rule, LedgerModel(in));
  };
  const bool R = true;
  caught("L1 dropped: DONE before HELD", Mutant::kDoneBeforeHeld, {.receives = {R, R}, .kills = 1});
  caught("L1 dropped: HELD before the fields", Mutant::kWordBeforeFields,
         {.messages = 2, .receives = {R, R}});
  caught("L2 dropped: RETURNED before the ring word is fixed", Mutant::kReturnedBeforeDone,
         {.receives = {R, R, R}, .kills = 1});
  caught("L2 dropped: the ledger is not asked", Mutant::kHoldsNotAsked,
         {.receives = {R, R}, .kills = 1});
  caught("L3 dropped: the entry's word is not loaded again", Mutant::kWordNotReloaded,
         {.messages = 2, .receives = {R, R}, .kills = 1});
  caught("the lap of the ring word is not compared", Mutant::kLapNotCompared,
         {.messages = 2, .entries = 2, .receives = {R, R}, .kills = 1, .prefetches = true});
  caught("seq dropped: a receipt is used twice", Mutant::kSeqNotCounted,
         {.messages = 2, .receives = {R, R}, .settles_twice = true});
  caught("seq dropped: a stale redelivery", Mutant::kSeqNotCounted,
         {.messages = 2, .receives = {R, R}, .nacks = 2});
  caught("hint lost: a sweep does not set it again", Mutant::kHintLost,
         {.receives = {R, R, R}, .kills = 1, .nacks = 1});
  caught("hint lost: not set again though more are left", Mutant::kMoreForgotten,
         {.cells = 2, .messages = 2, .receives = {R, R}, .nacks = 2});
  caught("clear -> scan: the hint is cleared by a plain store", Mutant::kClearPlain,
         {.messages = 2, .receives = {R, R}, .nacks = 2, .tso = true});
  caught("R4 dropped: the generation stays", Mutant::kSameGeneration,
         {.receives = {R, R}, .kills = 1, .joins = 1});
  // Generations wrap here after two, in the code after 255.
  caught("R4 dropped: a newcomer does not sweep", Mutant::kNoSweepAtJoin,
         {.receives = {R, R}, .kills = 2, .joins = 2, .generation_bits = 1, .mortal = 1});
  caught("R4 dropped: death is guessed", Mutant::kNoKernel, {.receives = {R, R}, .kills = 1});
  caught("a newcomer clears the region it inherits", Mutant::kRegionTakenByNewcomer,
         {.receives = {R, R}, .joins = 1, .leaves = 1});
}

}  // namespace
}  // namespace interproc::model

int main(int argc, char** argv) {
  interproc::model::Suite suite(argc, argv);
  interproc::model::hold(suite);
  interproc::model::catch_mutants(suite);
  return suite.close();
}
