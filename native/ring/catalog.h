#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "memory/layout.h"
#include "platform/file.h"

namespace interproc::ring {

struct CatalogEntry {
  std::string name;
  memory::Kind kind = memory::Kind::mpmc;
  std::uint64_t total_bytes =
      0;  // of memory: ledgers and large messages among it, as they come and go
  std::uint32_t participants = 0;
  std::uint64_t size = 0;  // messages, of a queue; bytes, of a byte ring or a state
  bool persist = false;
  bool anonymous = false;
  Error problem;  // why it cannot be read
};

// Everything in the directory, without joining anything.
Result<std::vector<CatalogEntry>> list(const platform::Directory& directory) noexcept;

// Removes what nobody is attached to and nothing keeps: segments without `persist`, messages or not, unless they are on their
// way inside a message of one that stays; the tickets of those that are not; and the doorbells of the dead. Never touches what is in use, nor files that are not segments.
Result<std::vector<std::string>> prune(const platform::Directory& directory, bool dry_run) noexcept;

}  // namespace interproc::ring
