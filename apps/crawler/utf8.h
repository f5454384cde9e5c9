#ifndef VERDANT_APPS_CRAWLER_UTF8_H_
#define VERDANT_APPS_CRAWLER_UTF8_H_

#include <cstddef>
#include <string_view>

namespace verdant::crawler {

// What the first bytes of a string are when read as UTF-8.
struct Utf8Step {
  // Bytes to step over: the length of the character, or of the longest prefix that could have
  // begun one (the unit that Unicode's "maximal subpart" practice replaces by one U+FFFD).
  size_t bytes;
  bool valid;
};

// Reads one character from the front of `text`, which must not be empty. Surrogates, overlong forms
// and values above U+10FFFF are invalid (RFC 3629).
Utf8Step NextUtf8(std::string_view text);

// Whether all of `text` is well-formed UTF-8.
bool IsValidUtf8(std::string_view text);

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_UTF8_H_
