#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "memory/registry.h"
#include "memory/segment.h"
#include "ring/mpmc_ring.h"
#include "test/shape.h"

namespace interproc::test {

// A segment with registry slots and no queue around it: what rings, waiters and ledgers are tested on. It may take several
// slots through its one mapping, so that threads meet at the same addresses, where ThreadSanitizer sees them. Slots held
// through one descriptor cannot tell whether each other lives; to ask that, open another BareSegment.
class BareSegment {
 public:
  // nullptr if the segment cannot be had.
  static std::unique_ptr<BareSegment> open(const platform::Directory& directory,
                                           const std::string& name, memory::OpenMode mode,
                                           const memory::Header& header) {
    memory::Segment::Kindred kindred;
    kindred.initialise = [](memory::Segment& segment) {
      if (segment.header().kind == memory::Kind::mpmc) ring::MpmcRing::initialise(segment);
    };
    kindred.holds_something = [](memory::Segment&) { return false; };
    kindred.join = [](memory::Segment&) { return Error{}; };
    auto opened = memory::Segment::open(directory, name, mode, header, kindred);
    if (!opened.ok()) return nullptr;
    return std::unique_ptr<BareSegment>(new BareSegment(directory, std::move(opened.value())));
  }
  // It leaves through the directory, which must outlive it.
  static std::unique_ptr<BareSegment> open(platform::Directory&&, const std::string&,
                                           memory::OpenMode, const memory::Header&) = delete;
  static std::unique_ptr<BareSegment> create(const platform::Directory& directory,
                                             const Shape& shape) {
    return open(directory, "bare", memory::OpenMode::create, header_of(shape));
  }

  ~BareSegment() {
    for (auto& registry : registries_) registry->leave();
    segment_->leave(directory_, [](memory::Segment&) { return false; });
  }

  memory::Segment& segment() { return *segment_; }
  memory::Control& control() { return segment_->control(); }
  // Takes the next free slot.
  memory::Registry& join() {
    registries_.push_back(std::make_unique<memory::Registry>(*segment_));
    const auto next = static_cast<std::uint32_t>(registries_.size()) - 1;
    const Error error =
        registries_.back()->join(next, registries_.back()->count(), [](memory::Owner) {});
    if (error.code != Code::ok) std::abort();
    return *registries_.back();
  }

 private:
  BareSegment(const platform::Directory& directory, std::unique_ptr<memory::Segment> segment)
      : directory_(directory), segment_(std::move(segment)) {}

  const platform::Directory& directory_;
  std::unique_ptr<memory::Segment> segment_;
  std::vector<std::unique_ptr<memory::Registry>> registries_;
};

}  // namespace interproc::test
