#ifndef VERDANT_GREEN_SOCKET_H_
#define VERDANT_GREEN_SOCKET_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "green/address.h"
#include "green/socket_error.h"
#include "green/stream.h"
#include "hub/clock.h"
#include "hub/internal/intake.h"
#include "hub/io.h"

namespace verdant::green {

struct ConnectOptions {
  // Where to connect from; of no family: the kernel chooses.
  Address local = {};
  // Small writes leave at once instead of waiting for an acknowledgement (TCP_NODELAY).
  bool no_delay = true;
};

struct ListenOptions {
  int backlog =
      4096;  // connections waiting to be accepted; the kernel's net.core.somaxconn limits it
  // Do not wait for connections of an earlier listener to fade away (SO_REUSEADDR).
  bool reuse_address = true;
  // Several listeners share the port and the kernel spreads connections over them (SO_REUSEPORT).
  bool reuse_port = false;
  // An IPv6 listener leaves IPv4 alone; otherwise one on [::] takes both.
  bool v6_only = false;
  bool no_delay = true;  // of accepted connections
};

// A TCP, UDP or Unix socket for green threads: the descriptor is non-blocking underneath, and a
// call that would block suspends the calling green thread only. Owns the descriptor. See Stream for
// what all calls share; no call raises SIGPIPE.
//
// Threading: belongs to the thread (hub) that made it; Release() and Adopt() carry the descriptor
// to another. Must not be moved or destroyed while a green thread waits on it, but may be closed
// (decision 5). Rows A13.1-A13.4, B9.
class Socket final : public Stream {
 public:
  // A closed socket.
  Socket() = default;
  Socket(Socket&& other) noexcept { *this = std::move(other); }
  Socket& operator=(Socket&& other) noexcept;
  ~Socket() override { Close(); }

  // ---- Streams ----

  // Connects over TCP to a name or a numeric address. All addresses of a name are tried in turn,
  // IPv6 and IPv4 alternating (RFC 8305, section 4), until one answers. `deadline` is for
  // everything, resolving included; each address but the last may use up an equal share of what is
  // left. The last failure is reported; failed sockets are closed, on unwinding as well (row B9.5).
  static absl::StatusOr<Socket> Connect(std::string_view host, std::uint16_t port,
                                        Deadline deadline = Deadline::Never(),
                                        const ConnectOptions& options = {});
  // To one TCP or Unix stream address.
  static absl::StatusOr<Socket> Connect(const Address& address,
                                        Deadline deadline = Deadline::Never(),
                                        const ConnectOptions& options = {});
  // To the first of `addresses` that answers, in the order given; shares of time and failures as
  // above. InvalidArgument if there is none.
  static absl::StatusOr<Socket> ConnectAny(std::span<const Address> addresses,
                                           Deadline deadline = Deadline::Never(),
                                           const ConnectOptions& options = {});

  // Listens for stream connections. Port 0: local() tells the one chosen. A Unix path must not
  // exist yet, and is left behind when the listener closes.
  static absl::StatusOr<Socket> Listen(const Address& address, const ListenOptions& options = {});
  // The next connection, whose peer() is the other end. Errors that concern one connection only
  // (ECONNABORTED) are reported too; the listener stays usable.
  absl::StatusOr<Socket> Accept(Deadline deadline = Deadline::Never());

  // Two connected sockets of the Unix family; SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET.
  static absl::StatusOr<std::pair<Socket, Socket>> Pair(int type);

  // ---- Datagrams: Recv() and Send() move one datagram each, cutting off what does not fit ----

  // A UDP or Unix datagram socket bound to `local`; port 0 for any.
  static absl::StatusOr<Socket> BindDatagram(const Address& local);
  // One whose Send() goes to `peer` and which receives from there only.
  static absl::StatusOr<Socket> ConnectDatagram(const Address& peer);

  struct Datagram {
    std::size_t size = 0;    // bytes stored
    bool truncated = false;  // there were more
    Address from;
  };
  absl::StatusOr<Datagram> RecvFrom(std::span<char> buffer, Deadline deadline = Deadline::Never());
  absl::Status SendTo(std::string_view data, const Address& to,
                      Deadline deadline = Deadline::Never());

  // ---- Ahead of being asked ----
  //
  // With io_uring (Hub::Options::poller) the kernel can take what comes before anybody asks, and so
  // without a system call each time: a few percent for many small messages and short connections,
  // and a loss for large ones, which are copied once more (docs/performance.md). Everything above
  // works as it does otherwise, and first gives what has been taken; ends and errors come after
  // what they came after. Over another poller, or where the kernel is too old (before Linux 6.0) or
  // forbids it, these two change nothing and return false. What a program gives up where they
  // return true:
  //
  // - What has been taken is in this object, not in the kernel: whoever reads fd() directly, by
  //   another Socket or in another process, misses it, and Release() refuses to leave it behind
  //   (see StopAhead()).
  // - The kernel takes whether or not anybody waits: a listener's connections beyond its backlog,
  //   up to 256 of them and those it finds at one look; of a stream 64 KiB, and what it finds at
  //   one look, at most 4 MiB for all sockets of the hub together. It goes on once all of that has
  //   been given out. So peers may send so much more before they have to wait.
  // - The child of a fork cannot receive (accept) on it, and is told so (EBUSY): what comes goes to
  //   the parent. Sending works.
  //
  // Connections taken and not given out close with the listener, as those do that wait in its
  // backlog. Calling again changes nothing. Both throw std::logic_error for what is not a listener
  // (not a stream), whatever the poller; in closed sockets they return false.

  // Accept() from now on. The peer() of a connection that was reset before it was given out is of
  // no family.
  bool AcceptAhead();
  // Recv(), RecvFrom(), TryRecv() from now on, of a connected stream, TlsSocket's transport
  // included.
  bool ReceiveAhead();
  // Ends either: when it returns the kernel takes no more. Never waits for a peer. What has been
  // taken stays to be received (accepted); then everything is as if neither had been called. Throws
  // std::runtime_error if the kernel does not answer within a second, and has changed nothing then;
  // so does Release().
  void StopAhead();
  // Whether bytes, connections or an error have been taken and not been given out. The next call to
  // receive (accept) does not wait then. So, to give a connection away:
  //
  //   socket.StopAhead();
  //   while (socket.HoldsAhead()) got = socket.Recv(buffer);  // hand that on as well
  //   int fd = socket.Release();
  bool HoldsAhead() const { return ahead_ != nullptr && ahead_->holds(); }

  // ---- Both ----

  void Close() override;
  bool closed() const override { return fd_ < 0; }
  // Where it is connected to; of no family if it is not.
  const Address& peer() const override { return peer_; }
  absl::StatusOr<Address> local() const;

  // setsockopt and getsockopt for options that are an int.
  absl::Status SetOption(int level, int name, int value);
  absl::StatusOr<int> GetOption(int level, int name) const;
  absl::Status SetNoDelay(bool on);
  // TCP keep-alive probes after `idle`, then each `interval`, giving up after `count` (whole
  // seconds, at least one).
  absl::Status SetKeepAlive(absl::Duration idle, absl::Duration interval, int count);

  // Takes over a socket's descriptor, which becomes non-blocking; on failure it stays the caller's.
  static absl::StatusOr<Socket> Adopt(int fd);
  // Gives the descriptor away, still non-blocking, and wakes whoever waits as Close() does; -1 if
  // closed. Throws std::logic_error if HoldsAhead(), having stopped that.
  [[nodiscard]] int Release();
  int fd() const { return fd_; }

  // ---- For protocols that do their own buffering ----

  // One attempt to receive (send), without waiting and without a system call if the kernel is known
  // to have nothing (no room): bytes moved, 0 at the end of the stream, or the negated errno,
  // -EAGAIN for "not now".
  ssize_t TryRecv(std::span<char> buffer) noexcept;
  ssize_t TrySend(std::string_view data) noexcept;
  // Waits until a further attempt makes sense. `operation` is for the Status.
  absl::Status WaitReadable(Deadline deadline, std::string_view operation);
  absl::Status WaitWritable(Deadline deadline, std::string_view operation);
  // `error` as this class would report it.
  absl::Status Error(int error, std::string_view operation) const;

 private:
  static absl::StatusOr<Socket> Open(int family, int type, std::string_view operation,
                                     const Address& about);
  absl::Status FinishConnect(Deadline deadline);
  absl::Status Register(std::string_view operation);
  absl::Status Bind(const Address& local);
  // The peer, or else what the socket is bound to.
  std::string Subject() const;
  absl::Status WaitFailure(IoWait wait, std::string_view operation) const;
  int GiveUp() noexcept;
  bool BeginAhead(::verdant::internal::Intake::Kind kind);
  void TookAhead() noexcept;
  // Whether reads (accepts) are to take from ahead_.
  bool Takes(::verdant::internal::Intake::Kind kind) const {
    return ahead_ != nullptr && ahead_->kind() == kind;
  }
  // A descriptor or the negated errno.
  int TryAccept(Address& peer) noexcept;
  ssize_t Received(ssize_t got, std::size_t wanted) noexcept;
  ssize_t Sent(ssize_t took, std::size_t wanted) noexcept;

  absl::StatusOr<std::size_t> RecvSome(std::span<char> buffer, Deadline deadline) override;
  absl::StatusOr<std::size_t> SendSome(std::span<const std::string_view> pieces,
                                       Deadline deadline) override;
  absl::Status EndSending(Deadline deadline) override;

  int fd_ = -1;
  bool tcp_ = false;     // for which a short transfer tells that the kernel is drained or full
  bool stream_ = false;  // without bounds between messages
  IoDescriptor io_;
  Address peer_;
  std::unique_ptr<::verdant::internal::Intake> ahead_;  // null unless one of them is in effect
};

}  // namespace verdant::green

#endif  // VERDANT_GREEN_SOCKET_H_
