#ifndef VERDANT_APPS_CRAWLER_MEMORY_FRONTIER_H_
#define VERDANT_APPS_CRAWLER_MEMORY_FRONTIER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "apps/crawler/frontier.h"
#include "hub/clock.h"
#include "hub/event.h"

namespace verdant::crawler {

// A frontier in memory: a queue for each host (scheme, name and port), the hosts in turn, a host's
// URLs in the order they were found. Known URLs are remembered by a 64-bit fingerprint each, keyed
// anew in every process.
class MemoryFrontier final : public Frontier {
 public:
  struct Options {
    absl::Duration delay = {};  // between the starts of two fetches from a host
    int max_per_host = 8;       // out at once, for one host; 1 where a delay is in force
    std::optional<std::int64_t> max_urls = {};  // given out and asked for, in all
  };

  explicit MemoryFrontier(const Options& options) : options_(options) {}

  bool Add(FrontierUrl url) override;
  std::optional<FrontierUrl> Next() override;
  void Done(const FrontierUrl& url, bool asked) override;
  void SlowDown(const Url& url, absl::Duration delay) override;
  void Pause(const Url& url, absl::Duration time) override;
  void Stop() override;
  Counts counts() const override;

 private:
  struct Host {
    std::deque<FrontierUrl> urls;
    absl::Duration delay;
    std::int64_t not_before = 0;   // on the hub's clock
    std::int64_t last_before = 0;  // what not_before was when the last URL was given out
    int out = 0;
    bool queued = false;  // in ready_ or waiting_
  };
  struct Wait {
    std::int64_t until;
    std::uint64_t order;
    Host* host;
    friend bool operator<(const Wait& a, const Wait& b) {
      return a.until != b.until ? a.until > b.until : a.order > b.order;  // a min-heap
    }
  };

  Host& HostOf(const Url& url);
  bool MayBeAsked(const Host& host) const;
  void Enqueue(Host& host);
  bool PageLimitReached() const;
  void WakeNext();

  const Options options_;
  absl::flat_hash_map<std::string, std::unique_ptr<Host>> hosts_;
  absl::flat_hash_set<std::uint64_t> known_;
  std::deque<Host*> ready_;
  std::priority_queue<Wait> waiting_;
  std::uint64_t next_order_ = 0;
  std::int64_t pending_ = 0;
  std::int64_t out_ = 0;
  std::int64_t asked_ = 0;
  bool stopped_ = false;
  std::vector<Event<bool>*> waiters_;  // calls of Next() with nothing to give
};

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_MEMORY_FRONTIER_H_
