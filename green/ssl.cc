#include "green/ssl.h"

#include <errno.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "green/socket_error.h"
#include "green/ssl_context_state.h"
#include "green/ssl_transport.h"
#include "openssl/bio.h"
#include "openssl/err.h"
#include "openssl/mem.h"
#include "openssl/ssl.h"
#include "openssl/x509.h"
#include "openssl/x509v3.h"

namespace verdant::green {
namespace {

// A record's worth, so that what a failed send may leave behind has a bound.
constexpr std::size_t kMaxRecord = 16384;

}  // namespace

struct TlsSocket::State {
  State(Socket socket, TlsContext c, std::string_view h)
      : context(std::move(c)), host(h), transport(std::move(socket)) {}

  // Why the last call of BoringSSL failed. Takes its errors.
  absl::Status Failure(std::string_view operation);

  TlsContext context;
  std::string host;
  std::string session_key;  // of client connections
  internal::TlsTransport transport;
  bssl::UniquePtr<SSL> ssl;
  bool sent_close = false;
};

absl::Status TlsSocket::State::Failure(std::string_view operation) {
  const Socket& socket = transport.socket();
  if (transport.error() != 0) {
    ERR_clear_error();
    return socket.Error(transport.error(), operation);
  }
  const std::string subject = absl::StrCat(operation, socket.peer());
  if (const std::uint32_t error = ERR_peek_error();
      ERR_GET_LIB(error) == ERR_LIB_SSL &&
      ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    ERR_clear_error();
    return absl::UnauthenticatedError(
        absl::StrCat(subject, " (", host, "): certificate not accepted: ",
                     X509_verify_cert_error_string(SSL_get_verify_result(ssl.get()))));
  }
  if (transport.at_end() || ERR_peek_error() == 0) {
    ERR_clear_error();
    if (SSL_in_init(ssl.get()) != 0) {
      return absl::UnavailableError(absl::StrCat(subject, ": the peer closed the connection"));
    }
    return absl::DataLossError(
        absl::StrCat(subject, ": the connection ended without close_notify"));
  }
  return absl::InternalError(absl::StrCat(subject, ": TLS: ", internal::TakeTlsErrors()));
}

TlsSocket::TlsSocket() = default;
TlsSocket::TlsSocket(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsSocket::TlsSocket(TlsSocket&& other) noexcept = default;
TlsSocket& TlsSocket::operator=(TlsSocket&& other) noexcept {
  if (this == &other) return *this;
  Close();
  state_ = std::move(other.state_);
  return *this;
}
TlsSocket::~TlsSocket() { Close(); }

absl::StatusOr<std::unique_ptr<TlsSocket::State>> TlsSocket::NewState(Socket socket,
                                                                      const TlsContext& context,
                                                                      bool client,
                                                                      std::string_view host) {
  if (context.state() == nullptr || context.state()->client != client) {
    throw std::logic_error(client ? "TlsSocket::Client: not a client's context"
                                  : "TlsSocket::Server: not a server's context");
  }
  ERR_clear_error();
  auto state = std::make_unique<State>(std::move(socket), context, host);
  state->ssl.reset(SSL_new(context.state()->ctx.get()));
  bssl::UniquePtr<BIO> bio = state->transport.NewBio();
  if (state->ssl == nullptr || bio == nullptr) {
    return absl::ResourceExhaustedError(absl::StrCat("TLS: ", internal::TakeTlsErrors()));
  }
  BIO* const both_ways = bio.release();
  SSL_set_bio(state->ssl.get(), both_ways, both_ways);  // takes one reference, not two
  return state;
}

absl::StatusOr<TlsSocket> TlsSocket::Connect(std::string_view host, std::uint16_t port,
                                             const TlsContext& context, Deadline deadline,
                                             const ConnectOptions& options) {
  absl::StatusOr<Socket> socket = Socket::Connect(host, port, deadline, options);
  if (!socket.ok()) return socket.status();
  return Client(*std::move(socket), context, host, deadline);
}

absl::StatusOr<TlsSocket> TlsSocket::Client(Socket socket, const TlsContext& context,
                                            std::string_view host, Deadline deadline) {
  const Address peer = socket.peer();
  // A root's dot at the end is no part of the name in a certificate.
  std::string name(host.substr(0, host.size() - (host.ends_with('.') ? 1 : 0)));
  absl::StatusOr<std::unique_ptr<State>> state = NewState(std::move(socket), context, true, name);
  if (!state.ok()) return state.status();
  SSL* ssl = (*state)->ssl.get();
  X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl);
  bool set = true;
  if (absl::StatusOr<Address> ip = Address::FromIp(name, 0); ip.ok()) {
    set = X509_VERIFY_PARAM_set1_ip_asc(wanted, ip->ip().c_str()) == 1;
  } else {
    X509_VERIFY_PARAM_set_hostflags(
        wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    set = !name.empty() && X509_VERIFY_PARAM_set1_host(wanted, name.data(), name.size()) == 1 &&
          SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
  }
  if (!set) {
    ERR_clear_error();
    return absl::InvalidArgumentError(absl::StrCat("TLS handshake with ", peer, ": '", name,
                                                   "' is no name a certificate could be for"));
  }
  (*state)->session_key = absl::StrCat(name, "|", peer.port(), "|", peer.path());
  SSL_set_app_data(ssl, &(*state)->session_key);
  if (bssl::UniquePtr<SSL_SESSION> session =
          context.state()->sessions.Take((*state)->session_key)) {
    SSL_set_session(ssl, session.get());
  }
  SSL_set_connect_state(ssl);
  TlsSocket made(*std::move(state));
  if (absl::Status status = made.Shake(deadline); !status.ok()) return status;
  return made;
}

absl::StatusOr<TlsSocket> TlsSocket::Server(Socket socket, const TlsContext& context,
                                            Deadline deadline) {
  absl::StatusOr<std::unique_ptr<State>> state = NewState(std::move(socket), context, false, "");
  if (!state.ok()) return state.status();
  SSL_set_accept_state((*state)->ssl.get());
  TlsSocket made(*std::move(state));
  if (absl::Status status = made.Shake(deadline); !status.ok()) return status;
  return made;
}

absl::Status TlsSocket::Shake(Deadline deadline) {
  constexpr std::string_view kOperation = "TLS handshake with ";
  State& state = *state_;
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(state.ssl.get());
    const bool more = result <= 0 && SSL_get_error(state.ssl.get(), result) == SSL_ERROR_WANT_READ;
    absl::Status failure;
    if (result <= 0 && !more) failure = state.Failure(kOperation);
    // The alert that says why goes out first, if the peer is still there to take it.
    if (absl::Status status = state.transport.Flush(deadline, kOperation);
        !status.ok() && failure.ok()) {
      return status;
    }
    if (!failure.ok()) return failure;
    if (result > 0) return absl::OkStatus();
    if (absl::Status status = state.transport.socket().WaitReadable(deadline, kOperation);
        !status.ok()) {
      return status;
    }
  }
}

absl::StatusOr<std::size_t> TlsSocket::RecvSome(std::span<char> buffer, Deadline deadline) {
  constexpr std::string_view kOperation = "recv from ";
  if (closed()) return Socket().Error(EBADF, kOperation);
  if (buffer.empty()) return 0;
  State& state = *state_;
  for (;;) {
    ERR_clear_error();
    const int result = SSL_read(state.ssl.get(), buffer.data(),
                                static_cast<int>(std::min<std::size_t>(buffer.size(), 1 << 30)));
    if (result > 0) return static_cast<std::size_t>(result);
    switch (SSL_get_error(state.ssl.get(), result)) {
      case SSL_ERROR_ZERO_RETURN:
        return 0;
      case SSL_ERROR_WANT_READ:
        break;
      default:
        return state.Failure(kOperation);
    }
    // The peer may wait for what an earlier send left behind; nobody else will send it.
    if (state.transport.pending() && !state.transport.flushing()) {
      if (absl::Status status = state.transport.Flush(deadline, kOperation); !status.ok()) {
        return status;
      }
    }
    if (absl::Status status = state.transport.socket().WaitReadable(deadline, kOperation);
        !status.ok()) {
      return status;
    }
  }
}

absl::StatusOr<std::size_t> TlsSocket::SendSome(std::span<const std::string_view> pieces,
                                                Deadline deadline) {
  constexpr std::string_view kOperation = "send to ";
  if (closed()) return Socket().Error(EBADF, kOperation);
  State& state = *state_;
  if (absl::Status status = state.transport.Flush(deadline, kOperation); !status.ok())
    return status;
  if (closed()) return Socket().Error(EBADF, kOperation);

  // Small pieces share a record.
  std::string gathered;
  std::string_view data = pieces.empty() ? std::string_view() : pieces[0].substr(0, kMaxRecord);
  if (pieces.size() > 1 && data.size() < kMaxRecord) {
    for (const std::string_view piece : pieces) {
      gathered += piece.substr(0, kMaxRecord - gathered.size());
      if (gathered.size() == kMaxRecord) break;
    }
    data = gathered;
  }
  if (data.empty()) return 0;
  ERR_clear_error();
  const int result = SSL_write(state.ssl.get(), data.data(), static_cast<int>(data.size()));
  if (result <= 0) return state.Failure(kOperation);
  const absl::Status status = state.transport.Flush(deadline, kOperation);
  if (!status.ok() && !absl::IsDeadlineExceeded(status)) return status;
  return static_cast<std::size_t>(result);
}

absl::Status TlsSocket::EndSending(Deadline deadline) {
  constexpr std::string_view kOperation = "shutdown of ";
  if (closed()) return Socket().Error(EBADF, kOperation);
  State& state = *state_;
  if (absl::Status status = state.transport.Flush(deadline, kOperation); !status.ok())
    return status;
  if (closed()) return Socket().Error(EBADF, kOperation);
  if (!std::exchange(state.sent_close, true)) {
    ERR_clear_error();
    const int result = SSL_shutdown(state.ssl.get());
    if (result < 0) return state.Failure(kOperation);
    if (absl::Status status = state.transport.Flush(deadline, kOperation); !status.ok())
      return status;
  }
  return state.transport.socket().ShutdownSend(deadline);
}

void TlsSocket::Close() {
  if (closed()) return;
  State& state = *state_;
  // Behind what is still to be sent it could not go now, and within a record it would make no
  // sense.
  if (!std::exchange(state.sent_close, true) && !state.transport.pending()) {
    ERR_clear_error();
    SSL_shutdown(state.ssl.get());
    ERR_clear_error();
  }
  state.transport.socket().Close();
}

bool TlsSocket::closed() const { return state_ == nullptr || state_->transport.socket().closed(); }

const Address& TlsSocket::peer() const {
  static const Address none;
  return state_ != nullptr ? state_->transport.socket().peer() : none;
}

std::string TlsSocket::alpn() const {
  const std::uint8_t* name = nullptr;
  unsigned size = 0;
  if (state_ != nullptr) SSL_get0_alpn_selected(state_->ssl.get(), &name, &size);
  return std::string(reinterpret_cast<const char*>(name), size);
}

std::string TlsSocket::version() const {
  return state_ != nullptr ? SSL_get_version(state_->ssl.get()) : "";
}

std::string TlsSocket::cipher() const {
  const SSL_CIPHER* cipher =
      state_ != nullptr ? SSL_get_current_cipher(state_->ssl.get()) : nullptr;
  return cipher != nullptr ? SSL_CIPHER_standard_name(cipher) : "";
}

bool TlsSocket::resumed() const {
  return state_ != nullptr && SSL_session_reused(state_->ssl.get()) != 0;
}

std::string TlsSocket::server_name() const {
  const char* name = state_ != nullptr
                         ? SSL_get_servername(state_->ssl.get(), TLSEXT_NAMETYPE_host_name)
                         : nullptr;
  return name != nullptr ? name : "";
}

std::string TlsSocket::peer_certificate() const {
  if (state_ == nullptr) return "";
  const bssl::UniquePtr<X509> certificate(SSL_get_peer_certificate(state_->ssl.get()));
  std::uint8_t* der = nullptr;
  const int size = certificate != nullptr ? i2d_X509(certificate.get(), &der) : 0;
  const bssl::UniquePtr<std::uint8_t> owned(der);
  return size > 0 ? std::string(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size))
                  : "";
}

Socket& TlsSocket::socket() {
  if (state_ == nullptr) throw std::logic_error("TlsSocket::socket of an empty TlsSocket");
  return state_->transport.socket();
}

}  // namespace verdant::green
