#include "apps/crawler/json_line.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "apps/crawler/utf8.h"

namespace verdant::crawler {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

void AppendUnicodeEscape(unsigned value, std::string* out) {
  absl::StrAppend(out, "\\u", absl::Hex(value, absl::kZeroPad4));
}

bool IsPlain(unsigned char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; }

void AppendAscii(unsigned char c, std::string* out) {
  switch (c) {
    case '"':
      out->append("\\\"");
      return;
    case '\\':
      out->append("\\\\");
      return;
    case '\b':
      out->append("\\b");
      return;
    case '\f':
      out->append("\\f");
      return;
    case '\n':
      out->append("\\n");
      return;
    case '\r':
      out->append("\\r");
      return;
    case '\t':
      out->append("\\t");
      return;
    default:
      AppendUnicodeEscape(c, out);
  }
}

void AppendMultibyte(std::string_view character, std::string* out) {
  const auto byte = [character](size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 2 && byte(0) == 0xC2 && byte(1) < 0xA0) {
    AppendUnicodeEscape(byte(1), out);
  } else if (character == "\xE2\x80\xA8" || character == "\xE2\x80\xA9") {
    AppendUnicodeEscape(0x2000u + (byte(2) & 0x3Fu), out);
  } else {
    out->append(character);
  }
}

}  // namespace

void AppendJsonString(std::string_view text, std::string* out) {
  out->push_back('"');
  while (!text.empty()) {
    const auto special = std::find_if_not(
        text.begin(), text.end(), [](char c) { return IsPlain(static_cast<unsigned char>(c)); });
    const size_t plain = static_cast<size_t>(special - text.begin());
    out->append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    const Utf8Step step = NextUtf8(text);
    if (!step.valid) {
      out->append(kReplacement);
    } else if (step.bytes == 1) {
      AppendAscii(static_cast<unsigned char>(text[0]), out);
    } else {
      AppendMultibyte(text.substr(0, step.bytes), out);
    }
    text.remove_prefix(step.bytes);
  }
  out->push_back('"');
}

JsonLine::JsonLine(std::string* out) : out_(out) { out_->push_back('{'); }

void JsonLine::Key(std::string_view key) {
  if (!first_) out_->push_back(',');
  first_ = false;
  AppendJsonString(key, out_);
  out_->push_back(':');
}

JsonLine& JsonLine::String(std::string_view key, std::string_view value) {
  Key(key);
  AppendJsonString(value, out_);
  return *this;
}

JsonLine& JsonLine::Int(std::string_view key, int64_t value) {
  Key(key);
  absl::StrAppend(out_, value);
  return *this;
}

JsonLine& JsonLine::Bool(std::string_view key, bool value) {
  Key(key);
  out_->append(value ? "true" : "false");
  return *this;
}

JsonLine& JsonLine::Null(std::string_view key) {
  Key(key);
  out_->append("null");
  return *this;
}

JsonLine& JsonLine::Fixed(std::string_view key, double value, int decimals) {
  if (!std::isfinite(value)) return Null(key);
  Key(key);
  absl::StrAppendFormat(out_, "%.*f", std::clamp(decimals, 0, 17), value);
  return *this;
}

void JsonLine::End() { out_->append("}\n"); }

}  // namespace verdant::crawler
