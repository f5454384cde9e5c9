#include "tests/green/dns_packet_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/io.h"
#include "tests/testing/server_process.h"

namespace verdant::green {
namespace {

std::string U16(std::uint32_t value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}

std::string U32(std::uint32_t value) { return U16(value >> 16) + U16(value); }

std::string Name(std::string_view name) {
  std::string bytes;
  for (const std::string_view label : absl::StrSplit(name, '.')) {
    bytes += static_cast<char>(label.size());
    bytes += label;
  }
  return bytes + '\0';
}

std::uint16_t ReadU16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                                    static_cast<unsigned char>(bytes[at + 1]));
}

std::optional<DnsQuestion> Read(std::string_view message, bool over_tcp) {
  if (message.size() < 12) return std::nullopt;
  DnsQuestion question;
  question.over_tcp = over_tcp;
  question.id = ReadU16(message, 0);
  std::vector<std::string> labels;
  std::size_t at = 12;
  while (at < message.size() && message[at] != 0) {
    const auto length = static_cast<std::size_t>(message[at]);
    if (at + 1 + length >= message.size()) return std::nullopt;
    labels.push_back(absl::AsciiStrToLower(message.substr(at + 1, length)));
    at += 1 + length;
  }
  if (at + 5 > message.size()) return std::nullopt;
  question.name = absl::StrJoin(labels, ".");
  question.type = ReadU16(message, at + 1);
  question.section = message.substr(12, at + 5 - 12);
  return question;
}

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::abort();
}

}  // namespace

DnsReply& DnsReply::Rcode(int code) {
  rcode_ = code;
  return *this;
}

DnsReply& DnsReply::Truncated() {
  truncated_ = true;
  return *this;
}

std::string DnsReply::Record(std::string_view owner, std::uint16_t type, std::uint32_t ttl,
                             std::string_view data) const {
  return absl::StrCat(owner.empty() ? "\xc0\x0c" : Name(owner), U16(type), U16(1), U32(ttl),
                      U16(static_cast<std::uint32_t>(data.size())), data);
}

DnsReply& DnsReply::Ip(std::string_view address, std::uint32_t ttl, std::string_view owner) {
  const bool v6 = absl::StrContains(address, ':');
  char bytes[16];
  if (inet_pton(v6 ? AF_INET6 : AF_INET, std::string(address).c_str(), bytes) != 1) {
    Die("inet_pton");
  }
  answers_ += Record(owner, v6 ? kTypeAaaa : kTypeA, ttl, {bytes, v6 ? 16u : 4u});
  ++answer_count_;
  return *this;
}

DnsReply& DnsReply::Cname(std::string_view owner, std::string_view target, std::uint32_t ttl) {
  answers_ += Record(owner, 5, ttl, Name(target));
  ++answer_count_;
  return *this;
}

DnsReply& DnsReply::Soa(std::uint32_t ttl, std::uint32_t minimum) {
  authority_ += Record("test", 6, ttl,
                       absl::StrCat(Name("ns.test"), Name("root.test"), U32(1), U32(1), U32(1),
                                    U32(1), U32(minimum)));
  ++authority_count_;
  return *this;
}

std::string DnsReply::Bytes() const {
  const std::uint32_t flags = 0x8180u | (truncated_ ? 0x0200u : 0) | static_cast<unsigned>(rcode_);
  return absl::StrCat(U16(question_.id), U16(flags), U16(1), U16(answer_count_),
                      U16(authority_count_), U16(0), question_.section, answers_, authority_);
}

struct DnsPacketServer::State {
  Handler handler;
  std::uint16_t port = 0;
  std::vector<std::string> queries;
  int udp = -1, listener = -1;
  IoDescriptor udp_ready, listener_ready;

  ~State() {
    udp_ready.Unregister();
    listener_ready.Unregister();
    close(udp);
    close(listener);
  }

  absl::Status Bind(std::uint16_t candidate) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(candidate);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (udp >= 0) close(udp);
    if (listener >= 0) close(listener);
    udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(udp, generic, sizeof(address)) != 0 || bind(listener, generic, sizeof(address)) != 0 ||
        listen(listener, 16) != 0) {
      return absl::UnavailableError("the port is taken");
    }
    udp_ready = *IoDescriptor::Register(udp);
    listener_ready = *IoDescriptor::Register(listener);
    return absl::OkStatus();
  }

  std::optional<std::string> Answer(std::string_view message, bool over_tcp) {
    const std::optional<DnsQuestion> question = Read(message, over_tcp);
    if (!question) return std::nullopt;
    queries.push_back(absl::StrCat(question->name, question->wants_v4() ? "/A" : "/AAAA"));
    return handler(*question);
  }

  // Each query has a green thread, since the handler may wait.
  static void ServeUdp(const std::shared_ptr<State>& self) {
    while (self->udp_ready.WaitReadable() == IoWait::kReady) {
      std::array<char, 4096> buffer;
      sockaddr_in from;
      socklen_t size = sizeof(from);
      const ssize_t n = recvfrom(self->udp, buffer.data(), buffer.size(), 0,
                                 reinterpret_cast<sockaddr*>(&from), &size);
      if (n < 0) {
        self->udp_ready.ReadExhausted();
        continue;
      }
      SpawnN([self, from, message = std::string(buffer.data(), static_cast<std::size_t>(n))] {
        const std::optional<std::string> reply = self->Answer(message, false);
        if (!reply) return;
        sendto(self->udp, reply->data(), reply->size(), 0, reinterpret_cast<const sockaddr*>(&from),
               sizeof(from));
      });
    }
  }

  static void ServeTcp(const std::shared_ptr<State>& self) {
    while (self->listener_ready.WaitReadable() == IoWait::kReady) {
      const int fd = accept4(self->listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        self->listener_ready.ReadExhausted();
        continue;
      }
      SpawnN([self, fd] {
        ServeConnection(*self, fd);
        close(fd);
      });
    }
  }

  static void ServeConnection(State& self, int fd) {
    IoDescriptor ready = *IoDescriptor::Register(fd);
    std::string received;
    while (ready.WaitReadable() == IoWait::kReady) {
      std::array<char, 4096> buffer;
      const ssize_t n = read(fd, buffer.data(), buffer.size());
      if (n == 0 || (n < 0 && errno != EAGAIN)) return;
      if (n < 0) {
        ready.ReadExhausted();
        continue;
      }
      received.append(buffer.data(), static_cast<std::size_t>(n));
      while (received.size() >= 2 && received.size() >= 2u + ReadU16(received, 0)) {
        const std::size_t length = ReadU16(received, 0);
        const std::optional<std::string> reply =
            self.Answer(std::string_view(received).substr(2, length), true);
        received.erase(0, 2 + length);
        if (!reply) continue;
        const std::string framed =
            absl::StrCat(U16(static_cast<std::uint32_t>(reply->size())), *reply);
        // Far smaller than the socket's buffer.
        if (write(fd, framed.data(), framed.size()) < 0) return;
      }
    }
  }
};

DnsPacketServer::DnsPacketServer(Handler handler) : state_(std::make_shared<State>()) {
  state_->handler = std::move(handler);
  const absl::StatusOr<std::uint16_t> port =
      testing::StartOnFreePort([&](std::uint16_t candidate) { return state_->Bind(candidate); });
  if (!port.ok()) Die("no port");
  state_->port = *port;
  SpawnN([self = state_] { State::ServeUdp(self); });
  SpawnN([self = state_] { State::ServeTcp(self); });
}

DnsPacketServer::~DnsPacketServer() {
  state_->udp_ready.Unregister();
  state_->listener_ready.Unregister();
  // Both loops find that out and let go of the state.
  Sleep();
}

std::string DnsPacketServer::address() const { return absl::StrCat("127.0.0.1:", state_->port); }

std::vector<std::string> DnsPacketServer::queries() const {
  std::vector<std::string> sorted = state_->queries;
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

}  // namespace verdant::green
