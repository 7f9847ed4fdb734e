#include "memory/layout.h"

namespace interproc::memory {

namespace {
std::uint64_t align(std::uint64_t value, std::uint64_t to) noexcept {
  return (value + to - 1) / to * to;
}
}  // namespace

Layout Layout::of(const Header& header) noexcept {
  const std::uint64_t page = header.page_bytes;
  Layout layout;
  layout.control = page;
  layout.participants = align(layout.control + sizeof(Control), kLine);
  layout.sides = layout.participants + sizeof(Participant) * header.max_participants;
  if (is_state(header.kind)) {
    layout.participants = layout.control + page;
    layout.sides = layout.participants + sizeof(Participant) * header.max_participants;
    layout.descriptors = layout.sides;
    layout.payload = align(layout.descriptors, page);
    layout.payload_bytes = align(header.state_bytes, page);
    layout.ledgers = layout.payload + layout.payload_bytes;
    layout.total = layout.ledgers;
    layout.side_data = layout.total;
    return layout;
  }
  if (header.kind == Kind::pipe) {
    layout.participants = layout.control + page;
    layout.sides = layout.participants + sizeof(Participant) * header.max_participants;
    layout.descriptors = layout.sides;
    layout.payload = align(layout.descriptors, page);
    layout.payload_bytes = std::uint64_t{1} << (header.block_shift + header.blocks_shift);
    layout.payloads = (header.flags & kOneWay) != 0 ? 1 : 2;
    layout.ledgers = layout.payload + layout.payload_bytes * layout.payloads;
    layout.total = layout.ledgers;
    layout.side_data = layout.total;
    return layout;
  }
  const bool records = is_queue(header.kind);
  layout.payload_bytes = std::uint64_t{1} << (header.block_shift + header.blocks_shift);
  layout.side_slots = records && header.max_message_bytes > layout.payload_bytes ? kSideSlots : 0;
  layout.descriptors = layout.sides + sizeof(SideSlot) * layout.side_slots;
  const std::uint64_t descriptors = records ? sizeof(Descriptor) << header.blocks_shift : 0;
  layout.payload = align(layout.descriptors + descriptors, page);
  layout.ledgers = layout.payload + layout.payload_bytes;
  layout.ledger_bytes = records ? align(sizeof(Ledger) + layout.payload_bytes, page) : 0;
  layout.total = layout.ledgers + layout.ledger_bytes * header.max_participants;
  layout.side_data = align(layout.total, page);
  layout.side_stride = align(header.max_message_bytes, page);
  return layout;
}

}  // namespace interproc::memory
