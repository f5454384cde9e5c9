#include "green/internal/http_failure.h"

#include <array>
#include <cstddef>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "green/http.h"

namespace verdant::green {
namespace http {
namespace {

constexpr std::string_view kFailurePayload = "verdant.dev/http-failure";
constexpr std::array<std::string_view, 14> kFailureNames = {
    "none",  "bad_url",  "dns",      "blocked",   "connect",   "tls",     "timeout",
    "reset", "protocol", "encoding", "too_large", "redirects", "stopped", "other"};

}  // namespace

std::string_view FailureName(Failure failure) {
  return kFailureNames[static_cast<std::size_t>(failure)];
}

Failure FailureOf(const absl::Status& status) {
  if (status.ok()) return Failure::kNone;
  const auto payload = status.GetPayload(kFailurePayload);
  if (!payload.has_value()) return Failure::kOther;
  for (std::size_t i = 0; i < kFailureNames.size(); ++i) {
    if (*payload == kFailureNames[i]) return static_cast<Failure>(i);
  }
  return Failure::kOther;
}

}  // namespace http

namespace internal {

using http::Failure;

HttpCause HttpCauseOf(CURLcode result, std::string_view text, bool answering) {
  switch (result) {
    case CURLE_UNSUPPORTED_PROTOCOL:
      // Of the answer as well: "HTTP/9.9".
      if (answering) return {Failure::kProtocol, absl::StatusCode::kDataLoss};
      [[fallthrough]];
    case CURLE_URL_MALFORMAT:
      return {Failure::kBadUrl, absl::StatusCode::kInvalidArgument};
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {Failure::kDns, absl::StatusCode::kNotFound};
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
    case CURLE_PROXY:
      return {Failure::kConnect, absl::StatusCode::kUnavailable};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_USE_SSL_FAILED:
      return {Failure::kTls, absl::StatusCode::kFailedPrecondition};
    case CURLE_OPERATION_TIMEDOUT:
      return {Failure::kTimeout, absl::StatusCode::kDeadlineExceeded};
    case CURLE_RECV_ERROR:
      // Of malformed chunks as well; only the message tells.
      if (absl::StrContains(text, "chunk")) {
        return {Failure::kProtocol, absl::StatusCode::kDataLoss};
      }
      [[fallthrough]];
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
      return {Failure::kReset, absl::StatusCode::kUnavailable};
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return {Failure::kProtocol, absl::StatusCode::kDataLoss};
    case CURLE_BAD_CONTENT_ENCODING:
      return {Failure::kEncoding, absl::StatusCode::kDataLoss};
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_TOO_LARGE:
      return {Failure::kTooLarge, absl::StatusCode::kResourceExhausted};
    case CURLE_TOO_MANY_REDIRECTS:
      return {Failure::kRedirects, absl::StatusCode::kOutOfRange};
    case CURLE_OUT_OF_MEMORY:
      return {Failure::kOther, absl::StatusCode::kResourceExhausted};
    default:
      return {Failure::kOther, absl::StatusCode::kUnknown};
  }
}

absl::Status HttpStatus(HttpCause cause, std::string_view message) {
  absl::Status status(cause.code, message);
  status.SetPayload(http::kFailurePayload, absl::Cord(http::FailureName(cause.failure)));
  return status;
}

bool IsHttpStatus(const absl::Status& status) {
  return status.GetPayload(http::kFailurePayload).has_value();
}

}  // namespace internal
}  // namespace verdant::green
