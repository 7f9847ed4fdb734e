#include "platform/mapping.h"

#include <sys/mman.h>

#include <cerrno>

namespace interproc::platform {

namespace {

void* map_shared(const File& file, std::uint64_t offset, std::size_t bytes,
                 int protection) noexcept {
  return mmap(nullptr, bytes, protection, MAP_SHARED | MAP_NORESERVE, file.descriptor(),
              static_cast<off_t>(offset));
}

}  // namespace

Result<Mapping> Mapping::of(const File& file, std::uint64_t offset, std::size_t bytes) noexcept {
  void* at = map_shared(file, offset, bytes, PROT_READ | PROT_WRITE);
  if (at == MAP_FAILED) return fail_system("mmap", errno);
  return Mapping(static_cast<std::byte*>(at), bytes);
}

Result<Mapping> Mapping::to_read(const File& file, std::uint64_t offset,
                                 std::size_t bytes) noexcept {
  void* at = map_shared(file, offset, bytes, PROT_READ);
  if (at == MAP_FAILED) return fail_system("mmap", errno);
  return Mapping(static_cast<std::byte*>(at), bytes);
}

Result<Mapping> Mapping::twice(const File& file, std::uint64_t offset, std::size_t bytes,
                               std::size_t following) noexcept {
  // Reserve the room first, then place both halves in it: nothing else can come to lie between them.
  const std::size_t all = bytes * 2 + following;
  void* room = mmap(nullptr, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return fail_system("mmap", errno);
  Mapping mapping(static_cast<std::byte*>(room), all);
  for (std::size_t half = 0; half < 2; ++half) {
    void* at = mmap(mapping.data_ + half * bytes, half == 0 ? bytes : bytes + following,
                    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE,
                    file.descriptor(), static_cast<off_t>(offset));
    if (at == MAP_FAILED) return fail_system("mmap", errno);
  }
  return mapping;
}

Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this != &other) {
    drop();
    data_ = std::exchange(other.data_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

void Mapping::drop() noexcept {
  if (data_ != nullptr) munmap(std::exchange(data_, nullptr), std::exchange(bytes_, 0));
}

}  // namespace interproc::platform
