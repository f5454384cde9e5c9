#include "apps/crawler/srcset.h"

#include "absl/strings/ascii.h"

namespace verdant::crawler {
namespace {

bool IsSpace(char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)) && c != '\v'; }

// The end of the descriptors that begin at `i`: behind the first comma outside parentheses.
size_t SkipDescriptors(std::string_view srcset, size_t i) {
  bool in_parentheses = false;
  for (; i < srcset.size(); ++i) {
    const char c = srcset[i];
    if (in_parentheses) {
      in_parentheses = c != ')';
    } else if (c == '(') {
      in_parentheses = true;
    } else if (c == ',') {
      return i + 1;
    }
  }
  return i;
}

}  // namespace

std::vector<std::string_view> ParseSrcset(std::string_view srcset, size_t max_urls) {
  std::vector<std::string_view> urls;
  size_t i = 0;
  while (urls.size() < max_urls) {
    while (i < srcset.size() && (IsSpace(srcset[i]) || srcset[i] == ',')) ++i;
    if (i == srcset.size()) break;
    const size_t begin = i;
    while (i < srcset.size() && !IsSpace(srcset[i])) ++i;
    size_t end = i;
    while (srcset[end - 1] == ',') --end;
    urls.push_back(srcset.substr(begin, end - begin));
    // A comma right behind the URL ends the candidate; otherwise descriptors follow.
    if (end == i) i = SkipDescriptors(srcset, i);
  }
  return urls;
}

}  // namespace verdant::crawler
