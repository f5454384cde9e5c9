// An echo server of green threads, over epoll, over io_uring, and over io_uring that receives and
// accepts ahead, against a hand-written epoll loop, with the same client. Prints lines "NAME
// VALUE", for bench/run, as often as the first argument says, of all servers or only of the one
// that the second one names:
//
//   Echo/loop/32       the epoll loop, with 32 connections
//   Echo/epoll/32      green threads over epoll
//   Echo/io_uring/32   green threads over io_uring, where the kernel has it
//   Echo/ahead/32      the same that receives and accepts ahead
//
// "once" for a number: 32 connections at a time of one round trip each; "16k": 32, of messages of
// 16 KiB; all others are of 64 bytes. The value is the server thread's CPU time in nanoseconds for
// one round trip, which other load on the machine disturbs least. Behind the name, "/wall" is the
// time on the wall, "/calls" the system calls of the server's poller for one round trip, to which
// each adds a send and, unless it receives ahead, a recv.
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
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/measured.h"
#include "green/socket.h"
#include "hub/hub.h"
#include "net/listen.h"
#include "net/serve.h"

namespace verdant {
namespace {

constexpr std::size_t kBuffer = 16384;  // of a server, for one connection

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
  const std::int64_t began = NanosOf(CLOCK_THREAD_CPUTIME_ID);
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
  const std::int64_t used = NanosOf(CLOCK_THREAD_CPUTIME_ID) - began;
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
  const std::int64_t began = NanosOf(CLOCK_THREAD_CPUTIME_ID);
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
  return {NanosOf(CLOCK_THREAD_CPUTIME_ID) - began, hub.counts().poller_calls};
}

void Measure(const std::string& name, const Server& server, const Load& load) {
  std::promise<green::Address> address;
  Spent spent;
  std::thread serving([&] { spent = server(address, load.connections); });
  const green::Address at = address.get_future().get();
  const std::int64_t began = NanosOf(CLOCK_MONOTONIC);
  Client(at, load).Run();
  const std::int64_t wall = NanosOf(CLOCK_MONOTONIC) - began;
  serving.join();
  const double trips = static_cast<double>(load.connections) * load.rounds;
  PrintValue(name.c_str(), static_cast<double>(spent.cpu_nanos) / trips);
  PrintValue(absl::StrCat(name, "/wall").c_str(), static_cast<double>(wall) / trips);
  PrintValue(absl::StrCat(name, "/calls").c_str(), static_cast<double>(spent.poller_calls) / trips,
             3);
}

// Servers of green threads.
struct Green {
  const char* name;
  const char* poller;
  bool ahead;
};
constexpr Load kLoads[] = {
    {"1", 1, 1, 200000, 64},    {"32", 32, 32, 6250, 64},     {"256", 256, 256, 781, 64},
    {"once", 20000, 32, 1, 64}, {"16k", 32, 32, 2000, 16384},
};
constexpr Green kGreen[] = {
    {"epoll", "epoll", false},
    {"io_uring", "io_uring", false},
    {"ahead", "io_uring", true},
};

void Run(int repetitions, std::string_view only) {
  std::vector<std::pair<const char*, Server>> servers;
  if (only.empty() || only == "loop") servers.emplace_back("loop", &EpollServer);
  for (const Green& green : kGreen) {
    if ((!only.empty() && only != green.name) || !HasPoller(green.poller)) continue;
    servers.emplace_back(green.name, [&green](std::promise<green::Address>& address, int open) {
      return GreenServer(green.poller, green.ahead, address, open);
    });
  }
  for (int i = 0; i < repetitions; ++i) {
    for (const Load& load : kLoads) {
      for (const auto& [name, server] : servers)
        Measure(absl::StrCat("Echo/", name, "/", load.name), server, load);
    }
  }
}

}  // namespace
}  // namespace verdant

int main(int argc, char** argv) {
  verdant::Run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 3, argc > 2 ? argv[2] : "");
}
