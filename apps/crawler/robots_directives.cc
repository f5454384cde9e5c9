#include "apps/crawler/robots_directives.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace verdant::crawler {
namespace {

constexpr std::string_view kUnavailableAfter = "unavailable_after";

// Directives that have a value of their own after a colon, so that no agent is named by it.
constexpr std::array<std::string_view, 4> kValued = {kUnavailableAfter, "max-snippet",
                                                     "max-image-preview", "max-video-preview"};

bool IsValued(std::string_view name) {
  return std::any_of(kValued.begin(), kValued.end(), [name](std::string_view valued) {
    return absl::EqualsIgnoreCase(name, valued);
  });
}

// Cuts the first comma-separated item off `list`.
std::string_view TakeItem(std::string_view* list) {
  const size_t comma = list->find(',');
  const std::string_view item = list->substr(0, comma);
  list->remove_prefix(comma == std::string_view::npos ? list->size() : comma + 1);
  return absl::StripAsciiWhitespace(item);
}

// "Wed" of "Wed, 03 Dec 2025": a date that has a comma inside.
bool IsDayName(std::string_view text) {
  return text.size() >= 3 && text.size() <= 9 && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalpha(static_cast<unsigned char>(c));
         });
}

void AddDirective(std::string_view directive, bool for_us, std::string_view* rest,
                  RobotsDirectives* directives) {
  const size_t colon = directive.find(':');
  if (colon != std::string_view::npos &&
      absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(directive.substr(0, colon)),
                             kUnavailableAfter)) {
    std::string date(absl::StripAsciiWhitespace(directive.substr(colon + 1)));
    if (IsDayName(date)) absl::StrAppend(&date, ", ", TakeItem(rest));
    if (for_us) directives->unavailable_after = std::move(date);
    return;
  }
  if (!for_us) return;
  const bool none = absl::EqualsIgnoreCase(directive, "none");
  if (none || absl::EqualsIgnoreCase(directive, "noindex")) directives->noindex = true;
  if (none || absl::EqualsIgnoreCase(directive, "nofollow")) directives->nofollow = true;
}

}  // namespace

void RobotsDirectives::Merge(const RobotsDirectives& other) {
  noindex = noindex || other.noindex;
  nofollow = nofollow || other.nofollow;
  if (!other.unavailable_after.empty()) unavailable_after = other.unavailable_after;
}

void AddRobotsTagHeader(std::string_view value, std::string_view product_token,
                        RobotsDirectives* directives) {
  bool for_us = true;
  while (!value.empty()) {
    std::string_view item = TakeItem(&value);
    const size_t colon = item.find(':');
    if (colon != std::string_view::npos) {
      const std::string_view name = absl::StripAsciiWhitespace(item.substr(0, colon));
      if (!IsValued(name)) {
        for_us = !name.empty() && absl::EqualsIgnoreCase(name, product_token);
        item = absl::StripAsciiWhitespace(item.substr(colon + 1));
      }
    }
    AddDirective(item, for_us, &value, directives);
  }
}

void AddMetaRobots(std::string_view name, std::string_view content, std::string_view product_token,
                   RobotsDirectives* directives) {
  name = absl::StripAsciiWhitespace(name);
  if (name.empty()) return;
  if (!absl::EqualsIgnoreCase(name, "robots") && !absl::EqualsIgnoreCase(name, product_token)) {
    return;
  }
  while (!content.empty()) {
    const std::string_view item = TakeItem(&content);
    AddDirective(item, /*for_us=*/true, &content, directives);
  }
}

}  // namespace verdant::crawler
