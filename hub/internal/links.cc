#include "hub/internal/links.h"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "hub/hub.h"

namespace verdant::internal {
namespace {

void CallLink(absl::AnyInvocable<void()> call, const char* of) noexcept {
  try {
    call();
  } catch (...) {
    Hub::Current().ReportUncaught(std::string("a link of ") + of, std::current_exception());
  }
}

}  // namespace

std::uint64_t Links::Add(const char* of, bool ready, absl::AnyInvocable<void()> call) {
  if (call == nullptr)
    throw std::logic_error(std::string("the link of ") + of + " is an empty function");
  if (ready && (queue_ == nullptr || !queue_->notifying)) {
    CallLink(std::move(call), of);
    return 0;
  }
  if (queue_ == nullptr) queue_ = std::make_shared<Queue>();
  queue_->home.Check(of);
  const std::uint64_t id = queue_->Append(std::move(call));
  if (ready) queue_->due = queue_->next_id;
  return id;
}

void Links::CallAll(const char* of, absl::FunctionRef<bool()> still_ready) {
  const std::shared_ptr<Queue> queue = queue_;
  if (!queue->Begin()) return;
  while (queue->AnyDue() && still_ready()) queue->CallFirst(of);
  queue->notifying = false;
}

std::uint64_t Links::Queue::Append(absl::AnyInvocable<void()> call) {
  DropGaps();
  links.push_back({next_id, std::move(call)});
  ++live;
  return next_id++;
}

bool Links::Queue::Remove(std::uint64_t id) {
  home.Check("a link");
  const auto link = std::lower_bound(links.begin(), links.end(), id,
                                     [](const Link& l, std::uint64_t i) { return l.id < i; });
  if (link == links.end() || link->id != id || link->call == nullptr) return false;
  // Its destructor may come back here.
  const absl::AnyInvocable<void()> gone = std::exchange(link->call, nullptr);
  --live;
  return true;
}

bool Links::Queue::Begin() {
  due = next_id;
  return !std::exchange(notifying, true);
}

bool Links::Queue::AnyDue() {
  while (first < links.size() && links[first].call == nullptr) ++first;
  return first < links.size() && links[first].id < due;
}

void Links::Queue::CallFirst(const char* of) noexcept {
  --live;
  CallLink(std::exchange(links[first++].call, nullptr), of);
}

void Links::Queue::Abandon() noexcept {
  const std::vector<Link> gone = std::exchange(links, {});
  first = live = 0;
}

void Links::Queue::DropGaps() {
  constexpr std::size_t kFew = 16;
  if (links.size() < 2 * live + kFew) return;
  std::erase_if(links, [](const Link& link) { return link.call == nullptr; });
  first = 0;
}

}  // namespace verdant::internal
