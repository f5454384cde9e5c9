#include "green/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "green/internal/curl_multi.h"
#include "green/internal/http_check.h"
#include "green/internal/http_failure.h"

namespace verdant::green::http {
namespace {

using internal::HttpCauseOf;
using internal::HttpStatus;

constexpr internal::HttpCause kTooLargeCause = {Failure::kTooLarge,
                                                absl::StatusCode::kResourceExhausted};
constexpr internal::HttpCause kResetCause = {Failure::kReset, absl::StatusCode::kUnavailable};

// One request under way, as libcurl's callbacks see it.
struct Transfer {
  const Request& request;
  const ClientOptions& options;
  Response& response;
  std::int64_t header_bytes = 0;
  bool headers_complete = false;
  bool headers_reported = false;
  absl::Status stopped = {};       // why a callback ended the transfer
  absl::Status blocked = {};       // why the last address was refused
  std::exception_ptr thrown = {};  // carried across libcurl's frames
  std::array<char, CURL_ERROR_SIZE> error_text = {};
};

// Runs a callback's body; what it throws is kept and the transfer ended.
template <typename F, typename R>
R Guarded(Transfer* transfer, R failed, F&& body) noexcept {
  try {
    return body();
  } catch (...) {
    transfer->thrown = std::current_exception();
    return failed;
  }
}

bool IsRedirect(int status) { return status >= 300 && status < 400 && status != 304; }

void ReportHeaders(Transfer* transfer) {
  if (transfer->headers_reported) return;
  transfer->headers_reported = true;
  if (transfer->request.on_headers)
    transfer->stopped = transfer->request.on_headers(transfer->response);
}

absl::Status BodyTooLarge(const Request& request) {
  return HttpStatus(kTooLargeCause,
                    absl::StrCat("the body exceeds ", request.max_body_bytes, " bytes"));
}

// Whether the headers tell of a body that cannot be taken: better known now than after most of it.
bool AnnouncesTooMuch(const Transfer& transfer) {
  const Response& response = transfer.response;
  if (transfer.request.method == "HEAD" || response.status == 304) return false;
  std::int64_t length = 0;
  return absl::SimpleAtoi(response.Get("content-length"), &length) &&
         length > transfer.request.max_body_bytes;
}

std::size_t OnHeader(char* data, std::size_t, std::size_t size, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  return Guarded(transfer, std::size_t{0}, [&]() -> std::size_t {
    std::string_view line(data, size);
    Response& response = transfer->response;
    if (absl::StartsWith(line, "HTTP/")) {
      // Another response: an interim one, or that of the next hop.
      response.headers.clear();
      response.status = 0;
      transfer->header_bytes = 0;
      if (const std::size_t space = line.find(' '); space != line.npos) {
        int status = 0;
        if (absl::SimpleAtoi(line.substr(space + 1, 3), &status)) response.status = status;
      }
      transfer->headers_complete = false;
    }
    transfer->header_bytes += static_cast<std::int64_t>(size);
    if (transfer->header_bytes > transfer->request.max_header_bytes) {
      transfer->stopped =
          HttpStatus(kTooLargeCause, absl::StrCat("the response headers exceed ",
                                                  transfer->request.max_header_bytes, " bytes"));
      return 0;
    }
    if (transfer->header_bytes == static_cast<std::int64_t>(size)) return size;  // the status line
    if (const std::size_t colon = line.find(':'); colon != line.npos && colon > 0) {
      response.headers.push_back({std::string(line.substr(0, colon)),
                                  std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)))});
    } else if (absl::StripAsciiWhitespace(line).empty() && response.status >= 200) {
      transfer->headers_complete = true;
      const bool followed = transfer->request.max_redirects > 0 && IsRedirect(response.status) &&
                            !response.Get("location").empty();
      if (!followed && AnnouncesTooMuch(*transfer)) {
        transfer->stopped = BodyTooLarge(transfer->request);
        return 0;
      }
      if (!followed) ReportHeaders(transfer);
      if (!transfer->stopped.ok()) return 0;
    }
    return size;
  });
}

std::size_t OnBody(char* data, std::size_t, std::size_t size, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  return Guarded(transfer, std::size_t{0}, [&]() -> std::size_t {
    Response& response = transfer->response;
    ReportHeaders(transfer);
    if (!transfer->stopped.ok()) return 0;
    response.body_bytes += static_cast<std::int64_t>(size);
    if (response.body_bytes > transfer->request.max_body_bytes) {
      transfer->stopped = BodyTooLarge(transfer->request);
      return 0;
    }
    if (transfer->request.on_body) {
      transfer->stopped = transfer->request.on_body(std::string_view(data, size));
      return transfer->stopped.ok() ? size : 0;
    }
    response.body.append(data, size);
    return size;
  });
}

curl_socket_t OnOpenSocket(void* user, curlsocktype, curl_sockaddr* address) {
  auto* transfer = static_cast<Transfer*>(user);
  return Guarded(transfer, CURL_SOCKET_BAD, [&]() -> curl_socket_t {
    if (transfer->options.address_filter) {
      absl::Status allowed = transfer->options.address_filter(&address->addr, address->addrlen);
      if (!allowed.ok()) {
        transfer->blocked = std::move(allowed);
        return CURL_SOCKET_BAD;
      }
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                  address->protocol);
  });
}

long Millis(absl::Duration duration) {
  if (duration == absl::InfiniteDuration()) return 0;
  const std::int64_t millis = absl::ToInt64Milliseconds(duration);
  return millis > 0 ? static_cast<long>(millis) : 1;
}

// Whether `response` is a redirect to what is not HTTP.
bool LedAstray(const Response& response) {
  if (!IsRedirect(response.status)) return false;
  const std::string_view location = response.Get("location");
  const std::size_t colon = location.find_first_of(":/?#");
  return colon != location.npos && location[colon] == ':' && !internal::HasHttpScheme(location);
}

template <typename T>
T Info(CURL* easy, CURLINFO info) {
  T value = {};
  curl_easy_getinfo(easy, info, &value);
  return value;
}

}  // namespace

std::string_view Response::Get(std::string_view name) const {
  for (const Header& header : headers) {
    if (absl::EqualsIgnoreCase(header.name, name)) return header.value;
  }
  return {};
}

class Client::Impl {
 public:
  explicit Impl(ClientOptions options) : options_(std::move(options)) {
    CURLM* multi = multi_.handle();
    if (options_.max_connections_per_host > 0) {
      curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, options_.max_connections_per_host);
    }
    if (options_.max_connections > 0) {
      curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, options_.max_connections);
    }
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, options_.max_idle_connections);
  }
  ~Impl() {
    for (CURL* easy : idle_) curl_easy_cleanup(easy);
  }

  absl::Status Fetch(const Request& request, Response& response);

 private:
  CURL* TakeEasy();
  curl_slist* Configure(CURL* easy, Transfer& transfer);
  absl::Status Conclude(CURL* easy, CURLcode code, Transfer& transfer);

  const ClientOptions options_;
  verdant::green::internal::CurlMulti multi_;
  std::vector<CURL*> idle_;
};

CURL* Client::Impl::TakeEasy() {
  if (!idle_.empty()) {
    CURL* easy = idle_.back();
    idle_.pop_back();
    return easy;
  }
  CURL* easy = curl_easy_init();
  if (easy == nullptr) throw std::bad_alloc();
  return easy;
}

curl_slist* Client::Impl::Configure(CURL* easy, Transfer& transfer) {
  const Request& request = transfer.request;
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error_text.data());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(easy, CURLOPT_USERAGENT, options_.user_agent.c_str());
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 65536L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, Millis(request.timeout));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, Millis(request.connect_timeout));
  if (request.min_bytes_per_second > 0) {
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT,
                     static_cast<long>(request.min_bytes_per_second));
    curl_easy_setopt(
        easy, CURLOPT_LOW_SPEED_TIME,
        static_cast<long>(absl::ToInt64Seconds(absl::Ceil(request.slow_for, absl::Seconds(1)))));
  }
  if (request.max_redirects > 0) {
    // A method that a redirect changes stays changed, ours too.
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, static_cast<long>(CURLFOLLOW_OBEYCODE));
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, static_cast<long>(request.max_redirects));
  }
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                   options_.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &OnOpenSocket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
  if (!options_.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
  if (!options_.ca_pem.empty()) {
    curl_blob blob = {const_cast<char*>(options_.ca_pem.data()), options_.ca_pem.size(),
                      CURL_BLOB_NOCOPY};
    curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
  }
  if (!options_.verify_tls) {
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!options_.proxy.empty()) curl_easy_setopt(easy, CURLOPT_PROXY, options_.proxy.c_str());
  if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET" || !request.body.empty()) {
    if (!request.body.empty() || request.method == "POST") {
      curl_easy_setopt(easy, CURLOPT_POST, 1L);
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
    }
    // To libcurl all that has a body is a POST; only a real one becomes a GET by 301 and 302.
    if (request.method != "POST") {
      curl_easy_setopt(easy, CURLOPT_POSTREDIR, CURL_REDIR_POST_301 | CURL_REDIR_POST_302);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  curl_slist* headers = nullptr;
  for (const Header& header : request.headers) {
    // libcurl's spelling of a header without a value ends in a semicolon.
    const std::string line =
        header.value.empty() ? header.name + ";" : absl::StrCat(header.name, ": ", header.value);
    if (curl_slist* longer = curl_slist_append(headers, line.c_str())) headers = longer;
  }
  if (headers != nullptr) curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  return headers;
}

absl::Status Client::Impl::Conclude(CURL* easy, CURLcode code, Transfer& transfer) {
  Response& response = transfer.response;
  if (const char* url = Info<const char*>(easy, CURLINFO_EFFECTIVE_URL)) response.url = url;
  if (const char* ip = Info<const char*>(easy, CURLINFO_PRIMARY_IP)) response.peer_ip = ip;
  response.redirects = static_cast<int>(Info<long>(easy, CURLINFO_REDIRECT_COUNT));
  response.wire_bytes = Info<curl_off_t>(easy, CURLINFO_SIZE_DOWNLOAD_T);
  response.elapsed = absl::Microseconds(Info<curl_off_t>(easy, CURLINFO_TOTAL_TIME_T));
  switch (Info<long>(easy, CURLINFO_HTTP_VERSION)) {
    case CURL_HTTP_VERSION_1_0:
      response.http_version = 10;
      break;
    case CURL_HTTP_VERSION_1_1:
      response.http_version = 11;
      break;
    case CURL_HTTP_VERSION_2_0:
      response.http_version = 20;
      break;
  }
  if (transfer.thrown) std::rethrow_exception(transfer.thrown);
  if (code == CURLE_OK && transfer.headers_complete) return absl::OkStatus();
  const std::string where = internal::WhereOf(transfer.request);
  if (code == CURLE_OK) {
    // libcurl is content with a head that was cut off.
    return HttpStatus(kResetCause, where + "the connection ended amid the response headers");
  }
  if (!transfer.stopped.ok()) {
    const Failure failure =
        internal::IsHttpStatus(transfer.stopped) ? FailureOf(transfer.stopped) : Failure::kStopped;
    return HttpStatus({failure, transfer.stopped.code()},
                      absl::StrCat(where, transfer.stopped.message()));
  }
  std::string_view text(transfer.error_text.data());
  if (text.empty()) text = curl_easy_strerror(code);
  const bool answering = Info<long>(easy, CURLINFO_REQUEST_SIZE) > 0 && !LedAstray(response);
  const internal::HttpCause cause = HttpCauseOf(code, text, answering);
  if (cause.failure == Failure::kConnect && !transfer.blocked.ok()) {
    return HttpStatus({Failure::kBlocked, absl::StatusCode::kPermissionDenied},
                      absl::StrCat(where, transfer.blocked.message()));
  }
  // libcurl's own words tell of a data field that grew.
  if (cause.failure == Failure::kTooLarge && !transfer.headers_complete) {
    text = "a response header is too large";
  }
  return HttpStatus(cause, absl::StrCat(where, text));
}

absl::Status Client::Impl::Fetch(const Request& request, Response& response) {
  response = Response();
  response.url = request.url;
  if (absl::Status status = internal::CheckRequest(request); !status.ok()) return status;
  Transfer transfer{.request = request, .options = options_, .response = response};
  CURL* easy = TakeEasy();
  curl_slist* headers = Configure(easy, transfer);
  const auto restore = absl::MakeCleanup([&] {
    curl_slist_free_all(headers);
    curl_easy_reset(easy);
    idle_.push_back(easy);
  });
  const CURLcode code = multi_.Perform(easy);
  return Conclude(easy, code, transfer);
}

Client::Client(ClientOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Client::~Client() = default;

Client& Client::Current() {
  Hub::Current();  // the hub must outlive the client, whose connections it watches
  thread_local Client client;
  return client;
}

absl::Status Client::Fetch(const Request& request, Response& response) {
  return impl_->Fetch(request, response);
}

absl::StatusOr<Response> Client::Fetch(const Request& request) {
  Response response;
  const absl::Status status = Fetch(request, response);
  if (!status.ok()) return status;
  return response;
}

absl::StatusOr<Response> Get(std::string_view url) {
  Request request;
  request.url = std::string(url);
  return Client::Current().Fetch(request);
}

}  // namespace verdant::green::http
