#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace interproc::test {

// A POSIX name that no other test has. Whatever has it at the end is removed.
class PosixName {
 public:
  PosixName() {
    static int count = 0;
    name_ = "/interproc-test-" + std::to_string(getpid()) + "-" + std::to_string(++count);
  }
  ~PosixName() {
    std::error_code ignored;
    std::filesystem::remove(file(), ignored);
    std::filesystem::remove(semaphore_file(), ignored);
  }
  PosixName(const PosixName&) = delete;
  PosixName& operator=(const PosixName&) = delete;

  operator const std::string&() const { return name_; }
  std::string file() const { return "/dev/shm" + name_; }
  std::string semaphore_file() const { return "/dev/shm/sem." + name_.substr(1); }
  bool is_taken() const { return std::filesystem::exists(file()); }

 private:
  std::string name_;
};

}  // namespace interproc::test
