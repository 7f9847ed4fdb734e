#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "ring/queue.h"
#include "test/message.h"
#include "test/shape.h"
#include "test/test_directory.h"

namespace interproc::test {

// What came out of a queue.
struct Got {
  Code code = Code::empty;
  std::uint64_t id = 0;
  bool whole = false;  // every byte was right
  ring::Taken taken;
};

// An environment with one queue open: a doorbell and a participant. It works in a forked child and in a thread as it does in
// the test, therefore it asserts nothing.
class Peer {
 public:
  Peer(const TestDirectory& directory, const std::string& name, memory::OpenMode mode,
       const Shape& shape = {})
      : bell_(directory.open()) {
    auto opened = ring::Queue::open(bell_, name, mode, header_of(shape));
    error_ = opened.error();
    if (opened.ok()) queue_ = std::move(opened.value());
    if (queue_ != nullptr) buffer_.resize(std::max(capacity(), largest()));
  }

  bool ok() const { return queue_ != nullptr; }
  const Error& error() const { return error_; }
  ring::Queue& queue() { return *queue_; }
  sync::Doorbell& bell() { return bell_; }
  std::uint64_t capacity() const { return queue_->layout().payload_bytes; }
  std::uint64_t largest() const { return queue_->header().max_message_bytes; }

  Code put(std::uint64_t id, std::size_t length = 64) {
    Message::write(buffer_.data(), length, id);
    return queue_->put(buffer_.data(), length);
  }
  // The same, put as one with tickets in it.
  Code put_carrying(std::uint64_t id, std::size_t length = 64) {
    Message::write(buffer_.data(), length, id);
    return queue_->put_carrying(buffer_.data(), length);
  }
  Got take() {
    Got got;
    got.code = queue_->take(buffer_.data(), buffer_.size(), got.taken);
    return check(got);
  }
  Got take_another() {
    Got got;
    got.code = queue_->take_another(buffer_.data(), buffer_.size(), got.taken);
    return check(got);
  }
  Got receive() {
    Got got;
    got.code = queue_->receive(buffer_.data(), buffer_.size(), got.taken);
    return check(got);
  }
  // A slot filled with the message; committed it is put. The slot may be larger.
  Code reserve(std::uint64_t id, std::size_t length, std::size_t reserved, ring::Leased& slot) {
    const Code code = queue_->reserve(reserved, slot);
    if (code == Code::ok) Message::write(slot.bytes, length, id);
    return code;
  }
  Code put_in_place(std::uint64_t id, std::size_t length = 64) {
    ring::Leased slot;
    const Code code = reserve(id, length, length, slot);
    return code == Code::ok ? queue_->commit(slot.lease, length) : code;
  }
  // `taken.receipt` is the lease.
  Got peek() {
    Got got;
    ring::Leased leased;
    got.code = queue_->peek(leased);
    got.taken = {leased.length, leased.deliveries, leased.lease};
    if (got.code == Code::ok) got.whole = Message::read(leased.bytes, leased.length, got.id);
    return got;
  }
  Got take_in_place() {
    Got got = peek();
    if (got.code == Code::ok) got.code = queue_->release(got.taken.receipt);
    return got;
  }
  // How often its bell, which hangs, has been rung since this was asked last.
  std::size_t rings() {
    std::vector<std::uint32_t> tokens(sync::Doorbell::kDrainBytes / sizeof(std::uint32_t));
    bool overflow = false;
    return bell_.drain(tokens.data(), overflow);
  }
  void close() {
    if (queue_ != nullptr) queue_->close();
  }

 private:
  Got check(Got got) {
    if (got.code == Code::ok) got.whole = Message::read(buffer_.data(), got.taken.length, got.id);
    return got;
  }

  sync::Doorbell bell_;
  Error error_;
  std::unique_ptr<ring::Queue> queue_;
  std::vector<std::byte> buffer_;
};

}  // namespace interproc::test
