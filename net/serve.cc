#include "net/serve.h"

#include <errno.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/semaphore.h"

namespace verdant::net {
namespace {

constexpr absl::Duration kFirstBackOff = absl::Milliseconds(10);
constexpr absl::Duration kLastBackOff = absl::Seconds(1);
// Connections accepted in one go before others get their turn (row B10.3).
constexpr int kMaxAccept = 100;

struct StopAccepting {};

// What ends the accept loop. Gone with it, so that a late one interrupts nothing else.
class StopInterrupt final : public internal::Interrupt {
 public:
  [[noreturn]] void Raise() override { throw StopAccepting(); }
};

struct Server {
  Server(ConnectionHandler h, std::size_t concurrency)
      : handler(std::move(h)), slots(static_cast<std::int64_t>(concurrency)) {}

  std::vector<AnyGreenThread> Running() const {
    std::vector<AnyGreenThread> threads;
    threads.reserve(running.size());
    for (const auto& [key, thread] : running) threads.push_back(thread);
    return threads;
  }

  ConnectionHandler handler;
  Semaphore slots;
  std::uint64_t next_key = 0;
  std::map<std::uint64_t, AnyGreenThread> running;  // in the order of their connections
  StopSignal stop;                                  // by handlers
};

// One connection's place in the server, given back with the green thread, even one that is killed
// before it starts.
class Place {
 public:
  explicit Place(std::shared_ptr<Server> server)
      : server_(std::move(server)), key_(server_->next_key++) {}
  Place(Place&&) = default;
  ~Place() {
    if (server_ == nullptr) return;
    server_->running.erase(key_);
    server_->slots.Release();
  }
  Server& server() const { return *server_; }
  std::uint64_t key() const { return key_; }

 private:
  std::shared_ptr<Server> server_;
  std::uint64_t key_;
};

void Handle(Server& server, green::Socket& connection) {
  const green::Address client = connection.peer();
  try {
    server.handler(connection);
  } catch (const StopServe&) {
    server.stop.Stop();
  } catch (const GreenletExit&) {
    throw;
  } catch (...) {
    // Contained: the server outlives its handlers' errors (decision 9).
    Hub::Current().ReportUncaught(absl::StrCat("handler of the connection from ", client),
                                  std::current_exception());
  }
}

void StartHandler(const std::shared_ptr<Server>& server, Place place, green::Socket connection) {
  const std::uint64_t key = place.key();
  AnyGreenThread thread =
      Spawn([place = std::move(place), connection = std::move(connection)]() mutable {
        Handle(place.server(), connection);
        connection.Close();
      });
  server->running.emplace(key, std::move(thread));
}

enum class AcceptError { kOfConnection, kOfMachine, kFatal };

AcceptError Classify(int error) {
  switch (error) {
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
    case 0:
      return AcceptError::kFatal;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:
      return AcceptError::kOfMachine;
    default:  // accept(2): errors of the network that waited on the new connection
      return AcceptError::kOfConnection;
  }
}

absl::Status AcceptLoop(const std::shared_ptr<Server>& server, green::Socket& listener) {
  absl::Duration back_off = kFirstBackOff;
  int accepted_in_a_row = 0;
  for (;;) {
    server->slots.Acquire();
    Place place(server);
    absl::StatusOr<green::Socket> connection = listener.Accept();
    if (connection.ok()) {
      back_off = kFirstBackOff;
      StartHandler(server, std::move(place), *std::move(connection));
      if (++accepted_in_a_row % kMaxAccept == 0) Sleep();
      continue;
    }
    switch (Classify(green::ErrnoOf(connection.status()))) {
      case AcceptError::kFatal:
        return connection.status();
      case AcceptError::kOfConnection:
        // However many come at once, the rest of the program goes on.
        Sleep();
        break;
      case AcceptError::kOfMachine:
        if (back_off == kFirstBackOff) {
          Hub::Current().ReportUncaught("a server, which will try again",
                                        std::make_exception_ptr(std::runtime_error(
                                            std::string(connection.status().message()))));
        }
        Sleep(back_off);
        back_off = std::min(back_off * 2, kLastBackOff);
        break;
    }
  }
}

absl::Status AcceptUntilStopped(const std::shared_ptr<Server>& server, green::Socket& listener,
                                StopSignal* outer) {
  if (outer != nullptr && outer->stopped()) return absl::OkStatus();
  Hub& hub = Hub::Current();
  internal::Task* self = hub.CurrentTask();
  StopInterrupt interrupt;
  const auto stop = [&] {
    if (!interrupt.linked()) hub.Deliver(self, &interrupt);
  };
  try {
    const StopSignal::Watch inner_watch = server->stop.OnStop(stop);
    StopSignal::Watch outer_watch;
    if (outer != nullptr) outer_watch = outer->OnStop(stop);
    return AcceptLoop(server, listener);
  } catch (const StopAccepting&) {
    return absl::OkStatus();
  }
}

}  // namespace

absl::Status Serve(green::Socket& listener, ConnectionHandler handler,
                   const ServeOptions& options) {
  if (options.concurrency == 0) throw std::logic_error("net::Serve: a concurrency of 0");
  const auto server = std::make_shared<Server>(std::move(handler), options.concurrency);
  try {
    const absl::Status status = AcceptUntilStopped(server, listener, options.stop);
    const Deadline deadline = options.grace;
    if (!JoinAll(server->Running(), deadline)) KillAll(server->Running());
    return status;
  } catch (...) {
    KillAll(server->Running());
    throw;
  }
}

absl::Status Serve(green::Socket& listener, ConnectionHandler handler, std::size_t concurrency) {
  ServeOptions options;
  options.concurrency = concurrency;
  return Serve(listener, std::move(handler), options);
}

}  // namespace verdant::net
