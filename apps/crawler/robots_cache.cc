#include "apps/crawler/robots_cache.h"

#include <exception>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hub/hub.h"

namespace verdant::crawler {

RobotsCache::RobotsCache(green::http::Client& client, Options options)
    : client_(client), options_(std::move(options)) {}

RobotsAnswer RobotsCache::Get(const Url& url) {
  const std::string origin = url.Origin();
  for (;;) {
    std::shared_ptr<Entry>& slot = entries_[origin];
    const bool known = slot != nullptr && slot->answer.rules != nullptr;
    if (known && slot->expires > Hub::Current().NowNanos()) return slot->answer;
    if (slot == nullptr || known) break;
    // Somebody fetches it. If they are killed over it, the next in line takes over.
    const std::shared_ptr<Entry> entry = slot;
    if (RobotsAnswer answer = entry->fetched.Wait(); answer.rules != nullptr) return answer;
  }
  auto entry = std::make_shared<Entry>();
  entries_[origin] = entry;
  try {
    entry->answer = Fetch(url);
    entry->expires =
        Deadline(entry->answer.unreachable.ok() ? options_.keep_for : options_.keep_failure_for)
            .nanos();
  } catch (...) {
    entries_.erase(origin);
    entry->fetched.Send({});
    throw;
  }
  entry->fetched.Send(entry->answer);
  return entry->answer;
}

RobotsAnswer RobotsCache::Fetch(const Url& url) {
  green::http::Request request;
  request.url = absl::StrCat(url.Origin(), "/robots.txt");
  request.timeout = options_.timeout;
  request.max_redirects = kMaxRobotsRedirects;
  std::string body;
  // What lies past the cap is not read, and no reason to think less of what was.
  request.on_body = [&body](std::string_view piece) {
    body.append(piece.substr(0, kMaxRobotsBytes - body.size()));
    return body.size() < kMaxRobotsBytes
               ? absl::OkStatus()
               : absl::ResourceExhaustedError("robots.txt is long enough");
  };
  green::http::Response response;
  const absl::Status status = client_.Fetch(request, response);
  const bool cut = green::http::FailureOf(status) == green::http::Failure::kStopped;
  const bool too_many = green::http::FailureOf(status) == green::http::Failure::kRedirects;
  std::optional<int> code;
  if (status.ok() || cut) code = response.status;
  if (too_many) code = 302;
  RobotsAnswer answer = {
      std::make_shared<const Robots>(Robots::FromResponse(code, body, options_.product_token))};
  if (!code.has_value()) {
    answer.unreachable = status;
  } else if (*code < 200 || *code >= 500) {
    answer.unreachable =
        absl::UnavailableError(absl::StrCat("GET ", request.url, ": status ", *code));
  }
  return answer;
}

}  // namespace verdant::crawler
