#ifndef VERDANT_GREEN_SSL_CONTEXT_H_
#define VERDANT_GREEN_SSL_CONTEXT_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace verdant::green {

struct TlsClientOptions {
  // Check the server's certificate: its chain up to a trusted one, its dates, and that it is for
  // the host meant. Without that a connection is private from those who only listen.
  bool verify = true;
  // Trusted certificates, PEM: a file, or the text itself. Both empty: the system's bundle, that
  // is $SSL_CERT_FILE or else the first that exists of the distributions' usual places.
  std::string ca_file = {};
  std::string ca_pem = {};
  // Protocols to offer, the preferred one first ("h2", "http/1.1"); empty: no ALPN.
  std::vector<std::string> alpn = {};
  // Sessions kept to shorten later handshakes with the same host and port; 0: none.
  std::size_t max_sessions = 1000;
};

struct TlsServerOptions {
  // The server's certificate and those between it and one its clients trust, in that order, PEM:
  // a file or the text itself.
  std::string certificate_file = {};
  std::string certificate_pem = {};
  // Its private key, PEM, not encrypted: a file or the text itself; both empty: in the same place
  // as the certificate.
  std::string key_file = {};
  std::string key_pem = {};
  // Protocols to agree to, the preferred one first. A client that offers others only is refused
  // (RFC 7301); empty: no ALPN.
  std::vector<std::string> alpn = {};
};

// What TLS connections have in common: whom they trust, who they are, which protocols they speak,
// the sessions they can take up again. A handle: copies share one context, from any thread. TLS 1.2
// and 1.3 (BoringSSL's ciphers and curves). Rows A13.5, B9.6; decision 10.
class TlsContext {
 public:
  // For connections to servers. Errors: InvalidArgument for certificates or protocols that make no
  // sense, NotFound when there is nothing to trust, else those of reading the file; each names the
  // file.
  static absl::StatusOr<TlsContext> Client(const TlsClientOptions& options = {});

  // For connections from clients. InvalidArgument for certificates and keys that make no sense or
  // do not belong together, else the errors of reading the files.
  static absl::StatusOr<TlsContext> Server(const TlsServerOptions& options);

  // Of no use but to be assigned to.
  TlsContext() = default;

  // Made by Server().
  bool for_servers() const;

  struct State;  // for TlsSocket
  const std::shared_ptr<State>& state() const { return state_; }

 private:
  explicit TlsContext(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

}  // namespace verdant::green

#endif  // VERDANT_GREEN_SSL_CONTEXT_H_
