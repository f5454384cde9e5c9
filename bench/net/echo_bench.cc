// An echo server of green threads, over epoll and over io_uring, against a hand-written epoll loop,
// with the same client. Prints lines "NAME VALUE", for bench/run, as often as the argument says:
//
//   Echo/loop/32       the epoll loop, with 32 connections
//   Echo/epoll/32      green threads over epoll
//   Echo/io_uring/32   green threads over io_uring, where the kernel has it
//
// The value is the server thread's CPU time in nanoseconds for one round trip, which other load on
// the machine disturbs least; with "/wall" behind the name, the time on the wall.
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
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
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "bench/measured.h"
#include "green/socket.h"
#include "hub/hub.h"
#include "net/listen.h"
#include "net/serve.h"

namespace verdant {
namespace {

constexpr std::size_t kMessage = 64;

[[noreturn]] void Die(const char* what) {
  perror(what);
  exit(1);
}

void Watch(int epoll, int fd) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) Die("epoll_ctl");
}

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
  const std::int64_t began = NanosOf(CLOCK_THREAD_CPUTIME_ID);
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
  const std::int64_t used = NanosOf(CLOCK_THREAD_CPUTIME_ID) - began;
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
  const std::int64_t began = NanosOf(CLOCK_THREAD_CPUTIME_ID);
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
  return NanosOf(CLOCK_THREAD_CPUTIME_ID) - began;
}

void Measure(const std::string& name, const Server& server, int connections, int rounds) {
  std::promise<green::Address> address;
  std::int64_t cpu = 0;
  std::thread serving([&] { cpu = server(address, connections); });
  const green::Address at = address.get_future().get();
  const std::int64_t began = NanosOf(CLOCK_MONOTONIC);
  RunClient(at, connections, rounds);
  const std::int64_t wall = NanosOf(CLOCK_MONOTONIC) - began;
  serving.join();
  const double trips = static_cast<double>(connections) * rounds;
  PrintValue(name.c_str(), static_cast<double>(cpu) / trips);
  PrintValue((name + "/wall").c_str(), static_cast<double>(wall) / trips);
}

void Run(int repetitions) {
  constexpr int kTrips = 200000;
  std::vector<std::pair<std::string, Server>> servers = {{"loop", &EpollServer}};
  for (const char* poller : {"epoll", "io_uring"}) {
    if (!HasPoller(poller)) continue;
    servers.emplace_back(poller, [poller](std::promise<green::Address>& address, int open) {
      return GreenServer(poller, address, open);
    });
  }
  for (int i = 0; i < repetitions; ++i) {
    for (const int connections : {1, 32, 256}) {
      for (const auto& [name, server] : servers) {
        Measure("Echo/" + name + "/" + std::to_string(connections), server, connections,
                kTrips / connections);
      }
    }
  }
}

}  // namespace
}  // namespace verdant

int main(int argc, char** argv) { verdant::Run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 3); }
