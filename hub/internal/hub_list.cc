#include "hub/internal/hub_list.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

namespace verdant::internal {
namespace {

struct State {
  std::mutex mutex;
  std::vector<ListedHub> hubs;  // guarded by mutex
};

// Never destroyed: hubs go as late as with the last thread.
std::atomic<State*>& CurrentState() {
  static std::atomic<State*> state{new State};
  return state;
}

std::uint64_t NewNumber() {
  static std::atomic<std::uint64_t> next{0};
  return next.fetch_add(1);
}

}  // namespace

HubListing::HubListing(std::shared_ptr<Mailbox> mailbox)
    : number_(NewNumber()), thread_(static_cast<int>(syscall(SYS_gettid))) {
  State& state = *CurrentState().load();
  const std::lock_guard<std::mutex> lock(state.mutex);
  state.hubs.push_back({number_, thread_, std::move(mailbox)});
}

HubListing::~HubListing() {
  State& state = *CurrentState().load();
  const std::lock_guard<std::mutex> lock(state.mutex);
  std::erase_if(state.hubs, [this](const ListedHub& hub) { return hub.number == number_; });
}

std::vector<ListedHub> HubListing::All() {
  State& state = *CurrentState().load();
  std::vector<ListedHub> hubs;
  {
    const std::lock_guard<std::mutex> lock(state.mutex);
    hubs = state.hubs;
  }
  std::sort(hubs.begin(), hubs.end(),
            [](const ListedHub& a, const ListedHub& b) { return a.number < b.number; });
  return hubs;
}

void HubListing::ForgetAll() {
  // The parent's stays as it is: some thread may have held its lock, which no longer exists.
  CurrentState().store(new State);
}

}  // namespace verdant::internal
