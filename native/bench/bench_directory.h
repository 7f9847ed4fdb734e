#pragma once

#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "two_processes.h"

namespace interproc::bench {

// A directory of shared objects that one run has to itself: in INTERPROC_DIR if that is set, else on the file system where the
// real ones live. Removed at the end with all that is left in it.
class BenchDirectory {
 public:
  BenchDirectory() {
    const char* wanted = std::getenv("INTERPROC_DIR");
    path_ = wanted != nullptr && wanted[0] != '\0' ? wanted : "/dev/shm";
    path_ += "/interproc-bench-XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) stop_on_error(path_.c_str());
  }
  ~BenchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  BenchDirectory(const BenchDirectory&) = delete;
  BenchDirectory& operator=(const BenchDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace interproc::bench
