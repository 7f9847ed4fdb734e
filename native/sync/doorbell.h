#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "platform/file.h"

namespace interproc::sync {

// How an event loop is woken: one FIFO per environment, whatever the number of objects it waits on. What is written into it
// is a hint, the waiter's own number for the object that wants a look; losing it costs a look at everything, nothing else.
class Doorbell {
 public:
  // Drains this much at once. A pipe holds no more by default.
  static constexpr std::size_t kDrainBytes = 65'536;

  explicit Doorbell(platform::Directory directory) noexcept : directory_(std::move(directory)) {}
  ~Doorbell();
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  const platform::Directory& directory() const noexcept { return directory_; }

  // Hangs up the bell if it is not there yet.
  Error hang() noexcept;
  std::uint64_t id() const noexcept { return id_; }
  int descriptor() const noexcept { return own_.descriptor(); }
  // Reads hints into `tokens`, which holds kDrainBytes. Returns how many; `overflow` says that some may be missing.
  std::size_t drain(std::uint32_t* tokens, bool& overflow) noexcept;

  // Rings the bell `id`. False: nobody listens any more.
  bool ring(std::uint64_t id, std::uint32_t token) noexcept;
  // Drops the bell of a dead participant from the directory.
  void take_down(std::uint64_t id) noexcept;
  // Removes the bell of this name if its owner is dead.
  static void remove_if_dead(const platform::Directory& directory,
                             const std::string& name) noexcept;

  static std::string file_name(std::uint64_t id);
  // Whether the name is a doorbell's.
  static bool names_bell(const std::string& name) noexcept;

 private:
  platform::Directory directory_;
  platform::File own_;
  std::uint64_t id_ = 0;
  std::size_t full_bytes_ = kDrainBytes;  // a drain of so much may have lost hints to a full pipe
  std::unordered_map<std::uint64_t, platform::File> peers_;
};

}  // namespace interproc::sync
