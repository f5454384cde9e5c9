#include "apps/crawler/utf8.h"

#include <cstdint>
#include <cstring>

namespace verdant::crawler {

Utf8Step NextUtf8(std::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {1, true};
  size_t length;
  // Only the second byte has a narrower range than 80..BF; it excludes overlong forms, surrogates
  // and values past U+10FFFF.
  uint8_t low = 0x80;
  uint8_t high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return {1, false};
  }
  for (size_t i = 1; i < length; ++i) {
    if (i >= text.size() || byte(i) < low || byte(i) > high) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {length, true};
}

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    if (text.size() >= sizeof(uint64_t)) {
      uint64_t block;
      std::memcpy(&block, text.data(), sizeof(block));
      if ((block & 0x8080808080808080u) == 0) {
        text.remove_prefix(sizeof(block));
        continue;
      }
    }
    const Utf8Step step = NextUtf8(text);
    if (!step.valid) return false;
    text.remove_prefix(step.bytes);
  }
  return true;
}

}  // namespace verdant::crawler
