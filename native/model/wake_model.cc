// Waiting and waking, ARCHITECTURE.md section 7: how a sleeper is found, rung, and never forgotten.
//
//   wait word W = { epoch, state }   set by   meaning
//   AWAKE                            waiter   not waiting
//   ARMED                            waiter   asleep or about to sleep: ring me
//   RINGING                          ringer   somebody is about to ring
//   RUNG                             ringer   has been rung; one wake is in its hands
//
//   wait   look; wait.armed: store W; wait.listed: set the bit; look again; sleep; wait.disarm:
//          exchange W; wait.unlisted: clear the bit; look again, take, leave or start over
//   wake   after the publish, for each listed bit: load W; ARMED: CAS -> RINGING, ring, CAS ->
//          RUNG, one less to wake. RINGING: ring again, go on. RUNG, AWAKE: go on
//   unlist a bell that nobody heard: the slot is vacant: CAS W -> AWAKE, clear the bit; has a
//          newcomer armed meanwhile, set the bit again and ring
//
// W1  A publish wakes one for each record claimed from its own on. Records become READY in any
//     order and are taken from the front; so the wakes of those behind may have been spent on
//     waiters that found the front WRITING and went back to sleep. (Another way, stricter after
//     kills: who was rung and takes a message wakes one more if there is another.)
// W2  Who sets the redeliver hint again wakes a getter: one may have looked while it was cleared.
// W3  Who skips or returns a dead one's record wakes as its publisher would have.
// W4  Who takes over a dead waiter's slot passes on the wake that it finds in the word.
//
// What is waited for is a row of records that become READY in any order and are taken from the
// front: messages for a getter, free blocks for a putter, which takes as many as it needs; or, for
// the hint, messages that are taken in any order. A waiter wants a number of turns and leaves then;
// some may time out or abort whenever they sleep. Two kinds of beds: a futex, which compares W as
// the waiter falls asleep, and a doorbell, which may hold a ring that nobody has heard yet and does
// not say for which queue it is.
//
// The slow re-check rescues nobody here, except after a kill of one of the kinds in `Excuse`, and
// only until somebody who published after the kill has carried out its wake (where takers pass on;
// where publishers count claims, for good: one wake too few is not made up for later).
//
// Memory and kills as in ring_model.cc. The protocol has no plain store at all (publish, list,
// unlist, disarm are RMWs, the arming store is sequentially consistent), so its TSO runs equal its
// SC runs; the mutants make stores plain. An epoch is a number never used before; here, the
// smallest that nobody remembers.
//
// Wrong would be: a state from which, without kills, newcomers, time-outs and aborts, the living
// cannot reach one where all puts are done and nobody sleeps although what it waits for is there.

#include <algorithm>
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
constexpr int kMaxWaiters = 3;
constexpr int kMaxActors = 5;

enum RecordState : std::uint8_t { kNone, kWriting, kReady, kTaken };
enum WaitState : std::uint8_t { kAwake, kArmed, kRinging, kRung };

struct WaitWord {
  WaitState state = kAwake;
  std::uint8_t epoch = 0;

  static WaitWord unpack(std::uint8_t bits) {
    return {static_cast<WaitState>(bits & 3), static_cast<std::uint8_t>(bits >> 2)};
  }
  std::uint8_t pack() const { return static_cast<std::uint8_t>(state | epoch << 2); }
  WaitWord to(WaitState next) const { return {next, epoch}; }
};

enum Pc : std::uint8_t {
  kDead,
  kLeft,
  // ringer
  kClaim,
  kPublish,
  kSetHint,
  kClaimsSince,
  kRoom,
  // wake
  kWakeBit,
  kWakeLoad,
  kWakeMark,
  kWakeRing,
  kWakeRung,
  kWakeAgain,
  kUnlistLoad,
  kUnlistVacant,
  kUnlistCas,
  kUnlistBit,
  kUnlistCheck,
  kUnlistRelist,
  // waiter
  kLook,
  kClearHint,
  kTake,
  kHintAgain,
  kSkip,
  kMore,
  kArm,
  kList,
  kLookListed,
  kSleep,
  kAsleep,
  kHeard,
  kHeardDrain,
  kDisarm,
  kDisarmStore,
  kUnlist,
  kLookDisarmed,
  // newcomer in a dead waiter's slot
  kForgetBit,
  kForgetWord,
};

// One participant. The first ones are waiters, the others ringers. Unused variables are zero, so
// that equal means equal.
struct Actor {
  Pc pc;
  std::uint8_t left;    // waiter: turns it still wants; ringer: records it still puts
  std::uint8_t record;  // ringer: the record at hand, + 1
  std::uint8_t flags;
  std::uint8_t count;  // wake: how many to wake
  std::uint8_t room;   // wake on the put side: how many blocks there are for them
  std::uint8_t start;  // wake: where the search began
  std::uint8_t tried;  // wake: how many slots have been looked at
  std::uint8_t slot;   // wake: the waiter at hand
  std::uint8_t seen;   // wake: its word
  std::array<std::uint8_t, 2> buffer_address;  // 0: no store pending
  std::array<std::uint8_t, 2> buffer_value;

  static constexpr std::uint8_t kLocked = 1;
  static constexpr std::uint8_t kRungFlag = 2;    // a wake was put into this waiter's hands
  static constexpr std::uint8_t kLeaving = 4;     // timed out or aborted
  static constexpr std::uint8_t kAborted = 16;    // leaves without taking anything
  static constexpr std::uint8_t kClean = 8;       // ringer: nobody was killed since its publish
  static constexpr std::uint8_t kUnheard = 32;    // ringer: the ring just delivered reached nobody
  static constexpr std::uint8_t kUncounted = 64;  // ringer: this ring is extra

  bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
  void set(std::uint8_t flag, bool on = true) {
    flags = static_cast<std::uint8_t>(on ? flags | flag : flags & ~flag);
  }
  bool drained() const { return buffer_address[0] == 0; }
};

struct State {
  std::array<std::uint8_t, kMaxRecords> record;  // state, and the ringer that claimed it << 2
  std::array<std::uint8_t, kMaxWaiters> word;
  std::uint8_t listed;
  std::uint8_t bells;  // doorbells with something in them
  std::uint8_t hint;   // redelivery: something may be there
  std::uint8_t claimed;
  std::uint8_t kills;
  std::uint8_t joins;
  std::uint8_t excuse;  // a kill took a wake along, and nobody has been woken properly since
  std::array<Actor, kMaxActors> actor;
};

enum Address : std::uint8_t { kToRecord = 1, kToWord = 16, kToListed = 32 };

enum class Mutant : std::uint8_t {
  kNone,
  kPublishPlain,
  kArmAndListPlain,
  kArmPlain,
  kDisarmPlain,
  kDisarmNotExchange,
  kNoLookListed,
  kNoEpoch,
  kNoPassOn,
  kWakesOne,
  kTakerPassesNothingOn,
  kSkipWakesNobody,
  kHintAgainWakesNobody,
  kRingingIsAwake,
  kRingingNotServed,
  kMarkBeforeRing,
  kRingBeforeMark,
  kRelistForgotten,
  kHeardBeforeDrained,
  kForgetDropsWake,
};

// Kills after which the slow re-check is needed.
enum Excuse : std::uint8_t {
  kWriterDied = 1,  // between claim and publish: its record bars the way
  kRingerDied = 2,  // between publish, skip or a look that found more, and the end of its wake
  kRungDied = 4,    // with a wake in its hands
  kArmedDied = 8,   // asleep on a futex: it eats one wake
};

struct Waiter {
  bool bell = false;
  int turns = 1;
  int need = 1;            // blocks it takes at once
  bool times_out = false;  // may leave whenever it sleeps, after a last look
  bool aborts = false;     // may leave whenever it sleeps, with nothing
};

// Records become READY in any order, but are taken from the front: a wake may have been spent on
// somebody who found the front WRITING. Either of these makes up for it.
enum class Makeup : std::uint8_t {
  kPublisherCountsClaims,  // a publish wakes one for each record claimed since its own
  kTakerPassesOn,          // who was rung and took wakes another one if there is more
};

struct Instance {
  std::vector<Waiter> waiters;
  std::vector<int> puts;      // per ringer
  bool redelivery = false;    // waits for RETURNED messages, found through the hint (section 4)
  bool counts_heard = false;  // a futex nobody slept on does not use up the wake
  bool put_side = false;      // wake by room: whoever's need fits into what is free now
  Makeup makeup = Makeup::kPublisherCountsClaims;
  int kills = 0;
  int joins = 0;
  int excused = kWriterDied | kRingerDied | kRungDied | kArmedDied;
  bool tso = false;
  int mortal = 15;
  Mutant mutant = Mutant::kNone;
};

class WakeModel {
 public:
  using State = model::State;

  explicit WakeModel(Instance instance) : in_(std::move(instance)) {
    for (int n : in_.puts) records_ += n;
  }

  std::size_t bytes() const { return offsetof(State, actor) + index(actors()) * sizeof(Actor); }

  State initial() const {
    State s{};
    for (int i = 0; i < actors(); ++i) {
      Actor& me = s.actor[index(i)];
      me.flags = Actor::kLocked;
      if (i < waiters()) {
        me.pc = kLook;
        me.left = byte(in_.waiters[index(i)].turns);
      } else {
        me.pc = kClaim;
        me.left = byte(in_.puts[index(i - waiters())]);
      }
    }
    return s;
  }

  void steps(const State& s, Steps<State>& out) const {
    for (int i = 0; i < actors(); ++i) {
      const Actor& me = s.actor[index(i)];
      if (me.pc == kDead) {
        if (i < waiters() && s.joins < in_.joins) join(s, i, out);
        continue;
      }
      if (me.pc == kLeft) continue;
      if (!me.drained()) drain(s, i, out);
      if (me.pc < kLook) {
        wake_step(s, i, out);
      } else {
        wait_step(s, i, out);
      }
      if (s.kills < in_.kills && me.drained() && (in_.mortal >> i & 1) != 0) kill(s, i, out);
    }
  }

  const char* broken(const State&) const { return nullptr; }

  bool settled(const State& s) const {
    bool barred = false;  // READY records behind one that will never become READY
    int behind = 0;
    for (int r = front(s); r < s.claimed; ++r) {
      if (record(s, r) == kWriting) barred = true;
      if (record(s, r) == kReady) ++behind;
    }
    for (int i = 0; i < actors(); ++i) {
      const Actor& me = s.actor[index(i)];
      if (me.pc == kDead || me.pc == kLeft) continue;
      if (me.pc != kAsleep || !me.drained()) return false;
      if (available(s) >= need(i)) return false;
      if (barred && behind >= need(i)) return false;
    }
    return true;
  }

  std::string describe(const State& s) const {
    static constexpr const char* kRecords[] = {"-", "WRITING", "READY", "taken"};
    static constexpr const char* kWords[] = {"AWAKE", "ARMED", "RINGING", "RUNG"};
    std::string text = "[";
    for (int r = 0; r < records_; ++r)
      text += (r > 0 ? ", " : "") + std::string(kRecords[record(s, r)]);
    text += "]";
    for (int w = 0; w < waiters(); ++w) {
      const WaitWord word = WaitWord::unpack(s.word[index(w)]);
      text +=
          "  W" + std::to_string(w) + " " + std::to_string(word.epoch) + " " + kWords[word.state];
      if ((s.listed >> w & 1) != 0) text += " listed";
      if ((s.bells >> w & 1) != 0) text += " bell";
      if (s.actor[index(w)].pc == kAsleep) text += " asleep";
      if (s.actor[index(w)].pc == kDead) text += " dead";
      if (s.actor[index(w)].pc == kLeft) text += " left";
    }
    return text + (s.excuse != 0 ? "  excuse" : "");
  }

 private:
  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  static std::uint8_t byte(int value) { return static_cast<std::uint8_t>(value); }
  int waiters() const { return static_cast<int>(in_.waiters.size()); }
  int actors() const { return waiters() + static_cast<int>(in_.puts.size()); }
  bool is(Mutant mutant) const { return in_.mutant == mutant; }
  int need(int i) const { return in_.waiters[index(i)].need; }
  bool bell(int i) const { return in_.waiters[index(i)].bell; }

  static RecordState record(const State& s, int r) {
    return static_cast<RecordState>(s.record[index(r)] & 3);
  }
  int front(const State& s) const {
    int r = 0;
    while (r < records_ && record(s, r) == kTaken) ++r;
    return r;
  }
  // How many records could be taken now.
  int available(const State& s) const {
    if (in_.redelivery) {
      int returned = 0;
      for (int r = 0; r < records_; ++r) returned += record(s, r) == kReady ? 1 : 0;
      return returned;
    }
    int r = front(s);
    const int first = r;
    while (r < records_ && record(s, r) == kReady) ++r;
    return r - first;
  }
  bool barred_by_dead(const State& s, int r) const {
    return r < records_ && record(s, r) == kWriting && s.actor[s.record[index(r)] >> 2].pc == kDead;
  }
  bool anything_barred(const State& s) const {
    for (int r = 0; r < records_; ++r) {
      if (barred_by_dead(s, r)) return true;
    }
    return false;
  }

  // --- the machine ---

  void write(State& n, int address, std::uint8_t value) const {
    if (address >= kToListed) {
      const int bit = 1 << (address - kToListed);
      n.listed = byte(value != 0 ? n.listed | bit : n.listed & ~bit);
    } else if (address >= kToWord) {
      n.word[index(address - kToWord)] = value;
    } else {
      std::uint8_t& word = n.record[index(address - kToRecord)];
      word = byte((word & ~3) | value);
    }
  }
  void store(State& n, int i, int address, int value, bool plain) const {
    if (!in_.tso || !plain) return write(n, address, byte(value));
    Actor& me = n.actor[index(i)];
    const std::size_t place = me.buffer_address[0] == 0 ? 0 : 1;
    me.buffer_address[place] = byte(address);
    me.buffer_value[place] = byte(value);
  }
  void drain(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[index(i)];
    write(n, me.buffer_address[0], me.buffer_value[0]);
    me.buffer_address = {me.buffer_address[1], 0};
    me.buffer_value = {me.buffer_value[1], 0};
    out.add(i, "(a pending store drains)", n);
  }
  // An access that must wait until the own stores have drained.
  static bool drains_first(Pc pc) {
    switch (pc) {
      case kClaim:
      case kWakeMark:
      case kWakeRing:
      case kWakeRung:
      case kWakeAgain:
      case kUnlistCas:
      case kUnlistBit:
      case kUnlistRelist:
      case kSetHint:
      case kClearHint:
      case kTake:
      case kHintAgain:
      case kSkip:
      case kSleep:  // a system call
      case kUnlist:
      case kForgetBit:
        return true;
      default:
        return false;
    }
  }

  void kill(const State& s, int i, Steps<State>& out) const {
    State n = s;
    const Actor& was = s.actor[index(i)];
    const bool waking = was.pc >= kSetHint && was.pc <= kUnlistRelist;
    int kind = 0;
    if (i >= waiters()) {
      if (was.pc == kClaim && was.record == 0) {
      } else {
        kind = waking ? kRingerDied : kWriterDied | kRingerDied;
      }
    } else {
      const WaitState state = WaitWord::unpack(s.word[index(i)]).state;
      if (was.has(Actor::kRungFlag) || state == kRinging || state == kRung) kind = kRungDied;
      if (waking) kind |= kRingerDied;
    }
    n.actor[index(i)] = {};
    n.bells &= byte(~(1 << i));
    ++n.kills;
    if ((kind & in_.excused & (kRingerDied | kRungDied)) != 0) n.excuse = 1;
    if (kind != 0) {
      for (Actor& actor : n.actor) actor.set(Actor::kClean, false);
    }
    out.add_fate(i, "SIGKILL", n);
  }
  void join(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[index(i)];
    me.flags = Actor::kLocked;
    me.pc = kForgetBit;
    ++n.joins;
    out.add_fate(i, "a newcomer locks the slot", n);
  }

  static void leave(Actor& me) {
    me = {};
    me.pc = kLeft;
  }
  // The epoch of a new arming: in shared memory a number that was never there before, here the
  // smallest that nobody remembers.
  std::uint8_t new_epoch(const State& s, int waiter) const {
    if (is(Mutant::kNoEpoch)) return 0;
    for (std::uint8_t epoch = 0;; ++epoch) {
      bool remembered = false;
      for (const Actor& actor : s.actor) {
        const bool waking = actor.pc > kWakeLoad && actor.pc <= kUnlistRelist;
        if (waking && actor.slot == waiter && WaitWord::unpack(actor.seen).epoch == epoch)
          remembered = true;
      }
      if (!remembered) return epoch;
    }
  }

  void begin_wake(const State& s, int i, int count, int room, const char* name,
                  Steps<State>& out) const {
    for (int start = 0; start < waiters(); ++start) {  // the rotor: any start is possible
      State n = s;
      Actor& me = n.actor[index(i)];
      me.pc = kWakeBit;
      me.count = byte(count);
      me.room = byte(room);
      me.start = byte(start);
      me.tried = 0;
      out.add(i, name, n);
    }
  }
  void end_wake(State& n, int i) const {
    Actor& me = n.actor[index(i)];
    me.count = me.room = me.start = me.tried = me.slot = me.seen = 0;
    if (i < waiters()) {
      me.set(Actor::kRungFlag, false);
      me.pc = me.left == 0 || me.has(Actor::kLeaving) ? kLeft : kLook;
      if (me.pc == kLeft) leave(me);
      return;
    }
    if (me.has(Actor::kClean) && in_.makeup == Makeup::kTakerPassesOn) n.excuse = 0;
    me.record = 0;
    me.flags = Actor::kLocked;
    me.pc = kClaim;
    if (me.left == 0) leave(me);
  }
  // On to the next slot.
  void go_on(State& n, int i) const {
    Actor& me = n.actor[index(i)];
    me.slot = me.seen = 0;
    me.set(Actor::kUnheard, false);
    me.set(Actor::kUncounted, false);
    me.pc = kWakeBit;
    if (me.count == 0 || me.tried == waiters()) end_wake(n, i);
  }
  // Delivers a ring; notes whether anybody was there to hear it.
  void deliver(State& n, int i, int slot) const {
    Actor& me = n.actor[index(i)];
    Actor& them = n.actor[index(slot)];
    const bool vacant = !them.has(Actor::kLocked);
    if (bell(slot)) {
      if (vacant) {
        me.set(Actor::kUnheard);
      } else {
        n.bells |= byte(1 << slot);
      }
    } else if (them.pc == kAsleep) {
      them.pc = kDisarm;
    } else if (in_.counts_heard) {
      me.set(Actor::kUnheard);
    } else if (vacant && !me.has(Actor::kUncounted)) {
      // To the ringer this looks like a waiter that has not fallen asleep yet.
      if ((in_.excused & kArmedDied) != 0) n.excuse = 1;
      for (Actor& actor : n.actor) actor.set(Actor::kClean, false);
    }
  }

  void wake_step(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[index(i)];
    if (drains_first(me.pc) && !me.drained()) return;
    const int slot = me.slot;
    const WaitWord seen = WaitWord::unpack(me.seen);
    switch (me.pc) {
      case kClaim:
        me.record = byte(s.claimed + 1);
        n.record[s.claimed] = byte(kWriting | i << 2);
        ++n.claimed;
        --me.left;
        me.pc = kPublish;
        return out.add(i, "claim", n);
      case kPublish:
        store(n, i, kToRecord + me.record - 1, kReady, is(Mutant::kPublishPlain));
        me.set(Actor::kClean);
        me.pc = in_.redelivery ? kSetHint : in_.put_side ? kRoom : kClaimsSince;
        if (me.pc == kClaimsSince && in_.makeup == Makeup::kTakerPassesOn)
          return begin_wake(n, i, 1, 0, "publish", out);
        return out.add(i, "publish", n);
      case kSetHint:
        n.hint = 1;
        return begin_wake(n, i, 1, 0, "nack: set the hint", out);
      case kClaimsSince: {
        const int claims = is(Mutant::kWakesOne) ? 1 : s.claimed - me.record + 1;
        return begin_wake(n, i, std::min(claims, waiters()), 0, "wake: claims since", out);
      }
      case kRoom:
        return begin_wake(n, i, waiters(), available(s), "wake: how much room is there?", out);
      case kWakeBit: {
        int next = me.tried;
        while (next < waiters() && (s.listed >> ((me.start + next) % waiters()) & 1) == 0) ++next;
        if (next == waiters()) {
          end_wake(n, i);
          return out.add(i, "wake: load the bitmap, nobody", n);
        }
        me.slot = byte((me.start + next) % waiters());
        me.tried = byte(next + 1);
        if (in_.put_side && need(me.slot) > me.room) {
          go_on(n, i);
          return out.add(i, "wake: listed, but needs more", n);
        }
        me.pc = kWakeLoad;
        return out.add(i, "wake: load the bitmap", n);
      }
      case kWakeLoad: {
        me.seen = s.word[index(slot)];
        const WaitState state = WaitWord::unpack(me.seen).state;
        if (state == kArmed) {
          me.pc = is(Mutant::kRingBeforeMark) ? kWakeRing : kWakeMark;
        } else if (state == kRinging && !is(Mutant::kRingingIsAwake)) {
          me.pc = kWakeAgain;
        } else {
          go_on(n, i);
        }
        return out.add(i, "wake: load W", n);
      }
      case kWakeMark: {
        const WaitState mark = is(Mutant::kMarkBeforeRing) ? kRung : kRinging;
        if (s.word[index(slot)] != me.seen) {
          me.pc = kWakeLoad;
          return out.add(i, "wake: CAS ARMED fails", n);
        }
        n.word[index(slot)] = seen.to(mark).pack();
        me.seen = n.word[index(slot)];
        me.pc = kWakeRing;
        return out.add(i, "wake: CAS ARMED -> RINGING", n);
      }
      case kWakeRing:
        deliver(n, i, slot);
        me.pc = kWakeRung;
        return out.add(i, "wake: ring", n);
      case kWakeRung: {
        if (s.word[index(slot)] == me.seen) n.word[index(slot)] = seen.to(kRung).pack();
        if (me.has(Actor::kUnheard)) {
          me.pc = kUnlistLoad;
        } else {
          if (!me.has(Actor::kUncounted)) --me.count;
          if (in_.put_side && !me.has(Actor::kUncounted)) me.room = byte(me.room - need(slot));
          go_on(n, i);
        }
        return out.add(i, "wake: CAS RINGING -> RUNG", n);
      }
      case kWakeAgain:
        me.set(Actor::kUncounted);
        deliver(n, i, slot);
        if (me.has(Actor::kUnheard)) {
          me.pc = kUnlistLoad;
        } else {
          go_on(n, i);
        }
        return out.add(i, "wake: RINGING, ring again", n);
      case kUnlistLoad:
        me.seen = s.word[index(slot)];
        me.pc = kUnlistVacant;
        return out.add(i, "unlist: load W", n);
      case kUnlistVacant:
        if (s.actor[index(slot)].has(Actor::kLocked)) {
          go_on(n, i);
        } else {
          me.pc = kUnlistCas;
        }
        return out.add(i, "unlist: is the slot vacant?", n);
      case kUnlistCas:
        if (s.word[index(slot)] == me.seen) {
          n.word[index(slot)] = WaitWord{kAwake, new_epoch(s, slot)}.pack();
          me.pc = kUnlistBit;
        } else {
          go_on(n, i);
        }
        return out.add(i, "unlist: CAS W -> AWAKE", n);
      case kUnlistBit:
        n.listed &= byte(~(1 << slot));
        me.pc = kUnlistCheck;
        if (is(Mutant::kRelistForgotten)) go_on(n, i);
        return out.add(i, "unlist: clear the bit", n);
      case kUnlistCheck:
        if (WaitWord::unpack(s.word[index(slot)]).state == kArmed) {
          me.pc = kUnlistRelist;
        } else {
          go_on(n, i);
        }
        return out.add(i, "unlist: has a newcomer armed?", n);
      case kUnlistRelist:
        n.listed |= byte(1 << slot);
        me.set(Actor::kUnheard, false);
        me.set(Actor::kUncounted);
        me.pc = kWakeLoad;
        return out.add(i, "unlist: set the bit again", n);
      default:
        return;
    }
  }

  void leave_or(State& n, int i, Pc pc) const {
    Actor& me = n.actor[index(i)];
    me.pc = pc;
    if (me.left == 0 || me.has(Actor::kLeaving)) leave(me);
  }

  // Counts what a waiter passes on: one wake for one message, or as many as there is room for.
  void pass_on(const State& n, int i, const char* name, Steps<State>& out) const {
    begin_wake(n, i, in_.put_side ? waiters() : 1, in_.put_side ? available(n) : 0, name, out);
  }

  void wait_step(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Actor& me = n.actor[index(i)];
    if (drains_first(me.pc) && !me.drained()) return;
    const bool enough = in_.redelivery ? s.hint != 0 : available(s) >= need(i);
    // The own plain store is visible to oneself.
    State own = s;
    for (std::size_t b = 0; b < 2; ++b) {
      if (me.buffer_address[b] != 0) write(own, me.buffer_address[b], me.buffer_value[b]);
    }
    WaitWord mine = WaitWord::unpack(own.word[index(i)]);
    switch (me.pc) {
      case kLook:
        me.pc = enough                                       ? (in_.redelivery ? kClearHint : kTake)
                : barred_by_dead(s, front(s) + available(s)) ? kSkip
                                                             : kArm;
        return out.add(i, "look", n);
      case kClearHint:
        n.hint = 0;
        me.pc = kTake;
        return out.add(i, "scan: clear the hint", n);
      case kTake: {
        if (available(s) < need(i)) {
          me.pc = kLook;
          return out.add(i, "take: somebody was faster", n);
        }
        int first = front(s);
        while (record(s, first) != kReady) ++first;  // only RETURNED messages have gaps before them
        for (int r = 0; r < need(i); ++r) n.record[index(first + r)] = kTaken;
        --me.left;
        if (in_.redelivery && available(n) > 0) {
          me.pc = kHintAgain;
        } else if (me.has(Actor::kRungFlag) && in_.makeup == Makeup::kTakerPassesOn &&
                   !is(Mutant::kTakerPassesNothingOn)) {
          me.pc = kMore;
        } else {
          me.set(Actor::kRungFlag, false);
          leave_or(n, i, kLook);
        }
        return out.add(i, "take", n);
      }
      case kHintAgain:
        n.hint = 1;
        if (!is(Mutant::kHintAgainWakesNobody))
          return pass_on(n, i, "scan: set the hint again: wake", out);
        me.set(Actor::kRungFlag, false);
        leave_or(n, i, kLook);
        return out.add(i, "scan: set the hint again", n);
      case kSkip: {
        const int barred = front(s) + available(s);
        // An empty record: taken away at once for a getter. On the put side it is room like any
        // other.
        me.pc = kLook;
        if (!barred_by_dead(s, barred)) return out.add(i, "skip: somebody was faster", n);
        n.record[index(barred)] = in_.put_side ? kReady : kTaken;
        if (!is(Mutant::kSkipWakesNobody))
          return pass_on(n, i, "skip the dead one's record: wake", out);
        return out.add(i, "skip the dead one's record", n);
      }
      case kMore:
        // One access; what was there and is taken by then is somebody else's.
        if (in_.redelivery ? s.hint != 0 : available(s) > 0)
          return pass_on(n, i, "rung, and there is more: wake", out);
        me.set(Actor::kRungFlag, false);
        leave_or(n, i, kLook);
        return out.add(i, "rung, and there is no more", n);
      case kArm:
        me.set(Actor::kRungFlag, false);
        mine.epoch = new_epoch(s, i);
        store(n, i, kToWord + i, mine.to(kArmed).pack(),
              is(Mutant::kArmPlain) || is(Mutant::kArmAndListPlain));
        me.pc = kList;
        return out.add(i, "wait.armed", n);
      case kList:
        if (!me.drained() && !is(Mutant::kArmAndListPlain)) return;
        store(n, i, kToListed + i, 1, is(Mutant::kArmAndListPlain));
        me.pc = is(Mutant::kNoLookListed) ? kSleep : kLookListed;
        return out.add(i, "wait.listed", n);
      case kLookListed:
        me.pc = enough ? kDisarm : kSleep;
        return out.add(i, "look again, listed", n);
      case kSleep:
        me.pc = bell(i) || mine.state == kArmed ? kAsleep : kDisarm;
        return out.add(i, "sleep", n);
      case kAsleep:
        for (const bool aborts : {false, true}) {
          if (!(aborts ? in_.waiters[index(i)].aborts : in_.waiters[index(i)].times_out)) continue;
          State leaving = n;
          leaving.actor[index(i)].pc = kDisarm;
          leaving.actor[index(i)].set(Actor::kLeaving);
          leaving.actor[index(i)].set(Actor::kAborted, aborts);
          out.add_fate(i, aborts ? "abort" : "time-out", leaving);
        }
        if (s.excuse != 0 || (anything_barred(s) && (in_.excused & kWriterDied) != 0)) {
          State awake = n;
          awake.actor[index(i)].pc = kDisarm;
          out.add(i, "slow re-check", awake);
        }
        if (bell(i) && (s.bells >> i & 1) != 0) {
          if (!is(Mutant::kHeardBeforeDrained)) n.bells &= byte(~(1 << i));
          me.pc = kHeard;
          out.add(i, "hears the bell and drains it", n);
        }
        return;
      case kHeard: {
        const bool rung =
            mine.state == kRung || (mine.state == kRinging && !is(Mutant::kRingingNotServed));
        me.pc = rung ? kDisarm : kAsleep;
        if (is(Mutant::kHeardBeforeDrained) && !rung) me.pc = kHeardDrain;
        return out.add(i, "for this queue?", n);
      }
      case kHeardDrain:
        n.bells &= byte(~(1 << i));
        me.pc = kAsleep;
        return out.add(i, "drains the bell", n);
      case kDisarm:
        if (!me.drained()) return;
        me.set(Actor::kRungFlag, mine.state == kRinging || mine.state == kRung);
        if (is(Mutant::kDisarmNotExchange) || is(Mutant::kDisarmPlain)) {
          me.pc = kDisarmStore;
        } else {
          n.word[index(i)] = mine.to(kAwake).pack();
          me.pc = kUnlist;
        }
        return out.add(i, "wait.disarm", n);
      case kDisarmStore:
        store(n, i, kToWord + i, mine.to(kAwake).pack(), is(Mutant::kDisarmPlain));
        me.pc = kUnlist;
        return out.add(i, "wait.disarm: store", n);
      case kUnlist:
        n.listed &= byte(~(1 << i));
        me.pc = kLookDisarmed;
        return out.add(i, "wait.unlisted", n);
      case kLookDisarmed:
        if (me.has(Actor::kAborted)) {
          if (me.has(Actor::kRungFlag) && !is(Mutant::kNoPassOn)) {
            me.pc = kMore;
          } else {
            leave_or(n, i, kLeft);
          }
          return out.add(i, "leaves with nothing", n);
        }
        if (enough) {
          me.pc = in_.redelivery ? kClearHint : kTake;
        } else if (barred_by_dead(s, front(s) + available(s))) {
          me.pc = kSkip;
        } else if (me.has(Actor::kLeaving)) {
          leave_or(n, i, kLeft);
        } else {
          me.pc = kArm;
        }
        return out.add(i, "look again, disarmed", n);
      case kForgetBit:
        n.listed &= byte(~(1 << i));
        me.pc = kForgetWord;
        return out.add(i, "forget: clear the bit", n);
      case kForgetWord: {
        const WaitState was = mine.state;
        mine.epoch = new_epoch(s, i);
        n.word[index(i)] = mine.to(kAwake).pack();
        me.left = 1;
        me.pc = kLook;
        if ((was == kRinging || was == kRung) && !is(Mutant::kForgetDropsWake)) {
          return pass_on(n, i, "forget: W -> AWAKE, there was a wake in it: wake", out);
        }
        return out.add(i, "forget: W -> AWAKE", n);
      }
      default:
        return;
    }
  }

  Instance in_;
  int records_ = 0;
};

std::string name_of(const Instance& in) {
  std::string name = in.put_side     ? "wake putters="
                     : in.redelivery ? "wake redelivered="
                                     : "wake getters=";
  bool leave = false;
  bool needs = false;
  for (const Waiter& waiter : in.waiters) {
    name += waiter.bell ? "bell," : "futex,";
    leave = leave || waiter.times_out || waiter.aborts;
    needs = needs || waiter.need > 1;
  }
  name.back() = ' ';
  name += "puts=";
  for (int puts : in.puts) name += std::to_string(puts) + "|";
  name.back() = ' ';
  name += "kills=" + std::to_string(in.kills);
  if (in.joins > 0) name += " newcomers=" + std::to_string(in.joins);
  if (leave) name += " leavers";
  if (needs) name += " needs of 2";
  if (in.makeup == Makeup::kTakerPassesOn && !in.put_side) name += " takers pass on";
  if (in.counts_heard) name += " unheard rings not counted";
  if (in.mutant == Mutant::kArmPlain) name += " armed by a plain store";
  return name + (in.tso ? " tso" : " sc");
}

constexpr Waiter kFutex{};
constexpr Waiter kBell{.bell = true};
constexpr Waiter kLeaver{.times_out = true, .aborts = true};
constexpr Waiter kBellLeaver{.bell = true, .times_out = true, .aborts = true};
constexpr Waiter kBig{.need = 2};

void hold(Suite& suite) {
  const auto holds = [&](const Instance& in) { suite.holds(name_of(in), WakeModel(in)); };
  constexpr Makeup kPassOn = Makeup::kTakerPassesOn;
  // Nobody dies: no slow re-check.
  holds({.waiters = {kFutex, kFutex}, .puts = {1, 1}, .tso = true});
  holds({.waiters = {kBell, kBell}, .puts = {1, 1}});
  holds({.waiters = {kLeaver, kBellLeaver}, .puts = {1, 1}});
  holds({.waiters = {kFutex, kBell}, .puts = {2, 1}});
  holds({.waiters = {kFutex, kBell}, .puts = {1, 1}, .redelivery = true});
  holds({.waiters = {kLeaver, kBell}, .puts = {1, 1}, .makeup = kPassOn});
  holds({.waiters = {kBig, kFutex}, .puts = {2, 1}, .put_side = true});
  // The listing RMW drains the store before it: the arming store need not be sequentially
  // consistent by itself.
  holds({.waiters = {kLeaver, kFutex}, .puts = {1, 1}, .tso = true, .mutant = Mutant::kArmPlain});
  // Kills.
  holds({.waiters = {kFutex, kFutex}, .puts = {1, 1}, .kills = 1});
  holds({.waiters = {kFutex, kFutex}, .puts = {1, 1}, .makeup = kPassOn, .kills = 1});
  holds({.waiters = {kBell, kBell}, .puts = {1, 1}, .makeup = kPassOn, .kills = 1});
  holds({.waiters = {kFutex, kBell},
         .puts = {2},
         .counts_heard = true,
         .makeup = kPassOn,
         .kills = 1,
         .excused = kWriterDied | kRingerDied | kRungDied});
  holds({.waiters = {kFutex, kBell}, .puts = {2}, .makeup = kPassOn, .kills = 2});
  holds({.waiters = {kBell, kBell}, .puts = {2}, .makeup = kPassOn, .kills = 1, .joins = 1});
  holds({.waiters = {kBig, kBell}, .puts = {2}, .put_side = true, .makeup = kPassOn, .kills = 1});
  if (!suite.long_run()) return;
  holds({.waiters = {kFutex, kBell}, .puts = {2, 1}, .makeup = kPassOn});
  holds({.waiters = {kFutex, kBell}, .puts = {1, 1}, .redelivery = true, .makeup = kPassOn});
  holds({.waiters = {kFutex, kBell}, .puts = {2, 1}, .makeup = kPassOn, .kills = 1});
  holds({.waiters = {kFutex, kFutex, kBell}, .puts = {3}});
  holds({.waiters = {kLeaver, kBellLeaver, kFutex}, .puts = {2}});
  holds({.waiters = {kFutex, kFutex}, .puts = {1, 1, 1}});
  holds({.waiters = {kFutex, kFutex}, .puts = {1, 1}, .makeup = kPassOn, .kills = 3});
  holds({.waiters = {kFutex, kFutex}, .puts = {1, 1}, .makeup = kPassOn, .kills = 1, .joins = 1});
  holds(
      {.waiters = {kBig, kFutex}, .puts = {2, 1}, .put_side = true, .makeup = kPassOn, .kills = 1});
}

void catch_mutants(Suite& suite) {
  const auto caught = [&](const char* rule, Mutant mutant, Instance in) {
    in.mutant = mutant;
    suite.caught(rule, WakeModel(in));
  };
  // Stricter after kills: a wake by somebody who published later must bring everything going again.
  constexpr Makeup kPassOn = Makeup::kTakerPassesOn;
  const Instance sc{.waiters = {kLeaver, kFutex}, .puts = {1}};
  const Instance tso{.waiters = {kLeaver, kFutex}, .puts = {1}, .tso = true};
  const Instance killed{.waiters = {kFutex}, .puts = {1, 1}, .makeup = kPassOn, .kills = 1};
  const Instance killed_bell{.waiters = {kBell}, .puts = {1, 1}, .makeup = kPassOn, .kills = 1};
  caught("publish -> bitmap: the publish is a plain store", Mutant::kPublishPlain, tso);
  caught("armed -> look: arming and listing are plain stores", Mutant::kArmAndListPlain, tso);
  caught("disarm -> look: a load and a plain store", Mutant::kDisarmPlain, tso);
  caught("disarm is a load and a store, no exchange", Mutant::kDisarmNotExchange, sc);
  caught("no look after listing", Mutant::kNoLookListed, sc);
  caught("no epoch", Mutant::kNoEpoch,
         {.waiters = {{.turns = 3}}, .puts = {2, 1}, .makeup = kPassOn, .kills = 1});
  caught("pass-on: who aborts keeps its wake", Mutant::kNoPassOn, sc);
  caught("W1 dropped: a publish wakes one", Mutant::kWakesOne,
         {.waiters = {kFutex, kFutex}, .puts = {1, 1}});
  caught("W1 dropped: who was rung and took passes nothing on", Mutant::kTakerPassesNothingOn,
         {.waiters = {kFutex, kFutex}, .puts = {1, 1}, .makeup = kPassOn});
  caught("W2 dropped: who sets the hint again wakes nobody", Mutant::kHintAgainWakesNobody,
         {.waiters = {kFutex, kFutex}, .puts = {1, 1}, .redelivery = true});
  caught("W3 dropped: who skips wakes nobody", Mutant::kSkipWakesNobody,
         {.waiters = {kFutex, kFutex}, .puts = {2, 1}, .makeup = kPassOn, .kills = 1, .mortal = 8});
  caught("W4 dropped: a newcomer drops the wake it finds", Mutant::kForgetDropsWake,
         {.waiters = {kFutex, kFutex},
          .puts = {1, 1},
          .makeup = kPassOn,
          .kills = 1,
          .joins = 1,
          .mortal = 2});
  caught("RINGING is treated as AWAKE", Mutant::kRingingIsAwake, killed);
  caught("RINGING is not served by the waiter", Mutant::kRingingNotServed, killed_bell);
  caught("marked RUNG before the ring", Mutant::kMarkBeforeRing, killed);
  caught("rung before the mark", Mutant::kRingBeforeMark, {.waiters = {kBell}, .puts = {1}});
  caught("the bell is drained after the look at W", Mutant::kHeardBeforeDrained,
         {.waiters = {kBell}, .puts = {1, 1}});
  caught("a dead sleeper's bit is cleared without a look for a newcomer", Mutant::kRelistForgotten,
         {.waiters = {kBell}, .puts = {1, 1}, .makeup = kPassOn, .kills = 1, .joins = 1});
  // Every kind of kill that is said to need the slow re-check does need it.
  const auto needed = [&](const char* kill, int kind) {
    suite.caught(std::string("no slow re-check after ") + kill,
                 WakeModel({.waiters = {kFutex, kFutex},
                            .puts = {1, 1},
                            .makeup = kPassOn,
                            .kills = 1,
                            .excused = 15 & ~kind}));
  };
  needed("a producer died in WRITING", kWriterDied);
  needed("a producer died between publish and ring", kRingerDied);
  needed("a waiter died with a wake in its hands", kRungDied);
  needed("a waiter died armed, on a futex", kArmedDied);
}

}  // namespace
}  // namespace interproc::model

int main(int argc, char** argv) {
  interproc::model::Suite suite(argc, argv);
  interproc::model::hold(suite);
  interproc::model::catch_mutants(suite);
  return suite.close();
}
