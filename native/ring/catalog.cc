#include "ring/catalog.h"

#include <unordered_set>

#include "memory/segment.h"
#include "memory/ticket.h"
#include "ring/cursor.h"
#include "sync/doorbell.h"

namespace interproc::ring {

using memory::Control;
using memory::Header;
using memory::Layout;
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
  return header.kind == memory::Kind::mpmc ? Cursor::items_between(head, tail) : tail - head;
}

std::uint32_t count_participants(const File& file, const Header& header) noexcept {
  std::uint32_t count = 0;
  for (std::uint32_t slot = 0; slot < header.max_participants; ++slot) {
    if (file.is_locked_by_others(slot)) ++count;
  }
  return count;
}

// What is on its way inside a message that somebody still can take: objects that a ticket keeps, whose carrier is kept in
// turn because it is in use, persists, or is itself on its way. Other tickets are removed.
std::unordered_set<std::uint64_t> travelling(const Directory& directory,
                                             const std::vector<std::string>& names,
                                             bool dry_run) noexcept {
  std::vector<Ticket> tickets;
  Ticket ticket;
  for (const std::string& name : names) {
    if (Ticket::parse(name, ticket)) tickets.push_back(ticket);
  }
  if (tickets.empty()) return {};

  std::unordered_set<std::uint64_t> kept;
  for (const std::string& name : names) {
    auto file = directory.open_file(name);
    if (!file.ok()) continue;
    auto facts = file.value().facts();
    Header header{};
    if (!facts.ok() || memory::read_header(file.value(), header).code != Code::ok) continue;
    if ((header.flags & memory::kPersist) != 0 ||
        file.value().is_locked_by_others(memory::kAttachedByte))
      kept.insert(memory::identity_of(header, facts.value()));
  }
  std::unordered_set<std::uint64_t> passengers;
  for (bool grown = true; grown;) {
    grown = false;
    for (const Ticket& each : tickets) {
      if (!kept.contains(each.carrier)) continue;
      passengers.insert(each.object);
      grown = kept.insert(each.object).second || grown;
    }
  }
  for (const Ticket& each : tickets) {
    if (!dry_run && !kept.contains(each.carrier)) directory.remove(each.file_name());
  }
  return passengers;
}

}  // namespace

Result<std::vector<CatalogEntry>> list(const Directory& directory) noexcept {
  auto names = directory.names();
  if (!names.ok()) return names.error();
  std::vector<CatalogEntry> entries;
  for (const std::string& name : names.value()) {
    if (sync::Doorbell::names_bell(name) || Ticket::names_ticket(name)) continue;
    auto file = directory.open_file(name);
    if (!file.ok() && file.error().code == Code::not_found)
      continue;  // gone since we read the directory
    CatalogEntry entry;
    entry.name = name;
    Header header{};
    entry.problem = file.ok() ? memory::read_header(file.value(), header) : file.error();
    if (entry.problem.code == Code::ok) {
      entry.kind = header.kind;
      entry.total_bytes = Layout::of(header).ledgers;
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
  const auto passengers = travelling(directory, names.value(), dry_run);
  std::vector<std::string> removed;
  for (const std::string& name : names.value()) {
    if (sync::Doorbell::names_bell(name)) {
      if (!dry_run) sync::Doorbell::remove_if_dead(directory, name);
      continue;  // a doorbell is no object of the user's: removed in silence
    }
    if (Ticket::names_ticket(name)) continue;
    auto file = directory.open_file(name);
    if (!file.ok()) continue;
    // A dry run only asks: a lock held for a moment would make the last one out believe that it is not the last.
    const bool in_use =
        dry_run ? file.value().is_locked_by_others(memory::kAttachedByte)
                : !file.value().try_lock(memory::kAttachedByte, platform::Lock::exclusive);
    if (in_use) continue;
    auto facts = file.value().facts();
    Header header{};
    if (!facts.ok() || facts.value().links == 0) continue;
    if (memory::read_header(file.value(), header).code != Code::ok) continue;
    if ((header.flags & memory::kPersist) != 0 ||
        passengers.contains(memory::identity_of(header, facts.value())))
      continue;
    if (!dry_run) directory.remove_if_same(name, facts.value());
    removed.push_back(name);
  }
  return removed;
}

}  // namespace interproc::ring
