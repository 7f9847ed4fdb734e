#pragma once

#include <cstdint>

#include "sync/doorbell.h"

namespace interproc::ring {

// Whether an end of a pipe that is on its way can still arrive: whether a ticket for it lies in a carrier out of which somebody can take
// it. That is a queue that somebody has open, or that stays; a listener whose maker lives; or a pipe whose receiving end has a living owner, or can itself
// still arrive. So ends that are on their way in each other's messages, and nowhere else, keep nobody waiting. What is left of
// carriers that nobody has open and nothing keeps is removed. In doubt the answer is yes. O(files in the directory).
bool can_arrive(sync::Doorbell& bell, std::uint64_t pipe, unsigned end) noexcept;

// The same for who waits for that end, and asks again and again: a yes is good for some time, also for the others that the same
// carrier has. Those of a thread who ask take turns, so that however many ends are on their way, asking takes a tenth of its time at
// most. is_due: whether it is this one's turn.
bool can_arrive_still(sync::Doorbell& bell, std::uint64_t pipe, unsigned end) noexcept;
bool is_due(std::uint64_t pipe, unsigned end) noexcept;

}  // namespace interproc::ring
