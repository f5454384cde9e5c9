#include "hub/dump.h"

#include <pthread.h>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hub/hub.h"
#include "hub/internal/dump_collector.h"
#include "hub/internal/hub_registry.h"
#include "hub/internal/shared_waiter.h"

namespace verdant {
namespace internal {
namespace {

std::string Title(std::uint64_t number, std::int64_t thread_id) {
  return absl::StrCat("hub ", number, " of thread ", thread_id);
}

// On the hub's own thread.
std::string DescribeHub(const Hub& hub, const std::string& title, const DumpOptions& options) {
  const Hub::Counts counts = hub.counts();
  std::array<char, 16> name = {};
  pthread_getname_np(pthread_self(), name.data(), name.size());
  std::string text =
      absl::StrCat(title, " '", name.data(), "' (", hub.poller(), "): ", counts.green_threads,
                   " green threads, ", counts.runnable, " runnable, ", counts.timers, " timers, ",
                   counts.waiting_for_io, " waiting for I/O; ", counts.turns, " turns, ",
                   counts.switches, " switches\n");
  text += options.as_tree ? hub.DumpTree(options.most) : hub.Dump(options.most);
  if (options.timers_and_listeners) text += hub.DumpTimers() + hub.DumpListeners();
  return text;
}

// What has been asked of hubs, kept by whoever asks and by each hub that has not answered.
struct Collection final : SharedState {
  enum class Status : std::uint8_t { kAsked, kAnswered, kGone };
  struct Part {
    std::uint64_t number;
    std::int64_t thread_id;
    Status status = Status::kAsked;
    std::string text = {};
  };

  explicit Collection(const DumpOptions& o) : options(o) {}

  void Give(std::size_t index, Status status, std::string text) noexcept {
    WakeUps wake_ups;
    const std::lock_guard<std::mutex> lock(mutex);
    parts[index].status = status;
    parts[index].text = std::move(text);
    --missing;
    while (missing == 0 && !line.empty()) {
      line.front()->Resume(SharedWaiter::Outcome::kServed, wake_ups);
    }
  }

  const DumpOptions options;
  // Guarded by the mutex.
  std::vector<Part> parts;
  std::size_t missing = 0;
  SharedLine line;
};

// The call posted to a hub. Dropped unmade it says that the hub is gone.
class Question {
 public:
  Question(std::shared_ptr<Collection> collection, std::size_t index, std::string title)
      : collection_(std::move(collection)), index_(index), title_(std::move(title)) {}
  Question(Question&&) noexcept = default;
  Question& operator=(Question&&) = delete;
  ~Question() {
    if (collection_ != nullptr) collection_->Give(index_, Collection::Status::kGone, "");
  }
  void operator()() {
    std::string text = DescribeHub(Hub::Current(), title_, collection_->options);
    std::exchange(collection_, nullptr)
        ->Give(index_, Collection::Status::kAnswered, std::move(text));
  }

 private:
  std::shared_ptr<Collection> collection_;
  std::size_t index_;
  std::string title_;
};

void AskAll(const std::shared_ptr<Collection>& collection) {
  const std::vector<ListedHub> hubs = ListHubs();
  for (const ListedHub& hub : hubs) collection->parts.push_back({hub.number, hub.thread_id});
  collection->missing = hubs.size();
  for (std::size_t i = 0; i < hubs.size(); ++i) {
    Question question(collection, i, Title(hubs[i].number, hubs[i].thread_id));
    if (hubs[i].own) {
      question();
    } else {
      hubs[i].mailbox->Post(std::move(question));
    }
  }
}

void Await(Collection& collection) {
  using How = SharedWaiter::How;
  const bool in_callback = current_hub != nullptr && current_hub->OnHubStack();
  SharedWaiter waiter(collection, "DumpAllHubs",
                      in_callback ? How::kBlocksThread : How::kParksIfGreen);
  std::unique_lock<std::mutex> lock(collection.mutex);
  if (collection.missing == 0) return;
  collection.line.PushBack(waiter);
  const absl::Duration patience = collection.options.patience;
  if (!in_callback || patience == absl::InfiniteDuration()) {
    waiter.Wait(lock, Deadline(patience));
    return;
  }
  std::int64_t until;
  if (__builtin_add_overflow(Clock::Monotonic().NowNanos(), absl::ToInt64Nanoseconds(patience),
                             &until)) {
    until = INT64_MAX;
  }
  waiter.Wait(lock, Deadline::At(until));
}

}  // namespace

std::string CollectDumps(const DumpOptions& options,
                         absl::FunctionRef<std::string(std::int64_t)> explain) {
  const auto collection = std::make_shared<Collection>(options);
  AskAll(collection);
  Await(*collection);
  std::vector<Collection::Part> parts;
  {
    // Copied: late answers still come.
    const std::lock_guard<std::mutex> lock(collection->mutex);
    parts = collection->parts;
  }
  std::string text;
  for (const Collection::Part& part : parts) {
    if (part.status == Collection::Status::kAnswered) {
      text += part.text;
    } else if (part.status == Collection::Status::kAsked) {
      absl::StrAppend(&text, Title(part.number, part.thread_id), ": is stuck, has not turned for ",
                      absl::FormatDuration(options.patience), "\n", explain(part.thread_id));
    }
  }
  return text.empty() ? "no hubs\n" : text;
}

}  // namespace internal

std::string DumpAllHubs(const DumpOptions& options) {
  return internal::CollectDumps(options, [](std::int64_t) { return std::string(); });
}

}  // namespace verdant
