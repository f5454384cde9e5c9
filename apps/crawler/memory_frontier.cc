#include "apps/crawler/memory_frontier.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"

namespace verdant::crawler {

MemoryFrontier::Host& MemoryFrontier::HostOf(const Url& url) {
  std::unique_ptr<Host>& host = hosts_[url.Origin()];
  if (host == nullptr) {
    host = std::make_unique<Host>();
    host->delay = options_.delay;
  }
  return *host;
}

bool MemoryFrontier::MayBeAsked(const Host& host) const {
  const int most = host.delay > absl::ZeroDuration() ? 1 : options_.max_per_host;
  return !host.urls.empty() && host.out < most;
}

void MemoryFrontier::Enqueue(Host& host) {
  if (host.queued || !MayBeAsked(host)) return;
  host.queued = true;
  if (host.not_before <= Hub::Current().NowNanos()) {
    ready_.push_back(&host);
  } else {
    waiting_.push({host.not_before, next_order_++, &host});
  }
  WakeNext();
}

void MemoryFrontier::WakeNext() {
  for (Event<bool>* waiter : std::exchange(waiters_, {})) waiter->Send(true);
}

bool MemoryFrontier::PageLimitReached() const {
  return options_.max_urls.has_value() && asked_ + out_ >= *options_.max_urls;
}

bool MemoryFrontier::Add(FrontierUrl url) {
  if (!known_.insert(absl::HashOf(url.url.href())).second) return false;
  Host& host = HostOf(url.url);
  host.urls.push_back(std::move(url));
  ++pending_;
  Enqueue(host);
  return true;
}

std::optional<FrontierUrl> MemoryFrontier::Next() {
  for (;;) {
    if (stopped_) return std::nullopt;
    const std::int64_t now = Hub::Current().NowNanos();
    while (!waiting_.empty() && waiting_.top().until <= now) {
      ready_.push_back(waiting_.top().host);
      waiting_.pop();
    }
    if (!ready_.empty() && !PageLimitReached()) {
      Host& host = *ready_.front();
      ready_.pop_front();
      host.queued = false;
      if (host.not_before > now || !MayBeAsked(host)) {
        Enqueue(host);  // paused or slowed down since it was queued
        continue;
      }
      FrontierUrl url = std::move(host.urls.front());
      host.urls.pop_front();
      --pending_;
      ++host.out;
      ++out_;
      host.last_before = std::exchange(host.not_before, now + absl::ToInt64Nanoseconds(host.delay));
      Enqueue(host);
      return url;
    }
    if (out_ == 0 && (pending_ == 0 || PageLimitReached())) {
      WakeNext();
      return std::nullopt;
    }
    Event<bool> woken;
    waiters_.push_back(&woken);
    struct Leave {
      std::vector<Event<bool>*>& waiters;
      Event<bool>* self;
      ~Leave() { std::erase(waiters, self); }
    } leave{waiters_, &woken};
    const bool timed = !waiting_.empty() && !PageLimitReached();
    static_cast<void>(woken.Wait(timed ? Deadline::At(waiting_.top().until) : Deadline::Never()));
  }
}

void MemoryFrontier::Done(const FrontierUrl& url, bool asked) {
  Host& host = HostOf(url.url);
  --host.out;
  --out_;
  if (asked) {
    ++asked_;
  } else if (host.out == 0) {
    host.not_before =
        std::min(host.not_before, std::max(host.last_before, Hub::Current().NowNanos()));
  }
  Enqueue(host);
  WakeNext();
}

void MemoryFrontier::SlowDown(const Url& url, absl::Duration delay) {
  Host& host = HostOf(url);
  host.delay = std::max(host.delay, delay);
}

void MemoryFrontier::Pause(const Url& url, absl::Duration time) {
  Host& host = HostOf(url);
  host.not_before = std::max(host.not_before, Deadline(time).nanos());
}

void MemoryFrontier::Stop() {
  stopped_ = true;
  WakeNext();
}

Frontier::Counts MemoryFrontier::counts() const {
  Counts counts;
  counts.known = static_cast<std::int64_t>(known_.size());
  counts.pending = pending_;
  counts.out = out_;
  counts.hosts = static_cast<std::int64_t>(hosts_.size());
  return counts;
}

}  // namespace verdant::crawler
