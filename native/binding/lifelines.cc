#include "binding/lifelines.h"

#include <utility>

namespace interproc::binding {

bool Lifelines::hold(uv_loop_t* loop, const sync::Doorbell& bell, std::uint64_t peer,
                     std::uint32_t token) {
  const auto held = peer_of_.find(token);
  if (held != peer_of_.end()) {
    if (held->second == peer) return true;
    let_go(token);
  }
  if (peer == 0) return false;
  auto found = lines_.find(peer);
  if (found == lines_.end()) {
    auto file = bell.directory().open_fifo_to_write(sync::Doorbell::file_name(peer));
    if (!file.ok()) return false;
    auto line = std::make_unique<Line>();
    line->owner = this;
    line->peer = peer;
    line->file = std::move(file.value());
    if (uv_poll_init(loop, &line->poll, line->file.descriptor()) != 0) return false;
    line->poll.data = line.get();
    // Nothing but the error that epoll always reports.
    uv_poll_start(&line->poll, UV_DISCONNECT, on_event);
    uv_unref(reinterpret_cast<uv_handle_t*>(&line->poll));
    found = lines_.emplace(peer, std::move(line)).first;
  }
  found->second->tokens.insert(token);
  peer_of_[token] = peer;
  return true;
}

void Lifelines::let_go(std::uint32_t token) {
  const auto held = peer_of_.find(token);
  if (held == peer_of_.end()) return;
  const auto found = lines_.find(held->second);
  peer_of_.erase(held);
  found->second->tokens.erase(token);
  if (!found->second->tokens.empty()) return;
  auto line = std::move(found->second);
  lines_.erase(found);
  drop(std::move(line));
}

void Lifelines::drop(std::unique_ptr<Line> line) {
  line->owner = nullptr;
  line->closing = closing_;
  ++closing_->handles;
  uv_close(reinterpret_cast<uv_handle_t*>(&line->poll), [](uv_handle_t* handle) {
    const std::unique_ptr<Line> closed(static_cast<Line*>(handle->data));
    closed->file.close();
    --closed->closing->handles;
    if (closed->closing->closed) closed->closing->closed();
  });
  static_cast<void>(line.release());  // the callback's
}

void Lifelines::on_event(uv_poll_t* poll, int, int) {
  auto* line = static_cast<Line*>(poll->data);
  Lifelines* self = line->owner;
  if (self == nullptr) return;
  const auto found = self->lines_.find(line->peer);
  auto broken = std::move(found->second);
  self->lines_.erase(found);
  const auto tokens = std::move(broken->tokens);
  for (std::uint32_t token : tokens) self->peer_of_.erase(token);
  self->drop(std::move(broken));
  self->broken_(tokens);
}

std::uint32_t Lifelines::close(std::function<void()> closed) {
  for (auto& [peer, line] : lines_) drop(std::move(line));
  lines_.clear();
  peer_of_.clear();
  closing_->closed = std::move(closed);
  return closing_->handles;
}

}  // namespace interproc::binding
