#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "sync/doorbell.h"

namespace interproc::binding {

// How an event loop learns at once that a peer has died: it holds the write end of that one's doorbell, which the kernel declares
// broken when its last reader is gone, across PID namespaces too. One descriptor for each peer environment, whatever the number of objects shared with
// it. That a line breaks says only that it is worth asking who is dead.
class Lifelines {
 public:
  // `broken` is called on the loop with the tokens of those who held the line.
  using Broken = std::function<void(const std::unordered_set<std::uint32_t>& tokens)>;
  explicit Lifelines(Broken broken) : broken_(std::move(broken)) {}
  Lifelines(const Lifelines&) = delete;
  Lifelines& operator=(const Lifelines&) = delete;

  // Object `token` depends on who owns this bell, and on nobody else. False: nobody listens there (any more).
  bool hold(uv_loop_t* loop, const sync::Doorbell& bell, std::uint64_t peer, std::uint32_t token);
  // It does so no more.
  void let_go(std::uint32_t token);
  // Closes all handles; `closed` is called once for each that libuv is not done with yet. Returns how many these are.
  std::uint32_t close(std::function<void()> closed);

 private:
  // Handles that libuv is not done with, which may be later than we are.
  struct Closing {
    std::uint32_t handles = 0;
    std::function<void()> closed;
  };
  struct Line {
    Lifelines* owner = nullptr;
    std::uint64_t peer = 0;
    platform::File file;
    uv_poll_t poll{};
    std::unordered_set<std::uint32_t> tokens;
    std::shared_ptr<Closing> closing;
  };
  static void on_event(uv_poll_t* poll, int status, int events);
  void drop(std::unique_ptr<Line> line);

  Broken broken_;
  std::shared_ptr<Closing> closing_ = std::make_shared<Closing>();
  std::unordered_map<std::uint64_t, std::unique_ptr<Line>> lines_;  // by peer
  std::unordered_map<std::uint32_t, std::uint64_t> peer_of_;        // by token
};

}  // namespace interproc::binding
