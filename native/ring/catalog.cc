#include "ring/catalog.h"

#include <optional>
#include <unordered_set>
#include <utility>

#include "memory/marker.h"
#include "memory/segment.h"
#include "memory/ticket.h"
#include "platform/fault.h"
#include "ring/cursor.h"
#include "sync/doorbell.h"

namespace interproc::ring {

using memory::Control;
using memory::Header;
using memory::Layout;
using memory::Segment;
using memory::Ticket;
using platform::Directory;
using platform::File;

namespace {

std::uint64_t size_of(const File& file, const Header& header) noexcept {
  // A value that is written whole has room for two.
  if (header.kind == memory::Kind::value && header.parameter != 0) return header.parameter;
  if (memory::is_state(header.kind)) return header.state_bytes;
  std::uint64_t tail = 0;
  std::uint64_t head = 0;
  const std::uint64_t control = Layout::of(header).control;
  if (file.read_at(&head, sizeof head, control + offsetof(Control, head)).code != Code::ok)
    return 0;
  if (file.read_at(&tail, sizeof tail, control + offsetof(Control, tail)).code != Code::ok)
    return 0;
  return memory::is_queue(header.kind) ? Cursor::items_between(head, tail) : tail - head;
}

std::uint32_t count_participants(const File& file, const Header& header) noexcept {
  std::uint32_t count = 0;
  for (std::uint32_t slot = 0; slot < header.max_participants; ++slot) {
    if (file.is_locked_by_others(slot)) ++count;
  }
  return count;
}

using Identities = std::unordered_set<std::uint64_t>;

std::vector<Ticket> tickets_among(const std::vector<std::string>& names) noexcept {
  std::vector<Ticket> tickets;
  Ticket ticket;
  for (const std::string& name : names) {
    if (Ticket::parse(name, ticket)) tickets.push_back(ticket);
  }
  return tickets;
}

// What `kept` keeps, all the way down: the objects of its tickets, of theirs, and so on. `kept` itself is among it.
void add_passengers(const std::vector<Ticket>& tickets, Identities& kept) noexcept {
  for (bool grown = true; grown;) {
    grown = false;
    for (const Ticket& each : tickets)
      grown = (kept.contains(each.carrier) && kept.insert(each.object).second) || grown;
  }
}

bool is_object(const std::string& name) noexcept {
  return !sync::Doorbell::names_bell(name) && !Ticket::names_ticket(name) &&
         name != memory::kSockets;
}

struct Found {
  std::string name;
  File file;
  platform::FileFacts facts;
  Header header{};
  std::uint64_t identity = 0;
};

// The object of that name, if it is one. `unknown`: it may be one, and cannot be read.
std::optional<Found> find(const Directory& directory, const std::string& name,
                          bool& unknown) noexcept {
  unknown = false;
  auto file = directory.open_file(name);
  if (!file.ok()) {
    unknown = file.error().code == Code::system;  // no descriptor is left, say
    return std::nullopt;
  }
  Found found;
  found.name = name;
  found.file = std::move(file.value());
  auto facts = found.file.facts();
  if (!facts.ok() || facts.value().links == 0) return std::nullopt;
  if (const Error error = memory::read_header(found.file, found.header); error.code != Code::ok) {
    unknown = error.code == Code::version;
    return std::nullopt;
  }
  found.facts = facts.value();
  found.identity = memory::identity_of(found.header, found.facts);
  return found;
}

bool persists(const Found& object) noexcept {
  return (object.header.flags & memory::kPersist) != 0 && !Segment::names_unlinked(object.name);
}

bool has_travelled(const Found& object) noexcept {
  std::uint32_t travels = 0;
  const std::uint64_t at = Layout::of(object.header).control + offsetof(Control, travels);
  return object.file.read_at(&travels, sizeof travels, at).code != Code::ok ||
         (travels & memory::kHasTravelled) != 0;
}

// A dry run only asks: a lock held for a moment would make the last one out believe that it is not the last.
std::vector<std::string> would_be_removed(const Directory& directory,
                                          const std::vector<std::string>& names) noexcept {
  std::vector<Found> idle;
  Identities kept;
  bool unknown = false;
  for (const std::string& name : names) {
    auto found = is_object(name) ? find(directory, name, unknown) : std::nullopt;
    if (!found) continue;
    const bool stays = persists(*found) || found->file.is_locked_by_others(memory::kAttachedByte);
    found->file.close();
    if (stays) {
      kept.insert(found->identity);
    } else {
      idle.push_back(std::move(*found));
    }
  }
  add_passengers(tickets_among(names), kept);
  std::vector<std::string> removed;
  for (Found& each : idle) {
    if (!kept.contains(each.identity) && !Segment::names_unlinked(each.name))
      removed.push_back(std::move(each.name));
  }
  return removed;
}

// Carriers that have tickets and no file: nobody can take anything out of their messages any more. A carrier is there before its
// tickets, so one that is not found after them is gone.
Identities carriers_without_file(const Directory& directory,
                                 const std::vector<std::string>& names) noexcept {
  const std::vector<Ticket> tickets = tickets_among(names);
  if (tickets.empty()) return {};
  auto now = directory.names();
  if (!now.ok()) return {};
  Identities there;
  for (const std::string& name : now.value()) {
    bool unknown = false;
    auto found = is_object(name) ? find(directory, name, unknown) : std::nullopt;
    if (unknown) return {};  // its tickets may be any
    if (found) there.insert(found->identity);
  }
  Identities gone;
  for (const Ticket& each : tickets) {
    if (!there.contains(each.carrier)) gone.insert(each.carrier);
  }
  return gone;
}

}  // namespace

Result<std::vector<CatalogEntry>> list(const Directory& directory) noexcept {
  auto names = directory.names();
  if (!names.ok()) return names.error();
  std::vector<CatalogEntry> entries;
  for (const std::string& name : names.value()) {
    if (!is_object(name) || Segment::names_unlinked(name)) continue;
    auto file = directory.open_file(name);
    if (!file.ok() && file.error().code == Code::not_found)
      continue;  // gone since we read the directory
    if (!file.ok() && memory::marker_at(directory, name) != memory::Marker::none)
      continue;  // the socket backend's own list has it, if anything; or gone by now
    CatalogEntry entry;
    entry.name = name;
    Header header{};
    entry.problem = file.ok() ? memory::read_header(file.value(), header) : file.error();
    if (entry.problem.code == Code::ok) {
      entry.kind = header.kind;
      auto facts = file.value().facts();
      entry.total_bytes = facts.ok() ? facts.value().held_bytes : 0;
      entry.participants = count_participants(file.value(), header);
      entry.size = size_of(file.value(), header);
      entry.persist = (header.flags & memory::kPersist) != 0;
      entry.anonymous = (header.flags & memory::kAnonymous) != 0;
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

Result<std::vector<std::string>> prune(const Directory& directory, bool dry_run) noexcept {
  auto names = directory.names();
  if (!names.ok()) return names.error();
  if (dry_run) return would_be_removed(directory, names.value());
  // Identities of what nobody can open any more.
  Identities gone = carriers_without_file(directory, names.value());
  FAULT("prune.listed");
  std::vector<std::string> removed;
  const auto remove = [&](const Found& object) {
    directory.remove_if_same(object.name, object.facts);
    gone.insert(object.identity);
    if (!Segment::names_unlinked(object.name)) removed.push_back(object.name);
  };
  // While we are alone with an object nobody comes to send it, and nobody to take anything out of its messages.
  std::vector<Found> carried;
  bool unknown = false;
  for (const std::string& name : names.value()) {
    // A doorbell is no object of the user's: removed in silence.
    if (sync::Doorbell::names_bell(name)) sync::Doorbell::remove_if_dead(directory, name);
    // Nor is the name of what was lost with its broker.
    static_cast<void>(memory::clear_marker(directory, name));
    auto found = is_object(name) ? find(directory, name, unknown) : std::nullopt;
    if (!found || persists(*found)) continue;
    if (!found->file.try_lock(memory::kAttachedByte, platform::Lock::exclusive)) continue;
    auto facts = found->file.facts();
    if (!facts.ok() || facts.value().links == 0) continue;
    FAULT("prune.alone");
    // What has no name that anybody opens it by cannot arrive.
    if (!Segment::names_unlinked(name) && has_travelled(*found) &&
        Ticket::any_for(directory, found->identity)) {
      carried.push_back(std::move(*found));
    } else {
      remove(*found);
    }
  }
  // What is left is carried, by something that stays, or by nothing but each other. All else counts as staying: it may be
  // opened at any moment.
  Identities kept;
  Identities locked;
  for (const Found& each : carried) locked.insert(each.identity);
  names = directory.names();
  if (!names.ok()) return names.error();
  std::vector<Ticket> tickets = tickets_among(names.value());
  for (const Ticket& each : tickets) {
    if (!locked.contains(each.carrier) && !gone.contains(each.carrier)) kept.insert(each.carrier);
  }
  add_passengers(tickets, kept);
  for (const Found& each : carried) {
    if (!kept.contains(each.identity)) remove(each);
  }
  FAULT("prune.removed");
  // Who removes a ticket is attached to its object for a moment.
  carried.clear();
  for (const Ticket& each : tickets) {
    if (gone.contains(each.carrier)) Ticket::remove(directory, each.file_name());
  }
  return removed;
}

}  // namespace interproc::ring
