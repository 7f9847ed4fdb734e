#include "test/test_directory.h"

#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace interproc::test {

namespace {

[[noreturn]] void give_up(const char* what, const std::string& path) {
  std::perror((std::string(what) + " " + path).c_str());
  std::exit(2);
}

}  // namespace

TestDirectory::TestDirectory() {
  // As Node does: whoever rings the bell of a dead one hears of it by an error.
  signal(SIGPIPE, SIG_IGN);
  std::string pattern = "/dev/shm/interproc-test-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) give_up("mkdtemp", pattern);
  path_ = pattern;
}

TestDirectory::~TestDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

platform::Directory TestDirectory::open() const {
  auto directory = platform::Directory::open(path_);
  if (!directory.ok()) give_up("open", path_);
  return std::move(directory.value());
}

std::vector<std::string> TestDirectory::names() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path_))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

bool TestDirectory::has(const std::string& name) const {
  return std::filesystem::exists(std::filesystem::symlink_status(path_of(name)));
}

}  // namespace interproc::test
