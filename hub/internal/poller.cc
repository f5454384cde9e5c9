#include "hub/internal/poller.h"

#include <cstdlib>
#include <stdexcept>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace verdant::internal {
namespace {

struct Kind {
  std::string_view name;
  std::string_view old_name;
};
constexpr Kind kKinds[] = {{"epoll", "epolls"}, {"poll", "polls"}, {"select", "selects"}};

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
  throw std::invalid_argument(
      absl::StrCat(source, blank ? "the name of the poller is blank" : "there is no poller '",
                   blank ? "" : name, blank ? "" : "'", "; there are epoll, poll and select"));
}

std::unique_ptr<Poller> MakePoller(std::string_view name, const EdgeMemory& memory) {
  if (name == kKinds[1].name) return MakePollPoller(memory);
  if (name == kKinds[2].name) return MakeSelectPoller(memory);
  return MakeEpollPoller();
}

}  // namespace verdant::internal
