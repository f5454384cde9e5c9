#include "green/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace verdant::green {

using ::verdant::internal::Intake;

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this == &other) return *this;
  Close();
  fd_ = std::exchange(other.fd_, -1);
  tcp_ = other.tcp_;
  stream_ = other.stream_;
  io_ = std::move(other.io_);
  peer_ = other.peer_;
  ahead_ = std::move(other.ahead_);
  return *this;
}

std::string Socket::Subject() const {
  if (peer_.family() != AF_UNSPEC) return peer_.ToString();
  if (fd_ < 0) return "a closed socket";
  const absl::StatusOr<Address> here = local();
  return here.ok() ? here->ToString() : absl::StrCat("file descriptor ", fd_);
}

absl::Status Socket::Error(int error, std::string_view operation) const {
  return internal::ErrnoStatus(error, absl::StrCat(operation, Subject()));
}

absl::Status Socket::WaitFailure(IoWait wait, std::string_view operation) const {
  if (wait == IoWait::kTimedOut) {
    return absl::DeadlineExceededError(absl::StrCat(operation, Subject(), ": timed out"));
  }
  return internal::ErrnoStatus(
      EBADF, absl::StrCat(operation, Subject(), ": closed by another green thread"));
}

absl::Status Socket::WaitReadable(Deadline deadline, std::string_view operation) {
  if (fd_ < 0) return Error(EBADF, operation);
  if (ahead_ != nullptr) {
    if (ahead_->ready()) return absl::OkStatus();
    if (ahead_->abandoned()) {
      return internal::ErrnoStatus(
          EBUSY, absl::StrCat(operation, Subject(), ": the parent process does so ahead"));
    }
  }
  const IoWait wait = io_.WaitReadable(deadline);
  return wait == IoWait::kReady ? absl::OkStatus() : WaitFailure(wait, operation);
}

absl::Status Socket::WaitWritable(Deadline deadline, std::string_view operation) {
  if (fd_ < 0) return Error(EBADF, operation);
  const IoWait wait = io_.WaitWritable(deadline);
  return wait == IoWait::kReady ? absl::OkStatus() : WaitFailure(wait, operation);
}

ssize_t Socket::Received(ssize_t got, std::size_t wanted) noexcept {
  if (got < 0) {
    const int error = errno;
    if (error == EAGAIN) io_.ReadWouldBlock();
    return -error;
  }
  // At the end of the stream there is no further edge, and every read must find out anew.
  if (tcp_ && got > 0 && static_cast<std::size_t>(got) < wanted) io_.ReadExhausted();
  return got;
}

ssize_t Socket::Sent(ssize_t took, std::size_t wanted) noexcept {
  if (took < 0) {
    const int error = errno;
    if (error == EAGAIN) io_.WriteWouldBlock();
    return -error;
  }
  if (tcp_ && static_cast<std::size_t>(took) < wanted) io_.WriteExhausted();
  return took;
}

ssize_t Socket::TryRecv(std::span<char> buffer) noexcept {
  if (fd_ < 0) return -EBADF;
  if (Takes(Intake::Kind::kBytes)) {
    const ssize_t got = ahead_->TakeBytes(buffer);
    TookAhead();
    return got;
  }
  if (!io_.MaybeReadable()) return -EAGAIN;
  ssize_t got;
  do {
    got = recv(fd_, buffer.data(), buffer.size(), 0);
  } while (got < 0 && errno == EINTR);
  return Received(got, buffer.size());
}

ssize_t Socket::TrySend(std::string_view data) noexcept {
  if (fd_ < 0) return -EBADF;
  if (!io_.MaybeWritable()) return -EAGAIN;
  ssize_t took;
  do {
    took = send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
  } while (took < 0 && errno == EINTR);
  return Sent(took, data.size());
}

absl::StatusOr<std::size_t> Socket::RecvSome(std::span<char> buffer, Deadline deadline) {
  if (buffer.empty() && stream_) return 0;
  for (;;) {
    if (absl::Status status = WaitReadable(deadline, "recv from "); !status.ok()) return status;
    const ssize_t got = TryRecv(buffer);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (got != -EAGAIN) return Error(static_cast<int>(-got), "recv from ");
  }
}

absl::StatusOr<std::size_t> Socket::SendSome(std::span<const std::string_view> pieces,
                                             Deadline deadline) {
  constexpr std::size_t kMaxPieces = 64;
  std::array<iovec, kMaxPieces> vectors;
  const std::size_t count = std::min(pieces.size(), kMaxPieces);
  std::size_t total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    vectors[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
    total += pieces[i].size();
  }
  if (total == 0 && stream_) return 0;
  for (;;) {
    if (absl::Status status = WaitWritable(deadline, "send to "); !status.ok()) return status;
    ssize_t took;
    if (count == 1) {
      took = TrySend(pieces[0]);
    } else {
      msghdr message = {};
      message.msg_iov = vectors.data();
      message.msg_iovlen = count;
      do {
        took = sendmsg(fd_, &message, MSG_NOSIGNAL);
      } while (took < 0 && errno == EINTR);
      took = Sent(took, total);
    }
    if (took >= 0) return static_cast<std::size_t>(took);
    if (took != -EAGAIN) return Error(static_cast<int>(-took), "send to ");
  }
}

absl::Status Socket::EndSending(Deadline) {
  if (fd_ < 0) return Error(EBADF, "shutdown of ");
  if (shutdown(fd_, SHUT_WR) == 0 || errno == ENOTCONN) return absl::OkStatus();
  return Error(errno, "shutdown of ");
}

absl::StatusOr<Socket::Datagram> Socket::RecvFrom(std::span<char> buffer, Deadline deadline) {
  for (;;) {
    if (absl::Status status = WaitReadable(deadline, "recv from "); !status.ok()) return status;
    if (Takes(Intake::Kind::kBytes)) {
      const ssize_t got = TryRecv(buffer);
      if (got >= 0) return Datagram{static_cast<std::size_t>(got), false, peer_};
      if (got != -EAGAIN) return Error(static_cast<int>(-got), "recv from ");
      continue;
    }
    sockaddr_storage from = {};
    iovec vector = {buffer.data(), buffer.size()};
    msghdr message = {};
    message.msg_name = &from;
    message.msg_namelen = sizeof(from);
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    const ssize_t got = recvmsg(fd_, &message, 0);
    if (got >= 0) {
      Datagram datagram;
      datagram.size = static_cast<std::size_t>(got);
      datagram.truncated = (message.msg_flags & MSG_TRUNC) != 0;
      absl::StatusOr<Address> sender =
          Address::FromSockaddr(reinterpret_cast<sockaddr*>(&from), message.msg_namelen);
      // A Unix socket without a name, or a stream's peer.
      datagram.from = sender.ok() ? *sender : peer_;
      return datagram;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return Error(errno, "recv from ");
    io_.ReadWouldBlock();
  }
}

absl::Status Socket::SendTo(std::string_view data, const Address& to, Deadline deadline) {
  for (;;) {
    if (absl::Status status = WaitWritable(deadline, "send to "); !status.ok()) return status;
    if (sendto(fd_, data.data(), data.size(), MSG_NOSIGNAL, to.data(), to.size()) >= 0) {
      return absl::OkStatus();
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return internal::ErrnoStatus(errno, absl::StrCat("send to ", to));
    io_.WriteWouldBlock();
  }
}

void Socket::Close() {
  if (const int fd = GiveUp(); fd >= 0) close(fd);
}

int Socket::Release() {
  StopAhead();
  if (HoldsAhead()) {
    throw std::logic_error(
        absl::StrCat("Socket::Release: what has been taken ahead of ", Subject(),
                     " would be lost: receive (accept) until HoldsAhead() is false first"));
  }
  return GiveUp();
}

int Socket::GiveUp() noexcept {
  io_.Unregister();
  ahead_ = nullptr;
  return std::exchange(fd_, -1);
}

absl::StatusOr<Address> Socket::local() const {
  sockaddr_storage address;
  socklen_t size = sizeof(address);
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return internal::ErrnoStatus(errno, absl::StrCat("getsockname of file descriptor ", fd_));
  }
  return Address::FromSockaddr(reinterpret_cast<sockaddr*>(&address), size);
}

absl::Status Socket::SetOption(int level, int name, int value) {
  if (setsockopt(fd_, level, name, &value, sizeof(value)) == 0) return absl::OkStatus();
  return Error(errno, absl::StrCat("setsockopt(", level, ", ", name, ", ", value, ") of "));
}

absl::StatusOr<int> Socket::GetOption(int level, int name) const {
  int value = 0;
  socklen_t size = sizeof(value);
  if (getsockopt(fd_, level, name, &value, &size) == 0) return value;
  return Error(errno, absl::StrCat("getsockopt(", level, ", ", name, ") of "));
}

absl::Status Socket::SetNoDelay(bool on) { return SetOption(IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0); }

absl::Status Socket::SetKeepAlive(absl::Duration idle, absl::Duration interval, int count) {
  const auto seconds = [](absl::Duration duration) {
    return static_cast<int>(std::clamp<std::int64_t>(absl::ToInt64Seconds(duration), 1, 32767));
  };
  absl::Status status = SetOption(SOL_SOCKET, SO_KEEPALIVE, 1);
  status.Update(SetOption(IPPROTO_TCP, TCP_KEEPIDLE, seconds(idle)));
  status.Update(SetOption(IPPROTO_TCP, TCP_KEEPINTVL, seconds(interval)));
  status.Update(SetOption(IPPROTO_TCP, TCP_KEEPCNT, count));
  return status;
}

absl::StatusOr<Socket> Socket::Adopt(int fd) {
  Socket socket;
  socket.fd_ = fd;
  absl::Cleanup give_back = [&] { static_cast<void>(socket.GiveUp()); };
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || ((flags & O_NONBLOCK) == 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)) {
    return internal::ErrnoStatus(errno, absl::StrCat("adopting file descriptor ", fd));
  }
  const absl::StatusOr<int> type = socket.GetOption(SOL_SOCKET, SO_TYPE);
  if (!type.ok()) return type.status();
  const absl::StatusOr<int> protocol = socket.GetOption(SOL_SOCKET, SO_PROTOCOL);
  socket.stream_ = *type == SOCK_STREAM;
  socket.tcp_ = socket.stream_ && protocol.ok() && *protocol == IPPROTO_TCP;
  sockaddr_storage address;
  socklen_t size = sizeof(address);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    absl::StatusOr<Address> peer =
        Address::FromSockaddr(reinterpret_cast<sockaddr*>(&address), size);
    if (peer.ok()) socket.peer_ = *peer;
  }
  if (absl::Status status = socket.Register("adopting "); !status.ok()) return status;
  std::move(give_back).Cancel();
  return socket;
}

absl::Status Socket::Register(std::string_view operation) {
  absl::StatusOr<IoDescriptor> io = IoDescriptor::Register(fd_);
  if (!io.ok()) {
    return absl::Status(io.status().code(), absl::StrCat(operation, "file descriptor ", fd_, ": ",
                                                         io.status().message()));
  }
  io_ = *std::move(io);
  return absl::OkStatus();
}

}  // namespace verdant::green
