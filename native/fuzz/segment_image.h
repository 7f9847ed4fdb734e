#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "fuzz/vandal.h"
#include "memory/segment.h"

namespace interproc::fuzz {

// All words of a segment but its header, to be put back before the next input; of the ledgers as much as some dozens of calls
// can touch. The payload is only bytes.
class SegmentImage {
 public:
  explicit SegmentImage(memory::Segment& segment)
      : front_(front_of(segment), front_of(segment) + bytes_of(segment)) {
    for (std::uint32_t slot = 0; slot < segment.header().max_participants; ++slot)
      ledgers_.emplace_back(ledger_of(segment, slot), ledger_of(segment, slot) + kLedgerBytes);
  }

  void restore(memory::Segment& segment) const {
    std::memcpy(front_of(segment), front_.data(), front_.size());
    for (std::uint32_t slot = 0; slot < ledgers_.size(); ++slot)
      std::memcpy(ledger_of(segment, slot), ledgers_[slot].data(), kLedgerBytes);
  }
  static constexpr std::size_t kLedgerBytes =
      offsetof(memory::Ledger, entries) + 2 * Vandal::kEntries * sizeof(memory::LedgerEntry);
  static std::byte* front_of(memory::Segment& segment) {
    return reinterpret_cast<std::byte*>(&segment.control());
  }
  static std::size_t bytes_of(memory::Segment& segment) {
    return segment.layout().payload - segment.layout().control;
  }
  static std::byte* ledger_of(memory::Segment& segment, std::uint32_t slot) {
    return reinterpret_cast<std::byte*>(segment.ledger(slot));
  }

 private:
  std::vector<std::byte> front_;
  std::vector<std::vector<std::byte>> ledgers_;
};

}  // namespace interproc::fuzz
