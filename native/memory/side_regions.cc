#include "memory/side_regions.h"

#include <algorithm>

#include "platform/clock.h"
#include "platform/fault.h"

namespace interproc::memory {

namespace {

// Every access to a slot's word is sequentially consistent: there is a system call beside it that costs hundreds of times more.

// A put looks so often for those that ask at the same moment to make up their minds. They need one look, of 0.1 us at most, with all
// 256 slots in use; this is 0.3 to 2 ms (on a Xeon at 14.5 ns a pause), so that one that was put off the processor may come back.
constexpr int kAskingTurns = 1 << 14;
// Others may take the slot that we have chosen: a bound, no tuning. Each failure is another's success, and there are 256 slots.
constexpr int kClaimTries = 64;

// A write keeps other writers of the file waiting; this much at a time.
constexpr std::size_t kWriteBytes = 4u << 20;

// Memory of a region that a smaller message leaves unused is given back when it is as much again as that message, and more than this.
constexpr std::uint64_t kSlackBytes = 256u << 10;
// A single region is kept for the next message whatever the quota, up to this size.
constexpr std::uint64_t kKeptAloneBytes = 64u << 20;
// And for so long.
constexpr std::int64_t kIdleMs = 1'000;

std::uint32_t now_ms() noexcept {
  return static_cast<std::uint32_t>(platform::coarse_now_ns() / 1'000'000);
}

}  // namespace

std::uint32_t SideRegions::used() const noexcept {
  // SYNC side.used
  return count_ == 0
             ? 0
             : std::min(count_, segment_.control().sides_used.load(std::memory_order_seq_cst));
}

std::uint64_t SideRegions::kept(const SideSlot& slot) const noexcept {
  // relaxed: its owner has written it before it left the slot, and a reader who is not its owner takes it for a hint. Copied
  // once, checked, then used.
  return std::min(slot.kept.load(std::memory_order_relaxed), segment_.layout().side_stride);
}

bool SideRegions::claim(std::uint64_t length, std::uint32_t& index,
                        std::uint64_t& serial) noexcept {
  for (int attempt = 0; attempt < kClaimTries; ++attempt) {
    // The smallest that has the memory; else the one that lacks least; else a new one.
    const std::uint32_t end = used();
    bool found = false;
    bool suffices = false;
    std::uint64_t best = 0;
    std::uint64_t word = 0;
    for (std::uint32_t i = 0; i < std::min(end + 1, count_); ++i) {
      const std::uint64_t seen = at(i).word.load(std::memory_order_seq_cst);  // SYNC side.word
      if (SideWord::state(seen) != SideState::free) continue;
      const std::uint64_t has = kept(at(i));
      const bool enough = has >= length;
      if (found && (suffices ? !enough || has >= best : !enough && has <= best)) continue;
      found = true;
      suffices = enough;
      best = has;
      index = i;
      word = seen;
    }
    if (!found) return false;
    // SYNC side.used: before the word, so that no slot that is not free lies beyond it.
    std::uint32_t before = segment_.control().sides_used.load(std::memory_order_seq_cst);
    while (before <= index && !segment_.control().sides_used.compare_exchange_weak(
                                  before, index + 1, std::memory_order_seq_cst)) {
    }
    serial = SideWord::serial(word) + 1;
    FAULT("side.claim");
    if (at(index).word.compare_exchange_strong(word, mine(serial, SideState::owned),
                                               std::memory_order_seq_cst))
      return true;
  }
  return false;
}

// Of two that ask at the same moment at least one sees the other, for each asks before it looks. Who stands in front waits
// until those behind it, who have seen it or been before it, have decided; who stands behind counts those in front. So
// what is admitted never exceeds the quota, and nobody waits in a circle.
bool SideRegions::admitted(std::uint32_t index, std::uint64_t length) const noexcept {
  const std::uint64_t quota = segment_.header().max_side_bytes;
  for (int turn = 0; turn < kAskingTurns; ++turn) {
    std::uint64_t certain = 0;
    std::uint64_t undecided = 0;
    for (std::uint32_t i = 0, end = used(); i < end; ++i) {
      if (i == index) continue;
      const SideState state = SideWord::state(at(i).word.load(std::memory_order_seq_cst));
      if (state == SideState::free) continue;
      const std::uint64_t bytes =
          std::min(at(i).length.load(std::memory_order_seq_cst), segment_.layout().side_stride);
      (state == SideState::asking && i > index ? undecided : certain) += bytes;
    }
    const auto fits = [&](std::uint64_t others) { return others == 0 || others + length <= quota; };
    if (fits(certain + undecided)) return true;
    if (!fits(certain)) return false;
    platform::relax();
  }
  return false;  // one that was stopped while it asked counts as what it asked for
}

bool SideRegions::has_room(std::uint64_t length) const noexcept {
  std::uint64_t standing = 0;
  const std::uint32_t end = used();
  bool free_slot = end < count_;
  for (std::uint32_t i = 0; i < end; ++i) {
    // SYNC side.word: a waiting put's second look.
    if (SideWord::state(at(i).word.load(std::memory_order_seq_cst)) == SideState::free) {
      free_slot = true;
    } else {
      standing +=
          std::min(at(i).length.load(std::memory_order_seq_cst), segment_.layout().side_stride);
    }
  }
  return free_slot && (standing == 0 || standing + length <= segment_.header().max_side_bytes);
}

Error SideRegions::put(const std::byte* bytes, std::uint64_t length, SideRef& ref) noexcept {
  std::uint32_t index = 0;
  std::uint64_t serial = 0;
  if (!claim(length, index, serial)) return fail(Code::full, "every side region is taken");
  FAULT("side.claimed");
  SideSlot& slot = at(index);
  // The length first: who sees us ask counts it.
  slot.length.store(length, std::memory_order_seq_cst);
  const std::uint64_t asking = mine(serial, SideState::asking);
  slot.word.store(asking, std::memory_order_seq_cst);  // SYNC side.word
  FAULT("side.asking");
  if (!admitted(index, length)) {
    release(index, asking);
    return fail(Code::full, "the messages beside the ring are at their limit");
  }
  const std::uint64_t filling = mine(serial, SideState::filling);
  slot.word.store(filling, std::memory_order_seq_cst);
  FAULT("side.filling");
  if (Error error = fill(index, bytes, length); error.code != Code::ok) {
    empty(index);
    release(index, filling);
    return error;
  }
  FAULT("side.filled");
  ref = SideRef{index, 0, serial};
  return {};
}

Error SideRegions::fill(std::uint32_t index, const std::byte* bytes,
                        std::uint64_t length) noexcept {
  SideSlot& slot = at(index);
  platform::File& file = segment_.file();
  const std::uint64_t page = segment_.header().page_bytes;
  const std::uint64_t needed = (length + page - 1) / page * page;
  std::uint64_t has = kept(slot);
  // `kept` never says less than is there, wherever we are killed: raised before the memory comes, lowered when it has gone.
  if (has > needed * 2 && has > needed + kSlackBytes &&
      file.give_up(offset(index) + needed, has - needed).code == Code::ok) {
    has = needed;
    slot.kept.store(has, std::memory_order_relaxed);  // relaxed: as in kept()
  }
  if (has < needed) {
    // Asked beforehand, so that a message that cannot be is none that has filled the file system for everybody else first.
    const std::uint64_t missing = needed - has;
    if (!file.has_room_for(missing) && (!drop_free() || !file.has_room_for(missing)))
      return fail(Code::no_space, "no room for the message in the file system");
    slot.kept.store(needed, std::memory_order_relaxed);  // relaxed: as in kept()
  }
  FAULT("side.sized");
  for (std::uint64_t done = 0; done < length;) {
    const std::size_t some =
        static_cast<std::size_t>(std::min<std::uint64_t>(length - done, kWriteBytes));
    Error error = file.write_at(bytes + done, some, offset(index) + done);
    if (error.code == Code::no_space && drop_free()) continue;
    if (error.code != Code::ok) return error;
    done += some;
    FAULT("side.written");
  }
  return {};
}

void SideRegions::published(const SideRef& ref) noexcept {
  std::uint64_t word = mine(ref.serial, SideState::filling);
  FAULT("side.publishing");
  // Fails when somebody has taken it already: fine.
  at(ref.slot).word.compare_exchange_strong(word, SideWord::make(ref.serial, SideState::standing),
                                            std::memory_order_seq_cst);
}

void SideRegions::withdraw(const SideRef& ref) noexcept {
  release(ref.slot, mine(ref.serial, SideState::filling));
}

Error SideRegions::read(const SideRef& ref, std::byte* into, std::uint64_t length) noexcept {
  static constexpr char kGone[] = "a message beside the ring is not there";
  if (ref.slot >= count_) return fail(Code::lost, kGone);
  const SideSlot& slot = at(ref.slot);
  const std::uint64_t word = slot.word.load(std::memory_order_seq_cst);  // SYNC side.word
  if (SideWord::serial(word) != ref.serial || SideWord::state(word) == SideState::free ||
      slot.length.load(std::memory_order_seq_cst) != length)
    return fail(Code::lost, kGone);
  // `length` has been checked against the largest message, and so lies within the region.
  const Error error =
      segment_.file().read_at(into, static_cast<std::size_t>(length), offset(ref.slot));
  return error.code == Code::corrupt ? fail(Code::lost, kGone) : error;
}

bool SideRegions::own(const SideRef& ref) noexcept {
  if (ref.slot >= count_) return false;
  SideSlot& slot = at(ref.slot);
  const std::uint64_t owned = mine(ref.serial, SideState::owned);
  std::uint64_t word = slot.word.load(std::memory_order_seq_cst);  // SYNC side.word
  for (int attempt = 0; attempt < kClaimTries; ++attempt) {
    if (SideWord::serial(word) != ref.serial) return false;
    const SideState state = SideWord::state(word);
    // OWNED by another: by one who died between owning and letting go of the record, for we have that in hand. The kernel is not
    // asked: were it to answer wrongly, nobody would ever free the place.
    if (state == SideState::free || state == SideState::asking) return false;
    FAULT("side.own");
    if (slot.word.compare_exchange_strong(word, owned, std::memory_order_seq_cst)) return true;
  }
  return false;
}

void SideRegions::free(const SideRef& ref) noexcept {
  release(ref.slot, mine(ref.serial, SideState::owned));
}

void SideRegions::disown(const SideRef& ref) noexcept {
  std::uint64_t word = mine(ref.serial, SideState::owned);
  at(ref.slot).word.compare_exchange_strong(word, SideWord::make(ref.serial, SideState::standing),
                                            std::memory_order_seq_cst);
}

// Whether the memory of a region that is being left may stay for the next message.
bool SideRegions::keeps(std::uint32_t index) const noexcept {
  const std::uint64_t ours = kept(at(index));
  std::uint64_t others = 0;
  bool alone = true;
  for (std::uint32_t i = 0, end = used(); i < end; ++i) {
    if (i == index) continue;
    const std::uint64_t theirs = kept(at(i));
    others += theirs;
    alone = alone && theirs == 0;
  }
  return ours + others <= segment_.header().max_side_bytes || (alone && ours <= kKeptAloneBytes);
}

bool SideRegions::empty(std::uint32_t index) noexcept {
  SideSlot& slot = at(index);
  // A file system that cannot do it leaves the memory with the region, for the next message.
  if (segment_.file().give_up(offset(index), kept(slot)).code != Code::ok) return false;
  FAULT("side.emptied");
  slot.kept.store(0, std::memory_order_relaxed);  // relaxed: as in kept()
  return true;
}

void SideRegions::release(std::uint32_t index, std::uint64_t word) noexcept {
  SideSlot& slot = at(index);
  if (!keeps(index)) empty(index);
  // relaxed: published by the word.
  slot.freed_ms.store(now_ms(), std::memory_order_relaxed);
  slot.length.store(0, std::memory_order_seq_cst);
  FAULT("side.leave");
  // SYNC side.word: seq_cst: the next step is to look for puts that wait for room beside the ring.
  slot.word.compare_exchange_strong(word, SideWord::make(SideWord::serial(word), SideState::free),
                                    std::memory_order_seq_cst);
  FAULT("side.left");
}

bool SideRegions::drop_free_for(std::int64_t idle_ms) noexcept {
  bool any = false;
  for (std::uint32_t index = 0, end = used(); index < end; ++index) {
    SideSlot& slot = at(index);
    std::uint64_t word = slot.word.load(std::memory_order_seq_cst);  // SYNC side.word
    if (SideWord::state(word) != SideState::free || kept(slot) == 0) continue;
    // relaxed: a wrong time only moves the moment.
    const std::uint32_t idle = now_ms() - slot.freed_ms.load(std::memory_order_relaxed);
    if (idle < idle_ms) continue;
    const std::uint64_t owned = mine(SideWord::serial(word), SideState::owned);
    if (!slot.word.compare_exchange_strong(word, owned, std::memory_order_seq_cst)) continue;
    in_the_way_ = true;
    FAULT("side.drop");
    any = empty(index) || any;
    release(index, owned);
  }
  return any;
}

void SideRegions::drop_idle() noexcept { drop_free_for(kIdleMs); }

}  // namespace interproc::memory
