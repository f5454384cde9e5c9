#ifndef VERDANT_GREEN_STREAM_H_
#define VERDANT_GREEN_STREAM_H_

#include <cstddef>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "green/address.h"
#include "hub/clock.h"

namespace verdant::green {

// A connection that carries bytes both ways, in the clear (Socket) or encrypted (TlsSocket). Calls
// suspend the calling green thread only. One green thread may receive while another sends; see
// IoDescriptor for a second in one direction.
//
// Every failure is a Status that names the operation, the peer and the cause: DeadlineExceeded when
// `deadline` came first, FailedPrecondition (EBADF) when another green thread closed the connection
// meanwhile, otherwise the system's error, which ErrnoOf() gives. Kill() and Timeout unwind from
// every call; what had been transferred by then shows in the counts taken by pointer. Rows A13.1,
// A13.2, B9.2-B9.4; decisions 5 and 12.
class Stream {
 public:
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  // Waits until anything has come and takes as much of it as fits; 0 at the end of the stream, and
  // for an empty buffer.
  absl::StatusOr<std::size_t> Recv(std::span<char> buffer, Deadline deadline = Deadline::Never()) {
    return RecvSome(buffer, deadline);
  }
  // Fills `buffer`. OutOfRange if the stream ends before. `deadline` is for all of it. *received,
  // if given, is kept up to date, whatever happens.
  absl::Status RecvExactly(std::span<char> buffer, Deadline deadline = Deadline::Never(),
                           std::size_t* received = nullptr);

  // Sends some of `data`, at least a byte unless it is empty, waiting for room if there is none.
  absl::StatusOr<std::size_t> Send(std::string_view data, Deadline deadline = Deadline::Never()) {
    return SendSome({&data, 1}, deadline);
  }
  // Sends all of it; nothing to do for nothing. `deadline` is for all of it. *sent, if given, is
  // kept up to date, whatever happens.
  absl::Status SendAll(std::string_view data, Deadline deadline = Deadline::Never(),
                       std::size_t* sent = nullptr) {
    return SendAll({&data, 1}, deadline, sent);
  }
  // The same for several pieces, in as few system calls as possible (writev).
  absl::Status SendAll(std::span<const std::string_view> pieces,
                       Deadline deadline = Deadline::Never(), std::size_t* sent = nullptr);

  // Ends this direction: the peer reads the end of the stream, and may go on sending. Harmless if
  // the peer has gone.
  absl::Status ShutdownSend(Deadline deadline = Deadline::Never()) { return EndSending(deadline); }

  // Ends the connection now and wakes whoever waits on it (decision 5). Idempotent; never waits. A
  // destructor does the same, but must not run while somebody waits.
  virtual void Close() = 0;
  virtual bool closed() const = 0;

  virtual const Address& peer() const = 0;

 protected:
  Stream() = default;
  Stream(Stream&&) = default;
  Stream& operator=(Stream&&) = default;

 private:
  virtual absl::StatusOr<std::size_t> RecvSome(std::span<char> buffer, Deadline deadline) = 0;
  // At least one byte if the pieces have one.
  virtual absl::StatusOr<std::size_t> SendSome(std::span<const std::string_view> pieces,
                                               Deadline deadline) = 0;
  virtual absl::Status EndSending(Deadline deadline) = 0;
};

}  // namespace verdant::green

#endif  // VERDANT_GREEN_STREAM_H_
