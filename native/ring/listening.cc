#include "ring/listening.h"

#include "platform/fault.h"
#include "ring/abandoned.h"

namespace interproc::ring {

using memory::Kind;
using memory::OpenMode;

namespace {
// How often a name is taken from a dead listener before its maker gives up: each time another one has come and died.
constexpr int kTakeovers = 16;
}  // namespace

Result<std::unique_ptr<Queue>> listen(sync::Doorbell& bell, const std::string& name,
                                      const memory::Header& header) noexcept {
  for (int takeover = 0;; ++takeover) {
    auto opened = open_past_abandoned(bell, name, Kind::listener, [&] {
      return Queue::open(bell, name, OpenMode::create, header);
    });
    if (opened.ok() || opened.error().code != Code::exists || takeover == kTakeovers) return opened;
    FAULT("listener.name_taken");
    if (!Queue::remove_deserted(bell, name)) return opened;
  }
}

Result<std::unique_ptr<Queue>> open_backlog(sync::Doorbell& bell,
                                            const std::string& name) noexcept {
  memory::Header wanted{};
  wanted.kind = Kind::listener;
  auto opened = open_past_abandoned(
      bell, name, Kind::listener, [&] { return Queue::open(bell, name, OpenMode::open, wanted); });
  if (opened.ok() && !opened.value()->listens())
    return fail(Code::not_found, "whoever listened there is gone");
  return opened;
}

}  // namespace interproc::ring
