#ifndef VERDANT_APPS_CRAWLER_VERSION_H_
#define VERDANT_APPS_CRAWLER_VERSION_H_

#include <string>
#include <string_view>

namespace verdant::crawler {

inline constexpr std::string_view kVersion = "0.1.0";

// What `crawler --version` prints: our version, then each library's as linked into this program, a
// line each.
std::string VersionText();

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_VERSION_H_
