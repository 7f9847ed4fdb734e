// The one command line of all bench programs: `--name value` pairs, every name known, every value a number.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

namespace interproc::bench {

struct CommandLine {
  std::uint64_t bytes;                      // --bytes N: the size of one message
  std::uint64_t count;                      // --count N: messages, or round trips
  std::optional<std::pair<int, int>> cpus;  // --cpus A,B: pin the sender to A and the receiver to B
};

namespace detail {

template <class Number>
bool parse_number(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end && number >= 0;
}

}  // namespace detail

// Reads the options that follow argv[first]. Anything unexpected ends the program with status 2: a benchmark that
// quietly ignores an option measures something else than was asked.
inline CommandLine parse_command_line(int argc, char** argv, CommandLine defaults, int first = 1) {
  CommandLine line = defaults;
  for (int i = first; i < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string_view value = i + 1 < argc ? argv[i + 1] : "";
    bool understood = false;
    if (name == "--bytes") {
      understood = detail::parse_number(value, line.bytes);
    } else if (name == "--count") {
      understood = detail::parse_number(value, line.count) && line.count > 0;
    } else if (name == "--cpus") {
      const std::size_t comma = value.find(',');
      std::pair<int, int> cpus;
      understood = comma != std::string_view::npos &&
                   detail::parse_number(value.substr(0, comma), cpus.first) &&
                   detail::parse_number(value.substr(comma + 1), cpus.second);
      line.cpus = cpus;
    }
    if (!understood) {
      std::fprintf(stderr, "%s: cannot use %s '%.*s'; options: --bytes N --count N --cpus A,B\n",
                   argv[0], argv[i], static_cast<int>(value.size()), value.data());
      std::exit(2);
    }
  }
  return line;
}

}  // namespace interproc::bench
