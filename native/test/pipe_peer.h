#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ring/passengers.h"
#include "ring/pipe_end.h"
#include "test/message.h"
#include "test/shape.h"
#include "test/test_directory.h"

namespace interproc::test {

inline memory::Header pipe_header(bool duplex = true, std::uint64_t capacity = memory::kMinCapacity,
                                  std::uint64_t max_message_bytes = 1 << 20) {
  return header_of({.kind = memory::Kind::pipe,
                    .capacity = capacity,
                    .max_participants = ring::PipeEnd::kParticipants,
                    .max_message_bytes = max_message_bytes,
                    .flags = memory::kAnonymous | (duplex ? 0u : memory::kOneWay)});
}

// An environment with one end of a pipe, or none. It works in a forked child and in a thread as it does in the test, therefore it
// asserts nothing.
class PipePeer {
 public:
  explicit PipePeer(const TestDirectory& directory) : bell_(directory.open()), buffer_(1 << 16) {}

  void create(const std::string& name, unsigned index,
              const memory::Header& header = pipe_header()) {
    keep(ring::PipeEnd::create(bell_, name, header, index));
  }
  void claim(const std::string& name, unsigned index) {
    keep(ring::PipeEnd::claim(bell_, name, index));
  }
  void arrive(const std::string& name, const memory::Ticket& ticket) {
    keep(ring::PipeEnd::arrive(bell_, name, ticket));
  }

  bool ok() const { return end_ != nullptr; }
  const Error& error() const { return error_; }
  ring::PipeEnd& end() { return *end_; }
  sync::Doorbell& bell() { return bell_; }
  void close() { end_.reset(); }

  Code send(std::uint64_t id, std::size_t bytes = 64, std::uint32_t with = 0) {
    Message::write(buffer_.data(), bytes, id);
    return end_->send(buffer_.data(), bytes, with);
  }
  // The id of the next message; 0 if there is none, or one that is not whole: `code` says which. Goes on with one in parts.
  std::uint64_t receive() {
    ring::Received received;
    if (parts_.empty()) {
      code = end_->receive(buffer_.data(), buffer_.size(), received);
      if (code == Code::ok) return check(buffer_.data(), received);
      if (code != Code::too_large || !received.in_parts) return 0;
      parts_.resize(received.length);
      filled_ = 0;
      parts_marks_ = received.marks;
    }
    code = end_->fill(parts_.data(), parts_.size(), filled_);
    if (code == Code::empty) return 0;
    const auto parts = std::exchange(parts_, {});
    received.length = static_cast<std::uint32_t>(parts.size());
    received.marks = parts_marks_;
    return code == Code::ok ? check(parts.data(), received) : 0;
  }
  // Puts a ticket for the passenger into a message, and gives it away. The passenger is closed then.
  Code send_end(std::uint64_t id, PipePeer& passenger, memory::Ticket& ticket) {
    if (const Code offered = passenger.end_->offer(); offered != Code::ok) return offered;
    auto issued = end_->issue_ticket(passenger.end_->segment(), passenger.end_->index());
    if (!issued.ok()) {
      passenger.end_->stay();
      return issued.error().code;
    }
    ticket = issued.value();
    if (const Code sent = send(id, 64, 1); sent != Code::ok) {
      passenger.end_->stay();
      ring::redeem(bell_, ticket.file_name());
      return sent;
    }
    passenger.end_->give_away();
    passenger.close();
    return Code::ok;
  }

  Code code = Code::ok;  // of the last receive
  std::uint32_t length = 0;
  std::uint32_t marks = 0;

 private:
  void keep(Result<std::unique_ptr<ring::PipeEnd>> opened) {
    error_ = opened.error();
    if (opened.ok()) end_ = std::move(opened.value());
  }

  std::uint64_t check(const std::byte* bytes, const ring::Received& received) {
    length = received.length;
    marks = received.marks;
    std::uint64_t id = 0;
    if (!Message::read(bytes, length, id)) code = Code::corrupt;
    return code == Code::ok ? id : 0;
  }

  sync::Doorbell bell_;
  Error error_;
  std::unique_ptr<ring::PipeEnd> end_;
  std::vector<std::byte> buffer_;
  std::vector<std::byte> parts_;  // of a message of which some have come
  std::size_t filled_ = 0;
  std::uint32_t parts_marks_ = 0;
};

// Both ends of a pipe, each in an environment of its own.
struct PipePair {
  explicit PipePair(const TestDirectory& directory, const std::string& name = "p",
                    const memory::Header& header = pipe_header())
      : a(directory), b(directory) {
    a.create(name, 0, header);
    b.claim(name, 1);
  }
  PipePeer a;
  PipePeer b;
};

}  // namespace interproc::test
