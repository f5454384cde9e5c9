#ifndef VERDANT_GREEN_SSL_CONTEXT_STATE_H_
#define VERDANT_GREEN_SSL_CONTEXT_STATE_H_

#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "green/ssl_context.h"
#include "openssl/ssl.h"

namespace verdant::green {

namespace internal {

// Sessions of clients by server, the least recently used going first. Safe from any thread.
class TlsSessions {
 public:
  explicit TlsSessions(std::size_t capacity) : capacity_(capacity) {}

  void Put(std::string_view server, bssl::UniquePtr<SSL_SESSION> session);
  // Null if there is none. One that must not be used twice is handed out once.
  bssl::UniquePtr<SSL_SESSION> Take(std::string_view server);

 private:
  using Entry = std::pair<std::string, bssl::UniquePtr<SSL_SESSION>>;

  const std::size_t capacity_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // the most recently used first
  absl::flat_hash_map<std::string_view, std::list<Entry>::iterator> by_server_;
};

// What BoringSSL's queue of errors says, shortly ("WRONG_VERSION_NUMBER"); empties it.
std::string TakeTlsErrors();

}  // namespace internal

struct TlsContext::State {
  State(bool is_client, std::size_t max_sessions) : client(is_client), sessions(max_sessions) {}

  const bool client;
  bssl::UniquePtr<SSL_CTX> ctx;
  std::string alpn;  // in wire format
  internal::TlsSessions sessions;
};

}  // namespace verdant::green

#endif  // VERDANT_GREEN_SSL_CONTEXT_STATE_H_
