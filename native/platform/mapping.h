#pragma once

#include <cstddef>
#include <cstdint>

#include "platform/file.h"
#include "platform/result.h"

namespace interproc::platform {

// A shared, writable view of a range of a file; unmapped when dropped.
class Mapping {
 public:
  static Result<Mapping> of(const File& file, std::uint64_t offset, std::size_t bytes) noexcept;
  // One that must not be written to: that would end the process.
  static Result<Mapping> to_read(const File& file, std::uint64_t offset,
                                 std::size_t bytes) noexcept;
  // The same pages twice, side by side: a range that wraps around the end is contiguous. Behind them, in the same breath, what
  // follows in the file: the kernel counts two mappings, not three.
  static Result<Mapping> twice(const File& file, std::uint64_t offset, std::size_t bytes,
                               std::size_t following) noexcept;

  Mapping() noexcept = default;
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { drop(); }

  std::byte* data() const noexcept { return data_; }
  std::size_t bytes() const noexcept { return bytes_; }
  void drop() noexcept;

 private:
  Mapping(std::byte* data, std::size_t bytes) noexcept : data_(data), bytes_(bytes) {}

  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace interproc::platform
