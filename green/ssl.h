#ifndef VERDANT_GREEN_SSL_H_
#define VERDANT_GREEN_SSL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "green/socket.h"
#include "green/ssl_context.h"
#include "green/stream.h"
#include "hub/clock.h"

namespace verdant::green {

// A TLS connection over a socket, used like one: see Stream. Decrypted data that is there already
// is returned without a wait. Reads and writes never wait for one another, so that one green thread
// may receive while another sends.
//
// Failures beyond Stream's: Unauthenticated when a certificate was not accepted, with the reason;
// DataLoss when the connection ended without the peer's close_notify, so that what came may be cut
// off; Internal for violations of the protocol and for alerts of the peer, by BoringSSL's name for
// them. After a send that met its deadline what counts as sent goes out with the next call; after
// one that was unwound by a kill or a Timeout up to 16 KiB more than counted may go out.
class TlsSocket final : public Stream {
 public:
  // A closed connection.
  TlsSocket();
  TlsSocket(TlsSocket&& other) noexcept;
  TlsSocket& operator=(TlsSocket&& other) noexcept;
  ~TlsSocket() override;

  // Connects over TCP (see Socket::Connect()) and shakes hands; `deadline` is for both.
  static absl::StatusOr<TlsSocket> Connect(std::string_view host, std::uint16_t port,
                                           const TlsContext& context,
                                           Deadline deadline = Deadline::Never(),
                                           const ConnectOptions& options = {});
  // Shakes hands as the client, on a connection that exists. `host`, a name or a numeric address,
  // is what the server's certificate must be for; a name is told to the server (SNI). The socket is
  // closed on failure. Throws std::logic_error for a server's context.
  static absl::StatusOr<TlsSocket> Client(Socket socket, const TlsContext& context,
                                          std::string_view host,
                                          Deadline deadline = Deadline::Never());
  // The same as the server. Best done in the connection's own green thread, so that a slow client
  // holds up nobody else.
  static absl::StatusOr<TlsSocket> Server(Socket socket, const TlsContext& context,
                                          Deadline deadline = Deadline::Never());

  // Tells the peer (close_notify) if that needs no wait, and closes the socket.
  void Close() override;
  bool closed() const override;
  const Address& peer() const override;

  // The protocol agreed on (ALPN); empty if none was.
  std::string alpn() const;
  // "TLSv1.2" or "TLSv1.3".
  std::string version() const;
  // Such as "TLS_AES_128_GCM_SHA256".
  std::string cipher() const;
  // The handshake took up an earlier session.
  bool resumed() const;
  // On the server, the name the client asked for; empty if it told none.
  std::string server_name() const;
  // The peer's certificate in DER; empty if it showed none.
  std::string peer_certificate() const;

  // For options and addresses; what is sent or received past TLS ends the connection.
  Socket& socket();

 private:
  struct State;
  explicit TlsSocket(std::unique_ptr<State> state);

  static absl::StatusOr<std::unique_ptr<State>> NewState(Socket socket, const TlsContext& context,
                                                         bool client, std::string_view host);
  absl::Status Shake(Deadline deadline);

  absl::StatusOr<std::size_t> RecvSome(std::span<char> buffer, Deadline deadline) override;
  absl::StatusOr<std::size_t> SendSome(std::span<const std::string_view> pieces,
                                       Deadline deadline) override;
  absl::Status EndSending(Deadline deadline) override;

  std::unique_ptr<State> state_;
};

}  // namespace verdant::green

#endif  // VERDANT_GREEN_SSL_H_
