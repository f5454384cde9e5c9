#ifndef VERDANT_APPS_CRAWLER_DEMO_WEB_H_
#define VERDANT_APPS_CRAWLER_DEMO_WEB_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/crawler/demo_graph.h"

namespace verdant::crawler {

// The seed URL's path for a crawl of the demo site.
inline constexpr std::string_view kDemoStart = "/";

struct DemoResponse {
  int status = 200;
  // Without Content-Length, Date and Connection, which are the server's.
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  // To wait before answering.
  int delay_ms = 0;
};

// The made-up web that "crawler demo" serves: DemoGraph as HTTP responses, its links spelt in all
// the ways that HTML has, among text that only looks like links. A pure function of (pages, seed,
// target, origin): nothing is stored, and the same request gets the same bytes. Serves many
// threads.
class DemoWeb {
 public:
  // std::logic_error when `pages` is less than 1.
  DemoWeb(int pages, uint64_t seed) : graph_(pages, seed) {}

  // The answer to GET `target` (a path with its query; any text is taken, and what is not of the
  // site is 404). `origin` is the site's own "http://host:port", for links that spell it out. Some
  // bodies are gzip-encoded when `accept_gzip`.
  DemoResponse Respond(std::string_view target, std::string_view origin,
                       bool accept_gzip = true) const;

  // The paths and queries that a correct crawl from kDemoStart, with no limit on depth or pages,
  // requests besides /robots.txt, sorted: see DemoGraph::Expected.
  std::vector<std::string> Expected(bool follow_rel_nofollow = false) const {
    return graph_.Expected(follow_rel_nofollow);
  }

  const DemoGraph& graph() const { return graph_; }

 private:
  DemoGraph graph_;
};

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_DEMO_WEB_H_
