#pragma once

#include <memory>
#include <string>

#include "ring/queue.h"
#include "sync/doorbell.h"

namespace interproc::ring {

// A listener is a queue of ends of pipes, each for whoever listens: for its maker, who holds slot 0 from before it has its name
// until he dies or closes. So whether anybody listens is the kernel's to say, and a killed listener is in nobody's way.

// A new listener; `header` is of that kind. exists: somebody listens under this name, or it is something else's.
Result<std::unique_ptr<Queue>> listen(sync::Doorbell& bell, const std::string& name,
                                      const memory::Header& header) noexcept;

// The listener of this name, for one who wants to be accepted. not_found: nobody listens; kind.
Result<std::unique_ptr<Queue>> open_backlog(sync::Doorbell& bell, const std::string& name) noexcept;

}  // namespace interproc::ring
