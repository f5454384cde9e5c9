#include "apps/crawler/plain_markup.h"

#include <array>
#include <cstdint>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace verdant::crawler {
namespace {

// Elements whose contents are not ordinary markup, by the WHATWG tokenizer's states, and the roots
// of foreign content.
constexpr std::array<std::string_view, 12> kSpecial = {
    "svg",    "xmp",     "math",     "style",    "title",    "script",
    "iframe", "noembed", "noscript", "noframes", "textarea", "plaintext"};

bool IsSpecial(std::string_view name) {
  if (name.size() < 3 || name.size() > 9) return false;
  const char first = absl::ascii_tolower(static_cast<unsigned char>(name[0]));
  for (const std::string_view special : kSpecial) {
    if (special[0] == first && absl::EqualsIgnoreCase(special, name)) return true;
  }
  return false;
}

}  // namespace

std::size_t SkipPlainMarkup(std::string_view html) {
  const char* const end = html.data() + html.size();
  const char* at = html.data();
  for (;;) {
    const auto* tag =
        static_cast<const char*>(std::memchr(at, '<', static_cast<std::size_t>(end - at)));
    if (tag == nullptr) return html.size();
    const auto here = static_cast<std::size_t>(tag - html.data());
    const char* name = tag + 1;
    if (name != end && *name == '/') ++name;
    if (name == end || !absl::ascii_isalpha(static_cast<unsigned char>(*name))) return here;
    const char* after = name + 1;
    while (after != end && absl::ascii_isalnum(static_cast<unsigned char>(*after))) ++after;
    if (after == end || *after != '>') return here;
    if (IsSpecial(std::string_view(name, static_cast<std::size_t>(after - name)))) return here;
    at = after + 1;
  }
}

}  // namespace verdant::crawler
