// What a hub says about itself: errors that nobody caught, dumps, counts.

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hub/hub.h"
#include "hub/internal/blocking_detector.h"

namespace verdant {

using internal::fiber_thread;
using internal::Task;

namespace {

void PrintUncaught(const UncaughtError& report) {
  const std::string line = absl::StrCat("verdant: uncaught ", DescribeException(report.error),
                                        " in ", report.context, "\n");
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void AppendState(std::string& text, const Task* task) {
  switch (task->state) {
    case Task::State::kNew:
      absl::StrAppend(&text, "not started");
      break;
    case Task::State::kRunning:
      absl::StrAppend(&text, task->fiber == fiber_thread.current  ? "running"
                             : internal::IsInSwitch(*task->fiber) ? "aside in a greenlet's switch"
                                                                  : "runnable");
      break;
    case Task::State::kParked:
    case Task::State::kParkedTraced:
      absl::StrAppend(&text, "waiting in ", task->operation);
      if (task->detail >= 0) absl::StrAppend(&text, " of file descriptor ", task->detail);
      break;
    case Task::State::kDone:
      absl::StrAppend(&text, "ended");
      break;
    case Task::State::kAbandoned:
      absl::StrAppend(&text, "left behind by its hub");
      break;
  }
}

void AppendLine(std::string& text, const Task* task) {
  absl::StrAppend(&text, Hub::Describe(task), ": ");
  AppendState(text, task);
}

// Deeper ones are not moved further in: a chain of spawns may be as long as there is memory.
constexpr std::size_t kDeepestIndent = 32;

}  // namespace

void Hub::SetErrorHandler(ErrorHandler handler) { error_handler_ = std::move(handler); }

void Hub::ReportUncaught(std::string context, const std::exception_ptr& error) noexcept {
  // A copy: the handler may replace itself.
  const ErrorHandler handler = error_handler_ ? error_handler_ : ErrorHandler(&PrintUncaught);
  handler({std::move(context), error});
}

std::string Hub::Describe(const Task* task) {
  if (task->is_main) return "the main greenlet";
  std::string text =
      absl::StrCat(task->is_green_thread ? "green thread " : "greenlet ", task->own_fiber.id);
  if (task->named()) {
    absl::StrAppend(&text, " '", task->name(), "'");
  } else if (task->fiber->name != nullptr) {
    absl::StrAppend(&text, " '", task->fiber->name, "'");
  }
  const SourceLocation site = task->own_fiber.site();
  if (site.line() != 0) absl::StrAppend(&text, " spawned at ", site.file_name(), ":", site.line());
  return text;
}

std::string Hub::Dump(std::size_t most) const {
  std::string text;
  std::size_t left = all_count_;
  for (auto* node = all_.front(); node != nullptr; node = all_.next(node)) {
    if (most-- == 0) {
      absl::StrAppend(&text, "  and ", left, " more\n");
      break;
    }
    --left;
    text += "  ";
    AppendLine(text, static_cast<const Task*>(node));
    text += "\n";
  }
  return text;
}

// Dump(), but those without a name that were spawned at one place and do the same share a line.
std::string Hub::DumpAlike(std::size_t most) const {
  struct Group {
    const Task* first;
    std::size_t count;
  };
  // Literals all, so that equal pointers will do; where they are not, there are more lines.
  using Key = std::tuple<const char*, unsigned, bool, Task::State, const char*, bool>;
  std::map<Key, std::size_t> places;
  std::vector<Group> groups;
  for (auto* node = all_.front(); node != nullptr; node = all_.next(node)) {
    const auto* task = static_cast<const Task*>(node);
    const SourceLocation site = task->own_fiber.site();
    if (!task->is_main && !task->named() && site.line() != 0) {
      const Key key(site.file_name(), site.line(), task->is_green_thread, task->state,
                    task->parked() ? task->operation : nullptr, internal::IsInSwitch(*task->fiber));
      const auto [place, is_new] = places.emplace(key, groups.size());
      if (!is_new) {
        ++groups[place->second].count;
        continue;
      }
    }
    groups.push_back({task, 1});
  }
  std::string text;
  std::size_t left = all_count_;
  for (const Group& group : groups) {
    if (most-- == 0) {
      absl::StrAppend(&text, "  and ", left, " more\n");
      break;
    }
    left -= group.count;
    text += "  ";
    if (group.count == 1) {
      AppendLine(text, group.first);
    } else {
      const SourceLocation site = group.first->own_fiber.site();
      absl::StrAppend(&text, group.count,
                      group.first->is_green_thread ? " green threads" : " greenlets",
                      " spawned at ", site.file_name(), ":", site.line(), ": ");
      AppendState(text, group.first);
    }
    text += "\n";
  }
  return text;
}

std::string Hub::DumpTree(std::size_t most) const {
  struct Place {
    const Task* task;
    std::size_t depth;
  };
  std::vector<Place> to_come;  // the next one last
  std::unordered_map<std::uint64_t, std::vector<const Task*>> children;
  for (auto* node = all_.front(); node != nullptr; node = all_.next(node)) {
    children.emplace(static_cast<const Task*>(node)->own_fiber.id, 0);
  }
  for (auto* node = all_.front(); node != nullptr; node = all_.next(node)) {
    const auto* task = static_cast<const Task*>(node);
    const auto parent = children.find(task->spawner);
    if (parent != children.end() && task->spawner != task->own_fiber.id) {
      parent->second.push_back(task);
    } else {
      to_come.push_back({task, 1});
    }
  }
  std::reverse(to_come.begin(), to_come.end());
  std::string text;
  std::size_t left = all_count_;
  while (!to_come.empty()) {
    if (most-- == 0) {
      absl::StrAppend(&text, "  and ", left, " more\n");
      break;
    }
    --left;
    const auto [task, depth] = to_come.back();
    to_come.pop_back();
    text.append(2 * std::min(depth, kDeepestIndent), ' ');
    AppendLine(text, task);
    if (depth == 1 && task->is_green_thread) {
      if (task->spawner == 0) {
        text += ", spawned by no green thread";
      } else {
        absl::StrAppend(&text, ", spawned by green thread ", task->spawner, ", which has ended");
      }
    }
    text += "\n";
    const std::vector<const Task*>& below = children[task->own_fiber.id];
    for (auto child = below.rbegin(); child != below.rend(); ++child) {
      to_come.push_back({*child, depth + 1});
    }
  }
  return text;
}

Task* Hub::Find(std::uint64_t id) const {
  for (auto* node = all_.front(); node != nullptr; node = all_.next(node)) {
    auto* task = static_cast<Task*>(node);
    if (task->own_fiber.id == id) return task;
  }
  return nullptr;
}

std::vector<Task*> Hub::GreenThreads() const {
  std::vector<Task*> threads;
  for (auto* node = all_.front(); node != nullptr; node = all_.next(node)) {
    auto* task = static_cast<Task*>(node);
    if (task->is_green_thread) threads.push_back(task);
  }
  return threads;
}

Task* Hub::OldestGreenThread() const {
  for (auto* node = all_.front(); node != nullptr; node = all_.next(node)) {
    auto* task = static_cast<Task*>(node);
    if (task->is_green_thread) return task;
  }
  return nullptr;
}

std::string Hub::DumpListeners() const { return fds_.Dump(); }

Hub::States Hub::CountStates() const {
  States states;
  // By pointer, of which there are few: each text is looked at once.
  std::vector<std::pair<const char*, std::size_t>> operations;
  for (auto* node = all_.front(); node != nullptr; node = all_.next(node)) {
    const auto* task = static_cast<const Task*>(node);
    if (!task->parked()) {
      ++(task->state == Task::State::kNew ? states.not_started : states.runnable);
      continue;
    }
    ++states.waiting;
    const char* operation = task->operation;
    auto known = std::find_if(operations.begin(), operations.end(),
                              [operation](const auto& o) { return o.first == operation; });
    if (known == operations.end()) known = operations.insert(known, {operation, 0});
    ++known->second;
  }
  for (const auto& [operation, count] : operations) states.waiting_in[operation] += count;
  return states;
}

Hub::Counts Hub::counts() const {
  Counts counts;
  counts.green_threads = all_count_;
  counts.runnable = ready_.size();
  counts.timers = timers_.size();
  counts.waiting_for_io = fds_.waiting();
  fds_.CountDirections(counts.readers, counts.writers);
  counts.turns = turns_;
  counts.switches = ready_.taken();
  counts.spawned = next_id_ - 1;
  counts.posted_calls = posted_calls_;
  counts.sleeps = sleeps_;
  counts.poller_calls = fds_.system_calls();
  return counts;
}

std::vector<BlockingSite> Hub::BlockingSites() const {
  return detector_ != nullptr ? detector_->Sites() : std::vector<BlockingSite>();
}

}  // namespace verdant
