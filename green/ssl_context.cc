#include "green/ssl_context.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "green/ssl_context_state.h"
#include "openssl/bio.h"
#include "openssl/err.h"
#include "openssl/pem.h"
#include "openssl/ssl.h"
#include "openssl/x509.h"

namespace verdant::green {
namespace {

constexpr std::array<const char*, 5> kSystemBundles = {
    "/etc/ssl/certs/ca-certificates.crt",  // Debian, Ubuntu, Arch, Gentoo
    "/etc/pki/tls/certs/ca-bundle.crt",    // Fedora, Red Hat
    "/etc/ssl/ca-bundle.pem",              // SUSE
    "/etc/ssl/cert.pem",                   // Alpine
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
};

absl::StatusOr<std::string> ReadFile(const std::string& name) {
  FILE* file = fopen(name.c_str(), "re");
  if (file == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat("opening ", name));
  const absl::Cleanup close = [&] { fclose(file); };
  std::string text;
  std::array<char, 16384> buffer;
  while (const std::size_t got = fread(buffer.data(), 1, buffer.size(), file)) {
    text.append(buffer.data(), got);
  }
  if (ferror(file) != 0) return absl::ErrnoToStatus(errno, absl::StrCat("reading ", name));
  return text;
}

// Text in PEM and where it comes from.
struct Pem {
  std::string text;
  std::string source;
};

absl::StatusOr<Pem> Load(const std::string& file, const std::string& text, std::string_view what) {
  if (!text.empty()) return Pem{text, absl::StrCat("the ", what, " given")};
  absl::StatusOr<std::string> read = ReadFile(file);
  if (!read.ok()) {
    return absl::Status(read.status().code(), absl::StrCat(what, ": ", read.status().message()));
  }
  return Pem{*std::move(read), absl::StrCat(what, " ", file)};
}

absl::StatusOr<Pem> LoadTrusted(const TlsClientOptions& options) {
  if (!options.ca_file.empty() || !options.ca_pem.empty()) {
    return Load(options.ca_file, options.ca_pem, "trusted certificates");
  }
  if (const char* file = getenv("SSL_CERT_FILE"); file != nullptr && file[0] != '\0') {
    return Load(file, "", "trusted certificates");
  }
  for (const char* file : kSystemBundles) {
    if (absl::StatusOr<Pem> pem = Load(file, "", "trusted certificates");
        pem.ok() || !absl::IsNotFound(pem.status())) {
      return pem;
    }
  }
  return absl::NotFoundError(absl::StrCat("no trusted certificates: there is none of ",
                                          absl::StrJoin(kSystemBundles, ", "),
                                          "; set SSL_CERT_FILE or name a file"));
}

bssl::UniquePtr<BIO> AsBio(const std::string& text) {
  return bssl::UniquePtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

absl::StatusOr<std::vector<bssl::UniquePtr<X509>>> Certificates(const Pem& pem) {
  ERR_clear_error();
  const bssl::UniquePtr<BIO> bio = AsBio(pem.text);
  std::vector<bssl::UniquePtr<X509>> certificates;
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(certificate);
  }
  const std::uint32_t error = ERR_peek_last_error();
  const bool at_end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  const std::string text = internal::TakeTlsErrors();
  if (!at_end) {
    return absl::InvalidArgumentError(absl::StrCat(
        pem.source, ": certificate ", certificates.size() + 1, " is malformed: ", text));
  }
  if (certificates.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(pem.source, ": no certificate in PEM"));
  }
  return certificates;
}

// OpenSSL's own would ask on the terminal.
int NoPassword(char*, int, int, void*) { return 0; }

absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> PrivateKey(const Pem& pem) {
  ERR_clear_error();
  const bssl::UniquePtr<BIO> bio = AsBio(pem.text);
  bssl::UniquePtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &NoPassword, nullptr));
  if (key != nullptr) return key;
  return absl::InvalidArgumentError(absl::StrCat(
      pem.source, ": no private key in PEM, or an encrypted one: ", internal::TakeTlsErrors()));
}

// RFC 7301, section 3.1: each name behind its length.
absl::StatusOr<std::string> AlpnWireFormat(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255) {
      return absl::InvalidArgumentError(
          absl::StrCat("ALPN: a protocol's name of ", protocol.size(), " bytes"));
    }
    wire.push_back(static_cast<char>(protocol.size()));
    wire += protocol;
  }
  if (wire.size() > 65535) return absl::InvalidArgumentError("ALPN: too many protocols");
  return wire;
}

const std::uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

int SelectAlpn(SSL*, const std::uint8_t** out, std::uint8_t* out_size, const std::uint8_t* offered,
               unsigned offered_size, void* arg) {
  const std::string& ours = static_cast<TlsContext::State*>(arg)->alpn;
  std::uint8_t* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_size, Bytes(ours), static_cast<unsigned>(ours.size()),
                            offered, offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

// The session's server is what TlsSocket put into the connection's ex data. Returns 1 when the
// session was kept.
int KeepSession(SSL* ssl, SSL_SESSION* session) {
  const auto* server = static_cast<const std::string*>(SSL_get_app_data(ssl));
  auto* state = static_cast<TlsContext::State*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0));
  if (server == nullptr || state == nullptr) return 0;
  state->sessions.Put(*server, bssl::UniquePtr<SSL_SESSION>(session));
  return 1;
}

absl::Status NewContext(TlsContext::State& state, const std::vector<std::string>& alpn) {
  absl::StatusOr<std::string> wire = AlpnWireFormat(alpn);
  if (!wire.ok()) return wire.status();
  state.alpn = *std::move(wire);
  state.ctx.reset(SSL_CTX_new(TLS_method()));
  if (state.ctx == nullptr || SSL_CTX_set_min_proto_version(state.ctx.get(), TLS1_2_VERSION) != 1) {
    return absl::ResourceExhaustedError(absl::StrCat("TLS context: ", internal::TakeTlsErrors()));
  }
  return absl::OkStatus();
}

}  // namespace

bool TlsContext::for_servers() const { return state_ != nullptr && !state_->client; }

absl::StatusOr<TlsContext> TlsContext::Client(const TlsClientOptions& options) {
  auto state = std::make_shared<State>(/*is_client=*/true, options.max_sessions);
  if (absl::Status status = NewContext(*state, options.alpn); !status.ok()) return status;
  SSL_CTX* ctx = state->ctx.get();
  // 0 is success, for once.
  if (!state->alpn.empty() &&
      SSL_CTX_set_alpn_protos(ctx, Bytes(state->alpn), state->alpn.size()) != 0) {
    return absl::ResourceExhaustedError("TLS context: ALPN");
  }
  if (options.max_sessions > 0) {
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_ex_data(ctx, 0, state.get());
    SSL_CTX_sess_set_new_cb(ctx, &KeepSession);
  }
  if (!options.verify) return TlsContext(std::move(state));
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
  absl::StatusOr<Pem> pem = LoadTrusted(options);
  if (!pem.ok()) return pem.status();
  absl::StatusOr<std::vector<bssl::UniquePtr<X509>>> trusted = Certificates(*pem);
  if (!trusted.ok()) return trusted.status();
  for (const bssl::UniquePtr<X509>& certificate : *trusted) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate.get());
  }
  return TlsContext(std::move(state));
}

absl::StatusOr<TlsContext> TlsContext::Server(const TlsServerOptions& options) {
  auto state = std::make_shared<State>(/*is_client=*/false, 0);
  if (absl::Status status = NewContext(*state, options.alpn); !status.ok()) return status;
  SSL_CTX* ctx = state->ctx.get();
  if (!state->alpn.empty()) SSL_CTX_set_alpn_select_cb(ctx, &SelectAlpn, state.get());

  absl::StatusOr<Pem> pem = Load(options.certificate_file, options.certificate_pem, "certificate");
  if (!pem.ok()) return pem.status();
  absl::StatusOr<std::vector<bssl::UniquePtr<X509>>> chain = Certificates(*pem);
  if (!chain.ok()) return chain.status();
  absl::StatusOr<Pem> key_pem = options.key_file.empty() && options.key_pem.empty()
                                    ? *pem
                                    : Load(options.key_file, options.key_pem, "private key");
  if (!key_pem.ok()) return key_pem.status();
  absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> key = PrivateKey(*key_pem);
  if (!key.ok()) return key.status();

  bool accepted = SSL_CTX_use_certificate(ctx, chain->front().get()) == 1;
  for (std::size_t i = 1; i < chain->size(); ++i) {
    accepted = accepted && SSL_CTX_add1_chain_cert(ctx, (*chain)[i].get()) == 1;
  }
  if (!accepted) {
    return absl::InvalidArgumentError(absl::StrCat(pem->source, ": ", internal::TakeTlsErrors()));
  }
  if (SSL_CTX_use_PrivateKey(ctx, key->get()) != 1 || SSL_CTX_check_private_key(ctx) != 1) {
    return absl::InvalidArgumentError(absl::StrCat(key_pem->source, " does not belong to ",
                                                   pem->source, ": ", internal::TakeTlsErrors()));
  }
  return TlsContext(std::move(state));
}

namespace internal {

std::string TakeTlsErrors() {
  std::string text;
  while (const std::uint32_t error = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(error);
    if (!text.empty()) text += ", ";
    text += reason != nullptr ? reason : "unknown error";
  }
  return text.empty() ? "no reason given" : text;
}

void TlsSessions::Put(std::string_view server, bssl::UniquePtr<SSL_SESSION> session) {
  const std::scoped_lock lock(mutex_);
  if (const auto known = by_server_.find(server); known != by_server_.end()) {
    known->second->second = std::move(session);
    entries_.splice(entries_.begin(), entries_, known->second);
    return;
  }
  entries_.emplace_front(std::string(server), std::move(session));
  by_server_.emplace(entries_.front().first, entries_.begin());
  if (entries_.size() <= capacity_) return;
  by_server_.erase(entries_.back().first);
  entries_.pop_back();
}

bssl::UniquePtr<SSL_SESSION> TlsSessions::Take(std::string_view server) {
  const std::scoped_lock lock(mutex_);
  const auto known = by_server_.find(server);
  if (known == by_server_.end()) return nullptr;
  const auto entry = known->second;
  if (SSL_SESSION_should_be_single_use(entry->second.get()) == 0) {
    entries_.splice(entries_.begin(), entries_, entry);
    return bssl::UpRef(entry->second);
  }
  bssl::UniquePtr<SSL_SESSION> session = std::move(entry->second);
  by_server_.erase(known);
  entries_.erase(entry);
  return session;
}

}  // namespace internal
}  // namespace verdant::green
