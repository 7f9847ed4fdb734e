#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "binding/mapped_buffer.h"
#include "platform/posix_semaphore.h"
#include "platform/posix_shm.h"

namespace interproc::binding {

// Things of one environment by the numbers JavaScript knows them by. No two of them ever have the same.
template <class T>
class Numbered {
 public:
  // nullptr: closed, or there never was one.
  T* find(std::uint32_t number) noexcept {
    const auto found = things_.find(number);
    return found == things_.end() ? nullptr : found->second.get();
  }
  std::uint32_t adopt(std::unique_ptr<T> thing) {
    things_.emplace(++last_, std::move(thing));
    return last_;
  }
  std::unique_ptr<T> remove(std::uint32_t number) {
    auto node = things_.extract(number);
    return node.empty() ? nullptr : std::move(node.mapped());
  }
  void clear() noexcept { things_.clear(); }

 private:
  std::unordered_map<std::uint32_t, std::unique_ptr<T>> things_;
  std::uint32_t last_ = 0;
};

struct PosixMemory {
  std::shared_ptr<platform::PosixShm> shm;
  std::unique_ptr<MappedBuffer> buffer;  // from the first time it is asked for
};

// What one environment has open of POSIX. Other than our own objects they need no goodbye at the end of a process.
struct PosixHandles {
  Numbered<PosixMemory> memories;
  Numbered<platform::PosixSemaphore> semaphores;
};

}  // namespace interproc::binding
