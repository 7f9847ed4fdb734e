#include "memory/marker.h"

#include <atomic>
#include <cstdint>
#include <cstdio>

#include "platform/process.h"
#include "platform/unix_socket.h"

namespace interproc::memory {

using platform::Directory;
using platform::FileFacts;

namespace {

const std::string kPublicName = std::string(kSockets) + "/broker";

bool is_same(const FileFacts& one, const FileFacts& other) noexcept {
  return one.inode == other.inode && one.device == other.device;
}

bool has_key(const Directory& directory, const FileFacts& marker) noexcept {
  auto keys = directory.names(kSockets);
  if (!keys.ok()) return false;
  for (const std::string& key : keys.value()) {
    auto facts = directory.facts_of(std::string(kSockets) + "/" + key);
    if (facts.ok() && is_same(facts.value(), marker)) return true;
  }
  return false;
}

Marker marker_of(const Directory& directory, const FileFacts& facts) noexcept {
  if (!facts.socket || facts.links < 2) return Marker::none;
  auto serving = directory.facts_of(kPublicName);
  if (serving.ok() && is_same(serving.value(), facts))
    return platform::is_listened_to(directory, kPublicName) ? Marker::alive : Marker::dead;
  return has_key(directory, facts) ? Marker::dead : Marker::none;
}

}  // namespace

Marker marker_at(const Directory& directory, const std::string& name) noexcept {
  auto facts = directory.facts_of(name);
  if (facts.ok()) return marker_of(directory, facts.value());
  return facts.error().code == Code::not_found ? Marker::gone : Marker::none;
}

Result<Marker> clear_marker(const Directory& directory, const std::string& name) noexcept {
  auto facts = directory.facts_of(name);
  if (!facts.ok()) return facts.error().code == Code::not_found ? Marker::gone : Marker::none;
  const Marker found = marker_of(directory, facts.value());
  if (found != Marker::dead) return found;
  // relaxed: a number that no other thread has, nothing else.
  static std::atomic<std::uint32_t> removals{0};
  char aside[64];
  std::snprintf(aside, sizeof aside, "%s/aside-%u-%u", kSockets, platform::process_id(),
                removals.fetch_add(1, std::memory_order_relaxed));
  const Error error = directory.take_away_if_same(name, aside, facts.value());
  if (error.code != Code::ok && error.code != Code::not_found) return error;
  return Marker::gone;
}

}  // namespace interproc::memory
