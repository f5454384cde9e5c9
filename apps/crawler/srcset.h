#ifndef VERDANT_APPS_CRAWLER_SRCSET_H_
#define VERDANT_APPS_CRAWLER_SRCSET_H_

#include <cstddef>
#include <string_view>
#include <vector>

namespace verdant::crawler {

// The URLs of a srcset (or imagesrcset) attribute in their order, as views into `srcset`, split as
// the HTML standard's "parse a srcset attribute" does: URLs may hold commas, descriptors ("2x",
// "640w", anything in parentheses) are skipped. A candidate whose descriptor makes no sense still
// gives its URL. Takes linear time; stops after `max_urls`.
std::vector<std::string_view> ParseSrcset(std::string_view srcset, size_t max_urls = 1000);

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_SRCSET_H_
