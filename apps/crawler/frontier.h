#ifndef VERDANT_APPS_CRAWLER_FRONTIER_H_
#define VERDANT_APPS_CRAWLER_FRONTIER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "apps/crawler/url.h"

namespace verdant::crawler {

// A URL to be fetched, and how it was come by.
struct FrontierUrl {
  Url url;
  int depth = 0;      // links from the nearest seed
  int redirects = 0;  // in a row, up to here
};

// The URLs a crawl knows of and has still to fetch, and when each host may next be asked: the
// crawler's policy of order and politeness, apart from the fetching. Each URL is given out once.
// Belongs to one hub's thread.
class Frontier {
 public:
  virtual ~Frontier() = default;

  // Takes a URL up; false if it was known already.
  virtual bool Add(FrontierUrl url) = 0;

  // The next URL whose host may be asked now. Parks the calling green thread until there is one;
  // nothing once no URL is left and none is out that could still lead to more, or after Stop().
  // Every URL given out has to come back through Done().
  virtual std::optional<FrontierUrl> Next() = 0;

  // The end of work on a URL that Next() gave out. `asked`: its host was sent a request for it,
  // which is what delays and page limits count.
  virtual void Done(const FrontierUrl& url, bool asked) = 0;

  // The host of `url` is from now on asked at most once in `delay`; a shorter delay than the
  // present one changes nothing.
  virtual void SlowDown(const Url& url, absl::Duration delay) = 0;
  // The host of `url` is not asked for `time`.
  virtual void Pause(const Url& url, absl::Duration time) = 0;

  // Gives nothing out any more; what is out may still come back.
  virtual void Stop() = 0;

  struct Counts {
    std::int64_t known = 0;    // ever taken up
    std::int64_t pending = 0;  // not given out yet
    std::int64_t out = 0;
    std::int64_t hosts = 0;
  };
  virtual Counts counts() const = 0;
};

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_FRONTIER_H_
