// A segment whose header is of another version, layout, word size or kind, or says what cannot be, is refused by everyone
// who opens it, and stays as it was.

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "memory/segment.h"
#include "ring/catalog.h"
#include "test/peer.h"
#include "test/test_directory.h"

using interproc::Code;
using interproc::memory::Header;
using interproc::memory::kAnonymous;
using interproc::memory::Kind;
using interproc::memory::kPersist;
using interproc::memory::Layout;
using interproc::memory::OpenMode;
using interproc::test::Peer;
using interproc::test::Shape;
using interproc::test::TestDirectory;

namespace {

struct Variant {
  const char* name;
  Code expected;
  std::function<void(Header&)> spoil;
};

const std::vector<Variant>& variants() {
  static const std::vector<Variant> all = {
      {"magic", Code::corrupt, [](Header& h) { h.magic ^= 1; }},
      {"magic of the other byte order", Code::corrupt,
       [](Header& h) { h.magic = __builtin_bswap64(h.magic); }},
      {"older version", Code::version, [](Header& h) { --h.layout_version; }},
      {"newer version", Code::version, [](Header& h) { ++h.layout_version; }},
      {"layout of another build", Code::version, [](Header& h) { h.layout_hash ^= 0x8000; }},
      {"32-bit words", Code::version, [](Header& h) { h.word_bytes = 4; }},
      {"no word size", Code::version, [](Header& h) { h.word_bytes = 0; }},
      {"larger pages", Code::version, [](Header& h) { h.page_bytes *= 4; }},
      {"no pages", Code::version, [](Header& h) { h.page_bytes = 0; }},
      {"the other kind, whose file is of another length", Code::corrupt,
       [](Header& h) { h.kind = Kind::spsc; }},
      {"no kind", Code::corrupt, [](Header& h) { h.kind = Kind{0}; }},
      {"unknown kind", Code::corrupt, [](Header& h) { h.kind = Kind{77}; }},
      {"unknown flag", Code::corrupt, [](Header& h) { h.flags |= 1u << 31; }},
      {"blocks too small", Code::corrupt, [](Header& h) { h.block_shift = 5; }},
      {"blocks too large", Code::corrupt, [](Header& h) { h.block_shift = 21; }},
      {"shift beyond the word", Code::corrupt, [](Header& h) { h.block_shift = 200; }},
      {"no blocks", Code::corrupt, [](Header& h) { h.blocks_shift = 0; }},
      {"too many blocks", Code::corrupt, [](Header& h) { h.blocks_shift = 21; }},
      {"too little capacity", Code::corrupt, [](Header& h) { h.blocks_shift = 1; }},
      {"too much capacity", Code::corrupt,
       [](Header& h) {
         h.block_shift = 20;
         h.blocks_shift = 20;
       }},
      {"another capacity than the file has", Code::corrupt, [](Header& h) { ++h.blocks_shift; }},
      {"nobody may take part", Code::corrupt, [](Header& h) { h.max_participants = 0; }},
      {"too many participants", Code::corrupt, [](Header& h) { h.max_participants = 257; }},
      {"another number of participants", Code::corrupt, [](Header& h) { ++h.max_participants; }},
      {"too many items", Code::corrupt, [](Header& h) { h.max_items = 1u << 20; }},
      {"no message fits", Code::corrupt, [](Header& h) { h.max_message_bytes = 0; }},
      {"messages larger than the ring", Code::corrupt,
       [](Header& h) { h.max_message_bytes = 4097; }},
      {"codec without an end", Code::corrupt,
       [](Header& h) { std::memset(h.codec, 'c', sizeof h.codec); }},
      {"dead letter without an end", Code::corrupt,
       [](Header& h) { std::memset(h.dead_letter, 'd', sizeof h.dead_letter); }},
  };
  return all;
}

std::string bytes_of(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY);
  struct stat status {};
  REQUIRE(fstat(file, &status) == 0);
  // The ledgers are holes: what matters stands before them.
  std::string bytes(16'384, '\0');
  REQUIRE(pread(file, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  close(file);
  return bytes + std::to_string(status.st_size) + std::to_string(status.st_ino);
}

void spoil_header(const std::string& path, const std::function<void(Header&)>& spoil) {
  const int file = open(path.c_str(), O_RDWR);
  Header header;
  REQUIRE(pread(file, &header, sizeof header, 0) == sizeof header);
  spoil(header);
  REQUIRE(pwrite(file, &header, sizeof header, 0) == sizeof header);
  close(file);
}

}  // namespace

TEST_CASE("every header that is not ours to read is refused, and the file left alone") {
  REQUIRE(variants().size() >= 20);
  for (const Variant& variant : variants()) {
    CAPTURE(std::string(variant.name));
    TestDirectory directory;
    { Peer peer(directory, "q", OpenMode::create, Shape{.flags = kPersist}); }
    const std::string path = directory.path_of("q");
    spoil_header(path, variant.spoil);
    const std::string before = bytes_of(path);
    for (OpenMode mode : {OpenMode::open, OpenMode::create, OpenMode::open_or_create}) {
      CAPTURE(static_cast<int>(mode));
      CHECK(Peer(directory, "q", mode).error().code == variant.expected);
    }
    // Who only looks around is not disturbed by it, and prune does not take it for rubbish.
    const auto opened = directory.open();
    auto listed = interproc::ring::list(opened);
    REQUIRE(listed.ok());
    REQUIRE(listed.value().size() == 1);
    if (variant.expected != Code::kind) CHECK(listed.value()[0].problem.code == variant.expected);
    auto pruned = interproc::ring::prune(opened, false);
    REQUIRE(pruned.ok());
    CHECK(pruned.value().empty());
    CHECK(bytes_of(path) == before);
  }
}

TEST_CASE("a header is checked before anything of it is used, also while others are attached") {
  for (const Variant& variant : variants()) {
    CAPTURE(std::string(variant.name));
    TestDirectory directory;
    Peer peer(directory, "q", OpenMode::create);
    spoil_header(directory.path_of("q"), variant.spoil);
    CHECK(Peer(directory, "q", OpenMode::open_or_create).error().code == variant.expected);
    // Who has it open read it before and never reads it again.
    CHECK(peer.put(1) == Code::ok);
    CHECK(peer.take().id == 1);
  }
}

TEST_CASE("the layout of a segment leaves no overlap and no hole but the alignment") {
  for (std::uint64_t capacity : {std::uint64_t{4096}, std::uint64_t{65'536}, std::uint64_t{1} << 26,
                                 std::uint64_t{1} << 32}) {
    for (std::uint32_t participants : {1u, 2u, 64u, 256u}) {
      CAPTURE(capacity);
      CAPTURE(participants);
      Shape shape{.capacity = capacity, .max_participants = participants};
      if (capacity > std::uint64_t{1} << 26) shape.block_shift = 12;
      Header header = interproc::test::header_of(shape);
      header.page_bytes = 4096;
      const Layout layout = Layout::of(header);
      CHECK(layout.control == 4096);
      CHECK(layout.participants >= layout.control + sizeof(interproc::memory::Control));
      CHECK(layout.descriptors ==
            layout.participants + participants * sizeof(interproc::memory::Participant));
      CHECK(layout.payload % 4096 == 0);
      CHECK(layout.payload >=
            layout.descriptors + (sizeof(interproc::memory::Descriptor) << header.blocks_shift));
      CHECK(layout.payload_bytes == capacity);
      CHECK(layout.ledgers == layout.payload + capacity);
      CHECK(layout.ledger_bytes % 4096 == 0);
      CHECK(layout.ledger_bytes >= sizeof(interproc::memory::Ledger) + capacity);
      CHECK(layout.total == layout.ledgers + layout.ledger_bytes * participants);
    }
  }
}
