// An echo server of green threads, over epoll, over io_uring, and over io_uring that receives and
// accepts ahead, against a hand-written epoll loop, with the same client: round trips a second, and
// for each the server thread's CPU time, which other load on the machine disturbs least, and the
// system calls of its poller, to which each adds a send and, unless it receives ahead, a recv.
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "green/socket.h"
#include "hub/hub.h"
#include "net/listen.h"
#include "net/serve.h"

namespace verdant {
namespace {

constexpr std::size_t kBuffer = 16384;  // of a server, for one connection
constexpr int kRepetitions = 5;

[[noreturn]] void Die(const char* what) {
  perror(what);
  exit(1);
}

std::int64_t Nanos(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
}

void Watch(int epoll, int fd) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) Die("epoll_ctl");
}

struct Result {
  double round_trips_per_second;
  double server_cpu_nanos;  // for each round trip
  double poller_calls;      // likewise
};

// Of one run.
struct Spent {
  std::int64_t cpu_nanos = 0;
  std::uint64_t poller_calls = 0;
};

// What the client does: so many connections, some at a time, a message at a time on each.
struct Load {
  const char* name;
  int connections;
  int at_once;
  int rounds;  // on each
  std::size_t message;
};

class Client {
 public:
  Client(const green::Address& server, const Load& load)
      : server_(server), load_(load), message_(load.message) {}

  void Run() {
    for (int i = 0; i < load_.at_once; ++i) Open();
    std::array<epoll_event, 256> events;
    while (running_ > 0) {
      const int ready = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < ready; ++i) Receive(events[static_cast<std::size_t>(i)].data.fd);
    }
    close(epoll_);
  }

 private:
  struct Connection {
    int rounds = 0;
    std::size_t got = 0;
  };

  void Open() {
    if (opened_ == load_.connections) return;
    const int fd = socket(server_.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, server_.data(), server_.size()) != 0) Die("connect");
    Watch(epoll_, fd);
    if (static_cast<std::size_t>(fd) >= state_.size())
      state_.resize(static_cast<std::size_t>(fd) + 1);
    state_[static_cast<std::size_t>(fd)] = {};
    ++opened_;
    ++running_;
    Send(fd);
  }

  void Send(int fd) {
    if (send(fd, message_.data(), message_.size(), 0) != static_cast<ssize_t>(message_.size())) {
      Die("send");
    }
  }

  void Receive(int fd) {
    Connection& connection = state_[static_cast<std::size_t>(fd)];
    const ssize_t got = recv(fd, message_.data(), message_.size(), 0);
    if (got <= 0) Die("recv");
    connection.got += static_cast<std::size_t>(got);
    if (connection.got < message_.size()) return;
    connection.got = 0;
    if (++connection.rounds < load_.rounds) return Send(fd);
    close(fd);
    --running_;
    Open();
  }

  const green::Address& server_;
  const Load& load_;
  std::vector<char> message_;
  const int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<Connection> state_;  // by descriptor
  int opened_ = 0;
  int running_ = 0;
};

// A server: tells its address, runs until all connections have ended.
using Server = std::function<Spent(std::promise<green::Address>&, int connections)>;

Spent EpollServer(std::promise<green::Address>& address, int connections) {
  green::Socket listening = *net::Listen("127.0.0.1:0");
  const green::Address here = *listening.local();
  const int listener = listening.Release();
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  Watch(epoll, listener);
  address.set_value(here);
  const std::int64_t began = Nanos(CLOCK_THREAD_CPUTIME_ID);
  std::array<epoll_event, 256> events;
  std::array<char, kBuffer> buffer;
  std::uint64_t waits = 0;
  for (int open = connections; open > 0;) {
    ++waits;
    const int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener) {
        if (const int accepted = accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            accepted >= 0) {
          Watch(epoll, accepted);
        }
        continue;
      }
      const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
      if (got < 0 && errno == EAGAIN) continue;
      if (got <= 0) {
        close(fd);
        --open;
      } else if (send(fd, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) != got) {
        Die("send");
      }
    }
  }
  const std::int64_t used = Nanos(CLOCK_THREAD_CPUTIME_ID) - began;
  close(epoll);
  close(listener);
  return {used, waits};
}

bool HasPoller(const char* poller) {
  bool has = false;
  std::thread([&] { has = Hub::Configure({.poller = poller}).poller() == poller; }).join();
  return has;
}

Spent GreenServer(const char* poller, bool ahead, std::promise<green::Address>& address,
                  int connections) {
  Hub& hub = Hub::Configure({.poller = poller});
  green::Socket listener = *net::Listen("127.0.0.1:0");
  if (ahead) listener.AcceptAhead();
  address.set_value(*listener.local());
  const std::int64_t began = Nanos(CLOCK_THREAD_CPUTIME_ID);
  int open = connections;
  const absl::Status status = net::Serve(listener, [&](green::Socket& connection) {
    if (ahead) connection.ReceiveAhead();
    std::array<char, kBuffer> buffer;
    for (;;) {
      const absl::StatusOr<std::size_t> got = connection.Recv(buffer);
      if (!got.ok() || *got == 0) break;
      if (!connection.SendAll({buffer.data(), *got}).ok()) break;
    }
    if (--open == 0) throw net::StopServe();
  });
  if (!status.ok()) absl::FPrintF(stderr, "%s\n", status.message());
  return {Nanos(CLOCK_THREAD_CPUTIME_ID) - began, hub.counts().poller_calls};
}

// Betters `best`.
void Measure(const Server& server, const Load& load, Result& best) {
  std::promise<green::Address> address;
  Spent spent;
  std::thread serving([&] { spent = server(address, load.connections); });
  const green::Address at = address.get_future().get();
  const std::int64_t began = Nanos(CLOCK_MONOTONIC);
  Client(at, load).Run();
  const double seconds = static_cast<double>(Nanos(CLOCK_MONOTONIC) - began) / 1e9;
  serving.join();
  const double trips = static_cast<double>(load.connections) * load.rounds;
  best.round_trips_per_second = std::max(best.round_trips_per_second, trips / seconds);
  best.server_cpu_nanos =
      std::min(best.server_cpu_nanos, static_cast<double>(spent.cpu_nanos) / trips);
  best.poller_calls = std::min(best.poller_calls, static_cast<double>(spent.poller_calls) / trips);
}

struct Green {
  const char* name;
  const char* poller;
  bool ahead;
};
constexpr Load kLoads[] = {
    {"1 connection", 1, 1, 200000, 64},     {"32 connections", 32, 32, 6250, 64},
    {"256 connections", 256, 256, 781, 64}, {"32, one trip each", 20000, 32, 1, 64},
    {"32, of 16 KiB", 32, 32, 2000, 16384},
};
constexpr Green kGreen[] = {
    {"green, epoll", "epoll", false},
    {"green, io_uring", "io_uring", false},
    {"green, io_uring ahead", "io_uring", true},
};

// All servers, or the one of that name.
void Run(std::string_view only) {
  struct Row {
    std::string name;
    Server server;
    Result best = {0, 1e18, 1e18};
  };
  absl::PrintF("%-17s  %-21s  %10s  %11s  %9s  %17s\n", "connections", "server", "trips/s",
               "cpu/trip", "cpu ratio", "poller calls/trip");
  for (const Load& load : kLoads) {
    std::vector<Row> rows;
    if (only.empty() || only == "epoll loop") rows.push_back({"epoll loop", &EpollServer});
    const bool has_uring = HasPoller("io_uring");
    for (const Green& green : kGreen) {
      // A kernel may have no io_uring: then there are no such rows.
      if (green.poller == std::string_view("io_uring") && !has_uring) continue;
      if (!only.empty() && only != green.name) continue;
      rows.push_back({green.name, [&green](std::promise<green::Address>& address, int open) {
                        return GreenServer(green.poller, green.ahead, address, open);
                      }});
    }
    for (int i = 0; i < kRepetitions; ++i) {
      for (Row& row : rows) Measure(row.server, load, row.best);
    }
    for (const Row& row : rows) {
      absl::PrintF("%-17s  %-21s  %10.0f  %8.0f ns  %9.2f  %17.3f\n", load.name, row.name,
                   row.best.round_trips_per_second, row.best.server_cpu_nanos,
                   row.best.server_cpu_nanos / rows[0].best.server_cpu_nanos,
                   row.best.poller_calls);
    }
  }
}

}  // namespace
}  // namespace verdant

int main(int argc, char** argv) { verdant::Run(argc > 1 ? argv[1] : ""); }
