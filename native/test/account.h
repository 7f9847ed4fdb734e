#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace interproc::test {

// Keeps the books of one queue from outside: what was accepted must come out exactly once, or again and then marked as
// delivered before; what was refused must never come out; what one producer put comes to each reader in its order.
// Nothing is asserted here: a test looks at problems() when it is in a position to.
class Account {
 public:
  // Before the put, and after it.
  void intend(std::uint64_t id);
  void accept(std::uint64_t id);
  void refuse(std::uint64_t id);
  // A put whose caller was killed: it may have happened, or must have, or must not.
  enum class Fate { unknown, happened, did_not };
  void decide(std::uint64_t id, Fate fate);

  // `reader` took it for good, or holds it.
  void take(std::uint32_t reader, std::uint64_t id, std::uint32_t deliveries);
  void receive(std::uint32_t reader, std::uint64_t id, std::uint32_t deliveries);
  void ack(std::uint64_t id);
  // Given back: by nack, by closing, or by the death of its reader.
  void give_back(std::uint64_t id);
  // Another process consumed it, or had it and let go of it. These books hear of it when that process is dead, and
  // others may have had the message since.
  void consumed_elsewhere(std::uint64_t id, std::uint32_t deliveries);
  void came_back_from_elsewhere(std::uint64_t id, std::uint32_t deliveries);
  // One message that nobody can name went with a reader that was killed after the ring had let it go.
  void lose_one_unnamed() { ++unnamed_losses_; }

  // A receiver whose ledger was full put back what it had taken. That one comes late and, never having been delivered,
  // unmarked, to whom it comes; these books hear of it when the call returns, and others may have had it by then.
  void put_back_one_unnamed() { ++put_back_; }

  // What lies in the queue now, as far as these books know; those that nobody can name are still among them.
  std::uint64_t waiting() const;
  std::uint64_t unnamed_losses() const { return unnamed_losses_; }

  // To be called when the queue is drained.
  void close_books();
  const std::vector<std::string>& problems() const { return problems_; }
  std::string report() const;

 private:
  enum class Place { nowhere, intended, waiting, held, gone };
  struct Entry {
    Place place = Place::nowhere;
    Fate fate = Fate::unknown;
    std::uint32_t deliveries = 0;
  };

  bool hand_over(std::uint32_t reader, std::uint64_t id, std::uint32_t deliveries, Place to);
  void complain(const std::string& what, std::uint64_t id);

  std::map<std::uint64_t, Entry> entries_;
  std::map<std::uint64_t, std::uint64_t> last_seen_;  // of a reader and a producer
  std::uint64_t unnamed_losses_ = 0;
  std::uint64_t put_back_ = 0;
  std::vector<std::uint64_t> out_of_order_;
  std::vector<std::string> problems_;
};

}  // namespace interproc::test
