#pragma once

#include <cstdint>
#include <cstdlib>

namespace interproc::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

// How often a repeated test repeats: in CI, under a sanitizer (which makes each turn many times slower), and in a long run
// (INTERPROC_LONG=1), whose figures are those of the promises.
inline std::uint64_t times(std::uint64_t plain, std::uint64_t sanitized, std::uint64_t long_run) {
  const char* wanted = std::getenv("INTERPROC_LONG");
  if (wanted != nullptr && wanted[0] == '1') return long_run;
  return kSanitized ? sanitized : plain;
}

}  // namespace interproc::test
