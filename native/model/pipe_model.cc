// Pipes, ARCHITECTURE.md section 6: the ring of one direction with a waiter on each side, and the life of an end.
//
// The ring: a sender that waits for room and a receiver that waits for a message, both in the hands of one thread; each may be
// killed at any step. Memory is TSO: plain stores wait in a buffer, RMWs empty it. A waiter is armed, listed, looks again, and sleeps
// until its word says that it was rung; how words are rung among many is wake_model.cc's. Nobody looks by itself, unless the other
// was killed.
//
// Wrong would be: a message that is torn, out of order or overwritten; ENDED before all that was published was received; a state in
// which somebody sleeps for ever.
//
// The life of an end: its owner A gives it away in a message of a carrier, whose receiving end has an owner B, which may
// itself go, in a message of a queue, to D, who then receives for B; in another instance a mover M takes the message from one queue to
// another. P has the other end and judges, N takes the slot of A when that is dead. All words are changed by RMWs, and tickets
// by system calls, so that there is nothing to buffer. A serial is a number of three bits: nobody remembers more.
//
// Wrong would be: two owners; an owner that is robbed; an end that is lost though its sender lived until it had given it away and its
// receiver lives; and a state from which neither somebody gets the end nor P finds it closed.

#include <cstddef>
#include <cstdint>
#include <string>

#include "explorer.h"
#include "suite.h"

namespace interproc::model {
namespace {

std::uint8_t byte(int value) { return static_cast<std::uint8_t>(value); }

// --- the ring --------------------------------------------------------------------------------------------------------

enum class RingMutant : std::uint8_t {
  kNone,
  kPublishPlain,  // a store, which may be seen after the look at who sleeps
  kPopPlain,
  kListPlain,
  kArmAfterList,
  kLookBeforePublish,  // at who sleeps
  kNoLookListed,
  kPublishBeforeBytes,
  kPopBeforeCopy,
  kEndAtFirstLook,  // ENDED without another look at the ring
  kCloseRingsNobody,
  kPopRingsNobody,
  kVerdictByTime,  // one that stands still is taken for dead
};

enum Wait : std::uint8_t { kAwake, kArmed, kRung };

enum RingPc : std::uint8_t {
  kTry,
  kBytes,
  kPublish,
  kLookListed,
  kRing,
  kFirstLookEmpty,  // the ring was empty: is the other end closed?
  kLastLook,        // it is: one more look
  kArm,
  kList,
  kLookAgain,
  kVerdict,
  kAsleep,
  kDisarm,
  kUnlist,
  kClose,
  kCloseRing,
  kOver,
  kDead,
};

struct Side {
  RingPc pc;
  std::uint8_t
      known;  // what this side reads of the ring is checked against it: messages sent, or received
  std::uint8_t seen_listed;
  std::uint8_t copied;  // receiver: the bytes it has copied before the frame is known to be its own
  std::uint8_t buffer_at[3];  // 0: no store pending
  std::uint8_t buffer_value[3];
};

struct RingState {
  std::uint8_t tail;
  std::uint8_t head;
  std::uint8_t slot[2];  // payload; the ring holds as many frames as the instance says
  std::uint8_t wait[2];
  std::uint8_t listed[2];
  std::uint8_t closed[2];
  std::uint8_t kills;
  Side side[2];
};

enum : std::uint8_t {
  kToTail = 1,
  kToHead,
  kToListed0,
  kToListed1,
  kToWait0,
  kToWait1,
  kToSlot0,
  kToSlot1
};

struct RingInstance {
  int messages = 2;
  int room = 1;
  int kills = 0;
  RingMutant mutant = RingMutant::kNone;
};

class RingModel {
 public:
  using State = RingState;
  static constexpr int kSender = 0;
  static constexpr int kReceiver = 1;

  explicit RingModel(RingInstance instance) : in_(instance) {}
  std::size_t bytes() const { return sizeof(State); }
  State initial() const { return {}; }

  void steps(const State& s, Steps<State>& out) const {
    for (int i : {kSender, kReceiver}) {
      const Side& me = s.side[i];
      if (me.buffer_at[0] != 0) {
        State n = s;
        flush_one(n, i);
        out.add(i, "store", n);
      }
      if (me.pc == kDead || me.pc == kOver) continue;
      if (s.kills < in_.kills) {
        // What is still in its buffer is written or not: the stores before have been shown already.
        State n = s;
        ++n.kills;
        n.side[i] = {};
        n.side[i].pc = kDead;
        n.side[i].known = me.known;
        out.add_fate(i, "killed", n);
      }
      step(s, i, out);
    }
  }

  const char* broken(const State&) const { return nullptr; }

  // Everything published was received and the end told, or the receiver is gone and the sender knows.
  bool settled(const State& s) const {
    for (const Side& side : s.side)
      if (side.pc != kOver && side.pc != kDead) return false;
    return true;
  }

  std::string describe(const State& s) const {
    std::string text = "tail " + std::to_string(s.tail) + " head " + std::to_string(s.head);
    for (int i : {0, 1}) {
      text += i == 0 ? " S" : " R";
      text += " pc " + std::to_string(s.side[i].pc) + (s.wait[i] == kArmed ? " armed" : "") +
              (s.wait[i] == kRung ? " rung" : "") + (s.listed[i] != 0 ? " listed" : "") +
              (s.closed[i] != 0 ? " closed" : "");
    }
    return text;
  }

 private:
  bool is(RingMutant mutant) const { return in_.mutant == mutant; }

  static void write(State& s, std::uint8_t at, std::uint8_t value) {
    switch (at) {
      case kToTail:
        s.tail = value;
        break;
      case kToHead:
        s.head = value;
        break;
      case kToListed0:
      case kToListed1:
        s.listed[at == kToListed1] = value;
        break;
      case kToWait0:
      case kToWait1:
        s.wait[at == kToWait1] = value;
        break;
      default:
        s.slot[at == kToSlot1] = value;
    }
  }
  static void flush_one(State& s, int i) {
    Side& me = s.side[i];
    write(s, me.buffer_at[0], me.buffer_value[0]);
    for (int k = 0; k < 2; ++k) {
      me.buffer_at[k] = me.buffer_at[k + 1];
      me.buffer_value[k] = me.buffer_value[k + 1];
    }
    me.buffer_at[2] = me.buffer_value[2] = 0;
  }
  static void flush(State& s, int i) {
    while (s.side[i].buffer_at[0] != 0) flush_one(s, i);
  }
  static void store(State& s, int i, std::uint8_t at, std::uint8_t value) {
    Side& me = s.side[i];
    int k = 0;
    while (k < 3 && me.buffer_at[k] != 0) ++k;
    if (k == 3) {
      flush_one(s, i);
      k = 2;
    }
    me.buffer_at[k] = at;
    me.buffer_value[k] = value;
  }
  // What this side sees: its own stores first.
  static std::uint8_t load(const State& s, int i, std::uint8_t at, std::uint8_t shared) {
    for (int k = 2; k >= 0; --k)
      if (s.side[i].buffer_at[k] == at) return s.side[i].buffer_value[k];
    return shared;
  }
  static std::uint8_t tail(const State& s, int i) { return load(s, i, kToTail, s.tail); }
  static std::uint8_t head(const State& s, int i) { return load(s, i, kToHead, s.head); }

  bool worth_trying(const State& s, int i) const {
    if (s.closed[1 - i] != 0) return true;
    return i == kSender ? tail(s, i) - head(s, i) < in_.room : tail(s, i) != head(s, i);
  }
  static void ring(State& s, int whom) {
    if (s.wait[whom] == kArmed) s.wait[whom] = kRung;
  }
  bool other_is_dead(const State& s, int i) const {
    return s.side[1 - i].pc == kDead ||
           (is(RingMutant::kVerdictByTime) && s.side[1 - i].pc != kOver);
  }

  void step(const State& s, int i, Steps<State>& out) const {
    State n = s;
    Side& me = n.side[i];
    const int other = 1 - i;
    const auto go = [&](const char* name, RingPc pc) {
      me.pc = pc;
      out.add(i, name, n);
    };
    switch (me.pc) {
      case kTry:
        if (i == kSender) {
          if (me.known == in_.messages) return go("has sent all", kClose);
          if (n.closed[other] != 0) return go("ended", kClose);
          if (tail(n, i) - head(n, i) < in_.room)
            return go("room", is(RingMutant::kPublishBeforeBytes)  ? kPublish
                              : is(RingMutant::kLookBeforePublish) ? kLookListed
                                                                   : kBytes);
          return go("full", kArm);
        }
        if (tail(n, i) == head(n, i)) return go("nothing", kFirstLookEmpty);
        return go("a message", is(RingMutant::kPopBeforeCopy) ? kPublish : kBytes);
      case kFirstLookEmpty:
        if (n.closed[other] == 0) return go("empty", kArm);
        return go("closed", kLastLook);
      case kLastLook:
        if (tail(n, i) != head(n, i) && !is(RingMutant::kEndAtFirstLook))
          return go("one more", kTry);
        if (me.known != n.tail) return out.add(i, "ended", n, "ended before the last message");
        if (n.side[other].pc != kDead && n.side[other].pc != kOver &&
            n.side[other].pc != kCloseRing)
          return out.add(i, "ended", n, "ended while the other end is alive");
        return go("ended", kClose);
      case kBytes: {
        const bool early =
            is(i == kSender ? RingMutant::kPublishBeforeBytes : RingMutant::kPopBeforeCopy);
        if (i == kSender) {
          const int at = early ? tail(n, i) - 1 : tail(n, i);
          store(n, i, byte(kToSlot0 + at % in_.room), byte(at + 1));
          return go("bytes", early                                ? kLookListed
                             : is(RingMutant::kLookBeforePublish) ? kLookListed
                                                                  : kPublish);
        }
        const int at = early ? head(n, i) - 1 : head(n, i);
        if (n.slot[at % in_.room] != at + 1)
          return out.add(i, "copy", n, "a message that is not the one that was sent");
        return go("copy", early ? kLookListed : kPublish);
      }
      case kPublish: {
        const bool plain = is(i == kSender ? RingMutant::kPublishPlain : RingMutant::kPopPlain);
        const std::uint8_t at = i == kSender ? kToTail : kToHead;
        const std::uint8_t to = byte((i == kSender ? tail(n, i) : head(n, i)) + 1);
        ++me.known;
        if (plain) {
          store(n, i, at, to);
        } else {
          flush(n, i);
          write(n, at, to);
        }
        const bool early =
            is(i == kSender ? RingMutant::kPublishBeforeBytes : RingMutant::kPopBeforeCopy);
        if (is(RingMutant::kLookBeforePublish) && i == kSender) return go("publish", kRing);
        return go("publish", early ? kBytes : kLookListed);
      }
      case kLookListed:
        me.seen_listed = n.listed[other];
        if (i == kReceiver && is(RingMutant::kPopRingsNobody)) me.seen_listed = 0;
        if (is(RingMutant::kLookBeforePublish) && i == kSender) {
          // The bytes first, if they are not there yet.
          store(n, i, byte(kToSlot0 + tail(n, i) % in_.room), byte(tail(n, i) + 1));
          return go("who sleeps?", kPublish);
        }
        return go("who sleeps?", kRing);
      case kRing:
        if (me.seen_listed != 0) {
          flush(n, i);
          ring(n, other);
        }
        me.seen_listed = 0;
        return go("ring", kTry);
      case kArm:
        flush(n, i);
        if (is(RingMutant::kArmAfterList)) {
          n.listed[i] = 1;
          return go("list", kList);
        }
        n.wait[i] = kArmed;
        return go("arm", kList);
      case kList:
        if (is(RingMutant::kListPlain)) {
          store(n, i, byte(kToListed0 + i), 1);
        } else if (is(RingMutant::kArmAfterList)) {
          flush(n, i);
          store(n, i, byte(kToWait0 + i), kArmed);
        } else {
          flush(n, i);
          n.listed[i] = 1;
        }
        return go("list", kVerdict);
      case kVerdict:
        if (n.closed[other] == 0 && other_is_dead(n, i)) {
          flush(n, i);
          n.closed[other] = 1;
        }
        return go("dead?", is(RingMutant::kNoLookListed) ? kAsleep : kLookAgain);
      case kLookAgain:
        return go("look again", worth_trying(n, i) ? kDisarm : kAsleep);
      case kAsleep:
        if (n.wait[i] == kRung) return go("woken", kDisarm);
        // By itself now and then: that may be all that helps after a kill, and must not be needed else.
        if (n.side[other].pc == kDead || is(RingMutant::kVerdictByTime)) {
          if (n.closed[other] == 0 && other_is_dead(n, i)) n.closed[other] = 1;
          return go("slow look", kDisarm);
        }
        return;
      case kDisarm:
        flush(n, i);
        n.wait[i] = kAwake;
        return go("disarm", kUnlist);
      case kUnlist:
        flush(n, i);
        n.listed[i] = 0;
        return go("unlist", kTry);
      case kClose:
        flush(n, i);
        n.closed[i] = 1;
        return go("close", kCloseRing);
      case kCloseRing:
        if (!is(RingMutant::kCloseRingsNobody)) ring(n, other);
        return go("ring the other", kOver);
      default:
        return;
    }
  }

  RingInstance in_;
};

// --- the life of an end -------------------------------------------------------------------------------------------------

enum class EndMutant : std::uint8_t {
  kNone,
  kGiveAwayBeforePut,
  kTicketAfterGiveAway,
  kRedeemBeforeArrive,
  kOfferedIsNotTaken,
  kOfferedIsNotJudged,
  kArriveByStore,
  kCloseByStore,
  kOneSurvey,
  kReceiverNotAsked,  // a carrier that somebody has open carries
  kFlyingCarries,     // a carrier whose receiving end is on its way carries
  kOwnedCarries,      // as does one whose receiver died
  kOfferedCarries,    // as does one whose receiving end a dead one was about to give away
  kFlyingIsLost,      // a carrier whose receiving end is on its way carries nothing
  kSweepsLastOnly,    // a newcomer closes only what the last generation had
  kRemoveBeforeCopy,  // who moves a message removes its ticket first
};

enum EndState : std::uint8_t { kOwned, kOffered, kFlying, kClosed };
enum Actor : std::uint8_t { kA, kB, kD, kN, kM, kP, kActors };

struct Word {
  EndState state = kOwned;
  Actor owner = kA;
  std::uint8_t serial = 0;
  static Word unpack(std::uint8_t bits) {
    return {static_cast<EndState>(bits & 3), static_cast<Actor>(bits >> 2 & 7),
            static_cast<std::uint8_t>(bits >> 5)};
  }
  std::uint8_t pack() const { return static_cast<std::uint8_t>(state | owner << 2 | serial << 5); }
};

struct LifeState {
  std::uint8_t end;        // the word of the end
  std::uint8_t receiver;   // the word of the carrier's receiving end, if that is a pipe
  std::uint8_t ticket[2];  // of the end, in the carrier and in the one that it is moved to
  std::uint8_t message[2];
  std::uint8_t receiver_ticket;
  std::uint8_t receiver_message;
  std::uint8_t dead;  // a bit for each actor
  std::uint8_t left;
  std::uint8_t has;  // who thinks that the end is his
  std::uint8_t kills;
  std::uint8_t joined;
  std::uint8_t pc[kActors];
  std::uint8_t seen[kActors];
  std::uint8_t names;  // what P's survey has read
  std::uint8_t read_word;
  std::uint8_t names_before;
  std::uint8_t word_before;
  std::uint8_t surveys;
  std::uint8_t eof;  // P has told
};

struct LifeInstance {
  bool by_queue = false;  // the carrier is a queue, and its message is moved to another
  bool onward = false;    // the carrier's receiving end is given away too
  bool wraps = false;     // N has A's slot and, after all of them, A's generation
  int kills = 1;
  EndMutant mutant = EndMutant::kNone;
};

class LifeModel {
 public:
  using State = LifeState;
  explicit LifeModel(LifeInstance instance) : in_(instance) {}
  std::size_t bytes() const { return sizeof(State); }

  State initial() const {
    State s{};
    s.end = Word{kOwned, kA, 0}.pack();
    s.receiver = Word{kOwned, kB, 0}.pack();
    s.has = 1 << kA;
    return s;
  }

  void steps(const State& s, Steps<State>& out) const {
    for (int i = 0; i < kActors; ++i) {
      const auto actor = static_cast<Actor>(i);
      if ((s.dead | s.left) >> i & 1) continue;
      if (actor == kD && !in_.onward && !in_.by_queue) continue;
      if (actor == kM && !in_.by_queue) continue;
      if (actor == kN && (s.dead >> kA & 1) == 0) continue;
      if (s.kills < in_.kills && actor != kP && actor != kM && (actor != kN || s.joined == 0)) {
        State n = s;
        ++n.kills;
        n.dead = byte(n.dead | 1 << i);
        n.has = byte(n.has & ~(1 << i));
        out.add_fate(i, "killed", n);
      }
      switch (actor) {
        case kA:
          owner(s, out);
          break;
        case kB:
        case kD:
          taker(s, actor, out);
          break;
        case kN:
          newcomer(s, out);
          break;
        case kM:
          mover(s, out);
          break;
        default:
          judge(s, out);
      }
    }
  }

  const char* broken(const State& s) const {
    if (s.eof != 0 && s.has != 0) return "the end of an end that somebody has";
    if ((s.has & (s.has - 1)) != 0) return "two owners";
    const Word word = Word::unpack(s.end);
    for (int i = 0; i < kActors; ++i) {
      if ((s.has >> i & 1) != 0 && (word.state != kOwned || word.owner != i))
        return "an owner was robbed";
    }
    return nullptr;
  }
  bool settled(const State& s) const {
    if (s.eof != 0) return true;
    // Somebody who has arrived has it, and the ticket is gone.
    return (s.has & (1 << kB | 1 << kD)) != 0 && s.ticket[0] == 0 && s.ticket[1] == 0;
  }
  std::string describe(const State& s) const {
    const auto show = [](std::uint8_t bits) {
      constexpr const char* kStates[] = {"owned", "offered", "flying", "closed"};
      const Word word = Word::unpack(bits);
      return std::string(kStates[word.state]) + "(" + "ABDNMP"[word.owner] + ")" +
             std::to_string(word.serial);
    };
    return show(s.end) + " receiver " + show(s.receiver) + " tickets " +
           std::to_string(s.ticket[0]) + std::to_string(s.ticket[1]) +
           std::to_string(s.receiver_ticket) + " dead " + std::to_string(s.dead) + " has " +
           std::to_string(s.has) + " P " + std::to_string(s.pc[kP]);
  }

 private:
  bool is(EndMutant mutant) const { return in_.mutant == mutant; }
  static Word next(std::uint8_t before, EndState state, Actor owner) {
    return {state, owner, byte((Word::unpack(before).serial + 1) & 7)};
  }
  static bool lives(const State& s, Actor actor) { return ((s.dead | s.left) >> actor & 1) == 0; }
  // The kernel's word about (slot, generation).
  bool is_dead(const State& s, Actor owner) const {
    if (lives(s, owner)) return false;
    return !(owner == kA && in_.wraps && s.joined != 0);
  }

  void owner(const State& s, Steps<State>& out) const {
    State n = s;
    std::uint8_t& pc = n.pc[kA];
    const Word word = Word::unpack(n.end);
    const auto ours = [&](EndState state) { return word.state == state && word.owner == kA; };
    const auto give = [&] {
      if (ours(kOffered)) n.end = next(n.end, kFlying, kA).pack();
    };
    const bool gives_first = is(EndMutant::kGiveAwayBeforePut);
    const bool ticket_late = is(EndMutant::kTicketAfterGiveAway);
    switch (pc++) {
      case 0:
        if (!ours(kOwned)) return out.add(kA, "offer", n, "the owner was robbed");
        n.end = next(n.end, kOffered, kA).pack();
        n.has = byte(n.has & ~(1 << kA));
        return out.add(kA, "offer", n);
      case 1: {
        if (!ticket_late) n.ticket[0] = 1;
        if (ticket_late) give();
        out.add(kA, ticket_late ? "give away" : "ticket", n);
        // Or it will not be put.
        State back = s;
        if (!ours(kOffered)) return;
        back.end = next(back.end, kOwned, kA).pack();
        back.has = byte(back.has | 1 << kA);
        back.pc[kA] = 0;
        if (!ticket_late && back.surveys == 0 && Word::unpack(back.end).serial < 3)
          out.add_fate(kA, "stay", back);
        return;
      }
      case 2:
        if (ticket_late) n.ticket[0] = 1;
        if (gives_first)
          give();
        else
          n.message[0] = 1;
        return out.add(kA, "put", n);
      case 3:
        if (gives_first)
          n.message[0] = 1;
        else if (ticket_late)
          n.message[0] = 1;
        else
          give();
        return out.add(kA, "give away", n);
      default:
        n.left = byte(n.left | 1 << kA);
        return out.add(kA, "close", n);
    }
  }

  // Where a message for this taker would be; -1: nowhere.
  int message_for(const State& s, Actor actor) const {
    if (in_.by_queue) {
      if (actor == kB && s.message[0] != 0 && s.pc[kM] == 0) return 0;
      return actor == kD && s.message[1] != 0 ? 1 : -1;
    }
    const Word receiver = Word::unpack(s.receiver);
    return receiver.state == kOwned && receiver.owner == actor && s.message[0] != 0 ? 0 : -1;
  }

  void taker(const State& s, Actor actor, Steps<State>& out) const {
    State n = s;
    std::uint8_t& pc = n.pc[actor];
    const int who = actor;
    switch (pc) {
      case 0: {
        // The queue's message may be moved instead.
        const int where = message_for(s, actor);
        if (where >= 0) {
          pc = 1;
          if (is(EndMutant::kRedeemBeforeArrive)) n.ticket[where] = 0;
          out.add(who, "message", n);
        }
        if (in_.by_queue) return;
        State m = s;
        const Word receiver = Word::unpack(s.receiver);
        if (actor == kB && in_.onward && receiver.state == kOwned) {
          m.receiver = next(s.receiver, kOffered, kB).pack();
          m.pc[kB] = 10;
          out.add(who, "offer the receiving end", m);
        } else if (actor == kD && s.receiver_message != 0 &&
                   (receiver.state == kOffered || receiver.state == kFlying)) {
          m.receiver = next(s.receiver, kOwned, kD).pack();
          m.pc[kD] = 5;
          out.add(who, "arrive with the receiving end", m);
        }
        return;
      }
      case 1:
        n.seen[actor] = n.end;
        pc = 2;
        return out.add(who, "load", n);
      case 2: {
        const Word seen = Word::unpack(n.seen[actor]);
        const bool takes =
            seen.state == kFlying || (seen.state == kOffered && !is(EndMutant::kOfferedIsNotTaken));
        if (!takes) {
          pc = 3;
          // Known: a sender that dies before it has given an end away may take it with it, and what is on its way there.
          const bool excused = (s.dead >> kA & 1) != 0 || (in_.onward && (s.dead >> kB & 1) != 0);
          return out.add(who, "lost", n, excused ? nullptr : "an end was lost on its way");
        }
        if (n.end == n.seen[actor] || is(EndMutant::kArriveByStore)) {
          n.end = next(n.seen[actor], kOwned, actor).pack();
          n.has = byte(n.has | 1 << actor);
          pc = 3;
          return out.add(who, "arrive", n);
        }
        pc = 1;
        return out.add(who, "again", n);
      }
      case 3: {
        const int where = in_.by_queue && actor == kD ? 1 : 0;
        n.ticket[where] = 0;
        n.message[where] = 0;
        pc = 4;
        return out.add(who, "redeem", n);
      }
      case 5:
        n.receiver_ticket = 0;
        n.receiver_message = 0;
        pc = 0;
        return out.add(who, "redeem the receiving end's", n);
      case 10:
        n.receiver_ticket = 1;
        pc = 11;
        return out.add(who, "its ticket", n);
      case 11:
        n.receiver_message = 1;
        pc = 12;
        return out.add(who, "put it", n);
      case 12: {
        const Word receiver = Word::unpack(n.receiver);
        if (receiver.state == kOffered && receiver.owner == kB)
          n.receiver = next(n.receiver, kFlying, kB).pack();
        n.left = byte(n.left | 1 << kB);
        return out.add(who, "give it away", n);
      }
      default:
        return;
    }
  }

  void newcomer(const State& s, Steps<State>& out) const {
    State n = s;
    switch (n.pc[kN]++) {
      case 0:
        n.joined = 1;
        return out.add_fate(kN, "join", n);
      case 1:
        n.seen[kN] = n.end;
        return out.add(kN, "load", n);
      case 2: {
        const Word seen = Word::unpack(n.seen[kN]);
        const bool of_the_slot = (seen.state == kOwned || seen.state == kOffered) &&
                                 seen.owner == kA && !(is(EndMutant::kSweepsLastOnly) && in_.wraps);
        if (of_the_slot && n.end != n.seen[kN]) {
          n.pc[kN] = 1;
        } else if (of_the_slot) {
          n.end = next(n.end, kClosed, kA).pack();
        }
        return out.add(kN, "sweep", n);
      }
      default:
        return;
    }
  }

  void mover(const State& s, Steps<State>& out) const {
    State n = s;
    const bool removes_first = is(EndMutant::kRemoveBeforeCopy);
    switch (n.pc[kM]) {
      case 0:
        // Nobody else has taken it, or its taker died and it is there again.
        if (n.message[0] == 0 || (n.pc[kB] != 0 && lives(n, kB)) ||
            Word::unpack(n.end).state != kFlying)
          return;
        n.pc[kM] = 1;
        return out.add(kM, "take to move", n);
      case 1:
        removes_first ? n.ticket[0] = 0 : n.ticket[1] = 1;
        n.pc[kM] = 2;
        return out.add(kM, removes_first ? "remove" : "copy", n);
      case 2:
        if (removes_first) n.ticket[1] = 1;
        n.message[1] = 1;
        n.message[0] = 0;
        n.pc[kM] = 3;
        return out.add(kM, "put", n);
      case 3:
        n.ticket[0] = 0;
        n.pc[kM] = 4;
        return out.add(kM, "remove", n);
      default:
        return;
    }
  }

  enum : std::uint8_t { kLoad, kIsDead, kSecond, kFirst, kAsk, kCas };

  void judge(const State& s, Steps<State>& out) const {
    State n = s;
    std::uint8_t& pc = n.pc[kP];
    const auto again = [&] {
      pc = kLoad;
      n.seen[kP] = n.names = n.read_word = n.names_before = n.word_before = n.surveys = 0;
    };
    switch (pc) {
      case kLoad: {
        const Word word = Word::unpack(n.end);
        if (word.state == kClosed) {
          n.eof = 1;
          return out.add(kP, "EOF", n);
        }
        n.seen[kP] = n.end;
        if (word.state == kFlying) {
          pc = kSecond;
        } else if (word.state == kOffered && is(EndMutant::kOfferedIsNotJudged)) {
          return;
        } else {
          pc = kIsDead;
        }
        return out.add(kP, "load", n);
      }
      case kIsDead:
        if (is_dead(n, Word::unpack(n.seen[kP]).owner)) {
          pc = kCas;
        } else {
          again();
        }
        return out.add(kP, "dead?", n);
      // The directory, read so that the second carrier's names come first.
      case kSecond:
        n.names = byte(n.ticket[1] | n.receiver_ticket << 1);
        pc = kFirst;
        return out.add(kP, "names", n);
      case kFirst:
        n.names = byte(n.names | n.ticket[0] << 2);
        pc = kAsk;
        return out.add(kP, "names", n);
      case kAsk: {
        bool carried = (n.names & 1) != 0 && lives(n, kD);
        if ((n.names & 4) != 0 && in_.by_queue) {
          carried = true;  // M has the queue open
        } else if ((n.names & 4) != 0) {
          n.read_word = n.receiver;
          const Word receiver = Word::unpack(n.receiver);
          const bool on_its_way = (n.names & 2) != 0 && lives(n, kD);
          switch (receiver.state) {
            case kOwned:
              carried = lives(n, receiver.owner) || is(EndMutant::kOwnedCarries);
              break;
            case kOffered:
              carried = lives(n, receiver.owner) || (on_its_way && is(EndMutant::kOfferedCarries));
              break;
            case kFlying:
              carried =
                  (on_its_way || is(EndMutant::kFlyingCarries)) && !is(EndMutant::kFlyingIsLost);
              break;
            default:
              break;
          }
          if (is(EndMutant::kReceiverNotAsked)) carried = true;
        }
        if (carried) {
          again();
        } else if (is(EndMutant::kOneSurvey) ||
                   (n.surveys != 0 && n.names == n.names_before && n.read_word == n.word_before)) {
          pc = kCas;
        } else {
          n.surveys = 1;
          n.names_before = n.names;
          n.word_before = n.read_word;
          n.names = n.read_word = 0;
          pc = kSecond;
        }
        return out.add(kP, "can it arrive?", n);
      }
      case kCas:
        if (n.end == n.seen[kP] || is(EndMutant::kCloseByStore))
          n.end = next(n.end, kClosed, Word::unpack(n.end).owner).pack();
        again();
        return out.add(kP, "close", n);
      default:
        return;
    }
  }

  LifeInstance in_;
};

}  // namespace
}  // namespace interproc::model

int main(int argc, char** argv) {
  using namespace interproc::model;
  Suite suite(argc, argv);

  for (int room : {1, 2}) {
    for (int kills : {0, 1, 2}) {
      suite.holds("ring of " + std::to_string(room) + ", " + std::to_string(kills) + " kills",
                  RingModel({.messages = 4, .room = room, .kills = kills}));
    }
  }
  const auto ring = [&suite](const char* rule, RingMutant mutant, int kills = 0, int room = 1) {
    suite.caught(rule, RingModel({.messages = 3, .room = room, .kills = kills, .mutant = mutant}));
  };
  ring("publishes by a plain store", RingMutant::kPublishPlain);
  ring("pops by a plain store", RingMutant::kPopPlain);
  ring("lists itself by a plain store", RingMutant::kListPlain);
  ring("arms by a plain store after listing", RingMutant::kArmAfterList);
  ring("looks who sleeps before it publishes", RingMutant::kLookBeforePublish);
  ring("does not look again once listed", RingMutant::kNoLookListed);
  ring("publishes before the bytes are there", RingMutant::kPublishBeforeBytes);
  ring("pops before it has copied", RingMutant::kPopBeforeCopy);
  ring("says ended without a last look", RingMutant::kEndAtFirstLook);
  ring("closes and rings nobody", RingMutant::kCloseRingsNobody);
  ring("pops and rings nobody", RingMutant::kPopRingsNobody);
  ring("takes one that stands still for dead", RingMutant::kVerdictByTime);

  for (bool wraps : {false, true}) {
    const std::string with = wraps ? ", generations wrapped" : "";
    suite.holds("an end through a pipe" + with, LifeModel({.wraps = wraps, .kills = 2}));
    suite.holds("and onward with that pipe's end" + with,
                LifeModel({.onward = true, .wraps = wraps, .kills = 2}));
    suite.holds("an end through a queue, moved to another" + with,
                LifeModel({.by_queue = true, .wraps = wraps, .kills = 2}));
  }
  const auto life = [&suite](const char* rule, EndMutant mutant, LifeInstance instance = {}) {
    instance.mutant = mutant;
    suite.caught(rule, LifeModel(instance));
  };
  life("P2 gives away before it puts", EndMutant::kGiveAwayBeforePut);
  life("P2 makes the ticket after it gave away", EndMutant::kTicketAfterGiveAway);
  life("P3 redeems before it arrives", EndMutant::kRedeemBeforeArrive);
  life("P3 an offered end is not taken", EndMutant::kOfferedIsNotTaken);
  life("P1 a dead one's offered end is nobody's affair", EndMutant::kOfferedIsNotJudged);
  life("arrives by a store", EndMutant::kArriveByStore);
  life("P1 closes by a store", EndMutant::kCloseByStore);
  life("P4 one survey, of a message that moves", EndMutant::kOneSurvey, {.by_queue = true});
  life("P4 one survey, of a receiving end that moves", EndMutant::kOneSurvey, {.onward = true});
  life("P5 does not ask who receives", EndMutant::kReceiverNotAsked);
  life("P5 a dead receiver receives", EndMutant::kOwnedCarries);
  life("P5 a receiving end that a dead one offered receives", EndMutant::kOfferedCarries,
       {.onward = true, .kills = 2});
  life("P5 a receiving end that is lost receives", EndMutant::kFlyingCarries, {.onward = true});
  life("P5 a receiving end on its way receives nothing", EndMutant::kFlyingIsLost,
       {.onward = true});
  life("P6 sweeps what the last generation left", EndMutant::kSweepsLastOnly, {.wraps = true});
  life("P4 the ticket goes before there is another", EndMutant::kRemoveBeforeCopy,
       {.by_queue = true});
  return suite.close();
}
