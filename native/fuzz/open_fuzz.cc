// A file that the input made: any bytes, or a sound queue with wrong words in its header, its control page, its records and its
// ledgers, of any length, with or without living owners. It is listed, opened as a queue and as a byte ring, used,
// closed and pruned: a typed error or a working object, never a crash.

#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <vector>

#include "fuzz/require.h"
#include "fuzz/script.h"
#include "fuzz/segment_image.h"
#include "fuzz/sound_queues.h"
#include "fuzz/vandal.h"
#include "ring/catalog.h"
#include "ring/queue.h"
#include "ring/spsc_channel.h"
#include "test/bare_segment.h"
#include "test/shape.h"
#include "test/test_directory.h"

namespace interproc::fuzz {

namespace {

using memory::Header;
using memory::Layout;
using memory::OpenMode;
using ring::Queue;
using ring::SpscChannel;

constexpr char kName[] = "q";
constexpr std::uint32_t kSlots = 4;
// A ledger is real memory once its owner receives; larger ones are not asked for.
constexpr std::uint64_t kMaxLedgerBytes = 1u << 20;

class Stage {
 public:
  Stage()
      : model_bell_(model_directory_.open()),
        model_(open_model()),
        bare_(test::BareSegment::open(model_bell_.directory(), kName, OpenMode::open,
                                      model_->header())),
        vandal_(bare_->segment()),
        bell_(directory_.open()) {
    ring::Taken taken;
    model_->receive(nullptr, 0, taken);  // it has a ledger from now on
    starts_ = std::make_unique<SoundQueues>(*model_, bare_->segment());
    require(bell_.hang().code == Code::ok, "the bell hangs");
  }

  void run(Script script) {
    script_ = script;
    make_file();
    {
      platform::File others = attach_others();
      require(ring::list(directory()).ok(), "the directory can be listed");
      const auto mode = static_cast<OpenMode>(script_.below(3));
      if (script_.below(2) == 0) {
        use_queue(mode);
        use_channel(OpenMode::open);
      } else {
        use_channel(mode);
        use_queue(OpenMode::open);
      }
      require(ring::list(directory()).ok(), "the directory can be listed");
    }
    require(ring::prune(directory(), script_.below(2) == 0).ok(), "the directory can be pruned");
    unlink(path_.c_str());
  }

 private:
  const platform::Directory& directory() const { return bell_.directory(); }

  std::unique_ptr<Queue> open_model() {
    auto opened = Queue::open(model_bell_, kName, OpenMode::create,
                              test::header_of({.max_participants = kSlots}));
    require(opened.ok(), "a queue can be created");
    return std::move(opened.value());
  }

  void make_file() {
    const int file = open(path_.c_str(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
    require(file >= 0, "a file can be made");
    if (script_.below(8) == 0) {
      write(file, script_.rest(), script_.left(), 0);
    } else {
      compose(file);
    }
    close(file);
  }

  static void write(int file, const void* bytes, std::size_t count, std::uint64_t offset) {
    require(pwrite(file, bytes, count, static_cast<off_t>(offset)) == static_cast<ssize_t>(count),
            "the file can be written");
  }

  void compose(int file) {
    starts_->restore(script_.below(starts_->count()));
    for (std::uint32_t strikes = script_.below(8); strikes > 0; --strikes) vandal_.strike(script_);
    memory::Segment& model = bare_->segment();
    Header header = model.header();
    if (script_.below(4) == 0) {
      header.kind = memory::Kind::spsc;
      header.max_participants = 2;
    }
    for (std::uint32_t patches = script_.below(4); patches > 0; --patches) patch(header);
    write(file, &header, sizeof header, 0);
    write(file, SegmentImage::front_of(model), SegmentImage::bytes_of(model),
          model.layout().control);
    if (script_.below(2) == 0) {
      for (std::uint32_t slot = 0; slot < kSlots; ++slot)
        write(file, SegmentImage::ledger_of(model, slot), SegmentImage::kLedgerBytes,
              model.layout().ledgers + slot * model.layout().ledger_bytes);
    }
    require(ftruncate(file, static_cast<off_t>(length_for(header))) == 0,
            "the file can be cut or extended");
  }

  void patch(Header& header) {
    if (script_.below(16) == 0) {  // a text without an end
      if (script_.below(2) == 0) {
        std::memset(header.codec, 'x', sizeof header.codec);
      } else {
        std::memset(header.dead_letter, 'x', sizeof header.dead_letter);
      }
      return;
    }
    std::uint32_t words[sizeof header / sizeof(std::uint32_t)];
    std::memcpy(words, &header, sizeof header);
    // Most often among those that decide where things stand.
    const std::uint32_t index = script_.below(4) == 0
                                    ? script_.byte() % static_cast<std::uint32_t>(std::size(words))
                                    : 6 + script_.below(10);
    const std::uint32_t values[] = {script_.byte(), words[index] + 1, words[index] - 1, ~0u};
    words[index] = values[script_.below(4)];
    std::memcpy(&header, words, sizeof header);
  }

  std::uint64_t length_for(const Header& header) {
    switch (script_.below(4)) {
      case 0:
        return script_.word() & 0xFFFF;
      case 1:
        return bare_->segment().layout().total + static_cast<std::uint64_t>(script_.step());
      default: {
        // What the header says, as far as that can be computed.
        const bool computable = header.page_bytes == bare_->segment().header().page_bytes &&
                                header.block_shift <= 20 && header.blocks_shift <= 20 &&
                                header.max_participants <= 2 * memory::kMaxParticipants;
        return computable ? Layout::of(header).total : bare_->segment().layout().total;
      }
    }
  }

  // Somebody else who is attached, with any slots.
  platform::File attach_others() {
    const std::uint32_t slots = script_.byte();
    if (slots == 0) return {};
    auto file = directory().open_file(kName);
    require(file.ok(), "the file is there");
    file.value().try_lock(memory::kAttachedByte, platform::Lock::shared);
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
      if ((slots >> slot & 1) != 0) file.value().try_lock(slot, platform::Lock::exclusive);
    }
    return std::move(file.value());
  }

  void use_queue(OpenMode mode) {
    auto opened = Queue::open(bell_, kName, mode, bare_->segment().header());
    if (!opened.ok()) return;
    Queue& queue = *opened.value();
    queue.size();
    queue.is_full();
    queue.stats();
    ring::Taken taken;
    for (std::uint32_t calls = script_.below(8); calls > 0; --calls) {
      switch (script_.below(7)) {
        case 0:
          queue.put(room_.data(), script_.byte());
          break;
        case 1:
          if (queue.take(room_.data(), room_.size(), taken) == Code::ok) check(queue, taken);
          break;
        case 2:
          if (queue.layout().ledger_bytes > kMaxLedgerBytes) break;
          if (queue.receive(room_.data(), room_.size(), taken) != Code::ok) break;
          check(queue, taken);
          if (script_.below(2) == 0) queue.ack(taken.receipt);
          break;
        case 3:
          queue.arm(sync::kTake, 1);
          break;
        case 4:
          queue.end();
          break;
        case 5:
          queue.task_done();
          queue.finished();
          break;
        default:
          queue.sweep();
          break;
      }
    }
    if (script_.below(4) == 0) queue.unlink();
    queue.close();
  }

  void check(const Queue& queue, const ring::Taken& taken) {
    require(taken.length <= room_.size(), "a message fits its buffer");
    require(taken.length <= queue.layout().payload_bytes, "no message is larger than the ring");
  }

  void use_channel(OpenMode mode) {
    const auto role = static_cast<SpscChannel::Role>(script_.below(2));
    auto opened = SpscChannel::open(bell_, kName, mode, spsc_header_, role);
    if (!opened.ok()) return;
    SpscChannel& channel = *opened.value();
    channel.peer_alive();
    channel.used_bytes();
    std::uint32_t length = 0;
    for (std::uint32_t calls = script_.below(8); calls > 0; --calls) {
      switch (script_.below(4)) {
        case 0:
          if (role == SpscChannel::producer) channel.put(room_.data(), script_.byte());
          break;
        case 1:
          if (role == SpscChannel::producer ||
              channel.take(room_.data(), room_.size(), length) != Code::ok)
            break;
          require(length <= room_.size(), "a message fits its buffer");
          break;
        case 2:
          if (script_.below(8) == 0) channel.wait(0);
          break;
        default:
          channel.end();
          break;
      }
    }
    channel.close();
  }

  test::TestDirectory model_directory_;
  sync::Doorbell model_bell_;
  std::unique_ptr<Queue> model_;
  std::unique_ptr<test::BareSegment> bare_;
  Vandal vandal_;
  std::unique_ptr<SoundQueues> starts_;

  test::TestDirectory directory_;
  sync::Doorbell bell_;
  const std::string path_ = directory_.path_of(kName);
  const Header spsc_header_ = test::header_of({.kind = memory::Kind::spsc});
  std::vector<std::byte> room_ = std::vector<std::byte>(3 * memory::kMinCapacity);
  Script script_;
};

}  // namespace

}  // namespace interproc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static interproc::fuzz::Stage stage;
  stage.run(interproc::fuzz::Script(data, size));
  return 0;
}
