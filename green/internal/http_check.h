#ifndef VERDANT_GREEN_INTERNAL_HTTP_CHECK_H_
#define VERDANT_GREEN_INTERNAL_HTTP_CHECK_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "green/http.h"

namespace verdant::green::internal {

bool HasHttpScheme(std::string_view url);

// "METHOD URL: ", as every message begins; a method that is none is left out.
std::string WhereOf(const http::Request& request);

// Refuses what libcurl would take and make something else of: a URL without a scheme, and text that
// would break out of its place in the request.
absl::Status CheckRequest(const http::Request& request);

}  // namespace verdant::green::internal

#endif  // VERDANT_GREEN_INTERNAL_HTTP_CHECK_H_
