// Both ends of a pipe, over positions, frames and words that the input chooses and overwrites: no crash, no byte beyond the buffers
// that were given, and every call returns. As long as nothing was overwritten, what comes out is what went in, and the end
// comes when the other is gone and not before.

#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "fuzz/require.h"
#include "fuzz/script.h"
#include "ring/pipe_end.h"
#include "test/pipe_peer.h"
#include "test/test_directory.h"

namespace interproc::fuzz {

namespace {

using memory::Word;
using ring::Direction;
using ring::PipeEnd;
using ring::PipeWords;
using ring::Received;

constexpr std::uint32_t kCapacity = memory::kMinCapacity;
constexpr std::uint32_t kUnits = kCapacity / ring::FrameRing::kUnit;
constexpr std::uint32_t kMost = 3 * kCapacity;  // bytes of a message
constexpr int kMaxCalls = 128;

class Stage {
 public:
  void run(Script script) {
    script_ = script;
    sound_ = true;
    test::TestDirectory directory;
    test::PipePeer ends[2] = {test::PipePeer(directory), test::PipePeer(directory)};
    ends[0].create("p", 0, test::pipe_header(true, kCapacity, kMost));
    ends[1].claim("p", 1);
    require(ends[0].ok() && ends[1].ok(), "a pipe can be made");
    PipeWords& words = ends[0].end().segment().pipe_words<PipeWords>();
    // Where a ring of that age stands.
    const auto start = static_cast<std::uint32_t>(script_.below(2) == 0 ? 0 : script_.word());
    for (Direction& direction : words.directions) {
      direction.tail.store(start);
      direction.head.store(start);
    }
    for (unsigned end : {0u, 1u}) {
      ends_[end] = &ends[end];
      sent_[end].clear();
      parts_[end] = {};
      filling_[end] = {};
      closed_[end] = false;
    }
    for (int call = 0; call < kMaxCalls && !script_.over(); ++call) act();
  }

 private:
  struct Parts {
    std::vector<std::byte> bytes;
    std::size_t at = 0;
    std::uint32_t marks = 0;
    bool open = false;
  };

  // As one that is open has them mapped.
  PipeEnd& user() { return ends_[closed_[0] ? 1 : 0]->end(); }
  PipeWords& words() { return user().segment().pipe_words<PipeWords>(); }

  void act() {
    const unsigned end = script_.below(2);
    if (closed_[end]) return;
    switch (script_.below(16)) {
      case 0:
      case 1:
      case 2:
        return send(end);
      case 3:
      case 4:
        return send_parts(end);
      case 5:
      case 6:
      case 7:
      case 8:
        return receive(end);
      case 9: {
        Received received;
        if (!filling_[end].open) ends_[end]->end().look(received);
        return;
      }
      case 10:
        return ends_[end]->end().finish();
      case 11:
        require(!ends_[end]->end().peer_gone(script_.below(2) == 0) || closed_[1 - end] || !sound_,
                "an end that is there is not gone");
        return;
      case 12:
        if (script_.below(8) == 0) {
          ends_[end]->close();
          closed_[end] = true;
          return;
        }
        ends_[end]->end().want(script_.byte());
        ends_[end]->end().ring_peer(script_.below(2) == 0 ? sync::kTake : sync::kPut);
        ends_[end]->end().peer_bell();
        return;
      case 13:
        return strike_words();
      case 14:
        return strike_position();
      default:
        return strike_frame();
    }
  }

  std::uint32_t length() {
    const std::uint32_t lengths[] = {0, 1, 7, 8, 64, kCapacity / 2, kCapacity - 8, script_.byte()};
    return lengths[script_.below(8)];
  }

  void sent(unsigned end, std::vector<std::byte> message) {
    sent_[end].push_back(std::move(message));
  }

  void send(unsigned end) {
    if (parts_[end].open && sound_) return;  // given up is for frame_ring's and pipe_end's tests
    const std::uint32_t bytes = length();
    std::vector<std::byte> message(bytes, static_cast<std::byte>(bytes));
    const Code code = ends_[end]->end().send(message.data(), bytes, 0);
    if (code == Code::ok) return sent(end, std::move(message));
    if (!sound_) return;
    require(code == (closed_[1 - end] ? Code::ended : Code::full), "a send goes, or says why not");
    require(code != Code::full || !sent_[end].empty() || filling_[1 - end].open,
            "an empty ring takes any message");
  }

  void send_parts(unsigned end) {
    Parts& parts = parts_[end];
    if (!parts.open) {
      parts.bytes.assign(kCapacity - 7 + script_.word() % (kMost - kCapacity + 8),
                         static_cast<std::byte>(script_.byte()));
      parts.at = 0;
      parts.open = true;
    }
    const Code code =
        ends_[end]->end().send_parts(parts.bytes.data(), parts.bytes.size(), parts.at, 0);
    require(parts.at <= parts.bytes.size(), "no more goes than there is");
    if (code != Code::ok) return;
    parts.open = false;
    sent(end, parts.bytes);
  }

  void receive(unsigned end) {
    Parts& filling = filling_[end];
    Received received;
    if (!filling.open) {
      const std::size_t room = script_.below(4) == 0 ? script_.byte() : kCapacity;
      std::vector<std::byte> into(room);
      const Code code = ends_[end]->end().receive(into.data(), room, received);
      if (code == Code::ok) {
        require(received.length <= room, "no message is larger than the room for it");
        into.resize(received.length);
        return check(end, into);
      }
      if (code == Code::ended || code == Code::empty || code == Code::corrupt)
        return check_none(end, code);
      require(code == Code::too_large, "a receive goes, or says why not");
      if (!received.in_parts) return;
      require(received.length <= kMost, "no message is larger than the pipe allows");
      filling.bytes.assign(received.length, std::byte{0});
      filling.at = 0;
      filling.open = true;
    }
    const Code code =
        ends_[end]->end().fill(filling.bytes.data(), filling.bytes.size(), filling.at);
    require(filling.at <= filling.bytes.size(), "no more comes than there is room for");
    if (code == Code::empty) return;
    filling.open = false;
    if (code == Code::ok) return check(end, filling.bytes);
    if (sound_) require(code == Code::ended && closed_[1 - end], "parts are followed by parts");
  }

  void check(unsigned end, const std::vector<std::byte>& message) {
    if (!sound_) return;
    require(!sent_[1 - end].empty() && sent_[1 - end].front() == message,
            "messages come in order and unchanged");
    sent_[1 - end].pop_front();
  }
  void check_none(unsigned end, Code code) {
    if (!sound_) return;
    require(sent_[1 - end].empty(), "no message is lost");
    require(code == (closed_[1 - end] ? Code::ended : Code::empty),
            "the end is told when it comes");
  }

  Direction& direction() { return words().directions[script_.below(2)]; }

  void strike_position() {
    Direction& struck = direction();
    std::atomic<std::uint32_t>& word = script_.below(2) == 0 ? struck.tail : struck.head;
    const std::uint32_t other = (script_.below(2) == 0 ? struck.tail : struck.head).load();
    sound_ = false;
    switch (script_.below(3)) {
      case 0:
        return word.store(other + static_cast<std::uint32_t>(script_.step()));
      case 1:
        return word.store(other + kUnits + static_cast<std::uint32_t>(script_.step()));
      default:
        return word.store(static_cast<std::uint32_t>(script_.word()));
    }
  }

  // A header near either position, or any other bytes.
  void strike_frame() {
    const unsigned which = script_.below(2);
    Direction& struck = words().directions[which];
    const std::uint32_t at = (script_.below(2) == 0 ? struck.tail : struck.head).load() +
                             static_cast<std::uint32_t>(script_.step());
    const std::uint32_t lengths[] = {length(),  kCapacity - 8, kCapacity - 7,
                                     kCapacity, ~0u,           ~0u - 14};
    const std::uint32_t flags[] = {0, 1, 2, 3, 0x100, 0x101, 0x102, 0x300, 0x400, script_.byte()};
    const std::uint32_t header[2] = {lengths[script_.below(6)], flags[script_.below(10)]};
    sound_ = false;
    std::memcpy(user().segment().payload(which) + std::uint64_t{at % kUnits} * 8, header,
                sizeof header);
  }

  void strike_words() {
    Word& word = words().ends[script_.below(2)];
    sound_ = false;
    switch (script_.below(3)) {
      case 0:
        return word.store((word.load() & ~std::uint64_t{7}) | script_.below(8));
      case 1:
        return word.store(word.load() ^ std::uint64_t{1} << script_.below(64));
      default:
        return word.store(script_.word());
    }
  }

  Script script_;
  test::PipePeer* ends_[2] = {nullptr, nullptr};
  std::deque<std::vector<std::byte>> sent_[2];  // by that end, and not received yet
  Parts parts_[2];
  Parts filling_[2];
  bool closed_[2] = {false, false};
  bool sound_ = true;
};

}  // namespace

}  // namespace interproc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static interproc::fuzz::Stage stage;
  stage.run(interproc::fuzz::Script(data, size));
  return 0;
}
