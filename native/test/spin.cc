// For how many looks a waiter stays awake.

#include "sync/spin.h"

#include <doctest/doctest.h>

#include <cstdint>

using interproc::sync::Spinner;
using interproc::sync::WriterWatch;

namespace {

// How often the waiter looks when there is nothing to see.
template <class Wait>
std::uint32_t looks_in_vain(Wait wait) {
  std::uint32_t looks = 0;
  CHECK_FALSE(wait([&looks] {
    ++looks;
    return false;
  }));
  return looks;
}

std::uint32_t looks_in_vain(Spinner& spin) {
  return looks_in_vain([&spin](auto look) { return spin(look); });
}

std::uint32_t looks_in_vain(WriterWatch& watch, std::uint64_t bytes) {
  return looks_in_vain([&watch, bytes](auto look) { return watch(bytes, look); });
}

constexpr auto kSeen = [] { return true; };

}  // namespace

TEST_CASE(
    "a spinner looks half as often after each failure, and in full when it has been encouraged") {
  Spinner spin(1024);
  CHECK(looks_in_vain(spin) == 1024);
  CHECK(looks_in_vain(spin) == 512);
  CHECK(looks_in_vain(spin) == 256);
  spin.encourage();
  CHECK(looks_in_vain(spin) == 1024);
}

TEST_CASE(
    "a writer is watched for as long as its message is worth, and not for longer than 1 MiB is") {
  WriterWatch watch;
  CHECK(looks_in_vain(watch, 64 << 10) == 512);
  CHECK(looks_in_vain(watch, 1 << 20) == 8192);
  CHECK(looks_in_vain(watch, std::uint64_t{1} << 40) == 8192);
}

TEST_CASE(
    "writers that were watched in vain a few times in a row are watched no more, but now and "
    "then") {
  WriterWatch watch;
  constexpr std::uint64_t kBytes = 64 << 10;
  const auto in_vain = [&watch](std::uint32_t times) {
    std::uint32_t watched = 0;
    for (std::uint32_t i = 0; i < times; ++i) watched += looks_in_vain(watch, kBytes) > 0 ? 1 : 0;
    return watched;
  };
  CHECK(in_vain(WriterWatch::kForgiven - 1) == WriterWatch::kForgiven - 1);
  CHECK(watch(kBytes, kSeen));
  // That made up for it. One in kProbeEvery is the rest.
  CHECK(in_vain(Spinner::kProbeEvery - WriterWatch::kForgiven) == WriterWatch::kForgiven + 1);
  CHECK(in_vain(10 * Spinner::kProbeEvery - 1) == 9);
  CHECK(looks_in_vain(watch, kBytes) > 0);
  CHECK(in_vain(Spinner::kProbeEvery - 1) == 0);
  CHECK(watch(kBytes, kSeen));
  CHECK(in_vain(WriterWatch::kForgiven) == WriterWatch::kForgiven);
}
