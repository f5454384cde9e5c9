#ifndef VERDANT_APPS_CRAWLER_ROBOTS_DIRECTIVES_H_
#define VERDANT_APPS_CRAWLER_ROBOTS_DIRECTIVES_H_

#include <string>
#include <string_view>

namespace verdant::crawler {

// What a page asks of robots, in its X-Robots-Tag headers and its <meta name="robots"> elements.
// Several sources add up: a directive given anywhere holds.
struct RobotsDirectives {
  bool noindex = false;   // do not keep the page
  bool nofollow = false;  // do not take links from the page
  // The date after which the page is to be forgotten, as the page spells it; reported only. The
  // last one given to us stays. Empty when there is none.
  std::string unavailable_after;

  // Adds the directives of `other`.
  void Merge(const RobotsDirectives& other);
};

// Adds one X-Robots-Tag header value: comma-separated directives, each perhaps after "agent:",
// which then holds for those that follow too, up to the next agent. Directives without an agent and
// those for `product_token` (see ProductToken; compared without regard to case) count. "none" means
// noindex and nofollow; "all" and unknown directives mean nothing.
void AddRobotsTagHeader(std::string_view value, std::string_view product_token,
                        RobotsDirectives* directives);

// Adds one <meta name=NAME content=CONTENT> element when NAME is "robots" or `product_token`.
void AddMetaRobots(std::string_view name, std::string_view content, std::string_view product_token,
                   RobotsDirectives* directives);

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_ROBOTS_DIRECTIVES_H_
