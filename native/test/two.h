#pragma once

#include "test/peer.h"
#include "test/shape.h"
#include "test/test_directory.h"

namespace interproc::test {

// Two environments with the same queue open.
struct Two {
  explicit Two(const Shape& shape = {})
      : a(directory, "q", memory::OpenMode::create, shape),
        b(directory, "q", memory::OpenMode::open) {}

  TestDirectory directory;
  Peer a;
  Peer b;
};

}  // namespace interproc::test
