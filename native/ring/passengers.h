#pragma once

#include <string>

#include "memory/segment.h"
#include "sync/doorbell.h"

namespace interproc::ring {

// Gives up one ticket: the message is consumed, or never was put. If nobody has the object open and nothing else keeps it, it
// goes, and what is in its messages with it. No error if there is no such ticket. Waits for who is deciding about the object.
void redeem(sync::Doorbell& bell, const std::string& ticket) noexcept;

// Removes the object of this name, if nobody has it open and nothing keeps it, with all that is in its messages.
void tidy_up(sync::Doorbell& bell, const std::string& name, const memory::Header& header) noexcept;

// Gives up the tickets of an object that nobody can open any more: what its messages held is lost with them.
void redeem_all_of(sync::Doorbell& bell, const memory::Segment& carrier) noexcept;

}  // namespace interproc::ring
