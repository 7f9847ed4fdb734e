#include "memory/ticket.h"

#include <cinttypes>
#include <cstdio>
#include <utility>

#include "platform/fault.h"
#include "platform/process.h"

namespace interproc::memory {

using platform::Directory;
using platform::File;

namespace {

constexpr char kPrefix[] = "~ticket-";  // '~' is no character of a user's name
constexpr std::size_t kPrefixLength = sizeof kPrefix - 1;
constexpr std::size_t kDigits = 16;
constexpr std::size_t kNameLength = kPrefixLength + 3 * kDigits + 2;

// A longer name is none of ours.
constexpr std::uint64_t kMaxObjectName = kNameBytes;

bool parse_hex(const std::string& text, std::size_t from, std::uint64_t& value) noexcept {
  value = 0;
  for (std::size_t i = from; i < from + kDigits; ++i) {
    const char digit = text[i];
    const bool is_letter = digit >= 'a' && digit <= 'f';
    if (!is_letter && (digit < '0' || digit > '9')) return false;
    value = value << 4 | static_cast<std::uint64_t>(is_letter ? digit - 'a' + 10 : digit - '0');
  }
  return true;
}

// The file of the object, if it still is there.
File find(const Directory& directory, const std::string& name, std::uint64_t identity,
          Header& header) noexcept {
  auto file = directory.open_file(name);
  if (!file.ok()) return {};
  auto facts = file.value().facts();
  const bool same = facts.ok() && facts.value().links > 0 &&
                    read_header(file.value(), header).code == Code::ok &&
                    identity_of(header, facts.value()) == identity;
  return same ? std::move(file.value()) : File();
}

}  // namespace

std::string Ticket::file_name() const {
  char name[kNameLength + 1];
  std::snprintf(name, sizeof name, "%s%016" PRIx64 "-%016" PRIx64 "-%016" PRIx64, kPrefix, object,
                carrier, serial);
  return name;
}

bool Ticket::names_ticket(const std::string& file_name) noexcept {
  return file_name.starts_with(kPrefix);
}

bool Ticket::parse(const std::string& file_name, Ticket& ticket) noexcept {
  const std::size_t second = kPrefixLength + kDigits + 1;
  const std::size_t third = second + kDigits + 1;
  return file_name.size() == kNameLength && names_ticket(file_name) &&
         file_name[second - 1] == '-' && file_name[third - 1] == '-' &&
         parse_hex(file_name, kPrefixLength, ticket.object) &&
         parse_hex(file_name, second, ticket.carrier) && parse_hex(file_name, third, ticket.serial);
}

Result<Ticket> Ticket::issue(const Directory& directory, Segment& object, Segment& carrier,
                             std::uint64_t bits) noexcept {
  auto ours = object.file().facts();
  auto named = directory.facts_of(object.name());
  if (!ours.ok()) return ours.error();
  if (!named.ok()) return named.error();
  if (named.value().inode != ours.value().inode || named.value().device != ours.value().device)
    return fail(Code::not_found, "the name belongs to another object by now");
  // SYNC segment.travels: before the ticket is there: who looks for tickets only where there may be some must look here.
  object.control().travels.fetch_or(kHasTravelled, std::memory_order_seq_cst);
  carrier.control().travels.fetch_or(kHasCarried, std::memory_order_seq_cst);
  FAULT("ticket.announced");
  const Ticket ticket{object.identity(), carrier.identity(),
                      (platform::random_word() & ~kBits) | (bits & kBits)};
  auto file = directory.make_unnamed();
  if (!file.ok()) return file.error();
  if (Error error = file.value().write_at(object.name().data(), object.name().size(), 0);
      error.code != Code::ok)
    return error;
  if (Error error = directory.link(file.value(), ticket.file_name()); error.code != Code::ok)
    return error;
  FAULT("ticket.issued");
  return ticket;
}

Result<std::string> Ticket::object_name(const Directory& directory,
                                        const std::string& file_name) noexcept {
  auto file = directory.open_file(file_name);
  if (!file.ok()) return file.error();
  auto facts = file.value().facts();
  if (!facts.ok()) return facts.error();
  if (!facts.value().regular || facts.value().bytes == 0 || facts.value().bytes > kMaxObjectName)
    return fail(Code::corrupt, "the ticket names no object");
  std::string name(facts.value().bytes, '\0');
  if (Error error = file.value().read_at(name.data(), name.size(), 0); error.code != Code::ok)
    return error;
  if (name.find('/') != std::string::npos || name.find('\0') != std::string::npos)
    return fail(Code::corrupt, "the ticket names no object");
  return name;
}

Result<Ticket> Ticket::copy(const Directory& directory, const Ticket& from,
                            Segment& carrier) noexcept {
  carrier.control().travels.fetch_or(kHasCarried, std::memory_order_seq_cst);
  // A serial of its own: a mover that is killed leaves the message in both, and it may be moved again.
  const Ticket ticket{from.object, carrier.identity(),
                      (platform::random_word() & ~kBits) | (from.serial & kBits)};
  if (Error error = directory.link_again(from.file_name(), ticket.file_name());
      error.code != Code::ok)
    return error;
  FAULT("ticket.copied");
  return ticket;
}

std::optional<Ticket::Object> Ticket::remove(const Directory& directory,
                                             const std::string& file_name) noexcept {
  Ticket known;
  if (!parse(file_name, known)) return std::nullopt;
  auto name = object_name(directory, file_name);
  Object object;
  File file = name.ok() ? find(directory, name.value(), known.object, object.header) : File();
  FAULT("ticket.remove");
  if (!file.is_open()) {
    directory.remove(file_name);
    return std::nullopt;
  }
  // Attached: who decides about the object reads the directory, and may have seen this ticket, or have passed the place of one
  // that was copied from it since. So it decides before the ticket goes, or looks after that.
  if (!attach(file)) return std::nullopt;  // stopped: then the ticket goes with its carrier
  directory.remove(file_name);
  FAULT("ticket.removed");
  file.unlock(kAttachedByte);
  // Who has it open, or decides from now on, will see to it.
  object.abandoned = !file.is_locked_by_others(kAttachedByte);
  object.name = std::move(name.value());
  return object;
}

bool Ticket::any_for(const Directory& directory, std::uint64_t object) noexcept {
  auto names = directory.names();
  // Unknown is not none.
  if (!names.ok()) return true;
  Ticket ticket;
  for (const std::string& name : names.value()) {
    if (parse(name, ticket) && ticket.object == object && ticket.carrier != object) return true;
  }
  return false;
}

std::vector<std::string> Ticket::all_of(const Directory& directory,
                                        std::uint64_t carrier) noexcept {
  std::vector<std::string> found;
  auto names = directory.names();
  if (!names.ok()) return found;
  Ticket ticket;
  for (std::string& name : names.value()) {
    if (parse(name, ticket) && ticket.carrier == carrier) found.push_back(std::move(name));
  }
  return found;
}

}  // namespace interproc::memory
