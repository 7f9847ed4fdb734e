#include "sync/doorbell.h"

#include <algorithm>
#include <cstdio>

#include "platform/fault.h"
#include "platform/process.h"

namespace interproc::sync {

namespace {
constexpr char kPrefix[] = "~bell-";  // '~' is no character of a user's name

// Peers whose bells are kept open; beyond it the cache starts anew, so that a long life among many short ones leaks no descriptors.
constexpr std::size_t kMaxPeers = 256;

// Locked by the owner for its life: whether anybody reads says less, for a bell that is just being hung is not read yet.
constexpr std::uint64_t kOwnerByte = 0;
}  // namespace

std::string Doorbell::file_name(std::uint64_t id) {
  char name[32];
  std::snprintf(name, sizeof name, "%s%016llx", kPrefix, static_cast<unsigned long long>(id));
  return name;
}

bool Doorbell::names_bell(const std::string& name) noexcept { return name.starts_with(kPrefix); }

Doorbell::~Doorbell() {
  if (own_.is_open()) directory_.remove(file_name(id_));
}

Error Doorbell::hang() noexcept {
  while (!own_.is_open()) {
    std::uint64_t id = platform::random_word();
    if (id == 0) continue;  // 0 means "no bell"
    const std::string name = file_name(id);
    if (Error error = directory_.make_fifo(name); error.code != Code::ok) return error;
    FAULT("doorbell.made");
    auto opened = directory_.open_fifo_to_read(name);
    // A prune that met the FIFO before we had opened it took it for a dead one's and removed it: make another.
    if (!opened.ok() && opened.error().code == Code::not_found) continue;
    if (!opened.ok()) {
      directory_.remove(name);  // a process that may open no more files comes back to try again
      return opened.error();
    }
    if (!opened.value().try_lock(kOwnerByte, platform::Lock::exclusive)) continue;
    auto facts = opened.value().facts();
    if (!facts.ok()) return facts.error();
    if (facts.value().links == 0) continue;
    own_ = std::move(opened.value());
    id_ = id;
    full_bytes_ = std::min(platform::fifo_bytes(own_), kDrainBytes);
  }
  return {};
}

std::size_t Doorbell::drain(std::uint32_t* tokens, bool& overflow) noexcept {
  const std::size_t got = platform::read_fifo(own_, tokens, kDrainBytes);
  overflow = (got > 0 && got >= full_bytes_) || got % sizeof *tokens != 0;
  return got / sizeof *tokens;
}

bool Doorbell::ring(std::uint64_t id, std::uint32_t token) noexcept {
  if (id == 0) return false;
  auto found = peers_.find(id);
  if (found == peers_.end()) {
    auto opened = directory_.open_fifo_to_write(file_name(id));
    if (!opened.ok()) return false;
    if (peers_.size() >= kMaxPeers) peers_.clear();
    found = peers_.emplace(id, std::move(opened.value())).first;
  }
  FAULT("doorbell.ring");
  // A full bell has been rung: its owner will drain it and look at everything.
  if (platform::write_fifo(found->second, token) != platform::FifoWrite::nobody) return true;
  peers_.erase(found);
  return false;
}

void Doorbell::take_down(std::uint64_t id) noexcept {
  if (id == 0 || id == id_) return;
  peers_.erase(id);
  // A living one's name may stand in a spoiled slot.
  remove_if_dead(directory_, file_name(id));
}

void Doorbell::remove_if_dead(const platform::Directory& directory,
                              const std::string& name) noexcept {
  auto named = directory.facts_of(name);
  if (!named.ok() || !named.value().fifo) return;
  auto file = directory.open_fifo_to_read(name);
  if (!file.ok() || !file.value().try_lock(kOwnerByte, platform::Lock::exclusive)) return;
  FAULT("doorbell.found_dead");
  directory.remove_if_same(name, named.value());
}

}  // namespace interproc::sync
