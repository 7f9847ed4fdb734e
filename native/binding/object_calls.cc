#include "binding/object_calls.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "binding/errors.h"
#include "binding/kind_names.h"
#include "ring/abandoned.h"
#include "ring/catalog.h"
#include "ring/passengers.h"

namespace interproc::binding {

namespace {

using memory::Header;
using memory::Kind;
using memory::OpenMode;

Environment& environment_of(const Napi::CallbackInfo& info) {
  return *static_cast<Environment*>(info.Data());
}

std::uint32_t number(const Napi::Object& options, const char* name) {
  const Napi::Value value = options.Get(name);
  return value.IsNumber() ? value.As<Napi::Number>().Uint32Value() : 0;
}

double real(const Napi::Object& options, const char* name) {
  const Napi::Value value = options.Get(name);
  return value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : 0;
}

bool flag(const Napi::Object& options, const char* name) {
  const Napi::Value value = options.Get(name);
  return value.IsBoolean() && value.As<Napi::Boolean>().Value();
}

template <std::size_t Bytes>
void text(const Napi::Object& options, const char* name, char (&into)[Bytes]) {
  const Napi::Value value = options.Get(name);
  if (!value.IsString()) return;
  const std::string string = value.As<Napi::String>().Utf8Value();
  std::memcpy(into, string.data(), std::min(string.size(), Bytes - 1));
}

// The header of an object with these options, all of which TypeScript has checked and completed. In a thread that is being
// terminated they are not to be had, and it is the header of nothing.
Header header_of(const Napi::Object& options, Kind kind) {
  Header header{};
  header.kind = kind;
  const double capacity = std::fmax(real(options, "capacityBytes"), 1);
  const std::uint32_t capacity_shift =
      static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint64_t>(capacity) - 1));
  header.block_shift = memory::kMinBlockShift;
  if (capacity_shift > header.block_shift + memory::kMaxBlocksShift) {
    header.block_shift = capacity_shift - memory::kMaxBlocksShift;
  }
  header.blocks_shift = capacity_shift - header.block_shift;
  header.flags = (flag(options, "persist") ? memory::kPersist : 0u) |
                 (flag(options, "anonymous") ? memory::kAnonymous : 0u);
  header.max_participants = number(options, "maxParticipants");
  header.max_items = number(options, "maxItems");
  header.max_deliveries = number(options, "maxDeliveries");
  header.max_message_bytes = static_cast<std::uint64_t>(real(options, "maxMessageBytes"));
  header.max_side_bytes = static_cast<std::uint64_t>(real(options, "maxSideBytes"));
  text(options, "codec", header.codec);
  text(options, "deadLetter", header.dead_letter);
  return header;
}

// openQueue(directory, name, mode, options) and openSpsc(directory, name, mode, options): the object's token.
template <class Open>
Napi::Value open_object(const Napi::CallbackInfo& info, Kind kind, Open open) {
  Environment& environment = environment_of(info);
  const std::string directory = info[0].As<Napi::String>().Utf8Value();
  const std::string name = info[1].As<Napi::String>().Utf8Value();
  const auto mode = static_cast<OpenMode>(info[2].As<Napi::Number>().Uint32Value());
  const Napi::Object options = info[3].As<Napi::Object>();
  auto watch = environment.watch(directory);
  if (!watch.ok()) {
    raise(info.Env(), watch.error());
    return {};
  }
  auto object = std::make_unique<Environment::Object>();
  object->watch = watch.value();
  if (Error error =
          open(*watch.value()->bell, name, mode, header_of(options, kind), options, *object);
      error.code != Code::ok) {
    raise(info.Env(), error);
    return {};
  }
  return Napi::Number::New(info.Env(), environment.adopt(std::move(object)));
}

Napi::Value open_queue(const Napi::CallbackInfo& info) {
  return open_object(
      info, Kind::mpmc,
      [](sync::Doorbell& bell, const std::string& name, OpenMode mode, const Header& header,
         const Napi::Object&, Environment::Object& object) -> Error {
        auto queue = ring::open_past_abandoned(
            bell, name, Kind::mpmc, [&] { return ring::Queue::open(bell, name, mode, header); });
        if (queue.ok()) object.queue = std::move(queue.value());
        return queue.error();
      });
}

// openPipe(directory, name, mode, options): mode 0 makes the pipe, and its end 0; 1 opens the end 1 of a pipe made just now.
Napi::Value open_pipe(const Napi::CallbackInfo& info) {
  return open_object(info, Kind::pipe,
                     [](sync::Doorbell& bell, const std::string& name, OpenMode mode, Header header,
                        const Napi::Object& options, Environment::Object& object) -> Error {
                       header.max_participants = ring::PipeEnd::kParticipants;
                       header.flags = memory::kAnonymous;
                       if (!flag(options, "duplex")) header.flags |= memory::kOneWay;
                       auto end = mode == OpenMode::create
                                      ? ring::PipeEnd::create(bell, name, header, 0)
                                      : ring::PipeEnd::claim(bell, name, 1);
                       if (end.ok()) object.pipe = std::move(end.value());
                       return end.error();
                     });
}

// openPipeTicket(directory, ticket): the end that it is for; a lost one, if nobody can have it any more.
Napi::Value open_pipe_ticket(const Napi::CallbackInfo& info) {
  Environment& environment = environment_of(info);
  const std::string file = info[1].As<Napi::String>().Utf8Value();
  auto watch = environment.watch(info[0].As<Napi::String>().Utf8Value());
  if (!watch.ok()) {
    raise(info.Env(), watch.error());
    return {};
  }
  sync::Doorbell& bell = *watch.value()->bell;
  memory::Ticket ticket;
  if (!memory::Ticket::parse(file, ticket)) {
    raise(info.Env(), fail(Code::argument, "no ticket"));
    return {};
  }
  auto name = memory::Ticket::object_name(bell.directory(), file);
  if (!name.ok()) {
    raise(info.Env(), name.error());
    return {};
  }
  auto end = ring::PipeEnd::arrive(bell, name.value(), ticket);
  if (!end.ok()) {
    raise(info.Env(), end.error());
    return {};
  }
  auto object = std::make_unique<Environment::Object>();
  object->watch = watch.value();
  object->pipe = std::move(end.value());
  return Napi::Number::New(info.Env(), environment.adopt(std::move(object)));
}

Napi::Value open_spsc(const Napi::CallbackInfo& info) {
  return open_object(info, Kind::spsc,
                     [](sync::Doorbell& bell, const std::string& name, OpenMode mode, Header header,
                        const Napi::Object& options, Environment::Object& object) -> Error {
                       header.max_participants = 2;
                       const auto role = flag(options, "producer") ? ring::SpscChannel::producer
                                                                   : ring::SpscChannel::consumer;
                       auto channel = ring::open_past_abandoned(bell, name, Kind::spsc, [&] {
                         return ring::SpscChannel::open(bell, name, mode, header, role);
                       });
                       if (channel.ok()) object.spsc = std::move(channel.value());
                       return channel.error();
                     });
}

Environment::Object* object_of(const Napi::CallbackInfo& info) {
  return environment_of(info).object(info[0].As<Napi::Number>().Uint32Value());
}

// geometry(token), of a ring
Napi::Value geometry(const Napi::CallbackInfo& info) {
  const Environment::Object* object = object_of(info);
  if (object == nullptr || object->state != nullptr) return info.Env().Undefined();
  const Header& header = object->header();
  Napi::Object made = Napi::Object::New(info.Env());
  made.Set("capacityBytes",
           static_cast<double>(std::uint64_t{1} << (header.block_shift + header.blocks_shift)));
  made.Set("maxMessageBytes",
           static_cast<double>(object->spsc == nullptr ? header.max_message_bytes
                                                       : object->spsc->max_message_bytes()));
  made.Set("maxSideBytes", static_cast<double>(header.max_side_bytes));
  made.Set("maxItems", static_cast<double>(header.max_items));
  made.Set("maxDeliveries", static_cast<double>(header.max_deliveries));
  made.Set("maxParticipants", static_cast<double>(header.max_participants));
  made.Set("codec", static_cast<const char*>(header.codec));
  made.Set("deadLetter", static_cast<const char*>(header.dead_letter));
  made.Set("persist", (header.flags & memory::kPersist) != 0);
  made.Set("anonymous", (header.flags & memory::kAnonymous) != 0);
  made.Set("duplex", (header.flags & memory::kOneWay) == 0);
  if (object->pipe != nullptr) {
    made.Set("end", static_cast<double>(object->pipe->index()));
    made.Set("slot", static_cast<double>(object->pipe->slot()));
    made.Set("lost", object->pipe->lost());
  }
  return made;
}

// stats(token)
Napi::Value stats(const Napi::CallbackInfo& info) {
  const Environment::Object* object = object_of(info);
  if (object == nullptr || object->queue == nullptr) return info.Env().Undefined();
  const ring::QueueStats stats = object->queue->stats();
  Napi::Object made = Napi::Object::New(info.Env());
  made.Set("puts", static_cast<double>(stats.puts));
  made.Set("gets", static_cast<double>(stats.gets));
  made.Set("putBytes", static_cast<double>(stats.put_bytes));
  made.Set("gotBytes", static_cast<double>(stats.got_bytes));
  made.Set("waits", static_cast<double>(stats.waits));
  made.Set("wakes", static_cast<double>(stats.wakes));
  made.Set("redelivered", static_cast<double>(stats.redelivered));
  made.Set("highWater", static_cast<double>(stats.high_water));
  made.Set("participants", static_cast<double>(stats.participants));
  made.Set("unacknowledged", static_cast<double>(stats.unacknowledged));
  return made;
}

// end(token)
void end(const Napi::CallbackInfo& info) {
  const Environment::Object* object = object_of(info);
  if (object == nullptr) return;
  if (object->queue != nullptr) object->queue->end();
  if (object->spsc != nullptr) object->spsc->end();
}

// ended(token)
Napi::Value ended(const Napi::CallbackInfo& info) {
  const Environment::Object* object = object_of(info);
  const bool is = object != nullptr && (object->queue != nullptr  ? object->queue->ended()
                                        : object->spsc != nullptr ? object->spsc->ended()
                                                                  : false);
  return Napi::Boolean::New(info.Env(), is);
}

// isReadable(token)
Napi::Value is_readable(const Napi::CallbackInfo& info) {
  const Environment::Object* object = object_of(info);
  return Napi::Boolean::New(
      info.Env(), object != nullptr && object->queue != nullptr && object->queue->is_readable());
}

// isFull(token)
Napi::Value is_full(const Napi::CallbackInfo& info) {
  const Environment::Object* object = object_of(info);
  return Napi::Boolean::New(
      info.Env(), object != nullptr && object->queue != nullptr && object->queue->is_full());
}

// peerAlive(token), of a byte ring
Napi::Value peer_alive(const Napi::CallbackInfo& info) {
  const Environment::Object* object = object_of(info);
  return Napi::Boolean::New(
      info.Env(), object != nullptr && object->spsc != nullptr && object->spsc->peer_alive());
}

// setRef(token, ref)
void set_ref(const Napi::CallbackInfo& info) {
  environment_of(info).set_ref(info[0].As<Napi::Number>().Uint32Value(),
                               info[1].As<Napi::Boolean>().Value());
}

// close(token)
void close(const Napi::CallbackInfo& info) {
  environment_of(info).close(info[0].As<Napi::Number>().Uint32Value());
}

// unlink(token)
void unlink(const Napi::CallbackInfo& info) {
  const Environment::Object* object = object_of(info);
  if (object == nullptr) return;
  if (object->pipe != nullptr) return;  // it has no name that anybody could know
  const Error error = object->queue != nullptr   ? object->queue->unlink()
                      : object->state != nullptr ? object->state->unlink()
                                                 : object->spsc->unlink();
  if (error.code != Code::ok) raise(info.Env(), error);
}

// identity(token): what tells the object from every other.
Napi::Value identity(const Napi::CallbackInfo& info) {
  const Environment::Object* object = object_of(info);
  if (object == nullptr || object->segment() == nullptr) return info.Env().Undefined();
  return Napi::BigInt::New(info.Env(), object->segment()->identity());
}

// The ticket's file name; of what went wrong an exception.
Napi::Value ticket_or_raise(const Napi::Env& env, Result<memory::Ticket> ticket) {
  if (ticket.ok()) return Napi::String::New(env, ticket.value().file_name());
  raise(env, ticket.error());
  return {};
}

// issueTicket(token of the carrier, token of the passenger)
Napi::Value issue_ticket(const Napi::CallbackInfo& info) {
  Environment& environment = environment_of(info);
  Environment::Object* carrier = environment.object(info[0].As<Napi::Number>().Uint32Value());
  Environment::Object* passenger = environment.object(info[1].As<Napi::Number>().Uint32Value());
  if (carrier == nullptr || passenger == nullptr || passenger->segment() == nullptr ||
      (carrier->queue == nullptr && carrier->pipe == nullptr)) {
    raise(info.Env(), fail(Code::invalid, "closed"));
    return {};
  }
  if (carrier->watch != passenger->watch) {
    raise(info.Env(), fail(Code::argument, "the two live in different directories"));
    return {};
  }
  // An end of a pipe goes with the message: nobody else may have it, nor this handle use it.
  const auto issue = [&](std::uint64_t bits) {
    return carrier->queue != nullptr ? carrier->queue->issue_ticket(*passenger->segment(), bits)
                                     : carrier->pipe->issue_ticket(*passenger->segment(), bits);
  };
  if (passenger->pipe == nullptr) return ticket_or_raise(info.Env(), issue(0));
  if (const Code code = passenger->pipe->offer(); code != Code::ok) {
    raise(info.Env(), fail(code, "this end is not this handle's to give away"));
    return {};
  }
  auto ticket = issue(passenger->pipe->index());
  // Nobody can see whether a queue without any name still is there, and so whether the end is lost.
  auto facts = carrier->segment()->file().facts();
  if (ticket.ok() && facts.ok() && facts.value().links == 0) {
    ring::redeem(*carrier->watch->bell, ticket.value().file_name());
    ticket = fail(Code::not_found,
                  "the name of this queue was removed before it carried anything; an end of a pipe "
                  "cannot travel in it");
  }
  if (!ticket.ok()) passenger->pipe->stay();
  return ticket_or_raise(info.Env(), std::move(ticket));
}

// copyTicket(token of the new carrier, file name): undefined if there is no such ticket.
Napi::Value copy_ticket(const Napi::CallbackInfo& info) {
  const Environment::Object* carrier = object_of(info);
  memory::Ticket known;
  if (carrier == nullptr || carrier->queue == nullptr ||
      !memory::Ticket::parse(info[1].As<Napi::String>().Utf8Value(), known))
    return info.Env().Undefined();
  auto copied = carrier->queue->copy_ticket(known);
  if (!copied.ok() && copied.error().code == Code::not_found) return info.Env().Undefined();
  return ticket_or_raise(info.Env(), std::move(copied));
}

// redeemTicket(directory, file name)
void redeem_ticket(const Napi::CallbackInfo& info) {
  auto watch = environment_of(info).watch(info[0].As<Napi::String>().Utf8Value());
  if (watch.ok()) ring::redeem(*watch.value()->bell, info[1].As<Napi::String>().Utf8Value());
}

// listen(token): before the first arm.
void listen(const Napi::CallbackInfo& info) {
  if (const Error error = environment_of(info).listen(info[0].As<Napi::Number>().Uint32Value());
      error.code != Code::ok)
    raise(info.Env(), error);
}

// onBell(dispatch)
void on_bell(const Napi::CallbackInfo& info) {
  environment_of(info).on_bell(info[0].As<Napi::Function>());
}

Napi::Value inbox(const Napi::CallbackInfo& info) { return environment_of(info).inbox.view(); }
Napi::Value outbox(const Napi::CallbackInfo& info) { return environment_of(info).outbox.view(); }

// list(directory)
Napi::Value list(const Napi::CallbackInfo& info) {
  auto directory = platform::Directory::open(info[0].As<Napi::String>().Utf8Value());
  auto entries = directory.ok() ? ring::list(directory.value()) : directory.error();
  if (!entries.ok()) {
    raise(info.Env(), entries.error());
    return {};
  }
  Napi::Array made = Napi::Array::New(info.Env());
  std::uint32_t index = 0;
  for (const ring::CatalogEntry& entry : entries.value()) {
    Napi::Object object = Napi::Object::New(info.Env());
    object.Set("name", entry.name);
    object.Set("kind", kind_name(entry.kind));
    object.Set("totalBytes", static_cast<double>(entry.total_bytes));
    object.Set("participants", static_cast<double>(entry.participants));
    object.Set("size", static_cast<double>(entry.size));
    object.Set("persist", entry.persist);
    object.Set("anonymous", entry.anonymous);
    if (entry.problem.code != Code::ok) {
      object.Set("problem",
                 entry.problem.detail[0] != '\0' ? entry.problem.detail : entry.problem.syscall);
    }
    made.Set(index++, object);
  }
  return made;
}

// prune(directory, dryRun)
Napi::Value prune(const Napi::CallbackInfo& info) {
  auto directory = platform::Directory::open(info[0].As<Napi::String>().Utf8Value());
  auto names = directory.ok() ? ring::prune(directory.value(), info[1].As<Napi::Boolean>().Value())
                              : directory.error();
  if (!names.ok()) {
    raise(info.Env(), names.error());
    return {};
  }
  Napi::Array made = Napi::Array::New(info.Env());
  std::uint32_t index = 0;
  for (const std::string& name : names.value()) made.Set(index++, name);
  return made;
}

}  // namespace

void export_object_calls(Napi::Env env, Napi::Object exports, Environment* environment) {
  const auto add = [&](const char* name, auto callback) {
    exports.Set(name, Napi::Function::New(env, callback, name, environment));
  };
  add("openQueue", open_queue);
  add("openSpsc", open_spsc);
  add("openPipe", open_pipe);
  add("openPipeTicket", open_pipe_ticket);
  add("geometry", geometry);
  add("stats", stats);
  add("end", end);
  add("ended", ended);
  add("isFull", is_full);
  add("isReadable", is_readable);
  add("peerAlive", peer_alive);
  add("setRef", set_ref);
  add("close", close);
  add("unlink", unlink);
  add("identity", identity);
  add("issueTicket", issue_ticket);
  add("copyTicket", copy_ticket);
  add("redeemTicket", redeem_ticket);
  add("listen", listen);
  add("onBell", on_bell);
  add("inbox", inbox);
  add("outbox", outbox);
  add("list", list);
  add("prune", prune);
}

}  // namespace interproc::binding
