#ifndef VERDANT_APPS_CRAWLER_META_REFRESH_H_
#define VERDANT_APPS_CRAWLER_META_REFRESH_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace verdant::crawler {

// Where and when a page says it goes on.
struct MetaRefresh {
  int64_t seconds;       // at most INT32_MAX, however many digits there are
  std::string_view url;  // a view into the content; empty: the page itself
};

// Reads the content of <meta http-equiv="refresh"> (or a Refresh header) as the HTML standard's
// "shared declarative refresh steps" do: "5", "5; url=next.html", "0, 'next.html'". nullopt where a
// browser would not refresh.
std::optional<MetaRefresh> ParseMetaRefresh(std::string_view content);

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_META_REFRESH_H_
