#include "ring/carriage.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "memory/ticket.h"
#include "platform/clock.h"
#include "platform/fault.h"
#include "ring/passengers.h"
#include "ring/pipe_end.h"
#include "ring/queue.h"

namespace interproc::ring {

namespace {

using memory::Header;
using memory::Layout;
using memory::Ticket;
using platform::File;

// How often a survey is repeated while what it looks at changes.
constexpr int kSurveys = 8;

// How many times as long as a survey took the next one waits.
constexpr std::int64_t kSurveyRest = 10;

// What this thread was told lately: when it may ask for an end again. It only ever delays a no.
class Turns {
 public:
  using End = std::pair<std::uint64_t, unsigned>;

  bool is_due(const End& end) {
    const std::int64_t now = platform::now_ns();
    if (const auto known = next_.find(end); known != next_.end()) return now >= known->second;
    const std::int64_t last = last_turn(now);
    if (last <= now) return true;
    next_[end] = last + rest_ns_;
    return false;
  }

  // These can arrive, as was found out within that time.
  void found(const std::set<End>& ends, std::int64_t took_ns) {
    const std::int64_t now = platform::now_ns();
    rest_ns_ = kSurveyRest * took_ns;
    std::erase_if(next_,
                  [&](const auto& one) { return one.second <= now || ends.contains(one.first); });
    const std::int64_t next = last_turn(now) + rest_ns_;
    for (const End& end : ends) next_[end] = next;
  }

 private:
  std::int64_t last_turn(std::int64_t now) const {
    std::int64_t last = now;
    for (const auto& [end, at] : next_) last = std::max(last, at);
    return last;
  }

  std::map<End, std::int64_t> next_;
  std::int64_t rest_ns_ = 0;
};
// Not for what is done while the process exits: then it is gone before the objects are closed.
thread_local Turns turns;

// All that carries an end, and what carries that, as it was read piece by piece. Two surveys that read the same saw what was there
// at one moment between them: tickets and the words of ends have serials and never come back.
class Survey {
 public:
  explicit Survey(sync::Doorbell& bell) : bell_(bell) {}

  bool reaches(std::uint64_t pipe, unsigned end) {
    auto names = bell_.directory().names();
    if (!names.ok()) return true;  // unknown is not none
    std::set<std::uint64_t> carriers;
    for (const std::string& name : names.value()) {
      Ticket ticket;
      if (!Ticket::parse(name, ticket) || ticket.carrier == ticket.object) continue;
      tickets_[ticket.object].push_back(ticket);
      carriers.insert(ticket.carrier);
    }
    if (!tickets_.contains(pipe)) return false;
    FAULT("carriage.listed");
    for (const std::string& name : names.value()) {
      if (!Ticket::names_ticket(name) && !sync::Doorbell::names_bell(name))
        add_carrier(name, carriers);
    }
    return unknown_ || somebody_takes(pipe, end);
  }

  // After reaches() said so: what is to be taken from the same carrier as that end.
  void add_reachable(std::set<Turns::End>& found) const {
    for (const auto& [pipe, tickets] : tickets_) {
      for (const Ticket& ticket : tickets) {
        if (ticket.carrier == living_carrier_ &&
            (ticket.serial & PipeEnd::kDirectionBit) == living_direction_)
          found.insert({pipe, static_cast<unsigned>(ticket.serial & PipeEnd::kEndBit)});
      }
    }
  }

  bool saw_the_same(const Survey& other) const {
    return seen_tickets_ == other.seen_tickets_ && seen_ends_ == other.seen_ends_;
  }

 private:
  struct Carrier {
    std::string name;
    Header header;
  };
  // A pipe and the word of its end `end`; 0 before that was read.
  struct Seen {
    std::uint64_t pipe;
    unsigned end;
    std::uint64_t word;
    auto operator<=>(const Seen&) const = default;
  };

  // What cannot be read for want of descriptors or memory, say. What is gone, no file, or no segment of ours carries nothing.
  static bool may_be_one(const Error& error) {
    return error.code != Code::ok && error.code != Code::not_found &&
           error.code != Code::permission && error.code != Code::corrupt &&
           error.code != Code::version;
  }

  void add_carrier(const std::string& name, const std::set<std::uint64_t>& carriers) {
    auto file = bell_.directory().open_file(name);
    if (!file.ok()) {
      if (may_be_one(file.error())) unknown_ = true;
      return;
    }
    Header header{};
    const Error error = memory::read_header(file.value(), header);
    auto facts = file.value().facts();
    if (error.code != Code::ok || !facts.ok()) {
      if (!facts.ok() || may_be_one(error)) unknown_ = true;
      return;
    }
    const std::uint64_t identity = memory::identity_of(header, facts.value());
    if (carriers.contains(identity)) carriers_.emplace(identity, Carrier{name, header});
  }

  bool somebody_takes(std::uint64_t pipe, unsigned end) {
    const auto found = tickets_.find(pipe);
    if (found == tickets_.end()) return false;
    for (const Ticket& ticket : found->second) {
      if ((ticket.serial & PipeEnd::kEndBit) != end) continue;
      seen_tickets_.insert(ticket.file_name());
      const auto carrier = carriers_.find(ticket.carrier);
      if (carrier == carriers_.end() || !somebody_takes_from(carrier->second, ticket)) continue;
      living_carrier_ = ticket.carrier;
      living_direction_ = ticket.serial & PipeEnd::kDirectionBit;
      return true;
    }
    return false;
  }

  bool somebody_takes_from(const Carrier& carrier, const Ticket& ticket) {
    auto file = bell_.directory().open_file(carrier.name);
    if (!file.ok()) return file.error().code != Code::not_found;
    // Nobody but its maker ever takes anything out of a listener, whoever else has it open.
    if (carrier.header.kind == memory::Kind::listener &&
        !file.value().is_locked_by_others(kListenerSlot)) {
      tidy_up(bell_, carrier.name, carrier.header);
      return false;
    }
    if (!file.value().is_locked_by_others(memory::kAttachedByte)) {
      tidy_up(bell_, carrier.name, carrier.header);
      auto facts = file.value().facts();
      if (facts.ok() && facts.value().links == 0) return false;
    }
    if (carrier.header.kind != memory::Kind::pipe) return true;
    const unsigned receiver = (ticket.serial & PipeEnd::kDirectionBit) != 0 ? 0 : 1;
    const std::uint64_t at = Layout::of(carrier.header).control + memory::kPipeWordsAt +
                             offsetof(PipeWords, ends) + receiver * sizeof(std::uint64_t);
    std::uint64_t word = 0;
    if (file.value().read_at(&word, sizeof word, at).code != Code::ok) return true;
    const bool is_new = seen_ends_.insert({ticket.carrier, receiver, word}).second;
    switch (EndWord::state(word)) {
      case EndState::unclaimed:
        return true;
      case EndState::owned:
      case EndState::offered:
        return lives(file.value(), carrier.header, EndWord::owner(word));
      case EndState::flying:
        break;
      default:
        return false;
    }
    file.value().close();  // a chain may be longer than a process may have descriptors
    return is_new && somebody_takes(ticket.carrier, receiver);
  }

  // As Registry::dead, of an object that is not mapped here.
  static bool lives(const File& file, const Header& header, memory::Owner owner) {
    if (owner.slot >= header.max_participants) return false;
    std::uint32_t identity = 0;
    const std::uint64_t at = Layout::of(header).participants +
                             owner.slot * sizeof(memory::Participant) +
                             offsetof(memory::Participant, identity);
    if (file.read_at(&identity, sizeof identity, at).code != Code::ok) return true;
    return static_cast<std::uint8_t>(identity >> 8) == owner.generation &&
           file.is_locked_by_others(owner.slot);
  }

  sync::Doorbell& bell_;
  bool unknown_ = false;
  // Out of which somebody takes.
  std::uint64_t living_carrier_ = 0;
  std::uint64_t living_direction_ = 0;
  std::unordered_map<std::uint64_t, std::vector<Ticket>> tickets_;  // by object
  std::unordered_map<std::uint64_t, Carrier> carriers_;
  std::set<std::string> seen_tickets_;
  std::set<Seen> seen_ends_;
};

// `found`: where to add the ends that can arrive as well.
bool survey(sync::Doorbell& bell, std::uint64_t pipe, unsigned end, std::set<Turns::End>* found) {
  std::optional<Survey> before;
  for (int i = 0; i < kSurveys; ++i) {
    Survey now(bell);
    if (now.reaches(pipe, end)) {
      if (found != nullptr) now.add_reachable(*found);
      return true;
    }
    if (before && now.saw_the_same(*before)) return false;
    FAULT("carriage.surveyed");
    before.emplace(std::move(now));
  }
  return true;  // it still changes
}

}  // namespace

bool can_arrive(sync::Doorbell& bell, std::uint64_t pipe, unsigned end) noexcept {
  return survey(bell, pipe, end, nullptr);
}

bool can_arrive_still(sync::Doorbell& bell, std::uint64_t pipe, unsigned end) noexcept {
  const std::int64_t began = platform::now_ns();
  std::set<Turns::End> found = {{pipe, end}};
  if (!survey(bell, pipe, end, &found)) return false;
  turns.found(found, platform::now_ns() - began);
  return true;
}

bool is_due(std::uint64_t pipe, unsigned end) noexcept { return turns.is_due({pipe, end}); }

}  // namespace interproc::ring
