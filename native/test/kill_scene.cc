#include "test/kill_scene.h"

#include <fcntl.h>
#include <unistd.h>

#include "ring/catalog.h"
#include "test/bare_segment.h"
#include "test/moved_ring.h"

namespace interproc::test {

using memory::OpenMode;
using sync::kJoin;
using sync::kPut;
using sync::kTake;

namespace {

constexpr std::uint32_t kMaxParticipants = 5;

// Whether there is memory behind any of the places beside the ring.
bool memory_beside(const std::string& path, const memory::Layout& layout) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool any = lseek(file, static_cast<off_t>(layout.side_data), SEEK_DATA) >= 0;
  ::close(file);
  return any;
}

}  // namespace

const std::vector<std::pair<Program, const char*>>& telling_deaths() {
  static const std::vector<std::pair<Program, const char*>> all = {
      {Program::put, "ring.claimed"},
      {Program::put, "ring.tail_moved"},
      {Program::put, "ring.written"},
      {Program::put, "ring.published"},
      {Program::put, "wake.ringing"},
      {Program::take, "ring.taken"},
      {Program::take, "ring.head_moved"},
      {Program::take, "ring.left"},
      {Program::take, "queue.hint_cleared"},
      {Program::take, "queue.copied_returned"},
      {Program::receive_and_ack, "ring.taken"},
      {Program::receive_and_ack, "ledger.filled"},
      {Program::receive_and_ack, "ledger.held"},
      {Program::receive_and_ack, "ledger.ack"},
      {Program::receive_and_nack, "ledger.taken_over"},
      {Program::reserve_and_commit, "lease.reserved"},
      {Program::reserve_and_commit, "ring.written"},
      {Program::reserve_and_abort, "ring.left"},
      {Program::peek_and_release, "lease.peeked"},
      {Program::peek_and_release, "ring.leave"},
      {Program::peek_and_nack, "ring.left"},
      {Program::close_leasing, "lease.aborted"},
      {Program::close_holding, "registry.left"},
      {Program::open_and_close, "registry.locked"},
      {Program::wait_on_bell, "wait.listed"},
      {Program::wait_on_bell, "wait.disarmed"},
      {Program::wait_on_futex, "wait.listed"},
      {Program::put, "side.claimed"},
      {Program::put, "side.asking"},
      {Program::put, "side.sized"},
      {Program::put, "side.filled"},
      {Program::put, "side.publishing"},
      {Program::take, "queue.copied_beside"},
      {Program::take, "queue.owned_beside"},
      {Program::take, "side.leave"},
      {Program::receive_and_ack, "queue.owned_held"},
      {Program::receive_and_ack, "side.leave"},
  };
  return all;
}

KillScene::KillScene(std::uint64_t seed) : random_(seed), seed_(seed) {
  Shape shape{.max_participants = kMaxParticipants};
  if (random_.one_in(2)) {
    // Messages that do not fit the ring: one of the largest at once, or a few, or many.
    shape.max_message_bytes = 3 * shape.capacity;
    const std::uint64_t quotas[] = {3 * shape.capacity, 10 * shape.capacity, 100 * shape.capacity};
    shape.max_side_bytes = quotas[random_.below(3)];
  }
  if (random_.one_in(5)) shape.max_items = 2 + random_.below32(30);
  const auto opened = directory_.open();
  // Somewhere in the life of the ring: at its start, where a field wraps, or where the inside of records is stamped.
  const auto bare = BareSegment::open(opened, "q", OpenMode::create, header_of(shape));
  constexpr std::uint64_t kStamped = 64 * ring::MpmcRing::kStampLaps;
  const std::uint64_t starts[] = {64, ring::Cursor::kPosMask - random_.below(128),
                                  kStamped * (1 + random_.below(1'000)) - random_.below(70)};
  move_ring(bare->segment(), starts[random_.below(3)], random_.below(1u << 20));
  for (Side& side : sides_) side.peer = std::make_unique<Peer>(directory_, "q", OpenMode::open);
}

void KillScene::complain(const std::string& what) {
  if (problems_.size() < 20) problems_.push_back(what);
}

std::string KillScene::report() const {
  std::string text = account_.report();
  for (const std::string& problem : problems_) text += problem + "\n";
  return text;
}

void KillScene::prepare(Program program) {
  // One that waits must often find nothing to do, and one that puts somebody who waits.
  const bool waits = program == Program::wait_on_futex || program == Program::wait_on_bell ||
                     program == Program::put;
  const std::uint64_t shape = random_.below(waits ? 3 : 6);
  const bool empty = shape == 0;
  const bool full = shape == 1;
  for (std::uint64_t i = 0, puts = random_.below(12); !empty && i < puts; ++i) put(i % 2);
  if (!empty) work(random_.below(20));
  if (program == Program::recover || random_.one_in(3)) {
    const auto& deaths = telling_deaths();
    const auto& [earlier, point] = deaths[random_.below(deaths.size())];
    kill_at(earlier, {.at = 1 + random_.below(2), .only = point}, Meanwhile::nothing);
  }
  for (int i = 0; full && i < 80; ++i) put(0);
  for (std::uint32_t who : {0u, 1u}) {
    if (random_.one_in(2)) arm(who);
    while (!sides_[who].held.empty() && random_.one_in(2)) let_go(who, false);
  }
}

void KillScene::work(std::uint64_t calls) {
  for (std::uint64_t i = 0; i < calls; ++i) operate(random_.below32(2));
}

void KillScene::operate(std::uint32_t who) {
  switch (random_.below(9)) {
    case 0:
    case 1:
    case 2:
      put(who);
      return;
    case 3:
    case 4:
      take(who);
      return;
    case 5: {
      if (sides_[who].held.size() >= 4) return let_go(who, random_.one_in(2));
      const Got got = sides_[who].peer->receive();
      if (got.code == Code::unacked) account_.put_back_one_unnamed();
      if (got.code != Code::ok) return;
      if (!got.whole) return complain("a received message is torn");
      account_.receive(who, got.id, got.taken.deliveries);
      sides_[who].held.push_back({got.id, got.taken.receipt});
      return;
    }
    case 6:
      if (!sides_[who].held.empty()) let_go(who, random_.one_in(2));
      return;
    case 7:
      return finish(who);
    default:
      return arm(who);
  }
}

bool KillScene::put(std::uint32_t who, Size size) {
  const std::uint64_t id = Message::id(who, ++sides_[who].sequence);
  account_.intend(id);
  Peer& peer = *sides_[who].peer;
  std::size_t length = 8 + random_.below(random_.one_in(8) ? 900 : 120);
  if (size == Size::any && peer.largest() > peer.capacity() && random_.one_in(3))
    length = peer.capacity() + 1 + random_.below(peer.largest() - peer.capacity());
  const bool in_place = length <= peer.capacity() && random_.one_in(4);
  const Code code = in_place ? peer.put_in_place(id, length) : peer.put(id, length);
  if (code == Code::ok) {
    account_.accept(id);
  } else {
    account_.refuse(id);
    if (code != Code::full && !(code == Code::ended && ended_))
      complain("a survivor's put failed with code " + std::to_string(static_cast<int>(code)));
  }
  return code == Code::ok;
}

bool KillScene::pass_one() {
  const std::uint64_t before = account_.waiting();
  // Not beside it: what a stopped one has there may be all that the quota admits.
  const bool accepted = put(0, Size::within_the_ring);
  return take_all() <= before && accepted;
}

std::uint64_t KillScene::take_all() {
  while (take(1)) continue;
  return account_.waiting();
}

bool KillScene::take(std::uint32_t who) {
  Peer& peer = *sides_[who].peer;
  bool in_place = random_.one_in(4);
  Got got = in_place ? peer.take_in_place() : peer.take();
  if (got.code == Code::too_large) {  // beside the ring nothing is leased
    in_place = false;
    got = peer.take();
  }
  if (got.code != Code::ok) {
    if (got.code != Code::empty && !(got.code == Code::ended && ended_))
      complain("a survivor's take failed with code " + std::to_string(static_cast<int>(got.code)));
    return false;
  }
  if (!got.whole) complain("a message is torn");
  account_.take(who, got.id, got.taken.deliveries);
  if (!in_place) ++sides_[who].tasks;  // what was read in place is finished by its release
  return true;
}

void KillScene::finish(std::uint32_t who) {
  Side& side = sides_[who];
  if (side.peer->queue().task_done() != (side.tasks > 0 ? Code::ok : Code::not_owner))
    complain("a survivor's tasks are miscounted");
  if (side.tasks > 0) --side.tasks;
}

void KillScene::expect_unfinished() {
  bool is_any = account_.waiting() > account_.unnamed_losses();
  for (const Side& side : sides_) is_any = is_any || side.tasks > 0 || !side.held.empty();
  for (Side& side : sides_) {
    if (is_any && side.peer->queue().finished())
      complain("all is said to be finished, and something is not");
  }
}

void KillScene::let_go(std::uint32_t who, bool acknowledge) {
  const Held held = sides_[who].held.back();
  sides_[who].held.pop_back();
  ring::Queue& queue = sides_[who].peer->queue();
  if (acknowledge) {
    account_.ack(held.id);
  } else {
    account_.give_back(held.id);
  }
  if ((acknowledge ? queue.ack(held.receipt) : queue.nack(held.receipt)) != Code::ok)
    complain("a survivor was robbed of what it held");
}

void KillScene::arm(std::uint32_t who) {
  Peer& peer = *sides_[who].peer;
  const sync::Side sides[] = {kTake, kPut, kJoin};
  const auto side = sides[random_.below(3)];
  if (peer.queue().armed(side)) {
    random_.one_in(2) ? peer.queue().disarm(side)
                      : static_cast<void>(peer.queue().answer(side, true));
  } else if (peer.bell().hang().code == Code::ok) {
    peer.queue().arm(side, who);
  }
}

Victim& KillScene::start(Program program, const Strike& strike) {
  ++victims_;
  victim_ = std::make_unique<Victim>(directory_, account_, 10 + victims_, seed_ + victims_);
  // From now on both answers are right, until its journal has been read.
  if (program == Program::end) ended_ = true;
  victim_->start(program, strike);
  return *victim_;
}

void KillScene::bury() {
  for (const std::string& complaint : victim_->read_journal()) complain(complaint);
  if (ended_) ended_ = victim_->ended();
  if (victim_->left_nameless_bell()) ++nameless_bells_;
}

std::string KillScene::kill_at(Program program, Strike strike, Meanwhile meanwhile) {
  strike.stops = meanwhile == Meanwhile::work_while_stopped;
  Victim& victim = start(program, strike);
  if (meanwhile == Meanwhile::work) {
    while (!victim.has_settled()) work(1);
  } else {
    victim.wait();
    if (victim.stopped()) {
      work(1 + random_.below(8));
      victim.kill();
    }
  }
  bury();
  if (random_.one_in(2)) expect_unfinished();
  return victim.point();
}

std::string KillScene::stop_at(Program program, Strike strike) {
  strike.stops = true;
  Victim& victim = start(program, strike);
  victim.wait();
  if (victim.stopped()) return victim.point();
  bury();
  return "";
}

void KillScene::resume() {
  victim_->resume();
  if (!victim_->point().empty()) complain("one that was stopped did not come to its end");
  bury();
}

// Used and free make the whole beside the ring too: as many bytes stand there as may, and come out again.
void KillScene::fill_beside() {
  Peer& peer = *sides_[1].peer;
  const memory::Header& header = peer.queue().header();
  if (peer.largest() <= peer.capacity()) return;
  std::uint64_t left = header.max_side_bytes;
  for (std::uint32_t count = 0; header.max_items == 0 || count < header.max_items; ++count) {
    const std::uint64_t length = std::min(peer.largest(), left);
    if (length <= peer.capacity()) break;
    if (peer.put(Message::id(9, 1), length) != Code::ok)
      return complain("there is not all the room beside the drained ring");
    left -= length;
  }
  for (Got got = peer.take(); got.code != Code::empty; got = peer.take()) {
    if (!got.whole) return complain("what stood beside the ring did not come out");
  }
}

void KillScene::settle(bool by_themselves) {
  for (std::uint32_t who : {0u, 1u}) {
    while (!sides_[who].held.empty()) let_go(who, random_.one_in(2));
  }
  // In their own time: every sleeper looks for the dead by itself now and then.
  while (by_themselves && account_.waiting() > account_.unnamed_losses()) {
    const std::uint32_t who = random_.below32(2);
    if (!take(who)) sides_[who].peer->queue().wait(kTake, 50'000'000);
  }
  sides_[0].peer->queue().sweep();
  bool fresh = false;
  for (;;) {
    const Got got = sides_[0].peer->take();
    if (got.code != Code::ok) {
      if (got.code != (ended_ ? Code::ended : Code::empty))
        complain("the drain ended with code " + std::to_string(static_cast<int>(got.code)));
      break;
    }
    if (!got.whole) complain("a message is torn");
    if (fresh && got.taken.deliveries > 1) complain("a redelivered message came after a new one");
    fresh = got.taken.deliveries == 1;
    account_.take(0, got.id, got.taken.deliveries);
    ++sides_[0].tasks;
  }
  account_.close_books();
  expect_unfinished();
  for (std::uint32_t who : {0u, 1u}) {
    while (sides_[who].tasks > 0) finish(who);
  }
  for (Side& side : sides_) {
    if (side.peer->queue().size() != 0) complain("the drained queue has a size");
    if (!side.peer->queue().finished()) complain("something is unfinished, and nobody has it");
    if (side.peer->queue().stats().unacknowledged != 0) complain("the ledgers are not empty");
    if (!side.peer->queue().leases().empty()) complain("the dead are still said to hold leases");
  }
  if (!ended_) {
    // Used and free make the whole: one record as large as the ring goes in and out.
    const std::uint64_t whole = Message::id(9, 1);
    if (sides_[1].peer->put(whole, sides_[1].peer->capacity()) != Code::ok)
      complain("the drained ring has not all its room");
    const Got got = sides_[0].peer->take();
    if (got.code != Code::ok || got.id != whole || !got.whole)
      complain("the record of the whole ring did not come out");
    fill_beside();
    // And one as large as a ledger.
    if (sides_[1].peer->put(whole, sides_[1].peer->capacity()) != Code::ok ||
        sides_[0].peer->receive().code != Code::ok) {
      complain("a record of the whole ring cannot be received");
    }
  }
  if (sides_[0].peer->queue().stats().participants != 2)
    complain("the dead are still counted as participants");
  {
    std::vector<std::unique_ptr<Peer>> others;
    for (std::uint32_t i = 2; i < kMaxParticipants; ++i) {
      others.push_back(std::make_unique<Peer>(directory_, "q", OpenMode::open));
      if (!others.back()->ok()) complain("a slot is lost");
    }
    if (Peer(directory_, "q", OpenMode::open).error().code != Code::no_slot)
      complain("there are more slots than there were");
  }
  for (Side& side : sides_) side.peer->close();
  for (Side& side : sides_) side.peer.reset();
  if (!ended_) {
    // What was received last came back with the close, and keeps the queue.
    Peer last(directory_, "q", OpenMode::open);
    if (memory_beside(directory_.path_of("q"), last.queue().layout()))
      complain("memory is left beside the ring");
    if (!last.ok() || last.take().id != Message::id(9, 1))
      complain("what was held at the close is not in the queue");
  }
  if (directory_.names().size() != nameless_bells_)
    complain("something is left in the directory: " +
             (directory_.names().empty() ? "less than expected" : directory_.names()[0]));
  // A bell that no segment names belongs to nobody who could take it down: prune finds it.
  if (!ring::prune(directory_.open(), false).ok() || !directory_.names().empty())
    complain("something is left in the directory after prune");
}

}  // namespace interproc::test
