#include "hub/internal/poller.h"

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace verdant::internal {
namespace {

struct Kind {
  std::string_view name;
  std::string_view old_name;
};
constexpr Kind kKinds[] = {
    {"epoll", "epolls"}, {"io_uring", "io_uring"}, {"poll", "polls"}, {"select", "selects"}};

std::unique_ptr<Poller> MakeUringPollerOrEpoll() {
  absl::StatusOr<std::unique_ptr<Poller>> poller = MakeUringPoller();
  if (poller.ok()) return *std::move(poller);
  static std::once_flag once;
  std::call_once(once, [&] {
    const std::string line =
        absl::StrCat("verdant: no io_uring (", poller.status().message(), "), using epoll\n");
    std::fwrite(line.data(), 1, line.size(), stderr);
  });
  return MakeEpollPoller();
}

}  // namespace

std::string_view PollerName(const char* name) {
  const char* source = "";
  if (name == nullptr) {
    name = std::getenv("VERDANT_HUB");
    if (name == nullptr) return kKinds[0].name;
    source = "VERDANT_HUB: ";
  }
  for (const Kind& kind : kKinds) {
    if (name == kind.name || name == kind.old_name) return kind.name;
  }
  const bool blank = absl::StripAsciiWhitespace(name).empty();
  throw std::invalid_argument(absl::StrCat(
      source, blank ? "the name of the poller is blank" : "there is no poller '", blank ? "" : name,
      blank ? "" : "'", "; there are epoll, io_uring, poll and select"));
}

std::unique_ptr<Poller> MakePoller(std::string_view name, const EdgeMemory& memory) {
  if (name == kKinds[1].name) return MakeUringPollerOrEpoll();
  if (name == kKinds[2].name) return MakePollPoller(memory);
  if (name == kKinds[3].name) return MakeSelectPoller(memory);
  return MakeEpollPoller();
}

}  // namespace verdant::internal
