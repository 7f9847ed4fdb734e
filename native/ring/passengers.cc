#include "ring/passengers.h"

#include <utility>
#include <vector>

#include "memory/ticket.h"
#include "platform/fault.h"
#include "ring/queue.h"
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

void give_up_all(sync::Doorbell& bell, Tickets tickets) noexcept {
  while (!tickets.empty()) {
    const std::string ticket = std::move(tickets.back());
    tickets.pop_back();
    const auto abandoned = Ticket::remove(bell.directory(), ticket);
    if (!abandoned) continue;
    FAULT("passengers.abandoned");
    if (memory::is_state(abandoned->header.kind)) {
      state::tidy_up(bell, abandoned->name, abandoned->header);
    } else if (memory::is_queue(abandoned->header.kind)) {
      Queue::tidy_up(bell, abandoned->name, abandoned->header.kind,
                     [&](const Segment& gone) { add_tickets_of(bell.directory(), gone, tickets); });
    }
  }
}

}  // namespace

void redeem(sync::Doorbell& bell, const std::string& ticket) noexcept {
  give_up_all(bell, {ticket});
}

void redeem_all_of(sync::Doorbell& bell, const Segment& carrier) noexcept {
  Tickets tickets;
  add_tickets_of(bell.directory(), carrier, tickets);
  give_up_all(bell, std::move(tickets));
}

}  // namespace interproc::ring
