#pragma once

#include <string>

#include "memory/segment.h"
#include "sync/doorbell.h"

namespace interproc::ring {

// Gives up one ticket: the message is consumed, or never was put. If nobody has the object open and nothing else keeps it, it
// goes, and what is in its messages with it. No error if there is no such ticket. Waits for who is deciding about the object.
void redeem(sync::Doorbell& bell, const std::string& ticket) noexcept;

// Whether a message still carries that end of a pipe: whether there is a ticket for it in a carrier that somebody has open, or that
// stays; a listener, while whoever made it lives. What is left of carriers that nobody has open and nothing keeps is removed. O(files in the directory).
bool is_carried(sync::Doorbell& bell, std::uint64_t pipe, unsigned end) noexcept;

// Removes the object of this name, if nobody has it open and nothing keeps it, with all that is in its messages.
void tidy_up(sync::Doorbell& bell, const std::string& name, const memory::Header& header) noexcept;

// Gives up the tickets of an object that nobody can open any more: what its messages held is lost with them.
void redeem_all_of(sync::Doorbell& bell, const memory::Segment& carrier) noexcept;

}  // namespace interproc::ring
