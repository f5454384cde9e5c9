#ifndef VERDANT_GREEN_INTERNAL_HTTP_FAILURE_H_
#define VERDANT_GREEN_INTERNAL_HTTP_FAILURE_H_

#include <curl/curl.h>

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "green/http.h"

namespace verdant::green::internal {

// What one of libcurl's results means.
struct HttpCause {
  http::Failure failure;
  absl::StatusCode code;
};

// `text` is libcurl's message. `answering`: a server had been asked and had not led elsewhere, so
// that what is wrong is its answer and not a URL.
HttpCause HttpCauseOf(CURLcode result, std::string_view text, bool answering);

// A status that FailureOf() knows.
absl::Status HttpStatus(HttpCause cause, std::string_view message);

// Whether FailureOf() was told by HttpStatus() what to say of it.
bool IsHttpStatus(const absl::Status& status);

}  // namespace verdant::green::internal

#endif  // VERDANT_GREEN_INTERNAL_HTTP_FAILURE_H_
