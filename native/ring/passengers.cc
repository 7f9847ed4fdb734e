#include "ring/passengers.h"

#include <cstddef>
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

void redeem_all_of(sync::Doorbell& bell, const Segment& carrier) noexcept {
  Tickets tickets;
  add_tickets_of(bell.directory(), carrier, tickets);
  give_up_all(bell, std::move(tickets));
}

}  // namespace interproc::ring
