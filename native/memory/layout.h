#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

// Every word that processes share, named once. A reader of another build refuses a segment whose version, hash or word size differs; so any change here
// changes kLayoutVersion.

namespace interproc::memory {

inline constexpr std::uint64_t kMagic = 0x31304352504E4950;  // "PINPRC01", little-endian
inline constexpr std::uint32_t kLayoutVersion = 5;

// What an object is. Those from value to rwlock are *state*: bytes that stay where they are, and a lock; the others move messages.
enum class Kind : std::uint32_t {
  mpmc = 1,
  spsc = 2,
  value = 3,
  array = 4,
  memory = 5,
  list = 6,
  lock = 7,
  rlock = 8,
  semaphore = 9,
  bounded_semaphore = 10,
  condition = 11,
  event = 12,
  barrier = 13,
  rwlock = 14,
  pipe = 15,      // two byte rings, one for each direction
  listener = 16,  // a queue of ends of pipes, each for whoever listens
};
inline constexpr Kind kLastKind = Kind::listener;
constexpr bool is_state(Kind kind) noexcept { return kind >= Kind::value && kind <= Kind::rwlock; }
// A ring of records, ledgers, and places beside it.
constexpr bool is_queue(Kind kind) noexcept { return kind == Kind::mpmc || kind == Kind::listener; }

enum Flags : std::uint32_t {
  kPersist = 1,    // stays when nobody is attached, empty or not
  kAnonymous = 2,  // goes when nobody is attached, empty or not
  kOneWay = 4,     // a pipe of which end 1 sends and end 0 receives
  kKeyed = 8,      // a listener that has whoever comes prove that he knows its key
};

inline constexpr std::uint32_t kMaxParticipants = 256;  // a slot is 8 bits of a word
// Who sleeps at a pipe is asked of one half of a word, which JavaScript can load.
inline constexpr std::uint32_t kMaxPipeParticipants = 32;
inline constexpr std::size_t kCodecBytes = 64;
inline constexpr std::size_t kNameBytes = 208;  // 200 characters, ended by zeros
inline constexpr std::size_t kSchemaBytes = 3072;

// Kernel locks: byte `slot` says that the participant lives; byte kJoiningByte + slot is held while somebody moves in there; the
// next one, shared, says that somebody is attached.
inline constexpr std::uint64_t kJoiningByte = 1u << 15;
inline constexpr std::uint64_t kAttachedByte = 1u << 16;
inline constexpr std::uint64_t kNameByte =
    kAttachedByte + 1;  // held while the name of an object in use is removed

// Page 0. Written before the file has a name, read once at open.
struct Header {
  std::uint64_t magic;
  std::uint32_t layout_version;
  std::uint32_t layout_hash;
  std::uint32_t word_bytes;
  std::uint32_t page_bytes;
  Kind kind;
  std::uint32_t flags;
  std::uint32_t block_shift;   // a block is 2^block_shift bytes
  std::uint32_t blocks_shift;  // there are 2^blocks_shift of them
  std::uint32_t max_participants;
  std::uint32_t max_items;       // 0: as many as fit
  std::uint32_t max_deliveries;  // 0: no limit
  std::uint32_t creator_pid;     // for people; nothing is decided by it
  std::uint64_t max_message_bytes;
  std::uint64_t max_side_bytes;  // of the messages that stand beside the ring at once
  std::int64_t created_wall_ns;
  std::uint64_t state_bytes;  // of an object of state; of a listener: capacity of its pipes
  std::uint64_t parameter;    // of a lock: permits, parties; of a listener: its pipes' messages
  char codec[kCodecBytes];
  char dead_letter[kNameBytes];
  char schema[kSchemaBytes];  // what the bytes of a state mean
};
static_assert(offsetof(Header, magic) == 0 && offsetof(Header, layout_version) == 8);
static_assert(sizeof(Header) == 8 + 12 * 4 + 5 * 8 + kCodecBytes + kNameBytes + kSchemaBytes);
static_assert(sizeof(Header) <= 4096);

using Word = std::atomic<std::uint64_t>;
static_assert(sizeof(Word) == 8 && Word::is_always_lock_free);
static_assert(sizeof(std::atomic<std::uint32_t>) == 4 &&
              std::atomic<std::uint32_t>::is_always_lock_free);

// Two cache lines: the processor fetches them in pairs.
inline constexpr std::size_t kLine = 128;
inline constexpr std::size_t kBitmapWords = kMaxParticipants / 64;

// Control::travels. Never unset: that there were tickets once says that there may be some.
enum Travels : std::uint32_t {
  kHasTravelled = 1,  // inside a message of another object
  kHasCarried = 2,    // others, in its own messages
};

// What a participant can wait for, each with a wait word and a bitmap of its own: a message, room, and that all is done.
inline constexpr std::size_t kWaitSides = 3;

// Page 1. Each word that different processes write stands on a line of its own.
struct Control {
  alignas(kLine) Word tail;
  alignas(kLine) Word head;
  alignas(kLine) Word reclaim;
  // Rarely written, read at every operation.
  alignas(kLine) std::atomic<std::uint32_t> ended;  // end() was called
  std::atomic<std::uint32_t> redeliver;             // a RETURNED message may exist
  std::atomic<std::uint32_t> travels;               // Travels
  std::atomic<std::uint32_t> sides_used;            // side slots at and above it were never used
  Word ledgers[kBitmapWords];                       // which participants have a ledger region
  alignas(kLine) Word listed[kWaitSides][kBitmapWords];  // who may be asleep
};
static_assert(sizeof(Control) == 5 * kLine);
static_assert(offsetof(Control, head) == kLine && offsetof(Control, listed) == 4 * kLine);

// Where page 1 of a state holds, behind its Control, the words of its value and those of its lock (state/, sync/); and that of a
// pipe those of its rings and ends (ring/).
inline constexpr std::size_t kCellWordsAt = 1024;
inline constexpr std::size_t kPipeWordsAt = 1024;
inline constexpr std::size_t kLockWordsAt = 2048;
inline constexpr std::size_t kLockWordsBytes = 1920;
static_assert(sizeof(Control) <= kCellWordsAt && kLockWordsAt + kLockWordsBytes <= 4096);

// Leases that one participant may hold at a time.
inline constexpr std::uint32_t kMaxLeases = 8;

inline constexpr std::uint32_t kSlotUsed =
    1;  // Participant::identity: { generation : 8 | used : 1 } at bits 8 and 0

// One per participant, 256 bytes.
struct Participant {
  std::atomic<std::uint32_t> identity;  // generation << 8 | kSlotUsed
  std::atomic<std::uint32_t> pid;       // for people
  Word bell;                            // names its doorbell; 0: none yet
  std::atomic<std::uint32_t> token;     // what to write into it
  std::atomic<std::uint32_t> need;      // blocks a waiting put wants
  alignas(64) Word wait[kWaitSides];    // { epoch : 61 | state : 3 }
  Word waits;                           // counters like those below; seldom written
  Word wakes;
  // Written by the participant alone. The counters are kept when the slot passes to another.
  alignas(64) Word puts;
  Word gets;
  Word put_bytes;
  Word got_bytes;
  // Of this user of the slot only, beside what a get writes anyway; ring/tasks.h.
  Word takes;
  Word dones;  // { count : 56 | generation : 8 }
  Word redelivered;
  Word high_water;
  // Of a queue: what it holds in place, and since when, for people, written by the participant alone; ring/leases.h draws the
  // word. Of a state: what its lock keeps for each participant.
  alignas(64) Word leases[kMaxLeases];
};
static_assert(sizeof(Participant) == 256);
static_assert(offsetof(Participant, wait) == 64 && offsetof(Participant, puts) == 128);
static_assert(offsetof(Participant, takes) == 160 && offsetof(Participant, leases) == 192);

// One per block. `word` is described in ring/word.h.
struct Descriptor {
  Word word;
  std::atomic<std::uint32_t> length;  // bytes of the record that starts here
  std::atomic<std::uint32_t>
      redeliveries;  // how often it came back, and whether it carries: ring/redeliveries.h
};
static_assert(sizeof(Descriptor) == 16);

// Ledger region of one participant: this, then the data area of one ring's capacity.
inline constexpr std::uint32_t kLedgerEntries = 1024;
struct LedgerEntry {
  Word word;  // { seq : 45 | generation : 8 | slot : 8 | state : 3 }
  Word pos;
  std::atomic<std::uint32_t> offset;  // in blocks, in the region's data area
  std::atomic<std::uint32_t> length;
  std::atomic<std::uint32_t> redeliveries;
  std::atomic<std::uint32_t> reserved;
};
static_assert(sizeof(LedgerEntry) == 32);
struct Ledger {
  std::atomic<std::uint32_t> watermark;  // entries at and above it were never used
  std::uint32_t reserved[15];
  LedgerEntry entries[kLedgerEntries];
};
static_assert(sizeof(Ledger) == 64 + kLedgerEntries * 32);

// A place beside the ring for one message that is larger than it. memory/side_regions.h tells what `word` holds; the rest is
// written by who owns the slot.
inline constexpr std::uint32_t kSideSlots = 256;
struct SideSlot {
  Word word;    // { serial : 45 | generation : 8 | slot : 8 | state : 3 }
  Word length;  // of the message in it, or on its way into it; 0 if there is none
  Word kept;    // bytes of the region that may have memory behind them
  std::atomic<std::uint32_t> freed_ms;  // when it was left, on a clock that wraps
  std::atomic<std::uint32_t> reserved;
};
static_assert(sizeof(SideSlot) == 32);

// Folded from the sizes and offsets above, so that a build that moved one is refused even if somebody forgot the version.
inline constexpr std::uint32_t kLayoutHash = [] {
  std::uint32_t hash = 2166136261u;
  for (std::size_t fact :
       {// Header
        sizeof(Header), offsetof(Header, kind), offsetof(Header, flags),
        offsetof(Header, block_shift), offsetof(Header, max_participants),
        offsetof(Header, max_message_bytes), offsetof(Header, created_wall_ns),
        offsetof(Header, state_bytes), offsetof(Header, codec), offsetof(Header, dead_letter),
        offsetof(Header, schema),
        // Control
        sizeof(Control), kLine, kWaitSides, kCellWordsAt, kPipeWordsAt, kLockWordsAt,
        offsetof(Control, tail), offsetof(Control, head), offsetof(Control, reclaim),
        offsetof(Control, ended), offsetof(Control, redeliver), offsetof(Control, travels),
        offsetof(Control, sides_used), offsetof(Control, ledgers), offsetof(Control, listed),
        // Participant
        sizeof(Participant), std::size_t{kMaxParticipants}, std::size_t{kMaxLeases},
        offsetof(Participant, identity), offsetof(Participant, bell), offsetof(Participant, token),
        offsetof(Participant, need), offsetof(Participant, wait), offsetof(Participant, waits),
        offsetof(Participant, puts), offsetof(Participant, takes), offsetof(Participant, dones),
        offsetof(Participant, leases),
        // what the participants own
        sizeof(Descriptor), offsetof(Descriptor, length), offsetof(Descriptor, redeliveries),
        sizeof(Ledger), sizeof(LedgerEntry), std::size_t{kLedgerEntries}, offsetof(Ledger, entries),
        offsetof(LedgerEntry, pos), offsetof(LedgerEntry, offset), offsetof(LedgerEntry, length),
        offsetof(LedgerEntry, redeliveries), sizeof(SideSlot), std::size_t{kSideSlots},
        offsetof(SideSlot, length), offsetof(SideSlot, kept), offsetof(SideSlot, freed_ms),
        // kernel locks
        std::size_t{kJoiningByte}, std::size_t{kAttachedByte}, std::size_t{kNameByte}}) {
    hash = (hash ^ static_cast<std::uint32_t>(fact)) * 16777619u;
  }
  return hash;
}();

// Where things stand in the file. Computed from the private copy of the header, never read from shared memory.
struct Layout {
  std::uint64_t control = 0;
  std::uint64_t participants = 0;
  std::uint64_t descriptors = 0;
  std::uint64_t payload = 0;
  std::uint64_t payload_bytes = 0;
  std::uint32_t payloads = 1;  // so many of them, one behind the other; a pipe has two
  std::uint64_t ledgers = 0;
  std::uint64_t ledger_bytes = 0;  // of one participant's region, page-aligned
  std::uint64_t total = 0;         // what every file has; side regions follow, where they were used
  std::uint32_t side_slots = 0;    // 0: the ring takes every message
  std::uint64_t sides = 0;         // their table, before the descriptors
  std::uint64_t side_data = 0;     // the first region; beyond the end of the file until it is used
  std::uint64_t side_stride = 0;   // from one region to the next: room for the largest message

  static Layout of(const Header& header) noexcept;
};

inline constexpr std::uint64_t kMaxState = std::uint64_t{1} << 40;
inline constexpr std::uint32_t kMinBlockShift = 6;    // 64 bytes
inline constexpr std::uint32_t kMaxBlocksShift = 20;  // items are counted modulo 2^20
inline constexpr std::uint64_t kMinCapacity = 4096;
inline constexpr std::uint64_t kMaxCapacity = std::uint64_t{1} << 32;
inline constexpr std::uint64_t kMaxPipeCapacity =
    std::uint64_t{1} << 30;  // JavaScript counts the bytes of a ring, mapped twice, in 32 bits
inline constexpr std::uint64_t kMaxMessage = (std::uint64_t{1} << 32) - 1;  // a length is 32 bits
inline constexpr std::uint32_t kMaxItems = (1u << kMaxBlocksShift) - 1;

}  // namespace interproc::memory
