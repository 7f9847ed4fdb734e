// Visits every state a model can reach, breadth first, so that the way to a violation is a shortest
// one. A model is a type with
//
//   State                                     plain bytes without padding; equal bytes, equal state
//   State initial() const
//   std::size_t bytes() const                 how many leading bytes of a State this instance uses
//   void steps(const State&, Steps<State>&)   every step that any actor, or fate, can take next
//   const char* broken(const State&) const    the invariant that does not hold here, or nullptr
//   bool settled(const State&) const          all is well, and nothing needs to happen any more
//   std::string describe(const State&) const  one line, for a trace
//
// Three things are errors: a step that reports one, a state that breaks an invariant, and a state
// from which the survivors cannot settle by steps of their own. The last one is how a lost message,
// a lost wake-up and a jammed ring show: "from every state some path settles" fails exactly where a
// schedule can lead into a trap that is shut.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace interproc::model {

struct Step {
  int actor = 0;
  const char* name = "";
  // A kill, a newcomer, an impatient waiter: things that may happen and never have to. Nobody may
  // depend on them, so they do not count as ways to settle.
  bool fate = false;
};

template <class State>
class Steps {
 public:
  struct Successor {
    State state;
    Step step;
    const char* broken;
  };

  void add(int actor, const char* name, const State& next, const char* broken = nullptr) {
    found_.push_back({next, {actor, name, false}, broken});
  }
  void add_fate(int actor, const char* name, const State& next) {
    found_.push_back({next, {actor, name, true}, nullptr});
  }

  void clear() { found_.clear(); }
  auto begin() const { return found_.begin(); }
  auto end() const { return found_.end(); }

 private:
  std::vector<Successor> found_;
};

struct Outcome {
  std::uint64_t states = 0;
  std::string broken;  // empty: nothing is wrong
  std::vector<std::string> trace;
  bool too_large = false;
};

template <class Model>
class Explorer {
  using State = typename Model::State;
  static_assert(std::is_trivially_copyable_v<State> &&
                std::has_unique_object_representations_v<State>);

 public:
  Explorer(const Model& model, std::size_t max_memory)
      : model_(model),
        bytes_(model.bytes()),
        max_memory_(max_memory),
        slots_(std::size_t{1} << 16) {}

  Outcome run() {
    const State first = model_.initial();
    insert(first, 0);
    if (const char* broken = model_.broken(first)) return fail(broken, 0, nullptr, {});
    Steps<State> steps;
    for (std::uint32_t at = 0; at < count_; ++at) {
      const State state = load(at);
      const std::size_t edges = edges_.size();
      steps.clear();
      model_.steps(state, steps);
      for (const auto& next : steps) {
        if (next.broken != nullptr) return fail(next.broken, at, &next.state, next.step);
        const std::uint32_t before = count_;
        const std::uint32_t to = insert(next.state, at);
        if (to == before) {
          if (const char* broken = model_.broken(next.state))
            return fail(broken, at, &next.state, next.step);
          if (memory() > max_memory_) {
            Outcome outcome;
            outcome.states = count_;
            outcome.too_large = true;
            return outcome;
          }
        }
        if (!next.step.fate && to != at) edges_.push_back(to);
      }
      edges_of_.push_back(static_cast<std::uint8_t>(edges_.size() - edges));
    }
    const std::vector<char> settles = find_settling();
    if (std::find(settles.begin(), settles.end(), 0) != settles.end()) {
      return fail("the survivors can never settle from here", find_trap(settles), nullptr, {});
    }
    Outcome outcome;
    outcome.states = count_;
    return outcome;
  }

 private:
  static constexpr std::uint32_t kChunkShift = 16;

  std::size_t memory() const {
    return (chunks_.size() * bytes_ << kChunkShift) + slots_.size() * sizeof(Slot) +
           parents_.capacity() * 4 + edges_.capacity() * 4 + edges_of_.capacity();
  }

  std::byte* stored(std::uint32_t index) const {
    return chunks_[index >> kChunkShift].get() +
           std::size_t{index & ((1u << kChunkShift) - 1)} * bytes_;
  }
  State load(std::uint32_t index) const {
    State state{};
    std::memcpy(static_cast<void*>(&state), stored(index), bytes_);
    return state;
  }

  std::uint64_t hash(const void* bytes) const {
    std::uint64_t hash = 0x9E3779B97F4A7C15u;
    const auto* from = static_cast<const std::byte*>(bytes);
    for (std::size_t i = 0; i < bytes_; i += 8) {
      std::uint64_t part = 0;
      std::memcpy(&part, from + i, std::min<std::size_t>(8, bytes_ - i));
      hash = (hash ^ part) * 0xD6E8FEB86659FD93u;
      hash ^= hash >> 32;
    }
    return hash;
  }

  // The index of the state, which is `count_` as it was before if the state is new.
  std::uint32_t insert(const State& state, std::uint32_t parent) {
    if (std::size_t{count_} * 2 >= slots_.size()) grow();
    const std::uint64_t h = hash(&state);
    const std::uint32_t tag = static_cast<std::uint32_t>(h);
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = static_cast<std::size_t>(h >> 20) & mask;
    while (slots_[at].index_plus_one != 0) {
      const std::uint32_t index = slots_[at].index_plus_one - 1;
      if (slots_[at].tag == tag && std::memcmp(stored(index), &state, bytes_) == 0) return index;
      at = (at + 1) & mask;
    }
    const std::uint32_t index = count_++;
    if ((index & ((1u << kChunkShift) - 1)) == 0) {
      chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(bytes_ << kChunkShift));
    }
    std::memcpy(stored(index), &state, bytes_);
    slots_[at] = {tag, index + 1};
    parents_.push_back(parent);
    return index;
  }

  void grow() {
    std::vector<Slot> slots(slots_.size() * 2);
    const std::size_t mask = slots.size() - 1;
    for (std::uint32_t index = 0; index < count_; ++index) {
      const std::uint64_t h = hash(stored(index));
      std::size_t at = static_cast<std::size_t>(h >> 20) & mask;
      while (slots[at].index_plus_one != 0) at = (at + 1) & mask;
      slots[at] = {static_cast<std::uint32_t>(h), index + 1};
    }
    slots_.swap(slots);
  }

  // Marks backwards from the settled states; what stays unmarked is doomed. Successors are mostly
  // younger than their state, so a few sweeps from the youngest to the oldest reach the fixpoint.
  std::vector<char> find_settling() const {
    std::vector<char> settles(count_, 0);
    for (std::uint32_t i = 0; i < count_; ++i) settles[i] = model_.settled(load(i)) ? 1 : 0;
    for (bool changed = true; changed;) {
      changed = false;
      std::size_t end = edges_.size();
      for (std::uint32_t i = count_; i-- > 0;) {
        const std::size_t begin = end - edges_of_[i];
        std::size_t edge = std::exchange(end, begin);
        if (settles[i] != 0) continue;
        while (edge-- > begin) {
          if (settles[edges_[edge]] == 0) continue;
          settles[i] = 1;
          changed = true;
          break;
        }
      }
    }
    return settles;
  }

  // The oldest state of a trap that is shut: a set of doomed states that lead only to each other,
  // most often one in which nobody can take a step. To be doomed may begin much earlier, but this
  // is where one sees why. (Tarjan's components; one is a trap if no step leaves it.)
  std::uint32_t find_trap(const std::vector<char>& settles) const {
    std::vector<std::size_t> first(std::size_t{count_} + 1, 0);
    for (std::uint32_t i = 0; i < count_; ++i) first[i + 1] = first[i] + edges_of_[i];
    constexpr std::uint32_t kNever = ~0u;
    struct Visit {
      std::uint32_t state;
      std::size_t edge;
    };
    std::vector<std::uint32_t> order(count_, kNever);
    std::vector<std::uint32_t> low(count_, 0);
    std::vector<char> leaves(count_, 0);  // a step leads from its component to another one
    std::vector<char> open(count_, 0);
    std::vector<std::uint32_t> component;
    std::vector<Visit> path;
    std::uint32_t visited = 0;
    std::uint32_t oldest = kNever;
    for (std::uint32_t root = 0; root < count_; ++root) {
      if (settles[root] != 0 || order[root] != kNever) continue;
      path.push_back({root, first[root]});
      while (!path.empty()) {
        const std::uint32_t at = path.back().state;
        if (order[at] == kNever) {
          order[at] = low[at] = visited++;
          open[at] = 1;
          component.push_back(at);
        }
        if (path.back().edge < first[at + 1]) {
          const std::uint32_t to = edges_[path.back().edge++];
          if (order[to] == kNever) {
            path.push_back({to, first[to]});
          } else if (open[to] != 0) {
            low[at] = std::min(low[at], order[to]);
          } else {
            leaves[at] = 1;
          }
          continue;
        }
        path.pop_back();
        if (low[at] == order[at]) {
          const auto begin = std::find(component.rbegin(), component.rend(), at).base() - 1;
          const bool shut =
              std::none_of(begin, component.end(), [&](std::uint32_t i) { return leaves[i] != 0; });
          if (shut) oldest = std::min(oldest, *std::min_element(begin, component.end()));
          for (auto i = begin; i != component.end(); ++i) open[*i] = 0;
          component.erase(begin, component.end());
          if (!path.empty()) leaves[path.back().state] = 1;
        } else {
          low[path.back().state] = std::min(low[path.back().state], low[at]);
        }
      }
    }
    return oldest;
  }

  Outcome fail(const char* broken, std::uint32_t from, const State* last,
               const Step& last_step) const {
    Outcome outcome;
    outcome.states = count_;
    outcome.broken = broken;
    std::vector<std::uint32_t> path{from};
    while (path.back() != 0) path.push_back(parents_[path.back()]);
    std::reverse(path.begin(), path.end());
    Steps<State> steps;
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
      const State next = load(path[i + 1]);
      steps.clear();
      model_.steps(load(path[i]), steps);
      for (const auto& step : steps) {
        if (std::memcmp(&step.state, &next, bytes_) != 0) continue;
        outcome.trace.push_back(line(step.step, next));
        break;
      }
    }
    if (last != nullptr) outcome.trace.push_back(line(last_step, *last));
    return outcome;
  }

  std::string line(const Step& step, const State& state) const {
    std::string text = std::to_string(step.actor) + "  " + step.name;
    if (text.size() < 44) text.resize(44, ' ');
    return text + "  " + model_.describe(state);
  }

  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t index_plus_one = 0;
  };

  const Model& model_;
  const std::size_t bytes_;
  const std::size_t max_memory_;
  std::uint32_t count_ = 0;
  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> parents_;
  std::vector<std::uint32_t> edges_;    // where the steps that are not fate lead, state after state
  std::vector<std::uint8_t> edges_of_;  // how many each state has
};

}  // namespace interproc::model
