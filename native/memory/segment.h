#pragma once

#include <functional>
#include <memory>
#include <string>

#include "memory/layout.h"
#include "platform/file.h"
#include "platform/mapping.h"
#include "platform/result.h"

namespace interproc::memory {

enum class OpenMode { create, open, open_or_create };

// One shared object: a file, the private copy of its header, and the mappings. It is attached from the moment it exists
// until leave(); ARCHITECTURE.md section 2 tells the life of the file.
class Segment {
 public:
  // What only the kind of object knows.
  struct Kindred {
    // Fills the zeroed words of a new object (cursors).
    std::function<void(Segment&)> initialise;
    // Called with nobody else attached: tidies up what the dead left and says whether something in it must be kept.
    std::function<bool(Segment&)> holds_something;
    // Called after the name of an object was removed that nobody had open any more.
    std::function<void(Segment&)> removed;
    // Joins the registry; an error makes the opening fail. Called before a new object gets its name.
    std::function<Error(Segment&)> join;
  };

  // `wanted` is the header of an object to create; for open only `kind` counts.
  static Result<std::unique_ptr<Segment>> open(const platform::Directory& directory,
                                               const std::string& name, OpenMode mode,
                                               const Header& wanted,
                                               const Kindred& kindred) noexcept;

  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  ~Segment() = default;

  const std::string& name() const noexcept { return name_; }
  const Header& header() const noexcept { return header_; }
  const Layout& layout() const noexcept { return layout_; }
  platform::File& file() noexcept { return file_; }
  const platform::File& file() const noexcept { return file_; }
  bool created() const noexcept { return created_; }
  // Tells it from every other object of the directory, also from one that had its name before.
  std::uint64_t identity() const noexcept { return identity_; }

  Control& control() const noexcept { return *at<Control>(layout_.control); }
  Participant* participants() const noexcept { return at<Participant>(layout_.participants); }
  Descriptor* descriptors() const noexcept { return at<Descriptor>(layout_.descriptors); }
  SideSlot* sides() const noexcept { return at<SideSlot>(layout_.sides); }
  std::byte* payload(std::uint32_t index = 0) const noexcept { return payloads_[index].data(); }
  // The words of a state behind its Control; their users draw them.
  template <class Words>
  Words& cell_words() const noexcept {
    static_assert(sizeof(Words) <= kLockWordsAt - kCellWordsAt);
    return *at<Words>(layout_.control + kCellWordsAt);
  }
  template <class Words>
  Words& pipe_words() const noexcept {
    static_assert(kPipeWordsAt + sizeof(Words) <= 4096);
    return *at<Words>(layout_.control + kPipeWordsAt);
  }
  template <class Words>
  Words& lock_words() const noexcept {
    static_assert(sizeof(Words) <= kLockWordsBytes);
    return *at<Words>(layout_.control + kLockWordsAt);
  }

  // The ledger of `slot`. Touch only regions whose bit in Control::ledgers is set: the rest has no memory behind it.
  Ledger* ledger(std::uint32_t slot) const noexcept {
    return reinterpret_cast<Ledger*>(payloads_[0].data() + 2 * layout_.payload_bytes +
                                     layout_.ledger_bytes * slot);
  }
  std::byte* ledger_data(Ledger* ledger) const noexcept {
    return reinterpret_cast<std::byte*>(ledger + 1);
  }
  // Puts memory behind the region of `slot`.
  Error reserve_ledger(std::uint32_t slot) noexcept;

  // Lets go. The last one out removes the file, unless `holds_something` says that it must stay, or a ticket does. Returns
  // whether nobody can ever open it again.
  bool leave(const platform::Directory& directory,
             const std::function<bool(Segment&)>& holds_something) noexcept;
  // Removes the name now; everybody attached goes on. A queue that has carried handles keeps a name that nobody opens it by, until the last
  // one is out: by its tickets others ask whether it still is there.
  Error unlink(const platform::Directory& directory) noexcept;
  // Whether it is such a name.
  static bool names_unlinked(const std::string& file_name) noexcept;

 private:
  Segment() noexcept = default;

  static Result<std::unique_ptr<Segment>> make(const platform::Directory& directory,
                                               const std::string& name, const Header& wanted,
                                               const Kindred& kindred) noexcept;
  Error map() noexcept;
  bool has_carried() const noexcept {
    // SYNC segment.travels
    return is_queue(header_.kind) &&
           (control().travels.load(std::memory_order_seq_cst) & kHasCarried) != 0;
  }
  bool must_stay(const platform::Directory& directory,
                 const std::function<bool(Segment&)>& holds_something) noexcept;

  template <class T>
  T* at(std::uint64_t offset) const noexcept {
    return reinterpret_cast<T*>(front_.data() + offset);
  }

  std::string name_;
  platform::File file_;
  Header header_{};
  Layout layout_;
  platform::Mapping front_;        // header to descriptors
  platform::Mapping payloads_[2];  // of rings, twice; behind that of a queue the ledgers
  bool created_ = false;
  std::uint64_t identity_ = 0;
};

// Reads and checks a header: everything that later code relies on is checked here, once, on a private copy.
Error read_header(const platform::File& file, Header& header) noexcept;

// Takes the attached byte of an object's file, shared; waits for who is alone with the object and decides what becomes of it.
// False: that one does not come to an end.
bool attach(platform::File& file) noexcept;

// Segment::identity() of the object in a file.
std::uint64_t identity_of(const Header& header, const platform::FileFacts& facts) noexcept;

}  // namespace interproc::memory
