// One program's list of instances: each true one must hold, each mutant must be caught. A rule
// whose mutant is not caught is either not needed or not tested, and both are failures.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "explorer.h"

namespace interproc::model {

class Suite {
 public:
  // --long: larger instances too. --trace: print every counterexample. --only TEXT: instances whose
  // name contains TEXT.
  Suite(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string_view option = argv[i];
      if (option == "--long") {
        long_run_ = true;
      } else if (option == "--trace") {
        trace_ = true;
      } else if (option == "--only" && i + 1 < argc) {
        only_ = argv[++i];
      } else {
        std::fprintf(stderr, "%s: unknown option %s; options: --long --trace --only TEXT\n",
                     argv[0], argv[i]);
        usable_ = false;
      }
    }
  }

  bool long_run() const { return long_run_; }

  // The protocol as it is: no reachable state may be wrong.
  template <class Model>
  void holds(const std::string& name, const Model& model) {
    if (!wanted(name)) return;
    const auto start = std::chrono::steady_clock::now();
    const Outcome outcome = Explorer<Model>(model, max_memory()).run();
    const double seconds = since(start);
    if (outcome.too_large) {
      report(false, name + ": more than " + grouped(outcome.states) + " states");
    } else if (outcome.broken.empty()) {
      report(true, name + ": " + grouped(outcome.states) + " states", seconds);
    } else {
      report(false, name + ": " + outcome.broken + ", after " +
                        std::to_string(outcome.trace.size()) + " steps");
      print(outcome);
    }
  }

  // The protocol without one of its rules: something must go wrong.
  template <class Model>
  void caught(const std::string& rule, const Model& model) {
    const std::string name = "mutant " + rule;
    if (!wanted(name)) return;
    const auto start = std::chrono::steady_clock::now();
    const Outcome outcome = Explorer<Model>(model, max_memory()).run();
    const double seconds = since(start);
    if (outcome.broken.empty()) {
      report(false, name + " not caught in " + grouped(outcome.states) + " states");
      return;
    }
    report(true,
           name + " caught after " + std::to_string(outcome.trace.size()) +
               " steps: " + outcome.broken,
           seconds);
    if (trace_) print(outcome);
  }

  // Prints the closing line and returns the exit status.
  int close() const {
    std::printf("%d passed, %d failed\n", passed_, failed_);
    return usable_ && failed_ == 0 ? 0 : 1;
  }

 private:
  // Half of what the run may take: a growing table exists twice for a moment.
  std::size_t max_memory() const { return long_run_ ? std::size_t{9} << 30 : std::size_t{2} << 30; }

  bool wanted(const std::string& name) const {
    return usable_ && name.find(only_) != std::string::npos;
  }

  static double since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  void report(bool passed, const std::string& text, double seconds = 0) {
    ++(passed ? passed_ : failed_);
    std::printf("%s  %s", passed ? "ok" : "FAILED", text.c_str());
    if (seconds >= 0.1) std::printf("  (%.1f s)", seconds);
    std::printf("\n");
    std::fflush(stdout);
  }

  static void print(const Outcome& outcome) {
    int number = 0;
    for (const std::string& line : outcome.trace)
      std::printf("    %3d  actor %s\n", ++number, line.c_str());
    std::fflush(stdout);
  }

  static std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
    return digits;
  }

  bool long_run_ = false;
  bool trace_ = false;
  bool usable_ = true;
  std::string only_;
  int passed_ = 0;
  int failed_ = 0;
};

}  // namespace interproc::model
