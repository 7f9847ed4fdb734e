// The two ends of a byte ring, made anew for every input over positions and bytes that the input chooses and overwrites: no
// crash, and no message that exceeds the ring. As long as nothing was overwritten, what comes out is what went in.

#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "fuzz/require.h"
#include "fuzz/script.h"
#include "ring/spsc_ring.h"
#include "test/bare_segment.h"
#include "test/test_directory.h"

namespace interproc::fuzz {

namespace {

using memory::Control;
using memory::Word;
using ring::SpscRing;

constexpr std::uint64_t kCapacity = memory::kMinCapacity;
constexpr int kMaxCalls = 128;

class Stage {
 public:
  Stage() : bare_(test::BareSegment::create(home_, {.kind = memory::Kind::spsc})) {
    require(bare_ != nullptr, "the segment can be created");
  }

  void run(Script script) {
    script_ = script;
    // Where a ring of that age stands: positions are multiples of 8.
    const std::uint64_t start = script_.below(2) == 0 ? 0 : script_.word() & ~std::uint64_t{7};
    control().tail.store(start);
    control().head.store(start);
    produced_.clear();
    sound_ = true;
    producer_.emplace(bare_->segment());
    consumer_.emplace(bare_->segment());
    for (int call = 0; call < kMaxCalls && !script_.over(); ++call) act();
  }

 private:
  Control& control() { return bare_->control(); }

  void act() {
    switch (script_.below(12)) {
      case 0:
      case 1:
      case 2:
        return put();
      case 3:
      case 4:
      case 5:
        return take();
      case 6:
        producer_->worth_pushing(length());
        return;
      case 7:
        consumer_->worth_popping();
        SpscRing::used_bytes(control());
        return;
      case 8:  // another process takes over a dead one's end
        producer_.emplace(bare_->segment());
        return;
      case 9:
        consumer_.emplace(bare_->segment());
        return;
      case 10:
        return strike_position();
      default:
        return strike_bytes();
    }
  }

  std::uint32_t length() {
    constexpr std::uint32_t kMost = kCapacity - 8;
    const std::uint32_t lengths[] = {0, 1, 4, 12, 64, kMost / 2, kMost, script_.byte()};
    return lengths[script_.below(8)];
  }

  void put() {
    const std::uint32_t bytes = length();
    std::memset(message_.data(), static_cast<int>(bytes), bytes);
    if (producer_->push(message_.data(), bytes)) {
      produced_.push_back(bytes);
    } else if (sound_) {
      require(!produced_.empty(), "an empty ring takes any message");
    }
  }

  void take() {
    const std::byte* bytes = nullptr;
    std::uint32_t length = 0;
    switch (consumer_->front(bytes, length)) {
      case SpscRing::Found::nothing:
        if (sound_) require(produced_.empty(), "no message is lost");
        return;
      case SpscRing::Found::corrupt:
        require(!sound_, "a sound ring is not called corrupt");
        return;
      case SpscRing::Found::message:
        break;
    }
    require(length <= kCapacity - SpscRing::kHeaderBytes, "no message is larger than the ring");
    // Every byte of it lies in the mapping.
    std::memcpy(taken_.data(), bytes, length);
    consumer_->pop(length);
    if (!sound_) return;
    require(!produced_.empty() && length == produced_.front(), "messages come in order");
    for (std::uint32_t i = 0; i < length; ++i)
      require(taken_[i] == static_cast<std::byte>(length), "bytes come unchanged");
    produced_.pop_front();
  }

  void strike_position() {
    Word& word = script_.below(2) == 0 ? control().tail : control().head;
    const Word& other = script_.below(2) == 0 ? control().tail : control().head;
    sound_ = false;
    switch (script_.below(3)) {
      case 0:
        return word.store(other.load() + static_cast<std::uint64_t>(script_.step()));
      case 1:
        return word.store(other.load() + kCapacity + static_cast<std::uint64_t>(script_.step()));
      default:
        return word.store(script_.word());
    }
  }

  // A length field near either position, or any other bytes.
  void strike_bytes() {
    const Word& word = script_.below(2) == 0 ? control().tail : control().head;
    const std::uint64_t at = (word.load() + static_cast<std::uint64_t>(script_.step())) % kCapacity;
    const std::uint32_t lengths[] = {length(),      kCapacity - 4, kCapacity,
                                     kCapacity + 1, ~0u,           ~0u - 11};
    const std::uint32_t value = lengths[script_.below(6)];
    sound_ = false;
    std::memcpy(bare_->segment().payload() + at, &value, sizeof value);
  }

  test::TestDirectory directory_;
  platform::Directory home_ = directory_.open();
  std::unique_ptr<test::BareSegment> bare_;
  std::optional<SpscRing> producer_;
  std::optional<SpscRing> consumer_;
  std::vector<std::byte> message_ = std::vector<std::byte>(kCapacity);
  std::vector<std::byte> taken_ = std::vector<std::byte>(kCapacity);
  std::deque<std::uint32_t> produced_;
  Script script_;
  bool sound_ = true;
};

}  // namespace

}  // namespace interproc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static interproc::fuzz::Stage stage;
  stage.run(interproc::fuzz::Script(data, size));
  return 0;
}
