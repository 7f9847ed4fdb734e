#include "test/random.h"

#include <cstdio>
#include <cstdlib>

#include "platform/process.h"

namespace interproc::test {

std::uint64_t seed_for(const char* test) {
  const char* given = std::getenv("INTERPROC_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 0) : platform::random_word();
  std::printf("%s: INTERPROC_SEED=%llu\n", test, static_cast<unsigned long long>(seed));
  // A child that is killed must not print it again, and an abort must not lose it.
  std::fflush(stdout);
  return seed;
}

}  // namespace interproc::test
