#include "ring/abandoned.h"

#include "memory/segment.h"
#include "platform/fault.h"
#include "ring/passengers.h"

namespace interproc::ring {

bool remove_abandoned(sync::Doorbell& bell, const std::string& name, memory::Kind kind) noexcept {
  auto file = bell.directory().open_file(name);
  if (!file.ok()) return file.error().code == Code::not_found;
  memory::Header header{};
  if (memory::read_header(file.value(), header).code != Code::ok || header.kind == kind ||
      file.value().is_locked_by_others(memory::kAttachedByte))
    return false;
  FAULT("abandoned.found");
  // Opened as by anybody of its kind, which decides.
  tidy_up(bell, name, header);
  auto facts = file.value().facts();
  return facts.ok() && facts.value().links == 0;
}

}  // namespace interproc::ring
