#ifndef VERDANT_GREEN_SSL_TRANSPORT_H_
#define VERDANT_GREEN_SSL_TRANSPORT_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "green/socket.h"
#include "hub/clock.h"
#include "openssl/base.h"

namespace verdant::green::internal {

// Carries TLS records between BoringSSL and a socket. BoringSSL's calls never wait and so never
// unwind: reads give what the kernel has, several records at a time, and what the kernel does not
// take at once of a write is kept until Flush().
class TlsTransport {
 public:
  explicit TlsTransport(Socket socket) : socket_(std::move(socket)) {}
  TlsTransport(const TlsTransport&) = delete;
  TlsTransport& operator=(const TlsTransport&) = delete;

  // A BIO on this object, which must outlive it.
  bssl::UniquePtr<BIO> NewBio();

  // Sends what is kept; with TryFlush() as much as goes without waiting. An error of the socket is
  // kept in error().
  absl::Status Flush(Deadline deadline, std::string_view operation);
  void TryFlush();
  // Somebody else is in Flush().
  bool flushing() const { return flushing_; }
  bool pending() const { return !output_.empty(); }

  Socket& socket() { return socket_; }
  const Socket& socket() const { return socket_; }
  // The errno with which the socket failed, or 0.
  int error() const { return error_; }
  bool at_end() const { return at_end_; }

 private:
  static int BioRead(BIO* bio, char* to, int size);
  static int BioWrite(BIO* bio, const char* from, int size);
  static long BioControl(BIO* bio, int command, long number, void* pointer);

  Socket socket_;
  std::unique_ptr<char[]> input_;  // given back when empty: most connections wait most of the time
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;
  std::string output_;
  bool flushing_ = false;
  bool at_end_ = false;
  int error_ = 0;
};

}  // namespace verdant::green::internal

#endif  // VERDANT_GREEN_SSL_TRANSPORT_H_
