// An echo server of green threads, over epoll and over io_uring, against a hand-written epoll loop,
// with the same client: round trips a second, and the server thread's CPU time for each, which
// other load on the machine disturbs least.
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
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "green/socket.h"
#include "hub/hub.h"
#include "net/listen.h"
#include "net/serve.h"

namespace verdant {
namespace {

constexpr std::size_t kMessage = 64;
constexpr int kRepetitions = 3;

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
};

// Sends `rounds` messages over each of `connections`, one at a time on each.
void RunClient(const green::Address& server, int connections, int rounds) {
  struct Connection {
    int rounds = 0;
    std::size_t got = 0;
  };
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  std::vector<Connection> state;
  std::vector<int> fds;
  std::array<char, kMessage> message = {};
  for (int i = 0; i < connections; ++i) {
    const int fd = socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, server.data(), server.size()) != 0) Die("connect");
    Watch(epoll, fd);
    if (static_cast<std::size_t>(fd) >= state.size())
      state.resize(static_cast<std::size_t>(fd) + 1);
    fds.push_back(fd);
  }
  for (const int fd : fds) {
    if (send(fd, message.data(), kMessage, 0) != static_cast<ssize_t>(kMessage)) Die("send");
  }
  int running = connections;
  std::array<epoll_event, 256> events;
  while (running > 0) {
    const int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      Connection& connection = state[static_cast<std::size_t>(fd)];
      const ssize_t got = recv(fd, message.data(), kMessage, 0);
      if (got <= 0) Die("recv");
      connection.got += static_cast<std::size_t>(got);
      if (connection.got < kMessage) continue;
      connection.got = 0;
      if (++connection.rounds == rounds) {
        close(fd);
        --running;
      } else if (send(fd, message.data(), kMessage, 0) != static_cast<ssize_t>(kMessage)) {
        Die("send");
      }
    }
  }
  close(epoll);
}

// A server: tells its address, runs until all connections have ended, returns its thread's CPU
// time.
using Server = std::function<std::int64_t(std::promise<green::Address>&, int connections)>;

std::int64_t EpollServer(std::promise<green::Address>& address, int connections) {
  green::Socket listening = *net::Listen("127.0.0.1:0");
  const green::Address here = *listening.local();
  const int listener = listening.Release();
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  Watch(epoll, listener);
  address.set_value(here);
  const std::int64_t began = Nanos(CLOCK_THREAD_CPUTIME_ID);
  std::array<epoll_event, 256> events;
  std::array<char, 4096> buffer;
  for (int open = connections; open > 0;) {
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
  return used;
}

bool HasPoller(const char* poller) {
  bool has = false;
  std::thread([&] { has = Hub::Configure({.poller = poller}).poller() == poller; }).join();
  return has;
}

std::int64_t GreenServer(const char* poller, std::promise<green::Address>& address,
                         int connections) {
  Hub::Configure({.poller = poller});
  green::Socket listener = *net::Listen("127.0.0.1:0");
  address.set_value(*listener.local());
  const std::int64_t began = Nanos(CLOCK_THREAD_CPUTIME_ID);
  int open = connections;
  const absl::Status status = net::Serve(listener, [&](green::Socket& connection) {
    std::array<char, 4096> buffer;
    for (;;) {
      const absl::StatusOr<std::size_t> got = connection.Recv(buffer);
      if (!got.ok() || *got == 0) break;
      if (!connection.SendAll({buffer.data(), *got}).ok()) break;
    }
    if (--open == 0) throw net::StopServe();
  });
  if (!status.ok()) absl::FPrintF(stderr, "%s\n", status.message());
  return Nanos(CLOCK_THREAD_CPUTIME_ID) - began;
}

// Betters `best`.
void Measure(const Server& server, int connections, int rounds, Result& best) {
  std::promise<green::Address> address;
  std::int64_t cpu = 0;
  std::thread serving([&] { cpu = server(address, connections); });
  const green::Address at = address.get_future().get();
  const std::int64_t began = Nanos(CLOCK_MONOTONIC);
  RunClient(at, connections, rounds);
  const double seconds = static_cast<double>(Nanos(CLOCK_MONOTONIC) - began) / 1e9;
  serving.join();
  const double trips = static_cast<double>(connections) * rounds;
  best.round_trips_per_second = std::max(best.round_trips_per_second, trips / seconds);
  best.server_cpu_nanos = std::min(best.server_cpu_nanos, static_cast<double>(cpu) / trips);
}

void Run() {
  constexpr int kTrips = 200000;
  struct Row {
    std::string name;
    Server server;
    Result best = {0, 1e18};
  };
  absl::PrintF("%11s  %-16s  %10s  %11s  %9s\n", "connections", "server", "trips/s", "cpu/trip",
               "cpu ratio");
  for (const int connections : {1, 32, 256}) {
    std::vector<Row> rows;
    rows.push_back({"epoll loop", &EpollServer});
    for (const char* poller : {"epoll", "io_uring"}) {
      // A kernel may have no io_uring: then there is no such row.
      if (!HasPoller(poller)) continue;
      rows.push_back({std::string("green, ") + poller,
                      [poller](std::promise<green::Address>& address, int open) {
                        return GreenServer(poller, address, open);
                      }});
    }
    for (int i = 0; i < kRepetitions; ++i) {
      for (Row& row : rows) Measure(row.server, connections, kTrips / connections, row.best);
    }
    for (const Row& row : rows) {
      absl::PrintF("%11d  %-16s  %10.0f  %8.0f ns  %9.2f\n", connections, row.name,
                   row.best.round_trips_per_second, row.best.server_cpu_nanos,
                   row.best.server_cpu_nanos / rows[0].best.server_cpu_nanos);
    }
  }
}

}  // namespace
}  // namespace verdant

int main() { verdant::Run(); }
