// What a second hub brings, and what it costs to get from one to the other. Prints lines "NAME
// VALUE", for bench/run, as often as the argument says:
//
//   HashOneThread, HashTwoThreads    hashing 4 KiB on plain threads: what the machine can give
//   EchoOneHub, EchoTwoHubs          a request of 4 KiB, hashed and sent back, over TCP
//   CrawlOneHub, CrawlTwoHubs        a page fetched over a socket, hashed and searched for links,
//                                    each of which is another to fetch
//
// and those of crossing.h. The value is nanoseconds for one item, by the clock on the wall less
// what the threads stood in line for a processor: on a machine with other work that is theirs, and
// on an idle one it is nothing. "/wall" behind a name: without taking that away. Clients and
// servers share the hubs, and all that is measured is work of theirs.

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "bench/hub/crossing.h"
#include "bench/measured.h"
#include "green/socket.h"
#include "hub/green_thread.h"
#include "hub/hub_group.h"
#include "hub/semaphore.h"
#include "hub/shared_event.h"
#include "net/listen.h"

namespace verdant {
namespace {

constexpr std::size_t kMessage = 4096;

std::uint64_t Hash(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211U;
  }
  return hash;
}

template <typename T>
T OrDie(absl::StatusOr<T> result) {
  if (result.ok()) return *std::move(result);
  std::fprintf(stderr, "%s\n", std::string(result.status().message()).c_str());
  std::exit(1);
}

// How long work took, by the wall and less the time in line for a processor.
struct Took {
  std::int64_t wall = 0;
  std::int64_t ran = 0;

  static Took Since(const Took& began) {
    const Took now = Now();
    return {now.wall - began.wall, now.ran - began.ran};
  }
  static Took Now() {
    const std::int64_t now = NanosOf(CLOCK_MONOTONIC);
    return {now, now - QueuedNanos()};
  }
};

void Print(const std::string& name, double wall, double ran, double items) {
  PrintValue(name.c_str(), ran / items);
  PrintValue((name + "/wall").c_str(), wall / items);
}

// Of threads that had equal shares, each its own: the last one counts.
void PrintLast(const std::string& name, const std::vector<Took>& all, int items) {
  Took last;
  for (const Took& took : all)
    last = {std::max(last.wall, took.wall), std::max(last.ran, took.ran)};
  Print(name, static_cast<double>(last.wall), static_cast<double>(last.ran), items);
}

HubGroup::Options Pinned(std::size_t hubs) {
  HubGroup::Options options;
  options.threads = hubs;
  options.pin = true;
  return options;
}

// ---- Hashing and nothing else. ----

void HashOnThreads(const std::string& name, int threads) {
  constexpr int kItems = 200'000;
  std::vector<Took> took(static_cast<std::size_t>(threads));
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&took, t, threads] {
      PinTo(t);
      std::string text(kMessage, static_cast<char>(t));
      const Took began = Took::Now();
      for (int i = 0; i < kItems / threads; ++i)
        text[0] = static_cast<char>(Hash(text));  // each depends on the one before
      took[static_cast<std::size_t>(t)] = Took::Since(began);
    });
  }
  for (std::thread& thread : all) thread.join();
  PrintLast(name, took, kItems);
}

// ---- Echo: accepted on one hub, served by all in turn. ----

constexpr int kConnections = 64;
constexpr int kRounds = 600;

void ServeConnection(int fd) {
  green::Socket socket = OrDie(green::Socket::Adopt(fd));
  std::array<char, kMessage> message;
  while (socket.RecvExactly(message).ok()) {
    const std::uint64_t hash = Hash({message.data(), kMessage});
    std::copy_n(reinterpret_cast<const char*>(&hash), sizeof(hash), message.data());
    if (!socket.SendAll({message.data(), kMessage}).ok()) return;
  }
}

void RunClient(green::Socket& socket) {
  const std::string request(kMessage, 'x');
  const std::uint64_t expected = Hash(request);
  std::array<char, kMessage> answer;
  for (int i = 0; i < kRounds; ++i) {
    if (!socket.SendAll(request).ok() || !socket.RecvExactly(answer).ok()) std::abort();
    std::uint64_t hash = 0;
    std::copy_n(answer.data(), sizeof(hash), reinterpret_cast<char*>(&hash));
    if (hash != expected) std::abort();
  }
}

// The hub's share of the clients, all connected, from "go" until the last of them has ended.
Took RunClients(std::vector<int> fds, SharedEvent<>& go) {
  std::vector<green::Socket> sockets;
  for (const int fd : fds) sockets.push_back(OrDie(green::Socket::Adopt(fd)));
  go.Wait();
  const Took began = Took::Now();
  std::vector<GreenThread<void>> clients;
  for (green::Socket& socket : sockets) clients.push_back(Spawn([&socket] { RunClient(socket); }));
  JoinAll(clients);
  return Took::Since(began);
}

void Echo(const std::string& name, std::size_t hubs) {
  HubGroup group(Pinned(hubs));
  SharedEvent<green::Address> address;
  group.SpawnNOn(0, [&] {
    green::Socket listener = OrDie(net::Listen("127.0.0.1:0"));
    address.Send(OrDie(listener.local()));
    for (std::size_t i = 0; i < kConnections; ++i) {
      const int fd = OrDie(listener.Accept()).Release();
      group.SpawnNOn(i % hubs, [fd] { ServeConnection(fd); });
    }
  });
  // In the order in which they are accepted, so that a client and its server share a hub.
  const auto fds = group.RunInHub(0, [&address, hubs] {
    std::vector<std::vector<int>> all(hubs);
    for (std::size_t i = 0; i < kConnections; ++i)
      all[i % hubs].push_back(OrDie(green::Socket::Connect(address.Wait())).Release());
    return all;
  });
  SharedEvent<> go;
  std::vector<RemoteGreenThread<Took>> shares;
  for (std::size_t i = 0; i < hubs; ++i)
    shares.push_back(group.SpawnOn(i, [mine = fds[i], &go] { return RunClients(mine, go); }));
  go.Send();
  std::vector<Took> took;
  for (auto& share : shares) took.push_back(share.Wait());
  PrintLast(name, took, kConnections * kRounds);
}

// ---- A crawl: whoever has room takes the next page. ----

constexpr int kPages = 20'000;
constexpr int kLinks = 8;  // of a page

std::string PageText(int page) {
  static const std::string filler(kMessage / kLinks, 'y');
  std::string text;
  for (int i = 1; i <= kLinks; ++i) {
    text += filler;
    text += " href=\"";
    text += std::to_string(page * kLinks + i);
    text += '"';
  }
  return text;
}

void ServePages(green::Socket& socket) {
  int page = 0;
  while (socket.RecvExactly({reinterpret_cast<char*>(&page), sizeof(page)}).ok()) {
    const std::string text = PageText(page);
    const std::uint32_t size = static_cast<std::uint32_t>(text.size());
    const std::array<std::string_view, 2> pieces = {
        std::string_view(reinterpret_cast<const char*>(&size), sizeof(size)), text};
    if (!socket.SendAll(pieces).ok()) return;
  }
}

// The connections of one hub, each with its server at the other end.
class Site {
 public:
  Site() {
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      auto [near, far] = OrDie(green::Socket::Pair(SOCK_STREAM));
      free_.push_back(std::move(near));
      servers_.push_back(Spawn([socket = std::move(far)]() mutable { ServePages(socket); }));
    }
  }
  std::string Fetch(int page) {
    free_slots_.Acquire();
    green::Socket socket = std::move(free_.back());
    free_.pop_back();
    std::uint32_t size = 0;
    std::string text;
    if (!socket.SendAll({reinterpret_cast<const char*>(&page), sizeof(page)}).ok() ||
        !socket.RecvExactly({reinterpret_cast<char*>(&size), sizeof(size)}).ok()) {
      std::abort();
    }
    text.resize(size);
    if (!socket.RecvExactly(text).ok()) std::abort();
    free_.push_back(std::move(socket));
    free_slots_.Release();
    return text;
  }
  void Close() {
    for (green::Socket& socket : free_) socket.Close();
    JoinAll(servers_);
  }

 private:
  static constexpr std::size_t kAtOnce = 16;
  std::vector<green::Socket> free_;
  Semaphore free_slots_{kAtOnce};
  std::vector<GreenThread<void>> servers_;
};

class Crawl {
 public:
  explicit Crawl(std::size_t hubs) : group_(Pinned(hubs)), sites_(hubs) {
    for (std::size_t i = 0; i < hubs; ++i)
      group_.RunInHub(i, [this, i] { sites_[i] = std::make_unique<Site>(); });
  }
  ~Crawl() {
    for (std::size_t i = 0; i < sites_.size(); ++i) {
      group_.RunInHub(i, [this, i] {
        sites_[i]->Close();
        sites_[i].reset();
      });
    }
  }
  // What the hubs took on average, since a page that one is late for the other takes.
  void Run(const std::string& name) {
    std::vector<Took> began;
    for (std::size_t i = 0; i < sites_.size(); ++i) began.push_back(group_.RunInHub(i, &Took::Now));
    group_.SpawnN([this] { Visit(0); });
    done_.Wait();
    double wall = 0;
    double ran = 0;
    for (std::size_t i = 0; i < sites_.size(); ++i) {
      const Took took = group_.RunInHub(i, [&] { return Took::Since(began[i]); });
      wall = std::max(wall, static_cast<double>(took.wall));
      ran += static_cast<double>(took.ran) / static_cast<double>(sites_.size());
    }
    Print(name, wall, ran, kPages);
  }

 private:
  void Visit(int page) {
    const std::string text = sites_[*group_.Here()]->Fetch(page);
    sum_ += Hash(text);
    constexpr std::string_view kLink = "href=\"";
    for (std::size_t at = text.find(kLink); at != std::string::npos; at = text.find(kLink, at)) {
      at += kLink.size();
      int link = 0;
      std::from_chars(text.data() + at, text.data() + text.size(), link);
      if (link < kPages) group_.SpawnN([this, link] { Visit(link); });
    }
    if (++visited_ == kPages) done_.Send();
  }

  HubGroup group_;
  std::vector<std::unique_ptr<Site>> sites_;
  std::atomic<std::uint64_t> sum_{0};
  std::atomic<int> visited_{0};
  SharedEvent<> done_;
};

void CrawlOn(const std::string& name, std::size_t hubs) {
  Crawl crawl(hubs);
  crawl.Run(name);
}

void Run(int repetitions) {
  for (int i = 0; i < repetitions; ++i) {
    HashOnThreads("HashOneThread", 1);
    HashOnThreads("HashTwoThreads", 2);
    Echo("EchoOneHub", 1);
    Echo("EchoTwoHubs", 2);
    CrawlOn("CrawlOneHub", 1);
    CrawlOn("CrawlTwoHubs", 2);
    MeasureCrossings();
  }
}

}  // namespace
}  // namespace verdant

int main(int argc, char** argv) { verdant::Run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 5); }
