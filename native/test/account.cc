#include "test/account.h"

#include <algorithm>

#include "test/message.h"

namespace interproc::test {

void Account::complain(const std::string& what, std::uint64_t id) {
  if (problems_.size() >= 20) return;
  problems_.push_back(what + " (message " + std::to_string(Message::sequence(id)) +
                      " of producer " + std::to_string(Message::producer(id)) + ")");
}

std::string Account::report() const {
  std::string text;
  for (const std::string& problem : problems_) text += problem + "\n";
  return text;
}

void Account::intend(std::uint64_t id) { entries_[id].place = Place::intended; }

void Account::accept(std::uint64_t id) {
  Entry& entry = entries_[id];
  entry.fate = Fate::happened;
  // Another may have had it before its put returned.
  if (entry.place == Place::intended) entry.place = Place::waiting;
}

void Account::refuse(std::uint64_t id) { decide(id, Fate::did_not); }

void Account::decide(std::uint64_t id, Fate fate) {
  Entry& entry = entries_[id];
  if (fate == Fate::happened) return accept(id);
  entry.fate = fate;
  if (fate == Fate::did_not && entry.place != Place::intended)
    complain("delivered though it was never put", id);
}

bool Account::hand_over(std::uint32_t reader, std::uint64_t id, std::uint32_t deliveries,
                        Place to) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) {
    complain("delivered though nobody put it", id);
    return false;
  }
  Entry& entry = found->second;
  if (entry.place == Place::gone || entry.place == Place::held) {
    complain(entry.place == Place::gone ? "delivered again after it had been consumed"
                                        : "delivered to another while it was held",
             id);
    return false;
  }
  if (entry.place == Place::intended && entry.fate == Fate::did_not)
    complain("delivered though its put was refused", id);
  if (deliveries <= entry.deliveries)
    complain(
        "delivered again without being marked, or marked too low: " + std::to_string(deliveries),
        id);
  entry.deliveries = deliveries;
  entry.place = to;
  if (deliveries == 1) {
    std::uint64_t& last =
        last_seen_[std::uint64_t{reader} << 32 | Message::producer(id)];  // sequences start at 1
    if (Message::sequence(id) <= last) out_of_order_.push_back(id);
    last = std::max(last, Message::sequence(id));
  }
  return true;
}

void Account::take(std::uint32_t reader, std::uint64_t id, std::uint32_t deliveries) {
  hand_over(reader, id, deliveries, Place::gone);
}

void Account::receive(std::uint32_t reader, std::uint64_t id, std::uint32_t deliveries) {
  hand_over(reader, id, deliveries, Place::held);
}

void Account::ack(std::uint64_t id) {
  if (entries_[id].place != Place::held) complain("acknowledged though nobody held it", id);
  entries_[id].place = Place::gone;
}

void Account::give_back(std::uint64_t id) {
  if (entries_[id].place != Place::held) complain("given back though nobody held it", id);
  entries_[id].place = Place::waiting;
}

void Account::consumed_elsewhere(std::uint64_t id, std::uint32_t deliveries) {
  Entry& entry = entries_[id];
  if (entry.place == Place::gone || entry.place == Place::held)
    complain("delivered again after another process had consumed it", id);
  entry.place = Place::gone;
  entry.deliveries = deliveries;
}

void Account::came_back_from_elsewhere(std::uint64_t id, std::uint32_t deliveries) {
  Entry& entry = entries_[id];
  if (entry.place == Place::gone || entry.place == Place::held) {
    if (entry.deliveries <= deliveries)
      complain("delivered again without being marked after another process had had it", id);
  } else if (entry.deliveries < deliveries) {
    entry.deliveries = deliveries;
  }
}

std::uint64_t Account::waiting() const {
  std::uint64_t waiting = 0;
  for (const auto& [id, entry] : entries_) waiting += entry.place == Place::waiting ? 1 : 0;
  return waiting;
}

void Account::close_books() {
  std::uint64_t missing = 0;
  std::uint64_t last_missing = 0;
  for (const auto& [id, entry] : entries_) {
    if (entry.place == Place::held) complain("still held", id);
    if (entry.place != Place::waiting) continue;
    ++missing;
    last_missing = id;
    if (missing > unnamed_losses_) complain("accepted, and never delivered", id);
  }
  if (out_of_order_.size() > put_back_) {
    for (const std::uint64_t id : out_of_order_) complain("out of its producer's order", id);
  }
  if (missing < unnamed_losses_)
    complain("delivered again though a reader had consumed it before it was killed", last_missing);
}

}  // namespace interproc::test
