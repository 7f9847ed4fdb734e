#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "memory/segment.h"
#include "platform/file.h"

namespace interproc::memory {

// Keeps an object alive while a handle of it is on its way: one file for each handle inside a message, with the object's name
// in it. Whoever leaves the object last finds the ticket and lets the object stay; whoever removes the carrier, the object
// whose messages they were, removes its tickets too. A kill leaves at worst a ticket that stays as long as its carrier does.
//   issue:   the sender, attached to both, before it puts the message
//   copy:    who moves the message to another carrier, before it is put there; the old one is redeemed when it has left the first
//   redeem:  who has consumed the message and is attached to the object; or who could not put it (ring/passengers.h)
struct Ticket {
  std::uint64_t object = 0;   // Segment::identity()
  std::uint64_t carrier = 0;  // Segment::identity()
  std::uint64_t serial = 0;

  std::string file_name() const;
  // Whether it is the name of a ticket's file, and of which.
  static bool parse(const std::string& file_name, Ticket& ticket) noexcept;
  static bool names_ticket(const std::string& file_name) noexcept;

  // not_found: the object's name has been removed, nobody could open it.
  // `bits`: the lowest of the serial, which its copies keep: what kinds of objects and carriers want to know of it.
  static constexpr std::uint64_t kBits = 3;
  static Result<Ticket> issue(const platform::Directory& directory, Segment& object,
                              Segment& carrier, std::uint64_t bits = 0) noexcept;
  // What the object is called.
  static Result<std::string> object_name(const platform::Directory& directory,
                                         const std::string& file_name) noexcept;
  // One more for the same object, in another carrier's message; both last until they are redeemed. not_found: there is no such
  // ticket.
  static Result<Ticket> copy(const platform::Directory& directory, const Ticket& from,
                             Segment& carrier) noexcept;

  // The object that a ticket was for.
  struct Object {
    std::string name;
    Header header;
    bool abandoned = false;  // nobody had it open a moment ago
  };
  // Removes the ticket: the message is consumed, or is gone, or never was put. Whoever decides about the object at that moment
  // does so with the ticket or without, but not halfway; if it is abandoned, nobody is left who would see to it. Nothing if there is no such ticket or
  // object.
  static std::optional<Object> remove(const platform::Directory& directory,
                                      const std::string& file_name) noexcept;

  // Whether the object is on its way in a carrier other than itself. O(files in the directory).
  static bool any_for(const platform::Directory& directory, std::uint64_t object) noexcept;
  // The files of those that a carrier's messages hold. O(files in the directory).
  static std::vector<std::string> all_of(const platform::Directory& directory,
                                         std::uint64_t carrier) noexcept;
};

}  // namespace interproc::memory
