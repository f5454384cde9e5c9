// How sockets come to be: connecting, listening, accepting.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "green/dns.h"
#include "green/socket.h"
#include "hub/green_thread.h"

namespace verdant::green {
namespace {

constexpr absl::Duration kFirstRetry = absl::Milliseconds(1);
constexpr absl::Duration kLastRetry = absl::Milliseconds(50);

// An equal share of what is left until `deadline` for each of `attempts`.
Deadline ShareOf(Deadline deadline, std::size_t attempts) {
  if (deadline.never() || attempts <= 1) return deadline;
  return deadline.Remaining() / static_cast<std::int64_t>(attempts);
}

absl::Status InContext(const absl::Status& cause, std::string_view context) {
  absl::Status status(cause.code(), absl::StrCat(context, cause.message()));
  cause.ForEachPayload(
      [&](std::string_view url, const absl::Cord& payload) { status.SetPayload(url, payload); });
  return status;
}

}  // namespace

absl::StatusOr<Socket> Socket::Open(int family, int type, std::string_view operation,
                                    const Address& about) {
  const int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return internal::ErrnoStatus(errno, absl::StrCat(operation, about, ": socket"));
  }
  Socket made;
  made.fd_ = fd;
  made.stream_ = type == SOCK_STREAM;
  made.tcp_ = made.stream_ && family != AF_UNIX;
  return made;
}

absl::Status Socket::Bind(const Address& local) {
  if (bind(fd_, local.data(), local.size()) == 0) return absl::OkStatus();
  return internal::ErrnoStatus(errno, absl::StrCat("bind to ", local));
}

absl::StatusOr<Socket> Socket::Connect(std::string_view host, std::uint16_t port, Deadline deadline,
                                       const ConnectOptions& options) {
  if (absl::StatusOr<Address> literal = Address::FromIp(host, port); literal.ok()) {
    return Connect(*literal, deadline, options);
  }
  absl::StatusOr<std::vector<Address>> addresses = Resolve(host, port, deadline);
  if (!addresses.ok()) {
    return InContext(addresses.status(), absl::StrCat("connect to ", host, ":", port, ": "));
  }
  absl::StatusOr<Socket> connected = ConnectAny(*addresses, deadline, options);
  if (!connected.ok()) return InContext(connected.status(), absl::StrCat(host, ": "));
  return connected;
}

absl::StatusOr<Socket> Socket::ConnectAny(std::span<const Address> addresses, Deadline deadline,
                                          const ConnectOptions& options) {
  if (addresses.empty()) return absl::InvalidArgumentError("connect: no address to connect to");
  for (std::size_t i = 0;; ++i) {
    const std::size_t left = addresses.size() - i;
    absl::StatusOr<Socket> connected = Connect(addresses[i], ShareOf(deadline, left), options);
    if (connected.ok() || left == 1) return connected;
    // What comes after the time is up would only hide why.
    if (deadline.Passed()) return connected;
  }
}

absl::StatusOr<Socket> Socket::Connect(const Address& address, Deadline deadline,
                                       const ConnectOptions& options) {
  absl::StatusOr<Socket> made = Open(address.family(), SOCK_STREAM, "connect to ", address);
  if (!made.ok()) return made;
  made->peer_ = address;
  absl::Status status;
  if (options.local.family() != AF_UNSPEC) status = made->Bind(options.local);
  if (!status.ok()) return InContext(status, absl::StrCat("connect to ", address, ": "));
  if (made->tcp_ && options.no_delay) status = made->SetNoDelay(true);
  if (status.ok()) status = made->FinishConnect(deadline);
  if (!status.ok()) return status;
  return made;
}

absl::Status Socket::FinishConnect(Deadline deadline) {
  absl::Duration retry = kFirstRetry;
  for (;;) {
    // Called anew when something has happened, it tells the outcome.
    const bool done = connect(fd_, peer_.data(), peer_.size()) == 0 || errno == EISCONN;
    const int error = done ? 0 : errno;
    if (error == EINTR) continue;
    if (error == EAGAIN && peer_.is_unix()) {
      // The listener's backlog is full, and nothing tells when it no longer is.
      if (deadline.Passed()) return WaitFailure(IoWait::kTimedOut, "connect to ");
      Sleep(std::min(retry, deadline.Remaining()));
      retry = std::min(retry * 2, kLastRetry);
      if (fd_ < 0) return WaitFailure(IoWait::kClosed, "connect to ");
      continue;
    }
    if (!done && error != EINPROGRESS && error != EALREADY) return Error(error, "connect to ");
    // Not before the first connect(): until then the kernel calls a TCP socket hung up.
    if (!io_.registered()) {
      if (absl::Status status = Register("connecting "); !status.ok()) return status;
      io_.ReadWouldBlock();
    }
    if (done) return absl::OkStatus();
    io_.WriteWouldBlock();
    if (absl::Status status = WaitWritable(deadline, "connect to "); !status.ok()) return status;
  }
}

absl::StatusOr<Socket> Socket::Listen(const Address& address, const ListenOptions& options) {
  const auto failed = [&](const absl::Status& status) {
    return InContext(status, absl::StrCat("listen on ", address, ": "));
  };
  absl::StatusOr<Socket> made = Open(address.family(), SOCK_STREAM, "listen on ", address);
  if (!made.ok()) return made;
  if (made->tcp_) {
    absl::Status status;
    if (options.reuse_address) status.Update(made->SetOption(SOL_SOCKET, SO_REUSEADDR, 1));
    if (options.reuse_port) status.Update(made->SetOption(SOL_SOCKET, SO_REUSEPORT, 1));
    if (address.is_v6()) {
      status.Update(made->SetOption(IPPROTO_IPV6, IPV6_V6ONLY, options.v6_only ? 1 : 0));
    }
    // Accepted connections inherit it, which saves each a call.
    if (options.no_delay) status.Update(made->SetNoDelay(true));
    if (!status.ok()) return failed(status);
  }
  if (absl::Status status = made->Bind(address); !status.ok()) return failed(status);
  if (listen(made->fd_, options.backlog) != 0) {
    return internal::ErrnoStatus(errno, absl::StrCat("listen on ", address));
  }
  if (absl::Status status = made->Register("listening on "); !status.ok()) return failed(status);
  return made;
}

int Socket::TryAccept(Address& peer) noexcept {
  sockaddr_storage from = {};
  socklen_t size = sizeof(from);
  auto* const address = reinterpret_cast<sockaddr*>(&from);
  int fd;
  if (Takes(::verdant::internal::Intake::Kind::kConnections)) {
    fd = ahead_->TakeConnection();
    TookAhead();
    if (fd < 0) return fd;
    if (getpeername(fd, address, &size) != 0) return fd;
  } else {
    do {
      fd = accept4(fd_, address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
      const int error = errno;
      if (error == EAGAIN) io_.ReadWouldBlock();
      return -error;
    }
  }
  if (absl::StatusOr<Address> known = Address::FromSockaddr(address, size); known.ok()) {
    peer = *known;
  }
  return fd;
}

absl::StatusOr<Socket> Socket::Accept(Deadline deadline) {
  for (;;) {
    if (absl::Status status = WaitReadable(deadline, "accept on "); !status.ok()) return status;
    Socket accepted;
    const int fd = TryAccept(accepted.peer_);
    if (fd == -EAGAIN) continue;
    if (fd < 0) return Error(-fd, "accept on ");
    accepted.fd_ = fd;
    accepted.stream_ = stream_;
    accepted.tcp_ = tcp_;
    if (absl::Status status = accepted.Register("accepting "); !status.ok()) return status;
    return accepted;
  }
}

absl::StatusOr<std::pair<Socket, Socket>> Socket::Pair(int type) {
  std::array<int, 2> fds;
  if (socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) != 0) {
    return internal::ErrnoStatus(errno, "socketpair");
  }
  std::pair<Socket, Socket> pair;
  Socket* ends[] = {&pair.first, &pair.second};
  for (std::size_t i = 0; i < 2; ++i) ends[i]->fd_ = fds[i];
  for (Socket* end : ends) {
    end->stream_ = type == SOCK_STREAM;
    if (absl::StatusOr<Address> name = end->local(); name.ok()) end->peer_ = *name;
    if (absl::Status status = end->Register("socketpair: "); !status.ok()) return status;
  }
  return pair;
}

absl::StatusOr<Socket> Socket::BindDatagram(const Address& local) {
  absl::StatusOr<Socket> made = Open(local.family(), SOCK_DGRAM, "bind to ", local);
  if (!made.ok()) return made;
  absl::Status status = made->Bind(local);
  if (status.ok()) status = made->Register("binding ");
  if (!status.ok()) return status;
  return made;
}

absl::StatusOr<Socket> Socket::ConnectDatagram(const Address& peer) {
  absl::StatusOr<Socket> made = Open(peer.family(), SOCK_DGRAM, "connect to ", peer);
  if (!made.ok()) return made;
  made->peer_ = peer;
  if (connect(made->fd_, peer.data(), peer.size()) != 0) {
    return internal::ErrnoStatus(errno, absl::StrCat("connect to ", peer));
  }
  if (absl::Status status = made->Register("connecting "); !status.ok()) return status;
  return made;
}

}  // namespace verdant::green
