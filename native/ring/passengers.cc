#include "ring/passengers.h"

#include "memory/ticket.h"
#include "platform/fault.h"
#include "ring/queue.h"
#include "state/shared_state.h"

namespace interproc::ring {

using memory::Header;
using memory::Ticket;

namespace {

// Opens it as anybody would, which removes what nobody has open and nothing keeps.
void tidy_up(sync::Doorbell& bell, const std::string& name, std::uint64_t identity) noexcept {
  auto file = bell.directory().open_file(name);
  if (!file.ok()) return;
  auto facts = file.value().facts();
  Header header{};
  if (!facts.ok() || memory::read_header(file.value(), header).code != Code::ok ||
      memory::identity_of(header, facts.value()) != identity ||
      file.value().is_locked_by_others(memory::kAttachedByte))
    return;  // who has it open will see to it
  file.value().close();
  FAULT("passengers.abandoned");
  if (memory::is_state(header.kind)) {
    state::tidy_up(bell, name, header);
    return;
  }
  if (header.kind != memory::Kind::mpmc) return;
  // If it was kept after all, it is closed again right here.
  [[maybe_unused]] const auto opened = Queue::open(bell, name, memory::OpenMode::open, header);
}

}  // namespace

void redeem(sync::Doorbell& bell, const std::string& ticket) noexcept {
  Ticket known;
  if (!Ticket::parse(ticket, known)) return;
  auto name = Ticket::object_name(bell.directory(), ticket);
  FAULT("passengers.redeem");
  bell.directory().remove(ticket);
  FAULT("passengers.redeemed");
  if (name.ok()) tidy_up(bell, name.value(), known.object);
}

void redeem_all_of(sync::Doorbell& bell, const memory::Segment& carrier) noexcept {
  // SYNC segment.travels
  if ((carrier.control().travels.load(std::memory_order_seq_cst) & memory::kHasCarried) == 0)
    return;
  for (const std::string& ticket : Ticket::all_of(bell.directory(), carrier.identity()))
    redeem(bell, ticket);
}

}  // namespace interproc::ring
