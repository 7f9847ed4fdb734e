#include "memory/segment.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "memory/marker.h"
#include "memory/ticket.h"
#include "platform/clock.h"
#include "platform/fault.h"
#include "platform/process.h"

namespace interproc::memory {

using platform::Directory;
using platform::File;
using platform::FileFacts;
using platform::Lock;

namespace {

// How long an opener waits for another opener or leaver that is deciding about the same file, in steps of one millisecond.
// They decide within microseconds; a longer wait means that one was stopped right there.
constexpr int kDecisionTries = 2'000;
constexpr std::int64_t kDecisionStepNs = 1'000'000;

constexpr char kUnlinkedPrefix[] = "~unlinked-";  // '~' is no character of a user's name

std::string unlinked_name(std::uint64_t identity) {
  char name[40];
  std::snprintf(name, sizeof name, "%s%016" PRIx64, kUnlinkedPrefix, identity);
  return name;
}

bool is_named(const Directory& directory, const std::string& name,
              const FileFacts& facts) noexcept {
  auto now = directory.facts_of(name);
  return now.ok() && now.value().inode == facts.inode && now.value().device == facts.device;
}

// Of an object with two names: whether somebody was killed just when the one had replaced the other. Then the first goes.
bool finish_unlink(const Directory& directory, const std::string& name, File& file,
                   const FileFacts& facts) noexcept {
  Header header{};
  if (facts.links != 2 || read_header(file, header).code != Code::ok ||
      !is_named(directory, unlinked_name(identity_of(header, facts)), facts) ||
      !file.try_lock(kNameByte, Lock::exclusive))
    return false;
  directory.remove_if_same(name, facts);
  file.unlock(kNameByte);
  return true;
}

Error check_facts(const FileFacts& facts) noexcept {
  if (!facts.regular)
    return fail(Code::permission, "there is something else than a regular file under this name");
  if (facts.owner != platform::own_uid())
    return fail(Code::permission, "the segment belongs to another user");
  if ((facts.mode & 077) != 0)
    return fail(Code::permission, "the segment's mode lets others in (it must be 0600)");
  if (facts.links > 1) return fail(Code::permission, "the segment has a second name (a hard link)");
  return {};
}

bool ends_with_zero(const char* text, std::size_t bytes) noexcept {
  return std::memchr(text, 0, bytes) != nullptr;
}

Error check_ring(const Header& header) noexcept {
  if (header.block_shift < kMinBlockShift || header.block_shift > 20)
    return fail(Code::corrupt, "header: block size");
  if (header.blocks_shift < 1 || header.blocks_shift > kMaxBlocksShift)
    return fail(Code::corrupt, "header: blocks");
  const std::uint64_t capacity = std::uint64_t{1} << (header.block_shift + header.blocks_shift);
  const std::uint64_t largest = header.kind == Kind::pipe ? kMaxPipeCapacity : kMaxCapacity;
  if (capacity < kMinCapacity || capacity > largest || capacity % header.page_bytes != 0) {
    return fail(Code::corrupt, "header: capacity");
  }
  const std::uint32_t fewest = header.kind == Kind::spsc ? 2 : 1;
  const std::uint32_t most = header.kind == Kind::spsc   ? 2
                             : header.kind == Kind::pipe ? kMaxPipeParticipants
                                                         : kMaxParticipants;
  if (header.max_participants < fewest || header.max_participants > most) {
    return fail(Code::corrupt, "header: participants");
  }
  if (header.max_items > kMaxItems) return fail(Code::corrupt, "header: items");
  if (header.max_message_bytes == 0 || header.max_message_bytes > kMaxMessage ||
      (header.kind == Kind::spsc && header.max_message_bytes > capacity))
    return fail(Code::corrupt, "header: message size");
  if (header.kind == Kind::listener &&
      (header.state_bytes < kMinCapacity || header.state_bytes > kMaxCapacity ||
       header.parameter == 0 || header.parameter > kMaxMessage))
    return fail(Code::corrupt, "header: pipes");
  if (!ends_with_zero(header.codec, sizeof header.codec))
    return fail(Code::corrupt, "header: codec");
  if (!ends_with_zero(header.dead_letter, sizeof header.dead_letter))
    return fail(Code::corrupt, "header: dead letter");
  return {};
}

Error check_state(const Header& header) noexcept {
  if (header.state_bytes > kMaxState) return fail(Code::corrupt, "header: size");
  if (header.max_participants < 1 || header.max_participants > kMaxParticipants)
    return fail(Code::corrupt, "header: participants");
  if (!ends_with_zero(header.schema, sizeof header.schema))
    return fail(Code::corrupt, "header: schema");
  return {};
}

Error check_header(const Header& header) noexcept {
  if (header.magic != kMagic) return fail(Code::corrupt, "the file is not an interproc segment");
  if (header.layout_version != kLayoutVersion)
    return fail(Code::version, "the segment's layout is of another version");
  if (header.layout_hash != kLayoutHash)
    return fail(Code::version, "the segment's layout is of another build");
  if (header.word_bytes != sizeof(void*))
    return fail(Code::version, "the segment was made by a program of another word size");
  if (header.page_bytes != platform::page_bytes())
    return fail(Code::version, "the segment was made with another page size");
  if (header.kind < Kind::mpmc || header.kind > kLastKind)
    return fail(Code::corrupt, "header: kind");
  const std::uint32_t flags = kPersist | kAnonymous | (header.kind == Kind::pipe ? kOneWay : 0u) |
                              (header.kind == Kind::listener ? kKeyed : 0u);
  if ((header.flags & ~flags) != 0) return fail(Code::corrupt, "header: flags");
  return is_state(header.kind) ? check_state(header) : check_ring(header);
}

}  // namespace

Error read_header(const File& file, Header& header) noexcept {
  auto facts = file.facts();
  if (!facts.ok()) return facts.error();
  if (facts.value().bytes < sizeof(Header))
    return fail(Code::corrupt, "the file is too short to be a segment");
  if (Error error = file.read_at(&header, sizeof header, 0); error.code != Code::ok) return error;
  if (Error error = check_header(header); error.code != Code::ok) return error;
  const Layout layout = Layout::of(header);
  // Side regions make it longer as they are used.
  const std::uint64_t longest = layout.side_slots == 0
                                    ? layout.total
                                    : layout.side_data + layout.side_stride * layout.side_slots;
  if (facts.value().bytes < layout.total || facts.value().bytes > longest)
    return fail(Code::corrupt, "the file is not as long as its header says");
  return {};
}

bool attach(File& file) noexcept {
  for (int attempt = 0; attempt < kDecisionTries; ++attempt) {
    if (file.try_lock(kAttachedByte, Lock::shared)) return true;
    platform::sleep_ns(kDecisionStepNs);
  }
  return false;
}

std::uint64_t identity_of(const Header& header, const FileFacts& facts) noexcept {
  // An inode's number comes back, and a clock may be set back; both together, in one process, do not. Mixed as splitmix64
  // finishes (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
  std::uint64_t mixed = facts.inode ^ static_cast<std::uint64_t>(header.created_wall_ns) ^
                        std::uint64_t{header.creator_pid} << 40;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
  return mixed ^ mixed >> 31;
}

Error Segment::map() noexcept {
  layout_ = Layout::of(header_);
  auto front = platform::Mapping::of(file_, 0, layout_.payload);
  if (!front.ok()) return front.error();
  front_ = std::move(front.value());
  if (layout_.payload_bytes == 0) return {};
  // The ledgers too, though few are ever touched: one that could not be seen later would have to be taken for empty, and the
  // messages in it for lost.
  for (std::uint32_t i = 0; i < layout_.payloads; ++i) {
    const std::uint64_t at = layout_.payload + i * layout_.payload_bytes;
    auto payload = is_state(header_.kind)
                       ? platform::Mapping::of(file_, at, layout_.payload_bytes)
                       : platform::Mapping::twice(file_, at, layout_.payload_bytes,
                                                  layout_.total - layout_.ledgers);
    if (!payload.ok()) return payload.error();
    payloads_[i] = std::move(payload.value());
  }
  return {};
}

bool Segment::must_stay(const Directory& directory,
                        const std::function<bool(Segment&)>& holds_something) noexcept {
  // Always called, since it also tidies up: the dead may have left doorbells.
  const bool holds = holds_something(*this);
  if (names_unlinked(name_)) return false;
  // SYNC segment.travels
  if ((control().travels.load(std::memory_order_seq_cst) & kHasTravelled) != 0 &&
      Ticket::any_for(directory, identity_))
    return true;
  if ((header_.flags & kAnonymous) != 0) return false;
  return (header_.flags & kPersist) != 0 || holds;
}

Result<std::unique_ptr<Segment>> Segment::make(const Directory& directory, const std::string& name,
                                               const Header& wanted,
                                               const Kindred& kindred) noexcept {
  auto file = directory.make_unnamed();
  if (!file.ok()) return file.error();
  std::unique_ptr<Segment> segment(new Segment);
  segment->name_ = name;
  segment->file_ = std::move(file.value());
  Header& header = segment->header_;
  header = wanted;
  header.magic = kMagic;
  header.layout_version = kLayoutVersion;
  header.layout_hash = kLayoutHash;
  header.word_bytes = sizeof(void*);
  header.page_bytes = platform::page_bytes();
  header.creator_pid = platform::process_id();
  header.created_wall_ns = platform::wall_ns();
  // What no opener would accept must not be made.
  if (Error error = check_header(header); error.code != Code::ok)
    return fail(Code::argument, error.detail);
  const Layout layout = Layout::of(header);
  if (Error error = segment->file_.resize(layout.total); error.code != Code::ok) return error;
  // All but the ledgers is made real now: a full /dev/shm is an error here, not a SIGBUS at some later message.
  if (Error error = segment->file_.reserve(0, layout.ledgers); error.code != Code::ok) return error;
  if (Error error = segment->map(); error.code != Code::ok) return error;
  std::memcpy(segment->front_.data(), &header, sizeof header);
  auto facts = segment->file_.facts();
  if (!facts.ok()) return facts.error();
  segment->identity_ = identity_of(header, facts.value());
  kindred.initialise(*segment);
  // Attached and joined before it has a name: nobody can take it for abandoned.
  segment->file_.try_lock(kAttachedByte, Lock::shared);
  if (Error error = kindred.join(*segment); error.code != Code::ok) return error;
  FAULT("segment.ready");
  if (Error error = directory.link(segment->file_, name); error.code != Code::ok) return error;
  segment->created_ = true;
  return segment;
}

Result<std::unique_ptr<Segment>> Segment::open(const Directory& directory, const std::string& name,
                                               OpenMode mode, const Header& wanted,
                                               const Kindred& kindred) noexcept {
  for (int attempt = 0; attempt < kDecisionTries; ++attempt) {
    auto file = directory.open_file(name);
    if (!file.ok()) {
      if (file.error().code == Code::permission) {
        auto marker = clear_marker(directory, name);
        if (!marker.ok()) return marker.error();
        if (marker.value() == Marker::gone) continue;
        if (marker.value() == Marker::alive)
          return fail(Code::backend, "the socket backend has an object of this name");
      }
      if (file.error().code != Code::not_found) return file.error();
      if (mode == OpenMode::open) return file.error();
      auto made = make(directory, name, wanted, kindred);
      if (made.ok() || made.error().code != Code::exists) return made;
      continue;  // somebody else won: meet the winner's
    }

    std::unique_ptr<Segment> segment(new Segment);
    segment->name_ = name;
    segment->file_ = std::move(file.value());
    auto facts = segment->file_.facts();
    if (!facts.ok()) return facts.error();
    if (facts.value().links == 0) continue;  // removed since we found it
    if (!names_unlinked(name) && finish_unlink(directory, name, segment->file_, facts.value()))
      continue;
    if (Error error = check_facts(facts.value()); error.code != Code::ok) return error;

    // The header never changes: all that may go wrong with it does so before we are attached, and so may have to clean up.
    if (Error error = read_header(segment->file_, segment->header_); error.code != Code::ok)
      return error;
    if (segment->header_.kind != wanted.kind) {
      return mode == OpenMode::create
                 ? fail(Code::exists, "there is an object of this name already, of another kind")
                 : fail(Code::kind, "there is an object of another kind under this name");
    }
    if (Error error = segment->map(); error.code != Code::ok) return error;
    segment->identity_ = identity_of(segment->header_, facts.value());
    FAULT("segment.mapped");

    const bool alone = segment->file_.try_lock(kAttachedByte, Lock::exclusive);
    FAULT("segment.locked");
    if (!alone && !segment->file_.try_lock(kAttachedByte, Lock::shared)) {
      platform::sleep_ns(kDecisionStepNs);  // another is alone with it and decides
      continue;
    }
    facts = segment->file_.facts();
    if (!facts.ok()) return facts.error();
    if (facts.value().links == 0) continue;
    FAULT("segment.attached");

    if (alone && !segment->must_stay(directory, kindred.holds_something)) {
      directory.remove_if_same(name, facts.value());  // left behind by the killed
      FAULT("segment.removed_stale");
      if (kindred.removed) kindred.removed(*segment);
      continue;
    }
    if (mode == OpenMode::create) {
      // By now we may be the last one there.
      if (segment->leave(directory, kindred.holds_something) && kindred.removed)
        kindred.removed(*segment);
      return fail(Code::exists, "there is an object of this name already");
    }
    if (alone)
      segment->file_.try_lock(kAttachedByte, Lock::shared);  // converts our own lock; cannot fail
    if (Error error = kindred.join(*segment); error.code != Code::ok) {
      if (segment->leave(directory, kindred.holds_something) && kindred.removed)
        kindred.removed(*segment);
      return error;
    }
    return segment;
  }
  return fail(Code::busy,
              "somebody who is opening or closing this object does not come to an end (stopped?)");
}

Error Segment::reserve_ledger(std::uint32_t slot) noexcept {
  return file_.reserve(layout_.ledgers + layout_.ledger_bytes * slot, layout_.ledger_bytes);
}

bool Segment::leave(const Directory& directory,
                    const std::function<bool(Segment&)>& holds_something) noexcept {
  // Drop first, then try: two leavers that both upgraded their shared lock would both fail.
  file_.unlock(kAttachedByte);
  FAULT("segment.detached");
  bool gone = false;
  if (file_.try_lock(kAttachedByte, Lock::exclusive)) {
    const bool stays = must_stay(directory, holds_something);
    auto facts = file_.facts();
    const bool is_unlinked = facts.ok() && facts.value().links > 0 && has_carried() &&
                             !is_named(directory, name_, facts.value());
    if (is_unlinked) {
      directory.remove_if_same(unlinked_name(identity_), facts.value());
      gone = true;
    } else if (facts.ok() && facts.value().links > 0 && !stays) {
      directory.remove_if_same(name_, facts.value());
      // Of one who was killed between the two names.
      if (facts.value().links > 1)
        directory.remove_if_same(unlinked_name(identity_), facts.value());
      gone = true;
    } else {
      gone = facts.ok() && facts.value().links == 0;
    }
    FAULT("segment.decided");
    file_.unlock(kAttachedByte);
  }
  file_.close();
  return gone;
}

bool Segment::names_unlinked(const std::string& file_name) noexcept {
  return file_name.starts_with(kUnlinkedPrefix);
}

Error Segment::unlink(const Directory& directory) noexcept {
  // Between the check that the name is ours and its removal another must not remove it and give it away: all who do so while
  // others are attached hold this lock, and those who are alone hold the attached byte.
  for (int attempt = 0; attempt < kDecisionTries; ++attempt) {
    if (!file_.try_lock(kNameByte, Lock::exclusive)) {
      platform::sleep_ns(kDecisionStepNs);
      continue;
    }
    auto facts = file_.facts();
    Error error = facts.error();
    if (facts.ok() && facts.value().links > 0 && is_named(directory, name_, facts.value())) {
      if (has_carried()) error = directory.link_again(name_, unlinked_name(identity_));
      FAULT("segment.kept");
      if (error.code == Code::exists) error = {};  // by one who was killed then
      if (error.code == Code::ok) directory.remove_if_same(name_, facts.value());
    }
    file_.unlock(kNameByte);
    return error;
  }
  return fail(Code::busy,
              "somebody else who is removing this name does not come to an end (stopped?)");
}

}  // namespace interproc::memory
