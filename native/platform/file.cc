#include "platform/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "platform/fault.h"
#include "platform/process.h"

namespace interproc::platform {

namespace {

FileFacts to_facts(const struct stat& status) noexcept {
  FileFacts facts;
  facts.device = status.st_dev;
  facts.inode = status.st_ino;
  facts.bytes = static_cast<std::uint64_t>(status.st_size);
  facts.held_bytes =
      static_cast<std::uint64_t>(status.st_blocks) * 512;  // whatever st_blksize says
  facts.links = status.st_nlink;
  facts.owner = status.st_uid;
  facts.mode = status.st_mode & 07777;
  facts.regular = S_ISREG(status.st_mode);
  facts.fifo = S_ISFIFO(status.st_mode);
  facts.socket = S_ISSOCK(status.st_mode);
  facts.directory = S_ISDIR(status.st_mode);
  return facts;
}

struct flock byte_lock(std::uint64_t byte, short type) noexcept {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(byte);
  lock.l_len = 1;
  return lock;
}

// Every call that a signal may cut short is made again.
template <class Call>
auto retry(Call call) noexcept {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    close();
    descriptor_ = other.release();
  }
  return *this;
}

int File::release() noexcept { return std::exchange(descriptor_, -1); }

void File::close() noexcept {
  if (descriptor_ >= 0) ::close(release());
}

Result<FileFacts> File::facts() const noexcept {
  struct stat status {};
  if (fstat(descriptor_, &status) != 0) return fail_system("fstat", errno);
  return to_facts(status);
}

Error File::read_at(void* into, std::size_t bytes, std::uint64_t offset) const noexcept {
  auto* at = static_cast<char*>(into);
  while (bytes > 0) {
    const ssize_t got =
        retry([&] { return pread(descriptor_, at, bytes, static_cast<off_t>(offset)); });
    if (got < 0) return fail_system("pread", errno);
    if (got == 0) return fail(Code::corrupt, "the file is shorter than it should be");
    at += got;
    offset += static_cast<std::uint64_t>(got);
    bytes -= static_cast<std::size_t>(got);
  }
  return {};
}

Error File::write_at(const void* from, std::size_t bytes, std::uint64_t offset) noexcept {
  const auto* at = static_cast<const char*>(from);
  while (bytes > 0) {
    const ssize_t put =
        retry([&] { return pwrite(descriptor_, at, bytes, static_cast<off_t>(offset)); });
    if (put < 0) return fail_system("pwrite", errno);
    at += put;
    offset += static_cast<std::uint64_t>(put);
    bytes -= static_cast<std::size_t>(put);
  }
  return {};
}

Error File::give_up(std::uint64_t offset, std::uint64_t bytes) noexcept {
  if (bytes == 0) return {};
  if (retry([&] {
        return fallocate(descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                         static_cast<off_t>(offset), static_cast<off_t>(bytes));
      }) != 0)
    return fail_system("fallocate", errno);
  return {};
}

bool File::has_room_for(std::uint64_t bytes) const noexcept {
  struct statvfs status {};
  // No answer, or no limit: the write itself will tell.
  if (fstatvfs(descriptor_, &status) != 0 || status.f_blocks == 0) return true;
  return bytes <= std::uint64_t{status.f_bavail} * status.f_frsize;
}

Error File::resize(std::uint64_t bytes) noexcept {
  if (retry([&] { return ftruncate(descriptor_, static_cast<off_t>(bytes)); }) != 0)
    return fail_system("ftruncate", errno);
  return {};
}

Error File::reserve(std::uint64_t offset, std::uint64_t bytes) noexcept {
  int error = EINTR;
  while (error == EINTR) {
    error = posix_fallocate(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(bytes));
  }
  if (error != 0) return fail_system("posix_fallocate", error);
  return {};
}

bool File::try_lock(std::uint64_t byte, Lock lock) noexcept {
  struct flock request = byte_lock(byte, lock == Lock::exclusive ? F_WRLCK : F_RDLCK);
  return retry([&] { return fcntl(descriptor_, F_OFD_SETLK, &request); }) == 0;
}

void File::unlock(std::uint64_t byte) noexcept {
  struct flock request = byte_lock(byte, F_UNLCK);
  retry([&] { return fcntl(descriptor_, F_OFD_SETLK, &request); });
}

bool File::is_locked_by_others(std::uint64_t byte) const noexcept {
  struct flock request = byte_lock(byte, F_WRLCK);
  // An error here must not look like a death: err toward alive.
  if (retry([&] { return fcntl(descriptor_, F_OFD_GETLK, &request); }) != 0) return true;
  return request.l_type != F_UNLCK;
}

Result<Directory> Directory::open(const std::string& path) noexcept {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return fail_system("mkdir", errno);
  const int descriptor =
      retry([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); });
  if (descriptor < 0) return fail_system("open", errno);
  Directory directory;
  directory.file_ = File(descriptor);
  auto facts = directory.file_.facts();
  if (!facts.ok()) return facts.error();
  if (facts.value().owner != own_uid())
    return fail(Code::permission, "the directory belongs to another user");
  if ((facts.value().mode & 022) != 0)
    return fail(Code::permission, "others may write to the directory (chmod 0700)");
  return directory;
}

bool Directory::is_same(const Directory& other) const noexcept {
  auto ours = file_.facts();
  auto theirs = other.file_.facts();
  return ours.ok() && theirs.ok() && ours.value().device == theirs.value().device &&
         ours.value().inode == theirs.value().inode;
}

Result<File> Directory::open_file(const std::string& name) const noexcept {
  // O_NONBLOCK: a FIFO that stands in this place must not hang us.
  const int descriptor = retry([&] {
    return openat(file_.descriptor(), name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  });
  if (descriptor < 0) return fail_system("openat", errno);
  return File(descriptor);
}

Result<File> Directory::make_unnamed() const noexcept {
  const int descriptor =
      retry([&] { return openat(file_.descriptor(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600); });
  if (descriptor < 0) return fail_system("openat(O_TMPFILE)", errno);
  return File(descriptor);
}

Error Directory::link(File& unnamed, const std::string& name) const noexcept {
  char self[64];
  std::snprintf(self, sizeof self, "/proc/self/fd/%d", unnamed.descriptor());
  FAULT("directory.link");
  if (linkat(AT_FDCWD, self, file_.descriptor(), name.c_str(), AT_SYMLINK_FOLLOW) != 0)
    return fail_system("linkat", errno);
  FAULT("directory.linked");
  return {};
}

Error Directory::link_again(const std::string& name, const std::string& other) const noexcept {
  if (linkat(file_.descriptor(), name.c_str(), file_.descriptor(), other.c_str(), 0) != 0)
    return fail_system("linkat", errno);
  return {};
}

Error Directory::remove(const std::string& name) const noexcept {
  if (unlinkat(file_.descriptor(), name.c_str(), 0) != 0) return fail_system("unlinkat", errno);
  return {};
}

void Directory::remove_if_same(const std::string& name, const FileFacts& facts) const noexcept {
  auto now = facts_of(name);
  if (now.ok() && now.value().inode == facts.inode && now.value().device == facts.device) {
    unlinkat(file_.descriptor(), name.c_str(), 0);
  }
}

Error Directory::take_away_if_same(const std::string& name, const std::string& aside,
                                   const FileFacts& facts) const noexcept {
  if (renameat(file_.descriptor(), name.c_str(), file_.descriptor(), aside.c_str()) != 0)
    return fail_system("renameat", errno);
  auto taken = facts_of(aside);
  if (!taken.ok() || taken.value().inode != facts.inode || taken.value().device != facts.device) {
    const Error back = link_again(aside, name);
    // A link takes the name from nobody who has come to it meanwhile. Where there is no room for one, or the file has too many names,
    // nobody has come, as far as one can know.
    if (back.code != Code::ok && back.code != Code::exists) {
      if (renameat(file_.descriptor(), aside.c_str(), file_.descriptor(), name.c_str()) != 0)
        return fail_system("renameat", errno);
      return {};
    }
  }
  return remove(aside);
}

Result<FileFacts> Directory::facts_of(const std::string& name) const noexcept {
  struct stat status {};
  if (fstatat(file_.descriptor(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
    return fail_system("fstatat", errno);
  return to_facts(status);
}

Result<std::vector<std::string>> Directory::names(const char* inside) const noexcept {
  const int descriptor = retry([&] {
    return openat(file_.descriptor(), inside, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  });
  if (descriptor < 0) return fail_system("openat", errno);
  DIR* stream = fdopendir(descriptor);
  if (stream == nullptr) {
    const int errnum = errno;
    ::close(descriptor);
    return fail_system("fdopendir", errnum);
  }
  std::vector<std::string> names;
  while (const dirent* entry = readdir(stream)) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  closedir(stream);
  return names;
}

Error Directory::make_fifo(const std::string& name) const noexcept {
  if (mkfifoat(file_.descriptor(), name.c_str(), 0600) != 0) return fail_system("mkfifoat", errno);
  return {};
}

Result<File> Directory::open_fifo_to_read(const std::string& name) const noexcept {
  const int descriptor = retry([&] {
    return openat(file_.descriptor(), name.c_str(), O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  });
  if (descriptor < 0) return fail_system("openat", errno);
  return File(descriptor);
}

Result<File> Directory::open_fifo_to_write(const std::string& name) const noexcept {
  const int descriptor = retry([&] {
    return openat(file_.descriptor(), name.c_str(), O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  });
  if (descriptor < 0) {
    return errno == ENXIO ? fail(Code::not_found, "nobody reads this doorbell")
                          : fail_system("openat", errno);
  }
  File file(descriptor);
  auto facts = file.facts();
  if (!facts.ok()) return facts.error();
  if (!facts.value().fifo) return fail(Code::corrupt, "a doorbell that is no FIFO");
  return file;
}

std::uint32_t own_uid() noexcept { return geteuid(); }

FifoWrite write_fifo(const File& file, std::uint32_t token) noexcept {
  if (retry([&] { return write(file.descriptor(), &token, sizeof token); }) == sizeof token)
    return FifoWrite::written;
  return errno == EAGAIN ? FifoWrite::full : FifoWrite::nobody;
}

std::size_t fifo_bytes(const File& file) noexcept {
  const int bytes = fcntl(file.descriptor(), F_GETPIPE_SZ);
  return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

std::size_t read_fifo(const File& file, void* into, std::size_t bytes) noexcept {
  const ssize_t got = retry([&] { return read(file.descriptor(), into, bytes); });
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

}  // namespace interproc::platform
