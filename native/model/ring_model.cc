// The MPMC ring of ARCHITECTURE.md section 3 with redelivery inside the ring: positions, states,
// kills and newcomers.
//
//   block word d[i]   { lap, blocks, generation, slot, state }
//   state     leaves it by                                                   steps
//   (older)   a producer -> WRITING, or END                                  claim, seal
//   WRITING   its owner -> READY, or -> DONE; anyone, the owner dead -> DONE publish, abort, skip
//   READY     a consumer -> READING                                          take
//   READING   its owner -> DONE, or -> RETURNED; anyone, the owner dead
//             -> RETURNED                                                    finish, nack, sweep
//   RETURNED  a consumer -> READING                                          scan
//   DONE      reclaim passes it                                              reclaim
//
//   claim     load tail; load d[tail]; newer: again (R1), equal: help tail, again; [load head for
//             items, help it (R6)]; load reclaim, advance it (R6); CAS d[tail]; CAS tail
//   publish   stamp interiors (R5); copy; CAS WRITING -> READY
//   take      load head; load d[head]; newer: again (R1), past READY: help head, again;
//             CAS READY -> READING; CAS head
//   finish    copy out; CAS READING -> DONE
//   leases    in instances that say so: abort instead of publish, CAS WRITING -> DONE;
//             nack instead of finish, CAS READING -> RETURNED, set the hint
//   reclaim   load reclaim; load head; walk over DONE, not past head (R2), newer: again (R1);
//             CAS reclaim; all again, until nothing DONE is left in front of it (R6)
//   scan      clear the hint; load reclaim; walk; CAS RETURNED -> READING; set the hint if more
//   sweep     load reclaim; walk; dead? WRITING: skip. READING: CAS -> RETURNED, set the hint.
//             RETURNED: set the hint
//   skip      help tail (R3); stamp interiors by CAS (R5); CAS WRITING -> DONE
//
// Programs. A producer puts as often as its instance says; FULL makes it sweep, if anybody has ever
// died, and try again. A consumer never ends: scan if the hint is set, else take; EMPTY makes it
// sweep, advance reclaim and try again. A newcomer stores the next generation of a dead slot, which
// nobody else does meanwhile, locks it, sweeps, and goes on with the program of the slot. A sweep
// before the first kill could only read, so it is left out; one begun before a later kill is there.
//
// Memory. A step is one access to shared memory, or one question to the kernel. Copying in and
// copying out touch blocks nobody else may touch and are one step each: had somebody else written
// in the middle, he could as well have written before. TSO: plain stores (stamps, payload,
// generation) wait in a buffer of their process and drain in order at any later time; an RMW drains
// first. SC: there are no buffers.
//
// Kills. SIGKILL may come between any two steps. What the killed left in its store buffer still
// drains: the processor does that whatever becomes of the process, and the kernel can drop the lock
// only after it has run on that processor. So a kill with stores pending looks to everybody like a
// process that stands still, drains, and is killed then; only the latter needs to be explored.
//
// Wrong would be: reclaim <= head <= tail <= reclaim + M broken; records that do not tile
// [reclaim, tail]; a message accepted (published) and not finished that is not in the ring exactly
// once, with its own payload; one delivered twice; two messages of one producer taken out of order;
// FULL said though there was room at every moment of the call; a state from which the survivors,
// without newcomers, cannot deliver everything and empty the ring.

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

constexpr int kMaxBlocks = 4;
constexpr int kMaxActors = 4;

enum WordState : std::uint8_t {
  kNone,
  kWriting,
  kReady,
  kReading,
  kReturned,
  kDone,
  kEnd,
  kInterior
};

struct Owner {
  std::uint8_t slot = 0;
  std::uint8_t generation = 0;
  bool operator==(const Owner&) const = default;
};

// A block's word, unpacked. READY, RETURNED and DONE name nobody.
struct Word {
  WordState state = kNone;
  std::uint8_t slot = 0;
  std::uint8_t generation = 0;
  std::uint8_t blocks = 0;
  std::uint8_t lap = 0;

  static Word unpack(std::uint16_t bits) {
    return {static_cast<WordState>(bits & 7), static_cast<std::uint8_t>(bits >> 3 & 3),
            static_cast<std::uint8_t>(bits >> 5 & 3), static_cast<std::uint8_t>(bits >> 7 & 7),
            static_cast<std::uint8_t>(bits >> 10)};
  }
  std::uint16_t pack() const {
    return static_cast<std::uint16_t>(state | slot << 3 | generation << 5 | blocks << 7 |
                                      lap << 10);
  }
  Owner owner() const { return {slot, generation}; }
  Word to(WordState next, Owner by = {}) const {
    return {next, by.slot, by.generation, blocks, lap};
  }
};

// { items : 3 | pos : 5 }, as in ring/cursor.h. Items are counted only where an instance limits
// them, to keep states few.
struct Cursor {
  static int pos(std::uint8_t cursor) { return cursor & 31; }
  static int items(std::uint8_t cursor) { return cursor >> 5; }
};

enum Pc : std::uint8_t {
  kDead,
  // producer
  kPut,
  kClaimTail,
  kClaimWord,
  kClaimHelp,
  kClaimItems,
  kClaimItemsHead,
  kClaimItemsHelp,
  kClaimRoom,
  kClaimCas,
  kClaimMoveTail,
  kStamp,
  kCopyIn,
  kPublish,
  kFull,
  // advance reclaim: back to the claim, or to the consumer about to sleep
  kReclaimLoad,
  kReclaimHead,
  kReclaimWalk,
  kReclaimAtHead,
  kReclaimHelp,
  kReclaimCas,
  // consumer
  kGet,
  kScanClear,
  kScanReclaim,
  kScanWalk,
  kScanTake,
  kScanHint,
  kTakeHead,
  kTakeWord,
  kTakeDead,
  kTakeHelp,
  kTakeCas,
  kTakeMoveHead,
  kCopyOut,
  kFinish,
  kNackHint,
  kEmpty,
  // sweep: back to the FULL producer, the EMPTY consumer, the newcomer
  kSweepReclaim,
  kSweepWalk,
  kSweepDead,
  kSweepReturn,
  kSweepHint,
  // skip: back to the take, or to the sweep
  kSkipTail,
  kSkipMoveTail,
  kSkipInterior,
  kSkipStamp,
  kSkipDone,
  kJoinGeneration,
  kJoinLock,
};

enum Back : std::uint8_t { kToProgram, kToSweep, kToTake, kToClaim };

// One participant: its program counter and its private variables. Unused ones are zero, so that
// equal means equal.
struct Actor {
  std::uint16_t word;   // the word last read at `at`, `walk` or `found`
  std::uint16_t inner;  // skip: the interior word
  Pc pc;
  std::uint8_t generation;  // its own
  std::uint8_t at;          // cursor or position of the record at hand
  std::uint8_t from;        // where a walk began
  std::uint8_t walk;        // where it is
  std::uint8_t limit;       // advance reclaim: head as loaded
  std::uint8_t message;     // number + 1 of the message in hand
  std::uint8_t left;        // puts to come
  std::uint8_t flags;
  std::uint8_t back;
  std::array<std::uint8_t, 2> buffer_address;  // 0: no store pending
  std::array<std::uint8_t, 2> buffer_value;

  // flags
  static constexpr std::uint8_t kLocked = 1;   // holds the kernel lock of its slot
  static constexpr std::uint8_t kSawFull = 2;  // at some moment of this call there was no room
  static constexpr std::uint8_t kMore = 4;     // scan: another RETURNED record was seen
  static constexpr std::uint8_t kJoining = 8;  // has not yet swept
  static constexpr std::uint8_t kMoved = 16;   // advance reclaim has been tried (mutants only)

  bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
  void set(std::uint8_t flag, bool on = true) {
    flags = static_cast<std::uint8_t>(on ? flags | flag : flags & ~flag);
  }
  bool drained() const { return buffer_address[0] == 0; }
};

struct State {
  std::array<std::uint16_t, kMaxBlocks> word;
  std::array<std::uint8_t, kMaxBlocks> payload;  // number + 1 of the message in the block
  std::uint8_t tail;
  std::uint8_t head;
  std::uint8_t reclaim;
  std::uint8_t hint;
  std::array<std::uint8_t, kMaxActors> generation;
  // What an observer outside of the machine has seen.
  std::uint8_t published;
  std::uint8_t finished;
  std::array<std::uint8_t, kMaxActors> begun;  // messages each slot has claimed room for
  std::array<std::uint8_t, kMaxActors>
      taken;  // the last message of each slot that was taken in turn, + 1
  std::uint8_t kills;
  std::uint8_t joins;
  std::array<Actor, kMaxActors> actor;
};

// Where a pending store goes.
enum Address : std::uint8_t { kToWord = 1, kToPayload = 16, kToGeneration = 32 };

enum class Mutant : std::uint8_t {
  kNone,
  kR1Claim,
  kR1Take,
  kR1Reclaim,
  kR2Bound,
  kR2Help,
  kR3,
  kR4SameGeneration,
  kR4LockFirst,
  kR4NoSweep,
  kR4NoKernel,
  kR5,
  kR6NoAdvance,
  kR6OneTry,
  kR6Items,
  kHintLost,
  kStampSkippedPlain,
  kNackHintLost,
};

struct Role {
  bool producer = false;
  std::vector<int> sizes;  // of the messages of this slot, in order
  int puts = 0;            // by its first user; a newcomer puts one
  bool seals = false;      // then places END
};

struct Instance {
  int blocks = 4;
  std::vector<Role> roles;
  int kills = 0;
  int joins = 0;
  bool tso = false;
  int max_items = 0;
  bool leases = false;  // what is claimed may be aborted, what is taken may be given back
  int stamp_laps = 1;   // interior words are stamped in laps divisible by this; 0: never
  int lap_bits = 6;     // enough never to wrap in an instance, unless it says less
  int generation_bits = 2;
  int mortal = 15;  // slots that may be killed
  Mutant mutant = Mutant::kNone;
};

class RingModel {
 public:
  using State = model::State;

  explicit RingModel(Instance instance) : in_(std::move(instance)) {
    int base = 0;
    for (std::size_t i = 0; i < in_.roles.size(); ++i) {
      base_[i] = base;
      for (int size : in_.roles[i].sizes) size_[static_cast<std::size_t>(base++)] = size;
    }
  }

  std::size_t bytes() const { return offsetof(State, actor) + in_.roles.size() * sizeof(Actor); }

  State initial() const {
    State s{};
    s.tail = s.head = s.reclaim = static_cast<std::uint8_t>(in_.blocks);
    for (std::size_t i = 0; i < in_.roles.size(); ++i) {
      s.actor[i].flags = Actor::kLocked;
      s.actor[i].left = byte(in_.roles[i].puts + (in_.roles[i].seals ? 1 : 0));
      s.actor[i].pc = in_.roles[i].producer ? kPut : kGet;
    }
    return s;
  }

  void steps(const State& s, Steps<State>& out) const {
    for (int i = 0; i < actors(); ++i) {
      const Actor& me = s.actor[index(i)];
      if (me.pc == kDead) {
        if (s.joins < in_.joins) join(s, i, out);
        continue;
      }
      if (!me.drained()) drain(s, i, out);
      step(s, i, out);
      if (s.kills < in_.kills && me.drained() && (in_.mortal >> i & 1) != 0 &&
          !(me.pc == kPut && me.left == 0)) {
        kill(s, i, out);
      }
    }
  }

  const char* broken(const State& s) const {
    const int reclaim = s.reclaim;
    const int head = Cursor::pos(s.head);
    const int tail = Cursor::pos(s.tail);
    if (reclaim > head) return "reclaim has passed head";
    if (head > tail) return "head has passed tail";
    if (tail > reclaim + in_.blocks) return "tail is more than M ahead of reclaim";
    int live = 0;
    bool head_is_start = head == tail;
    int pos = reclaim;
    while (pos < tail) {
      const Word word = at(s, pos);
      if (age(word, pos) != 0 || word.blocks == 0 || word.state == kInterior)
        return "a live record was overwritten";
      if (pos == head) head_is_start = true;
      if (word.state == kReady || word.state == kReading || word.state == kReturned) {
        const int message = s.payload[block(pos)];
        if (message == 0 || (s.published >> (message - 1) & 1) == 0 ||
            size_[index(message - 1)] != word.blocks) {
          return "a record holds what was not published there";
        }
        if ((s.finished >> (message - 1) & 1) != 0) return "a finished message is in the ring";
        if (word.blocks == 2 && s.payload[block(pos + 1)] != message)
          return "a record's payload was overwritten";
        if ((live >> (message - 1) & 1) != 0) return "a message is in the ring twice";
        live |= 1 << (message - 1);
      }
      pos += word.blocks;
    }
    if (pos != tail || !head_is_start) return "records do not tile [reclaim, tail]";
    if (live != (s.published & ~s.finished)) return "an accepted message is lost";
    return nullptr;
  }

  bool settled(const State& s) const {
    bool consumers = false;
    for (int i = 0; i < actors(); ++i) {
      if (!in_.roles[index(i)].producer && s.actor[index(i)].pc != kDead) consumers = true;
    }
    for (int i = 0; i < actors(); ++i) {
      const Actor& me = s.actor[index(i)];
      if (me.pc == kDead) continue;
      if (!me.drained()) return false;
      if (in_.roles[index(i)].producer) {
        if (!(me.pc == kPut && me.left == 0) && !(me.pc == kFull && !consumers && truly_full(s, i)))
          return false;
      } else if (me.pc != kGet) {
        return false;
      }
    }
    return !consumers || (s.published == s.finished && Cursor::pos(s.tail) == s.reclaim);
  }

  std::string describe(const State& s) const {
    static constexpr const char* kNames[] = {"-",        "WRITING", "READY", "READING",
                                             "RETURNED", "DONE",    "END",   "interior"};
    std::string text = "reclaim " + std::to_string(s.reclaim) + " head " +
                       std::to_string(Cursor::pos(s.head)) + " tail " +
                       std::to_string(Cursor::pos(s.tail)) + (s.hint != 0 ? " hint" : "") + " [";
    for (int i = 0; i < in_.blocks; ++i) {
      const Word word = Word::unpack(s.word[index(i)]);
      if (i > 0) text += ", ";
      text += std::to_string(word.lap) + " " + kNames[word.state];
      if (word.state == kWriting || word.state == kReading) {
        text += "(" + std::to_string(word.slot) + "." + std::to_string(word.generation) + ")";
      }
      if (word.blocks == 2) text += " x2";
    }
    return text + "]";
  }

 private:
  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  static std::uint8_t byte(int value) { return static_cast<std::uint8_t>(value); }
  int actors() const { return static_cast<int>(in_.roles.size()); }
  bool is(Mutant mutant) const { return in_.mutant == mutant; }

  std::size_t block(int pos) const { return static_cast<std::size_t>(pos % in_.blocks); }
  int lap(int pos) const { return pos / in_.blocks & ((1 << in_.lap_bits) - 1); }
  Word at(const State& s, int pos) const { return Word::unpack(s.word[block(pos)]); }
  // As WordFormat::age: positive, the word is of a newer lap than `pos`; negative, of an older one.
  int age(const Word& word, int pos) const {
    const int modulus = 1 << in_.lap_bits;
    const int difference = (word.lap - lap(pos)) & (modulus - 1);
    return difference >= modulus / 2 ? difference - modulus : difference;
  }
  bool stamped(int pos) const {
    return !is(Mutant::kR5) && in_.stamp_laps != 0 && pos / in_.blocks % in_.stamp_laps == 0;
  }
  Word interior(int pos) const { return {kInterior, 0, 0, 0, byte(lap(pos))}; }
  std::uint8_t after(std::uint8_t cursor, int blocks) const {
    const int items = in_.max_items != 0 ? Cursor::items(cursor) + 1 : 0;
    return byte((items & 7) << 5 | (Cursor::pos(cursor) + blocks));
  }
  Owner self(const State& s, int i) const { return {byte(i), s.actor[index(i)].generation}; }
  // A slot that seals does so instead of a put behind its last.
  bool sealing(const State& s, int i) const {
    return s.actor[index(i)].left == 1 && in_.roles[index(i)].seals;
  }
  int next_size(const State& s, int i) const {
    if (sealing(s, i)) return 1;
    return size_[index(base_[index(i)] + s.begun[index(i)])];
  }

  // The kernel's verdict and the generation in one step: the generation is read first, and a slot's
  // generation cannot change while its user lives, so reading both at the moment of the second read
  // says the same or errs toward "alive".
  bool dead(const State& s, int asking, Owner owner) const {
    if (is(Mutant::kR4NoKernel)) return owner.slot != asking;
    if (!is(Mutant::kR4SameGeneration) && s.generation[owner.slot] != owner.generation) return true;
    return !s.actor[owner.slot].has(Actor::kLocked);
  }

  // Whether the ring has no room for the next message of `i`, had everything that is DONE been
  // reclaimed at this moment.
  bool truly_full(const State& s, int i) const {
    int tail = Cursor::pos(s.tail);
    int items = Cursor::items(s.tail);
    if (const Word word = at(s, tail); age(word, tail) == 0) {
      if (word.state == kEnd) return true;
      tail += word.blocks;
      ++items;
    }
    if (in_.max_items != 0 && !sealing(s, i)) {
      int passed = 0;  // by head, were it where it could be
      for (int pos = Cursor::pos(s.head); pos < tail && at(s, pos).state >= kReading; ++passed)
        pos += at(s, pos).blocks;
      if (((items - Cursor::items(s.head)) & 7) - passed >= in_.max_items) return true;
    }
    int used_from = s.reclaim;
    while (used_from < tail && at(s, used_from).state == kDone)
      used_from += at(s, used_from).blocks;
    return tail + next_size(s, i) - used_from > in_.blocks;
  }
  static bool claiming(const Actor& me) {
    return (me.pc >= kClaimTail && me.pc <= kClaimCas) ||
           (me.pc >= kReclaimLoad && me.pc <= kReclaimCas && me.back == kToClaim);
  }

  // --- the machine ---

  // Every step ends here: the observer notes for each producer inside a claim whether there is room
  // now.
  void emit(int i, const char* name, State& n, Steps<State>& out,
            const char* broken = nullptr) const {
    for (int p = 0; p < actors(); ++p) {
      Actor& actor = n.actor[index(p)];
      if (in_.roles[index(p)].producer && claiming(actor) && !actor.has(Actor::kSawFull)) {
        actor.set(Actor::kSawFull, truly_full(n, p));
      }
    }
    out.add(i, name, n, broken);
  }

  void write(State& n, int address, std::uint8_t value) const {
    if (address >= kToGeneration) {
      n.generation[index(address - kToGeneration)] = value;
    } else if (address >= kToPayload) {
      for (int b = 0; b < size_[index(value - 1)]; ++b)
        n.payload[block(address - kToPayload + b)] = value;
    } else {
      n.word[index(address - kToWord)] = Word{kInterior, 0, 0, 0, value}.pack();
    }
  }
  void store(State& n, int i, int address, std::uint8_t value) const {
    if (!in_.tso) return write(n, address, value);
    Actor& me = n.actor[index(i)];
    const std::size_t slot = me.buffer_address[0] == 0 ? 0 : 1;
    me.buffer_address[slot] = byte(address);
    me.buffer_value[slot] = value;
  }
  void drain(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[index(i)];
    write(n, me.buffer_address[0], me.buffer_value[0]);
    me.buffer_address = {me.buffer_address[1], 0};
    me.buffer_value = {me.buffer_value[1], 0};
    emit(i, "(a pending store drains)", n, out);
  }

  void kill(const State& s, int i, Steps<State>& out) const {
    State n = s;
    n.actor[index(i)] = {};
    ++n.kills;
    out.add_fate(i, "SIGKILL", n);
  }

  void join(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[index(i)];
    me.flags = Actor::kJoining;
    me.generation = n.generation[index(i)];
    me.pc = is(Mutant::kR4LockFirst) ? kJoinLock : kJoinGeneration;
    ++n.joins;
    out.add_fate(i, "a newcomer moves in", n);
  }

  static void rest(Actor& me, Pc pc) {
    me.word = me.inner = 0;
    me.at = me.from = me.walk = me.limit = me.message = me.back = 0;
    me.flags &= static_cast<std::uint8_t>(Actor::kLocked | Actor::kJoining);
    me.pc = pc;
  }
  void rest(Actor& me, int i) const { rest(me, in_.roles[index(i)].producer ? kPut : kGet); }

  static bool is_rmw(Pc pc) {
    switch (pc) {
      case kClaimHelp:
      case kClaimItemsHelp:
      case kClaimCas:
      case kClaimMoveTail:
      case kPublish:
      case kReclaimHelp:
      case kReclaimCas:
      case kScanClear:
      case kScanTake:
      case kScanHint:
      case kTakeHelp:
      case kTakeCas:
      case kTakeMoveHead:
      case kFinish:
      case kNackHint:
      case kSweepReturn:
      case kSweepHint:
      case kSkipMoveTail:
      case kSkipStamp:
      case kSkipDone:
        return true;
      default:
        return false;
    }
  }

  bool cas(State& n, int pos, std::uint16_t expected, Word next) const {
    if (n.word[block(pos)] != expected) return false;
    n.word[block(pos)] = next.pack();
    return true;
  }
  void move(std::uint8_t& cursor, std::uint8_t from, int blocks) const {
    if (cursor == from) cursor = after(from, blocks);
  }

  void step(const State& s, int i, Steps<State>& out) const {
    const Actor& was = s.actor[index(i)];
    if (is_rmw(was.pc) && !was.drained()) return;
    if (was.pc <= kFull) return put_step(s, i, out);
    if (was.pc <= kReclaimCas) return reclaim_step(s, i, out);
    if (was.pc <= kEmpty) return get_step(s, i, out);
    return recover_step(s, i, out);
  }

  void put_step(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[index(i)];
    const Word word = Word::unpack(me.word);
    const int pos = Cursor::pos(me.at);
    const int blocks =
        me.message != 0 ? size_[index(me.message - 1)] : (me.left > 0 ? next_size(s, i) : 0);
    switch (me.pc) {
      case kPut:
        if (me.left == 0) return;
        [[fallthrough]];
      case kClaimTail:
        me.at = s.tail;
        me.pc = kClaimWord;
        return emit(i, "claim: load tail", n, out);
      case kClaimWord: {
        me.word = s.word[block(pos)];
        const Word seen = Word::unpack(me.word);
        const int newer = age(seen, pos);
        if (newer > 0 && !is(Mutant::kR1Claim)) {
          me.word = me.at = 0;
          me.pc = kClaimTail;
          return emit(i, "claim: newer, the tail is stale (R1)", n, out);
        }
        if (newer == 0 && seen.state == kEnd) {
          me.left = 0;
          rest(me, kPut);
          return emit(i, "claim: END, refuse", n, out);
        }
        me.pc = newer == 0                             ? kClaimHelp
                : in_.max_items != 0 && !sealing(s, i) ? kClaimItems
                                                       : kClaimRoom;
        return emit(i, "claim: load d[tail]", n, out);
      }
      case kClaimHelp:
        move(n.tail, me.at, word.blocks);
        me.word = me.at = 0;
        me.pc = kClaimTail;
        return emit(i, "claim: help tail", n, out);
      case kClaimItems:
        if (Cursor::pos(s.head) > pos) {
          me.word = me.at = 0;
          me.pc = kClaimTail;
        } else if (((Cursor::items(me.at) - Cursor::items(s.head)) & 7) >= in_.max_items) {
          if (is(Mutant::kR6Items)) return full(i, n, out);
          me.limit = s.head;
          me.pc = kClaimItemsHead;
        } else {
          me.pc = kClaimRoom;
        }
        return emit(i, "claim: load head for items", n, out);
      case kClaimItemsHead: {
        // As R6 for blocks: head may lag behind a record that is past READY, whose taker stands
        // still or is dead.
        const int head = Cursor::pos(me.limit);
        const Word seen = at(s, head);
        if (age(seen, head) == 0 && (seen.state == kWriting || seen.state == kReady))
          return full(i, n, out);
        me.inner = seen.pack();
        me.pc = age(seen, head) == 0 ? kClaimItemsHelp : kClaimTail;
        if (me.pc == kClaimTail) me.word = me.inner = 0;
        if (me.pc == kClaimTail) me.at = me.limit = 0;
        return emit(i, "claim: items, load d[head]", n, out);
      }
      case kClaimItemsHelp:
        move(n.head, me.limit, Word::unpack(me.inner).blocks);
        me.word = me.inner = 0;
        me.at = me.limit = 0;
        me.pc = kClaimTail;
        return emit(i, "claim: items, help head (R6)", n, out);
      case kClaimRoom:
        if (pos + blocks - s.reclaim <= in_.blocks) {
          me.pc = kClaimCas;
        } else if (is(Mutant::kR6NoAdvance)) {
          return full(i, n, out);
        } else {
          me.pc = kReclaimLoad;
          me.back = kToClaim;
        }
        return emit(i, "claim: load reclaim", n, out);
      case kClaimCas: {
        const Word mine =
            sealing(s, i) ? Word{kEnd, 0, 0, 1, byte(lap(pos))}
                          : Word{kWriting, byte(i), me.generation, byte(blocks), byte(lap(pos))};
        if (!cas(n, pos, me.word, mine)) {
          me.word = me.at = 0;
          me.pc = kClaimTail;
          return emit(i, "claim: CAS d[tail] fails", n, out);
        }
        if (sealing(s, i)) {
          me.left = 0;
          rest(me, kPut);
          return emit(i, "seal: CAS d[tail] -> END", n, out);
        }
        me.message = byte(base_[index(i)] + s.begun[index(i)] + 1);
        ++n.begun[index(i)];
        me.word = mine.pack();
        me.set(Actor::kSawFull, false);
        me.pc = kClaimMoveTail;
        return emit(i, "claim: CAS d[tail] -> WRITING", n, out);
      }
      case kClaimMoveTail:
        move(n.tail, me.at, blocks);
        me.at = byte(pos);
        me.pc = blocks == 2 && stamped(pos + 1) ? kStamp : kCopyIn;
        return emit(i, "claim: CAS tail", n, out);
      case kStamp:
        store(n, i, kToWord + static_cast<int>(block(pos + 1)), byte(lap(pos + 1)));
        me.pc = kCopyIn;
        return emit(i, "publish: stamp the interior (R5)", n, out);
      case kCopyIn:
        store(n, i, kToPayload + static_cast<int>(block(pos)), me.message);
        me.pc = kPublish;
        return emit(i, "publish: copy", n, out);
      case kPublish: {
        if (in_.leases) {
          State aborted = s;
          const bool mine = cas(aborted, pos, me.word, word.to(kDone));
          --aborted.actor[index(i)].left;
          rest(aborted.actor[index(i)], kPut);
          emit(i, "abort: CAS WRITING -> DONE", aborted, out,
               mine ? nullptr : "a living producer was robbed");
        }
        const bool ours = cas(n, pos, me.word, word.to(kReady));
        n.published |= byte(1 << (me.message - 1));
        --me.left;
        rest(me, kPut);
        return emit(i, "publish: CAS WRITING -> READY", n, out,
                    ours ? nullptr : "a living producer was robbed");
      }
      case kFull:
        rest(me, s.kills > 0 ? kSweepReclaim : kPut);
        return emit(i, "(tries again)", n, out);
      default:
        return;
    }
  }

  void full(int i, State& n, Steps<State>& out) const {
    Actor& me = n.actor[index(i)];
    const bool right = me.has(Actor::kSawFull);
    rest(me, kFull);
    emit(i, "claim: FULL", n, out,
         right ? nullptr : "FULL was said though there was room all the time");
  }

  // As MpmcRing::advance_reclaim: again and again, until a reclaim loaded afresh has nothing DONE
  // before it.
  void reclaim_step(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[index(i)];
    switch (me.pc) {
      case kReclaimLoad:
        me.from = me.walk = s.reclaim;
        me.pc = kReclaimHead;
        if (me.has(Actor::kMoved)) return reclaim_return(i, n, out, "reclaim: load reclaim");
        return emit(i, "reclaim: load reclaim", n, out);
      case kReclaimHead: {
        me.limit = is(Mutant::kR2Bound) ? s.tail : s.head;
        me.pc = me.walk == Cursor::pos(me.limit) ? kReclaimAtHead : kReclaimWalk;
        if (Cursor::pos(me.limit) < me.walk) me.pc = kReclaimLoad;
        return emit(i, "reclaim: load head", n, out);
      }
      case kReclaimWalk: {
        const Word word = at(s, me.walk);
        if (age(word, me.walk) > 0 && !is(Mutant::kR1Reclaim)) return reclaim_again(i, n, out);
        const bool passes = age(word, me.walk) == 0 && word.state == kDone &&
                            me.walk + word.blocks <= Cursor::pos(me.limit);
        if (passes) me.walk = byte(me.walk + word.blocks);
        if (!passes || me.walk == Cursor::pos(me.limit)) {
          if (me.walk == me.from) return reclaim_return(i, n, out, "reclaim: load d[walk]");
          me.pc = kReclaimCas;
        }
        return emit(i, "reclaim: load d[walk]", n, out);
      }
      case kReclaimAtHead: {
        const Word word = at(s, me.walk);
        if (age(word, me.walk) > 0 && !is(Mutant::kR1Reclaim)) return reclaim_again(i, n, out);
        if (age(word, me.walk) != 0 || word.state != kDone || is(Mutant::kR2Help)) {
          return reclaim_return(i, n, out, "reclaim: load d[head]");
        }
        me.inner = word.pack();
        me.pc = kReclaimHelp;
        return emit(i, "reclaim: load d[head]", n, out);
      }
      case kReclaimHelp:
        move(n.head, me.limit, Word::unpack(me.inner).blocks);
        me.inner = 0;
        me.limit = 0;
        me.pc = kReclaimLoad;
        return emit(i, "reclaim: help head (R2)", n, out);
      case kReclaimCas:
        if (s.reclaim == me.from) n.reclaim = me.walk;
        me.limit = 0;
        me.pc = kReclaimLoad;
        me.set(Actor::kMoved, is(Mutant::kR6OneTry));
        return emit(i, "reclaim: CAS reclaim", n, out);
      default:
        return;
    }
  }

  void reclaim_again(int i, State& n, Steps<State>& out) const {
    n.actor[index(i)].pc = kReclaimLoad;
    n.actor[index(i)].from = n.actor[index(i)].walk = n.actor[index(i)].limit = 0;
    emit(i, "reclaim: newer, reclaim is stale (R1)", n, out);
  }

  void reclaim_return(int i, State& n, Steps<State>& out, const char* name) const {
    Actor& me = n.actor[index(i)];
    if (me.back != kToClaim) {
      rest(me, i);
      return emit(i, name, n, out);
    }
    const int used = Cursor::pos(me.at) - me.from;
    const int blocks = next_size(n, i);
    me.back = me.from = me.walk = me.limit = 0;
    me.set(Actor::kMoved, false);
    if (used < 0) {
      me.word = me.at = 0;
      me.pc = kClaimTail;
      return emit(i, name, n, out);
    }
    if (used + blocks > in_.blocks) return full(i, n, out);
    me.pc = kClaimCas;
    emit(i, name, n, out);
  }

  void get_step(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[index(i)];
    const Word word = Word::unpack(me.word);
    const int pos = Cursor::pos(me.at);
    switch (me.pc) {
      case kGet:
        me.pc = s.hint != 0 ? kScanClear : kTakeHead;
        return emit(i, "get: load hint", n, out);
      case kScanClear:
        n.hint = 0;
        me.pc = kScanReclaim;
        return emit(i, "scan: clear the hint", n, out);
      case kScanReclaim:
        rest(me, kScanWalk);
        me.from = me.walk = s.reclaim;
        return emit(i, "scan: load reclaim", n, out);
      case kScanWalk: {
        bool over = me.walk - me.from >= in_.blocks;
        if (!over) {
          const Word seen = at(s, me.walk);
          const int newer = age(seen, me.walk);
          if (newer > 0) {
            rest(me, kScanReclaim);
            return emit(i, "scan: newer, the walk is stale", n, out);
          }
          over = newer < 0 || seen.state == kEnd;
          if (!over) {
            if (seen.state == kReturned) {
              if (me.word != 0) me.set(Actor::kMore);
              if (me.word == 0) {
                me.word = seen.pack();
                me.at = me.walk;
              }
            }
            me.walk = byte(me.walk + seen.blocks);
          }
        }
        if (over || me.has(Actor::kMore)) {
          me.from = me.walk = 0;
          me.pc = me.word != 0 ? kScanTake : kTakeHead;
        }
        return emit(i, "scan: load d[walk]", n, out);
      }
      case kScanTake: {
        const Word mine = word.to(kReading, self(s, i));
        if (!cas(n, pos, me.word, mine)) {
          rest(me, kScanReclaim);
          return emit(i, "scan: CAS RETURNED fails", n, out);
        }
        me.word = mine.pack();
        me.pc = me.has(Actor::kMore) ? kScanHint : kCopyOut;
        return emit(i, "scan: CAS RETURNED -> READING", n, out);
      }
      case kScanHint:
        n.hint = 1;
        me.set(Actor::kMore, false);
        me.pc = kCopyOut;
        return emit(i, "scan: set the hint again", n, out);
      case kTakeHead:
        me.at = s.head;
        me.pc = kTakeWord;
        return emit(i, "take: load head", n, out);
      case kTakeWord: {
        const Word seen = at(s, pos);
        const int newer = is(Mutant::kR1Take) && seen.state != kInterior && seen.state != kNone &&
                                  age(seen, pos) > 0
                              ? 0
                              : age(seen, pos);
        if (newer < 0 || seen.state == kEnd) {
          rest(me, kEmpty);
          return emit(i, newer < 0 ? "take: older, EMPTY" : "take: END", n, out);
        }
        if (newer > 0) {
          rest(me, kTakeHead);
          return emit(i, "take: newer, the head is stale (R1)", n, out);
        }
        me.word = seen.pack();
        me.pc = seen.state == kReady ? kTakeCas : seen.state == kWriting ? kTakeDead : kTakeHelp;
        return emit(i, "take: load d[head]", n, out);
      }
      case kTakeDead:
        if (dead(s, i, word.owner())) {
          me.walk = byte(pos);
          me.at = 0;
          me.back = kToTake;
          me.pc = is(Mutant::kR3) ? kSkipInterior : kSkipTail;
          if (is(Mutant::kR3) && !(word.blocks == 2 && stamped(pos + 1))) me.pc = kSkipDone;
        } else {
          rest(me, kEmpty);
        }
        return emit(i, "take: WRITING, is its owner dead?", n, out);
      case kTakeHelp:
        move(n.head, me.at, word.blocks);
        rest(me, kTakeHead);
        return emit(i, "take: help head", n, out);
      case kTakeCas: {
        const Word mine = word.to(kReading, self(s, i));
        if (!cas(n, pos, me.word, mine)) {
          rest(me, kTakeHead);
          return emit(i, "take: CAS READY fails", n, out);
        }
        me.word = mine.pack();
        me.pc = kTakeMoveHead;
        const int message = s.payload[block(pos)];
        const char* wrong = nullptr;
        if (message != 0) {
          std::size_t from = index(actors() - 1);
          while (base_[from] >= message || !in_.roles[from].producer) --from;
          if (n.taken[from] >= message) wrong = "messages of one producer were taken out of order";
          n.taken[from] = byte(message);
        }
        return emit(i, "take: CAS READY -> READING", n, out, wrong);
      }
      case kTakeMoveHead:
        move(n.head, me.at, word.blocks);
        me.at = byte(pos);
        me.pc = kCopyOut;
        return emit(i, "take: CAS head", n, out);
      case kCopyOut:
        me.message = s.payload[block(pos)];
        me.pc = kFinish;
        return emit(i, "finish: copy out", n, out,
                    word.blocks == 2 && s.payload[block(pos + 1)] != me.message
                        ? "a torn message was read"
                        : nullptr);
      case kFinish: {
        if (in_.leases) {
          State back = s;
          const bool mine = cas(back, pos, me.word, word.to(kReturned));
          rest(back.actor[index(i)], is(Mutant::kNackHintLost) ? kGet : kNackHint);
          emit(i, "nack: CAS READING -> RETURNED", back, out,
               mine ? nullptr : "a living consumer was robbed");
        }
        const char* wrong = nullptr;
        if (!cas(n, pos, me.word, word.to(kDone))) wrong = "a living consumer was robbed";
        if (me.message == 0 || (s.finished >> (me.message - 1) & 1) != 0)
          wrong = "a message was delivered twice";
        n.finished |= byte(1 << (me.message - 1));
        rest(me, kGet);
        return emit(i, "finish: CAS READING -> DONE", n, out, wrong);
      }
      case kNackHint:
        n.hint = 1;
        rest(me, kGet);
        return emit(i, "nack: set the hint", n, out);
      case kEmpty:
        rest(me, s.kills > 0 ? kSweepReclaim : kReclaimLoad);
        return emit(i, "(about to sleep)", n, out);
      default:
        return;
    }
  }

  void recover_step(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[index(i)];
    const Word word = Word::unpack(me.word);
    switch (me.pc) {
      case kSweepReclaim:
        me.from = me.walk = s.reclaim;
        me.pc = kSweepWalk;
        return emit(i, "sweep: load reclaim", n, out);
      case kSweepWalk: {
        if (me.walk - me.from >= in_.blocks) return sweep_return(i, n, out);
        const Word seen = at(s, me.walk);
        const int newer = age(seen, me.walk);
        if (newer < 0 || seen.state == kEnd) return sweep_return(i, n, out);
        if (newer > 0) {
          me.pc = kSweepReclaim;
          me.from = me.walk = 0;
          return emit(i, "sweep: newer, the walk is stale", n, out);
        }
        if (seen.state == kWriting || seen.state == kReading) {
          me.word = seen.pack();
          me.pc = kSweepDead;
        } else if (seen.state == kReturned && !is(Mutant::kHintLost)) {
          me.word = seen.pack();
          me.pc = kSweepHint;
        } else {
          me.walk = byte(me.walk + seen.blocks);
        }
        return emit(i, "sweep: load d[walk]", n, out);
      }
      case kSweepDead:
        if (!dead(s, i, word.owner())) {
          sweep_on(me);
        } else if (word.state == kReading) {
          me.pc = kSweepReturn;
        } else {
          me.back = kToSweep;
          me.pc = kSkipTail;
          if (is(Mutant::kR3))
            me.pc = word.blocks == 2 && stamped(me.walk + 1) ? kSkipInterior : kSkipDone;
        }
        return emit(i, "sweep: is the owner dead?", n, out);
      case kSweepReturn:
        if (cas(n, me.walk, me.word, word.to(kReturned))) {
          me.pc = kSweepHint;
          return emit(i, "sweep: CAS READING -> RETURNED", n, out);
        }
        sweep_on(me);
        return emit(i, "sweep: CAS READING fails", n, out);
      case kSweepHint:
        n.hint = 1;
        sweep_on(me);
        return emit(i, "sweep: set the hint", n, out);
      case kSkipTail: {
        if (Cursor::pos(s.tail) < me.walk) {
          skip_return(me, i);
        } else if (Cursor::pos(s.tail) == me.walk) {
          me.at = s.tail;
          me.pc = kSkipMoveTail;
        } else {
          me.pc = word.blocks == 2 && stamped(me.walk + 1) ? kSkipInterior : kSkipDone;
        }
        return emit(i, "skip: load tail", n, out);
      }
      case kSkipMoveTail:
        move(n.tail, me.at, word.blocks);
        me.at = 0;
        me.pc = word.blocks == 2 && stamped(me.walk + 1) ? kSkipInterior : kSkipDone;
        return emit(i, "skip: help tail (R3)", n, out);
      case kSkipInterior: {
        const Word seen = at(s, me.walk + 1);
        me.pc = kSkipDone;
        if (age(seen, me.walk + 1) < 0) {
          me.inner = seen.pack();
          me.pc = kSkipStamp;
        }
        return emit(i, "skip: load the interior", n, out);
      }
      case kSkipStamp:
        if (is(Mutant::kStampSkippedPlain)) {
          n.word[block(me.walk + 1)] = interior(me.walk + 1).pack();
        } else {
          cas(n, me.walk + 1, me.inner, interior(me.walk + 1));
        }
        me.inner = 0;
        me.pc = kSkipDone;
        return emit(i, "skip: CAS the interior (R5)", n, out);
      case kSkipDone:
        cas(n, me.walk, me.word, word.to(kDone));
        skip_return(me, i);
        return emit(i, "skip: CAS WRITING -> DONE", n, out);
      case kJoinGeneration: {
        const int next = (me.generation + 1) & ((1 << in_.generation_bits) - 1);
        if (!is(Mutant::kR4SameGeneration)) {
          me.generation = byte(next);
          store(n, i, kToGeneration + i, byte(next));
        }
        me.pc = is(Mutant::kR4LockFirst) ? kSweepReclaim : kJoinLock;
        return emit(i, "join: store the generation", n, out);
      }
      case kJoinLock: {
        if (!me.drained()) return;  // the kernel's own lock
        const Owner last{byte(i), s.generation[index(i)]};
        me.set(Actor::kLocked);
        me.pc = is(Mutant::kR4LockFirst) ? kJoinGeneration : kSweepReclaim;
        // Whoever asks now hears that the last user of the slot lives, for as long as we stand here.
        const bool revives = names(s, last);
        if (is(Mutant::kR4NoSweep)) joined(n, i);
        return emit(i, "join: lock the slot", n, out, revives ? "the dead seem to live" : nullptr);
      }
      default:
        return;
    }
  }

  void joined(State& n, int i) const {
    Actor& me = n.actor[index(i)];
    me.left = n.begun[index(i)] < static_cast<int>(in_.roles[index(i)].sizes.size()) ? 1 : 0;
    me.flags = Actor::kLocked;
    rest(me, i);
  }
  // Whether something in the ring is still somebody's.
  bool names(const State& s, Owner owner) const {
    for (int b = 0; b < in_.blocks; ++b) {
      const Word word = Word::unpack(s.word[index(b)]);
      if ((word.state == kWriting || word.state == kReading) && word.owner() == owner) return true;
    }
    return false;
  }

  static void sweep_on(Actor& me) {
    me.walk = byte(me.walk + Word::unpack(me.word).blocks);
    me.word = 0;
    me.back = 0;
    me.pc = kSweepWalk;
  }
  void skip_return(Actor& me, int i) const {
    if (me.back == kToSweep) return sweep_on(me);
    rest(me, in_.roles[index(i)].producer ? kPut : kTakeHead);
  }
  // Joined: the program. FULL: claim again. EMPTY: advance reclaim, then sleep.
  void sweep_return(int i, State& n, Steps<State>& out) const {
    Actor& me = n.actor[index(i)];
    if (me.has(Actor::kJoining)) {
      joined(n, i);
    } else {
      rest(me, in_.roles[index(i)].producer ? kPut : kReclaimLoad);
    }
    emit(i, "sweep: the end", n, out);
  }

  Instance in_;
  std::array<int, kMaxActors> base_{};
  std::array<int, 8> size_{};
};

Role producer(std::vector<int> sizes, int for_newcomers = 0) {
  Role role;
  role.producer = true;
  role.puts = static_cast<int>(sizes.size()) - for_newcomers;
  role.sizes = std::move(sizes);
  return role;
}

Role sealing_producer(std::vector<int> sizes) {
  Role role = producer(std::move(sizes));
  role.seals = true;
  return role;
}

std::string name_of(const Instance& in) {
  int producers = 0;
  std::string sizes;
  bool seals = false;
  for (const Role& role : in.roles) {
    if (!role.producer) continue;
    if (producers++ > 0) sizes += "|";
    for (int size : role.sizes) sizes += std::to_string(size);
    seals = seals || role.seals;
  }
  std::string name = "ring M=" + std::to_string(in.blocks) +
                     " producers=" + std::to_string(producers) +
                     " consumers=" + std::to_string(static_cast<int>(in.roles.size()) - producers) +
                     " sizes=" + sizes + " kills=" + std::to_string(in.kills);
  if (in.joins > 0) name += " newcomers=" + std::to_string(in.joins);
  if (in.max_items > 0) name += " maxItems=" + std::to_string(in.max_items);
  if (seals) name += " end";
  if (in.leases) name += " leases";
  if (in.lap_bits < 6) name += " laps modulo " + std::to_string(1 << in.lap_bits);
  if (in.stamp_laps != 1)
    name += in.stamp_laps == 0 ? " unstamped"
                               : " stamps every " + std::to_string(in.stamp_laps) + " laps";
  return name + (in.tso ? " tso" : " sc");
}

void hold(Suite& suite) {
  const auto P = producer;
  const auto E = sealing_producer;
  const Role C;
  const auto holds = [&](const Instance& in) { suite.holds(name_of(in), RingModel(in)); };

  // Nobody dies.
  holds({.blocks = 2, .roles = {P({1, 1}, 0), P({1, 2}, 0), C}, .tso = true});
  holds({.blocks = 2, .roles = {P({1, 1, 2}, 0), C, C}, .tso = true});
  holds({.blocks = 2, .roles = {P({1, 1}, 0), P({1}, 0), C, C}, .stamp_laps = 0});
  // Kills and newcomers.
  holds({.blocks = 4, .roles = {P({1, 2, 1, 2}, 0), C, C}, .kills = 1, .tso = true});
  holds({.blocks = 4,
         .roles = {P({2, 2, 1}, 0), P({2, 1}, 0), C},
         .kills = 1,
         .tso = true,
         .stamp_laps = 2});
  holds({.blocks = 2, .roles = {P({1, 1}, 0), P({1}, 0), C, C}, .kills = 1});
  holds({.blocks = 4,
         .roles = {P({1, 2, 1}, 0), C, C},
         .kills = 1,
         .joins = 1,
         .tso = true,
         .stamp_laps = 0});
  holds(
      {.blocks = 2, .roles = {P({1, 1}, 0), P({1, 1}, 1), C}, .kills = 2, .joins = 1, .tso = true});
  holds(
      {.blocks = 4, .roles = {P({2, 2}, 0), P({2, 1}, 1), C}, .kills = 2, .joins = 1, .tso = true});
  holds({.blocks = 2, .roles = {P({1, 1}, 0), C, C, C}, .kills = 2});
  holds({.blocks = 2, .roles = {P({1}, 0), P({1}, 0), P({2}, 0), C}, .kills = 3});
  holds({.blocks = 2, .roles = {P({1, 1}, 0), C, C}, .kills = 3, .joins = 1, .tso = true});
  // END, a limit on the number of messages, laps that wrap.
  holds({.blocks = 2, .roles = {E({1, 2}), P({1}, 0), C}, .kills = 1, .tso = true});
  holds({.blocks = 2,
         .roles = {P({1, 1}, 0), P({1}, 0), C},
         .kills = 1,
         .tso = true,
         .max_items = 1});
  holds({.blocks = 2, .roles = {P({1, 1}, 0), P({1}, 0)}, .kills = 1, .tso = true, .max_items = 1});
  holds({.blocks = 2, .roles = {P({2, 2, 1, 1}, 0), C}, .tso = true, .lap_bits = 2});
  // Slots that are aborted, messages that are given back.
  holds({.blocks = 2,
         .roles = {P({1, 1}, 0), P({1, 2}, 0), C},
         .kills = 1,
         .tso = true,
         .leases = true});
  holds({.blocks = 4, .roles = {P({1, 2, 1}, 0), C, C}, .kills = 1, .tso = true, .leases = true});
  holds({.blocks = 2, .roles = {E({1, 2}), C, C}, .kills = 1, .joins = 1, .leases = true});
  if (!suite.long_run()) return;
  holds({.blocks = 2, .roles = {P({1, 1}, 0), P({1, 2}, 0), C, C}});
  holds({.blocks = 4, .roles = {P({1, 2, 2, 1}, 0), P({2, 1, 2}, 0), C}, .tso = true});
  holds({.blocks = 4, .roles = {P({1, 2, 2, 1}, 0), P({2, 1}, 0), C}, .kills = 1, .stamp_laps = 2});
  holds(
      {.blocks = 2, .roles = {P({1, 2}, 0), P({1, 1}, 0), C}, .kills = 2, .joins = 1, .tso = true});
  holds({.blocks = 2, .roles = {P({1, 1}, 0), P({1}, 0), C, C}, .kills = 2});
  holds({.blocks = 2, .roles = {P({1, 2}, 0), C, C, C}, .kills = 3});
  holds({.blocks = 2, .roles = {P({1, 1, 1}, 1), C, C}, .kills = 3, .joins = 2});
}

void catch_mutants(Suite& suite) {
  const auto P = producer;
  const Role C;
  const auto caught = [&](const char* rule, Mutant mutant, Instance in) {
    in.mutant = mutant;
    suite.caught(rule, RingModel(in));
  };
  caught("R1 dropped in claim", Mutant::kR1Claim,
         {.blocks = 2, .roles = {P({1, 1}, 0), P({1, 2}, 0), C}});
  caught("R1 dropped in take", Mutant::kR1Take, {.blocks = 2, .roles = {P({1, 1, 1, 1}, 0), C, C}});
  caught("R1 dropped in advance reclaim", Mutant::kR1Reclaim,
         {.blocks = 2, .roles = {P({1, 1}, 0), P({2, 1}, 0), C}});
  caught("R2 dropped: reclaim walks past head", Mutant::kR2Bound,
         {.blocks = 2, .roles = {P({1, 1}, 0), P({1}, 0), C}, .kills = 1});
  caught("R2 dropped: head not helped", Mutant::kR2Help,
         {.blocks = 2, .roles = {P({1, 1}, 0), P({1, 1}, 0)}, .kills = 1});
  caught("R3 dropped", Mutant::kR3,
         {.blocks = 2, .roles = {P({1, 1}, 0), P({1}, 0), C}, .kills = 1});
  caught("R4 dropped: the generation stays", Mutant::kR4SameGeneration,
         {.blocks = 2, .roles = {P({1}, 0), C, C}, .kills = 1, .joins = 1, .mortal = 6});
  caught("R4 dropped: the slot is locked before it has another name", Mutant::kR4LockFirst,
         {.blocks = 2, .roles = {P({1}, 0), C}, .kills = 1, .joins = 1});
  // Generations wrap here after two, in the code after 255: what was not swept becomes the
  // newcomer's.
  const Instance wrapping{.blocks = 2,
                          .roles = {P({1, 1, 1}, 2), C},
                          .kills = 2,
                          .joins = 2,
                          .generation_bits = 1,
                          .mortal = 1};
  caught("R4 dropped: a newcomer does not sweep", Mutant::kR4NoSweep, wrapping);
  caught("R4 dropped: death is guessed", Mutant::kR4NoKernel,
         {.blocks = 2, .roles = {P({1}, 0), C}});
  caught("R5 dropped", Mutant::kR5, {.blocks = 2, .roles = {P({2, 2, 1, 1}, 0), C}, .lap_bits = 2});
  caught("R5 dropped: a skip stamps by store", Mutant::kStampSkippedPlain,
         {.blocks = 2, .roles = {P({2}, 0), P({1, 1}, 0), C}, .kills = 1, .mortal = 1});
  caught("R6 dropped: reclaim not advanced", Mutant::kR6NoAdvance,
         {.blocks = 2, .roles = {P({1, 1, 1}, 0), C}});
  caught("R6 dropped: advanced only once", Mutant::kR6OneTry,
         {.blocks = 2, .roles = {P({1, 1, 1}, 0), P({2}, 0), C}});
  caught("R6 dropped: items counted with a lagging head", Mutant::kR6Items,
         {.blocks = 2, .roles = {P({1, 1}, 0), P({1}, 0)}, .kills = 1, .max_items = 1});
  caught("hint lost: a sweep does not set it again", Mutant::kHintLost,
         {.blocks = 2, .roles = {P({1}, 0), C, C, C}, .kills = 2});
  caught("hint lost: a nack does not set it", Mutant::kNackHintLost,
         {.blocks = 2, .roles = {P({1}, 0), C}, .leases = true});
}

}  // namespace
}  // namespace interproc::model

int main(int argc, char** argv) {
  interproc::model::Suite suite(argc, argv);
  interproc::model::hold(suite);
  interproc::model::catch_mutants(suite);
  return suite.close();
}
