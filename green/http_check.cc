#include "green/internal/http_check.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "green/internal/http_failure.h"

namespace verdant::green::internal {
namespace {

bool IsToken(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  for (const char c : text) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && !absl::StrContains(kMarks, c)) {
      return false;
    }
  }
  return !text.empty();
}

bool IsFieldValue(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos;
}

}  // namespace

bool HasHttpScheme(std::string_view url) {
  return absl::StartsWithIgnoreCase(url, "http://") || absl::StartsWithIgnoreCase(url, "https://");
}

std::string WhereOf(const http::Request& request) {
  return absl::StrCat(IsToken(request.method) ? request.method : "request", " ", request.url, ": ");
}

absl::Status CheckRequest(const http::Request& request) {
  constexpr HttpCause kBadUrl = {http::Failure::kBadUrl, absl::StatusCode::kInvalidArgument};
  constexpr HttpCause kBadRequest = {http::Failure::kOther, absl::StatusCode::kInvalidArgument};
  if (!HasHttpScheme(request.url)) {
    return HttpStatus(kBadUrl, WhereOf(request) + "not an http or https URL");
  }
  if (!IsToken(request.method)) {
    return HttpStatus(kBadRequest, WhereOf(request) + "the method is not a word");
  }
  for (const http::Header& header : request.headers) {
    if (!IsToken(header.name)) {
      return HttpStatus(kBadRequest, WhereOf(request) + "a header's name is not a word");
    }
    if (!IsFieldValue(header.value)) {
      return HttpStatus(kBadRequest, absl::StrCat(WhereOf(request), "the value of header ",
                                                  header.name, " holds a line break or zero byte"));
    }
  }
  return absl::OkStatus();
}

}  // namespace verdant::green::internal
