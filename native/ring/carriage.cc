#include "ring/carriage.h"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "memory/ticket.h"
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
      if (carrier != carriers_.end() && somebody_takes_from(carrier->second, ticket)) return true;
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
  std::unordered_map<std::uint64_t, std::vector<Ticket>> tickets_;  // by object
  std::unordered_map<std::uint64_t, Carrier> carriers_;
  std::set<std::string> seen_tickets_;
  std::set<Seen> seen_ends_;
};

}  // namespace

bool can_arrive(sync::Doorbell& bell, std::uint64_t pipe, unsigned end) noexcept {
  std::optional<Survey> before;
  for (int i = 0; i < kSurveys; ++i) {
    Survey now(bell);
    if (now.reaches(pipe, end)) return true;
    if (before && now.saw_the_same(*before)) return false;
    FAULT("carriage.surveyed");
    before.emplace(std::move(now));
  }
  return true;  // it still changes
}

}  // namespace interproc::ring
