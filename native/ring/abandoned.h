#pragma once

#include <string>

#include "memory/layout.h"
#include "sync/doorbell.h"

namespace interproc::ring {

// Removes the object of this name if it is of another kind than `kind`, nobody has it open and nothing keeps it: what the killed
// left behind. Who opens a name sees to those of his own kind himself, but does not know what others hold. True if it is gone.
bool remove_abandoned(sync::Doorbell& bell, const std::string& name, memory::Kind kind) noexcept;

// `open()`, and again if what it met was in its way only.
template <class Open>
auto open_past_abandoned(sync::Doorbell& bell, const std::string& name, memory::Kind kind,
                         Open open) {
  auto opened = open();
  const Code code = opened.error().code;
  if ((code != Code::kind && code != Code::exists) || !remove_abandoned(bell, name, kind))
    return opened;
  return open();
}

}  // namespace interproc::ring
