#pragma once

#include <cstdio>
#include <cstdlib>

namespace interproc::fuzz {

// What holds whatever is written into the segment. Failing it is a finding, like a crash.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "this does not hold: %s\n", what);
  std::abort();
}

}  // namespace interproc::fuzz
