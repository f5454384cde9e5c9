#include "net/http_headers.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace verdant::net {
namespace {

constexpr std::array<bool, 256> kTokenChars = [] {
  std::array<bool, 256> table = {};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (const char c :
       {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'}) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

}  // namespace

bool IsHttpToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return kTokenChars[static_cast<unsigned char>(c)];
  });
}

bool IsHttpFieldValue(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
  });
}

bool HttpNamesEqual(std::string_view a, std::string_view b) { return absl::EqualsIgnoreCase(a, b); }

std::string_view TrimHttpSpace(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

void HttpHeaders::Add(std::string_view name, std::string_view value) {
  value = TrimHttpSpace(value);
  if (!IsHttpToken(name)) {
    throw std::invalid_argument(
        absl::StrCat("HTTP field name '", absl::CHexEscape(name.substr(0, 100)), "' is no token"));
  }
  if (!IsHttpFieldValue(value)) {
    throw std::invalid_argument(absl::StrCat("HTTP field ", name, ": the value '",
                                             absl::CHexEscape(value.substr(0, 100)),
                                             "' has a control character"));
  }
  // They may be views into the text that is about to move.
  const std::string field = absl::StrCat(name, value);
  const auto at = static_cast<std::uint32_t>(text_.size());
  const auto name_size = static_cast<std::uint32_t>(name.size());
  text_.append(field);
  entries_.push_back({at, name_size, at + name_size, static_cast<std::uint32_t>(value.size())});
}

void HttpHeaders::Set(std::string_view name, std::string_view value) {
  Add(name, value);
  const Entry added = entries_.back();
  entries_.pop_back();
  Remove(std::string_view(text_).substr(added.name, added.name_size));
  entries_.push_back(added);
}

bool HttpHeaders::Remove(std::string_view name) {
  const auto removed = std::erase_if(entries_, [&](const Entry& entry) {
    return HttpNamesEqual(std::string_view(text_).substr(entry.name, entry.name_size), name);
  });
  return removed > 0;
}

std::optional<std::string_view> HttpHeaders::Get(std::string_view name) const {
  for (const Field field : *this) {
    if (HttpNamesEqual(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::string HttpHeaders::Joined(std::string_view name) const {
  std::string joined;
  bool first = true;
  for (const Field field : *this) {
    if (!HttpNamesEqual(field.name, name)) continue;
    absl::StrAppend(&joined, first ? "" : ", ", field.value);
    first = false;
  }
  return joined;
}

std::size_t HttpHeaders::Count(std::string_view name) const {
  std::size_t count = 0;
  for (const Field field : *this) count += HttpNamesEqual(field.name, name) ? 1 : 0;
  return count;
}

bool HttpHeaders::HasToken(std::string_view name, std::string_view token) const {
  for (const Field field : *this) {
    if (!HttpNamesEqual(field.name, name)) continue;
    for (const std::string_view element : absl::StrSplit(field.value, ',')) {
      if (HttpNamesEqual(TrimHttpSpace(element), token)) return true;
    }
  }
  return false;
}

}  // namespace verdant::net
