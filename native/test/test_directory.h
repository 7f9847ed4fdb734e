#pragma once

#include <string>
#include <vector>

#include "platform/file.h"

namespace interproc::test {

// A directory of shared objects that one test has to itself, on the file system where the real ones live. Removed at the
// end with all that is left in it. Failing to get it ends the program: nothing could be tested.
class TestDirectory {
 public:
  TestDirectory();
  ~TestDirectory();
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string path_of(const std::string& name) const { return path_ + "/" + name; }
  // Opened anew, as each environment does for itself.
  platform::Directory open() const;
  // What is in it, sorted.
  std::vector<std::string> names() const;
  bool has(const std::string& name) const;

 private:
  std::string path_;
};

}  // namespace interproc::test
