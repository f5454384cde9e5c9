#ifndef VERDANT_TESTS_GREEN_SSL_PAIR_TESTING_H_
#define VERDANT_TESTS_GREEN_SSL_PAIR_TESTING_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "green/ssl.h"
#include "hub/green_thread.h"
#include "tests/green/ssl_testing.h"
#include "tests/green/stream_testing.h"

namespace verdant::green {

inline const TestCertificate& Authority() {
  static const TestCertificate made = MakeTestCertificate("Test CA", nullptr, {.is_ca = true});
  return made;
}

// For example.test, *.wild.test and 127.0.0.1.
inline const TestCertificate& Leaf() {
  static const TestCertificate made = MakeTestCertificate(
      "leaf", &Authority(), {.names = {"DNS:example.test", "DNS:*.wild.test", "IP:127.0.0.1"}});
  return made;
}

inline TlsContext ServerContext(const TestCertificate& certificate = Leaf(),
                                std::vector<std::string> alpn = {}) {
  return *TlsContext::Server({.certificate_pem = certificate.certificate,
                              .key_pem = certificate.key,
                              .alpn = std::move(alpn)});
}

inline TlsContext ClientContext(std::vector<std::string> alpn = {}) {
  return *TlsContext::Client({.ca_pem = Authority().certificate, .alpn = std::move(alpn)});
}

struct Ends {
  absl::StatusOr<TlsSocket> client = absl::UnknownError("");
  absl::StatusOr<TlsSocket> server = absl::UnknownError("");
};

// Both sides' handshakes over `pair`.
inline Ends Shake(const TlsContext& client, const TlsContext& server,
                  const std::string& host = "example.test", Connection pair = TcpConnection()) {
  auto accepted = Spawn([&] { return TlsSocket::Server(std::move(pair.server), server); });
  Ends ends;
  ends.client = TlsSocket::Client(std::move(pair.client), client, host);
  ends.server = std::move(accepted).Wait();
  return ends;
}

}  // namespace verdant::green

#endif  // VERDANT_TESTS_GREEN_SSL_PAIR_TESTING_H_
