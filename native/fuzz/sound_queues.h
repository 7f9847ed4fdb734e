#pragma once

#include <cstdint>
#include <vector>

#include "fuzz/segment_image.h"
#include "memory/registry.h"
#include "ring/cursor.h"
#include "ring/ledger.h"
#include "ring/queue.h"
#include "ring/word.h"
#include "test/moved_ring.h"

namespace interproc::fuzz {

// Queues as correct participants may leave them, for a vandal to start from. `queue` is the participant in slot 0 of `segment`;
// the last slot becomes that of a dead one.
class SoundQueues {
 public:
  SoundQueues(ring::Queue& queue, memory::Segment& segment)
      : segment_(segment), format_(segment.header().blocks_shift) {
    const auto slot = static_cast<std::uint8_t>(segment.header().max_participants - 1);
    dead_ = {slot, 9};
    segment.participants()[slot].identity.store(std::uint32_t{dead_.generation} << 8 |
                                                memory::kSlotUsed);
    keep();  // empty
    fill(queue);
    keep();
    bury();
    keep();
    queue.end();
    keep();
    images_[0].restore(segment);
    // The position and the count of records are about to wrap, into a lap in which interiors are stamped.
    test::move_ring(segment, ring::Cursor::kPosMask - 20, ring::Cursor::kItemsMask - 2);
    keep();
    images_[0].restore(segment);
  }

  std::uint32_t count() const { return static_cast<std::uint32_t>(images_.size()); }
  void restore(std::uint32_t which) const { images_[which].restore(segment_); }

 private:
  void keep() { images_.emplace_back(segment_); }

  // Messages of all sizes, one of them held and one given back.
  static void fill(ring::Queue& queue) {
    std::vector<std::byte> bytes(300);
    for (std::size_t length : {10u, 100u, 64u, 300u, 0u}) queue.put(bytes.data(), length);
    ring::Taken taken;
    for (int i = 0; i < 2; ++i) queue.receive(bytes.data(), bytes.size(), taken);
    queue.nack(taken.receipt);
  }
  // The same as the dead left it: a message held, one being read, one being written.
  void bury() {
    memory::LedgerEntry& held = segment_.ledger(0)->entries[0];
    held.word.store(ring::EntryWord::to(held.word.load(), ring::EntryState::held, dead_));
    const std::uint64_t mask = (std::uint64_t{1} << segment_.header().blocks_shift) - 1;
    std::uint64_t pos = ring::Cursor::pos(segment_.control().head.load());
    for (ring::State state : {ring::State::reading, ring::State::writing}) {
      memory::Word& word = segment_.descriptors()[pos & mask].word;
      word.store(ring::WordFormat::to(word.load(), state, dead_));
      pos += format_.blocks(word.load());
    }
  }

  memory::Segment& segment_;
  ring::WordFormat format_;
  memory::Owner dead_;
  std::vector<SegmentImage> images_;
};

}  // namespace interproc::fuzz
