#ifndef VERDANT_APPS_CRAWLER_ROBOTS_CACHE_H_
#define VERDANT_APPS_CRAWLER_ROBOTS_CACHE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "apps/crawler/robots.h"
#include "apps/crawler/url.h"
#include "green/http.h"
#include "hub/event.h"

namespace verdant::crawler {

// What an origin's robots.txt came to.
struct RobotsAnswer {
  std::shared_ptr<const Robots> rules;
  // Why there was no robots.txt to read, so that the rules forbid everything.
  absl::Status unreachable = {};
};

// What each origin's robots.txt says, fetched when first asked for, once however many ask, and kept
// for a day (RFC 9309 section 2.4); one that could not be had, for a minute. Belongs to one hub's
// thread.
class RobotsCache {
 public:
  struct Options {
    std::string product_token;
    absl::Duration timeout = absl::Seconds(20);
    absl::Duration keep_for = absl::Hours(24);
    absl::Duration keep_failure_for = absl::Minutes(1);
  };
  // `client` must outlive the cache.
  RobotsCache(green::http::Client& client, Options options);

  // The rules for `url`'s origin, from the network if need be.
  RobotsAnswer Get(const Url& url);

 private:
  struct Entry {
    RobotsAnswer answer;  // without rules while being fetched
    std::int64_t expires = 0;
    Event<RobotsAnswer> fetched;
  };

  RobotsAnswer Fetch(const Url& url);

  green::http::Client& client_;
  const Options options_;
  absl::flat_hash_map<std::string, std::shared_ptr<Entry>> entries_;
};

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_ROBOTS_CACHE_H_
