#include "ring/passengers.h"

#include <cstddef>
#include <unordered_map>
#include <utility>
#include <vector>

#include "memory/ticket.h"
#include "platform/fault.h"
#include "ring/pipe_end.h"
#include "ring/queue.h"
#include "ring/spsc_channel.h"
#include "state/shared_state.h"

namespace interproc::ring {

using memory::Segment;
using memory::Ticket;
using platform::Directory;

namespace {

// Files of tickets that are still to be given up. What is in the messages of an object that goes is put here, and nothing is
// open when its turn comes: a chain may be longer than a process may have descriptors.
using Tickets = std::vector<std::string>;

void add_tickets_of(const Directory& directory, const Segment& carrier, Tickets& tickets) noexcept {
  // SYNC segment.travels
  if ((carrier.control().travels.load(std::memory_order_seq_cst) & memory::kHasCarried) == 0)
    return;
  for (std::string& ticket : Ticket::all_of(directory, carrier.identity()))
    tickets.push_back(std::move(ticket));
}

// Removes the object if nobody has it open and nothing keeps it. What was in its messages is left in `tickets`.
void tidy_up(sync::Doorbell& bell, const std::string& name, const memory::Header& header,
             Tickets& tickets) noexcept {
  const auto removed = [&](const Segment& gone) {
    add_tickets_of(bell.directory(), gone, tickets);
  };
  if (memory::is_state(header.kind)) {
    state::tidy_up(bell, name, header);
  } else if (memory::is_queue(header.kind)) {
    Queue::tidy_up(bell, name, header.kind, removed);
  } else if (header.kind == memory::Kind::pipe) {
    PipeEnd::tidy_up(bell, name, removed);
  } else {
    SpscChannel::tidy_up(bell, name, header);
  }
}

// The end of a pipe in use that a message may have been lost with.
void note_lost(sync::Doorbell& bell, const Ticket::Object& pipe, std::uint64_t serial) noexcept {
  const unsigned end = static_cast<unsigned>(serial & PipeEnd::kEndBit);
  auto file = bell.directory().open_file(pipe.name);
  std::uint64_t word = 0;
  const std::uint64_t at = memory::Layout::of(pipe.header).control + memory::kPipeWordsAt +
                           offsetof(PipeWords, ends) + end * sizeof word;
  // One that arrived is somebody's by now: nearly always.
  if (file.ok() && file.value().read_at(&word, sizeof word, at).code == Code::ok &&
      EndWord::state(word) == EndState::flying)
    PipeEnd::lost(bell, pipe.name, end);
}

void give_up_all(sync::Doorbell& bell, Tickets tickets) noexcept {
  while (!tickets.empty()) {
    const std::string ticket = std::move(tickets.back());
    tickets.pop_back();
    const auto object = Ticket::remove(bell.directory(), ticket);
    if (!object) continue;
    FAULT("passengers.removed");
    Ticket known;
    if (object->abandoned) {
      tidy_up(bell, object->name, object->header, tickets);
    } else if (object->header.kind == memory::Kind::pipe && Ticket::parse(ticket, known)) {
      note_lost(bell, *object, known.serial);
    }
  }
}

}  // namespace

void redeem(sync::Doorbell& bell, const std::string& ticket) noexcept {
  give_up_all(bell, {ticket});
}

void tidy_up(sync::Doorbell& bell, const std::string& name, const memory::Header& header) noexcept {
  Tickets tickets;
  tidy_up(bell, name, header, tickets);
  give_up_all(bell, std::move(tickets));
}

bool is_carried(sync::Doorbell& bell, std::uint64_t pipe, unsigned end) noexcept {
  const Directory& directory = bell.directory();
  std::unordered_map<std::uint64_t, std::vector<std::string>> tickets;  // by carrier
  // Twice: who moves a message makes its new ticket before it removes the old one, and one reading may miss both.
  for (int reading = 0; reading < 2 && tickets.empty(); ++reading) {
    auto names = directory.names();
    if (!names.ok()) return true;  // unknown is not none
    Ticket ticket;
    for (const std::string& name : names.value()) {
      if (Ticket::parse(name, ticket) && ticket.object == pipe && ticket.carrier != pipe &&
          (ticket.serial & PipeEnd::kEndBit) == end)
        tickets[ticket.carrier].push_back(name);
    }
  }
  if (tickets.empty()) return false;
  auto names = directory.names();
  if (!names.ok()) return true;
  for (const std::string& name : names.value()) {
    if (Ticket::names_ticket(name) || sync::Doorbell::names_bell(name)) continue;
    auto file = directory.open_file(name);
    memory::Header header{};
    if (!file.ok() || memory::read_header(file.value(), header).code != Code::ok) continue;
    auto facts = file.value().facts();
    if (!facts.ok() || !tickets.contains(memory::identity_of(header, facts.value()))) continue;
    // Nobody but its maker ever takes anything out of a listener, whoever else has it open.
    if (header.kind == memory::Kind::listener && !file.value().is_locked_by_others(kListenerSlot)) {
      tidy_up(bell, name, header);
      continue;
    }
    if (file.value().is_locked_by_others(memory::kAttachedByte)) return true;
    tidy_up(bell, name, header);
    facts = file.value().facts();
    if (!facts.ok() || facts.value().links > 0) return true;  // it stays, and so does its message
  }
  return false;
}

void redeem_all_of(sync::Doorbell& bell, const Segment& carrier) noexcept {
  Tickets tickets;
  add_tickets_of(bell.directory(), carrier, tickets);
  give_up_all(bell, std::move(tickets));
}

}  // namespace interproc::ring
