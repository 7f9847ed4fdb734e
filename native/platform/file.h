#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "platform/result.h"

namespace interproc::platform {

struct FileFacts {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t bytes = 0;
  std::uint64_t held_bytes = 0;  // what it takes of the file system: less, where it has holes
  std::uint64_t links = 0;
  std::uint32_t owner = 0;
  std::uint32_t mode = 0;  // permission bits only
  bool regular = false;
  bool fifo = false;
  bool socket = false;
  bool directory = false;
};

enum class Lock { shared, exclusive };

// An owned descriptor. Every file is opened with O_CLOEXEC and O_NOFOLLOW: a child that inherited a descriptor would keep
// the locks of a dead parent alive, and a symbolic link could lead anywhere.
class File {
 public:
  File() noexcept = default;
  explicit File(int descriptor) noexcept : descriptor_(descriptor) {}
  File(File&& other) noexcept : descriptor_(other.release()) {}
  File& operator=(File&& other) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { close(); }

  bool is_open() const noexcept { return descriptor_ >= 0; }
  int descriptor() const noexcept { return descriptor_; }
  int release() noexcept;
  void close() noexcept;

  Result<FileFacts> facts() const noexcept;
  // Reads exactly `bytes` or fails with Code::corrupt (the file is shorter).
  Error read_at(void* into, std::size_t bytes, std::uint64_t offset) const noexcept;
  // Writes all of it, making the file longer if need be; Code::no_space leaves a part of it written.
  Error write_at(const void* from, std::size_t bytes, std::uint64_t offset) noexcept;
  // Gives the memory of the range back; it reads as zeros then, and the file stays as long as it is.
  Error give_up(std::uint64_t offset, std::uint64_t bytes) noexcept;
  // Whether the file system could take so many bytes more at this moment, as far as it says.
  bool has_room_for(std::uint64_t bytes) const noexcept;
  Error resize(std::uint64_t bytes) noexcept;
  // Makes the range real, so that touching it can never raise SIGBUS for want of space.
  Error reserve(std::uint64_t offset, std::uint64_t bytes) noexcept;

  // Open-file-description locks on one byte; they belong to this descriptor and vanish with it, however the process ends.
  // Returns whether the lock was obtained; never waits.
  bool try_lock(std::uint64_t byte, Lock lock) noexcept;
  void unlock(std::uint64_t byte) noexcept;
  // Whether another description holds a lock on the byte that would conflict with an exclusive one.
  bool is_locked_by_others(std::uint64_t byte) const noexcept;

 private:
  int descriptor_ = -1;
};

// A directory of shared objects, held open: all names below are resolved relative to it, so that a renamed or replaced path cannot redirect us.
class Directory {
 public:
  // Opens it, making it (mode 0700) if it is not there, and refuses one that others could write to.
  static Result<Directory> open(const std::string& path) noexcept;

  Directory() noexcept = default;
  Directory(Directory&&) noexcept = default;
  Directory& operator=(Directory&&) noexcept = default;

  int descriptor() const noexcept { return file_.descriptor(); }
  // Whether both are one directory, whatever their paths.
  bool is_same(const Directory& other) const noexcept;

  Result<File> open_file(const std::string& name) const noexcept;
  // A file that has no name yet: if its maker dies, it never was.
  Result<File> make_unnamed() const noexcept;
  // Gives it its name; Code::exists if the name is taken.
  Error link(File& unnamed, const std::string& name) const noexcept;
  // Gives a file one more name; Code::exists if that is taken.
  Error link_again(const std::string& name, const std::string& other) const noexcept;
  Error remove(const std::string& name) const noexcept;
  // Removes `name` only if it still is the file with these facts.
  void remove_if_same(const std::string& name, const FileFacts& facts) const noexcept;
  Result<FileFacts> facts_of(const std::string& name) const noexcept;
  // The same where others may take the name away and give it to something else at the same time: it is moved to `aside` first, and
  // goes back if it is another's by then.
  Error take_away_if_same(const std::string& name, const std::string& aside,
                          const FileFacts& facts) const noexcept;
  Result<std::vector<std::string>> names(const char* inside = ".") const noexcept;

  Error make_fifo(const std::string& name) const noexcept;
  // Read end, never blocking, which also counts as a writer, so that the last peer's close is no end of file.
  Result<File> open_fifo_to_read(const std::string& name) const noexcept;
  // Write end, never blocking; Code::not_found if nobody reads (ENXIO) or there is no such FIFO.
  Result<File> open_fifo_to_write(const std::string& name) const noexcept;

 private:
  File file_;
};

std::uint32_t own_uid() noexcept;

// What became of a write to a FIFO.
enum class FifoWrite { written, full, nobody };
FifoWrite write_fifo(const File& file, std::uint32_t token) noexcept;
// How much it holds when it is full: 64 KiB, or less for a user who has many of them.
std::size_t fifo_bytes(const File& file) noexcept;
// Reads what is there, at most `bytes`; 0 when it is empty.
std::size_t read_fifo(const File& file, void* into, std::size_t bytes) noexcept;

}  // namespace interproc::platform
