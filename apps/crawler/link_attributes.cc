#include "apps/crawler/link_attributes.h"

#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace verdant::crawler {
namespace {

bool IsHtmlSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; }

}  // namespace

LinkAttributes::Value* LinkAttributes::Slot(std::string_view attribute) {
  switch (attribute.size()) {
    case 3:
      if (attribute == "src") return &src;
      if (attribute == "rel") return &rel;
      break;
    case 4:
      if (attribute == "href") return &href;
      if (attribute == "name") return &name;
      if (attribute == "data") return &data;
      break;
    case 6:
      if (attribute == "srcset") return &srcset;
      if (attribute == "poster") return &poster;
      break;
    case 7:
      if (attribute == "content") return &content;
      break;
    case 10:
      if (attribute == "http-equiv") return &http_equiv;
      if (attribute == "xlink:href") return &xlink_href;
      break;
    case 11:
      if (attribute == "imagesrcset") return &imagesrcset;
      break;
  }
  return nullptr;
}

std::string_view StripHtmlSpace(std::string_view text) {
  while (!text.empty() && IsHtmlSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsHtmlSpace(text.back())) text.remove_suffix(1);
  return text;
}

bool HasForeignScheme(std::string_view url) {
  for (size_t i = 0; i < url.size(); ++i) {
    const auto c = static_cast<unsigned char>(url[i]);
    if (c == ':') {
      const std::string_view scheme = url.substr(0, i);
      return i > 0 && !absl::EqualsIgnoreCase(scheme, "http") &&
             !absl::EqualsIgnoreCase(scheme, "https");
    }
    const bool allowed = i == 0 ? absl::ascii_isalpha(c)
                                : absl::ascii_isalnum(c) || c == '+' || c == '-' || c == '.';
    if (!allowed) return false;
  }
  return false;
}

bool HasWord(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    size_t end = 0;
    while (end < list.size() && !IsHtmlSpace(list[end])) ++end;
    if (absl::EqualsIgnoreCase(list.substr(0, end), word)) return true;
    list.remove_prefix(end == list.size() ? end : end + 1);
  }
  return false;
}

}  // namespace verdant::crawler
