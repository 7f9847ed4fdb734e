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
  layout.descriptors = layout.participants + sizeof(Participant) * header.max_participants;
  const bool records = header.kind == Kind::mpmc;
  const std::uint64_t descriptors = records ? sizeof(Descriptor) << header.blocks_shift : 0;
  layout.payload = align(layout.descriptors + descriptors, page);
  layout.payload_bytes = std::uint64_t{1} << (header.block_shift + header.blocks_shift);
  layout.ledgers = layout.payload + layout.payload_bytes;
  layout.ledger_bytes = records ? align(sizeof(Ledger) + layout.payload_bytes, page) : 0;
  layout.total = layout.ledgers + layout.ledger_bytes * header.max_participants;
  return layout;
}

}  // namespace interproc::memory
