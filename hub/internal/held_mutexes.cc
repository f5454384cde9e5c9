#include "hub/internal/held_mutexes.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "greenlet/internal/fiber.h"
#include "hub/hub.h"
#include "hub/internal/frame_text.h"
#include "hub/internal/loop_hooks.h"
#include "hub/internal/stack_walk.h"
#include "hub/mutex_check.h"

namespace verdant {
namespace internal {
namespace {

constexpr std::size_t kMostHeld = 16;
constexpr std::size_t kMostFrames = 16;

enum class Mode { kUndecided, kOff, kOn };
std::atomic<Mode> mode{Mode::kUndecided};

Mode DecideMode() {
#if defined(NDEBUG)
  Mode decided = Mode::kOff;
#else
  Mode decided = Mode::kOn;
#endif
  if (const char* wanted = std::getenv("VERDANT_MUTEX_CHECK"); wanted != nullptr) {
    if (std::string_view(wanted) == "on" || std::string_view(wanted) == "1") decided = Mode::kOn;
    if (std::string_view(wanted) == "off" || std::string_view(wanted) == "0") decided = Mode::kOff;
  }
  Mode undecided = Mode::kUndecided;
  mode.compare_exchange_strong(undecided, decided);
  return mode.load(std::memory_order_relaxed);
}

struct Held {
  const void* mutex;
  // Whose it is; compared, never followed, as it may be gone.
  const Fiber* fiber;
  std::uint64_t id;
  LockKind kind;
  std::size_t switches;  // of the hub, when it was locked
  bool told;
  std::size_t frame_count;
  std::array<std::uintptr_t, kMostFrames> frames;

  bool IsOf(const Fiber* other) const { return fiber == other && id == other->id; }
};

struct Thread {
  bool busy;                 // with a report: what that locks is not looked at
  std::uintptr_t stack_end;  // of the OS thread itself
  std::size_t count;
  std::array<Held, kMostHeld> held;
};
constinit thread_local Thread thread_state = {};

bool Watching() {
  if (current_hub == nullptr || thread_state.busy) return false;
  const Mode now = mode.load(std::memory_order_relaxed);
  return now == Mode::kOn || (now == Mode::kUndecided && DecideMode() == Mode::kOn);
}

[[gnu::noinline]] std::size_t WhereAmI(std::span<std::uintptr_t> frames) {
  const auto fp = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  std::uintptr_t high = thread_state.stack_end;
  if (const Stack& stack = fiber_thread.current->stack; stack)
    high = reinterpret_cast<std::uintptr_t>(stack.limit());
  if (fp >= high) return 0;
  return FollowFramePointers(
      {fp, {reinterpret_cast<const std::uintptr_t*>(fp), (high - fp) / sizeof(std::uintptr_t)}}, fp,
      frames);
}

// ---- Reports. ----

// One at a time. A spinning lock, since all others come here.
class Telling {
 public:
  Telling() {
    while (flag_.test_and_set(std::memory_order_acquire)) sched_yield();
    thread_state.busy = true;
  }
  Telling(const Telling&) = delete;
  Telling& operator=(const Telling&) = delete;
  ~Telling() {
    thread_state.busy = false;
    flag_.clear(std::memory_order_release);
  }

 private:
  static inline std::atomic_flag flag_;
};

// Guarded by Telling. Never destroyed, since other threads may lock something late.
struct Listener {
  std::function<void(const std::string&)> handler;
  std::set<std::array<std::uintptr_t, kMostFrames>> places;
};
Listener& TheListener() {
  static auto* listener = new Listener;
  return *listener;
}

const Task* HolderOf(const Held& held) {
  return held.id != 0 ? current_hub->Find(held.id) : nullptr;
}

std::string Who(const Held& held) {
  const Task* task = HolderOf(held);
  if (task != nullptr) return Hub::Describe(task);
  return held.id != 0 ? absl::StrCat("green thread ", held.id, ", which has ended,") : "a greenlet";
}

std::string LastWait(const Held& held) {
  const Task* task = HolderOf(held);
  if (task == nullptr) return "";
  if (task->parked()) return absl::StrCat(" while it waits in ", task->operation);
  if (std::string_view(task->operation) == ParkedOn().operation) return "";
  return absl::StrCat("; its last wait was in ", task->operation);
}

void Say(const std::string& text) {
  if (const auto& handler = TheListener().handler) {
    handler(text);
  } else {
    std::fwrite(text.data(), 1, text.size(), stderr);
  }
}

// False if that place has been reported before.
bool IsNews(Held& held) {
  held.told = true;
  return TheListener().places.insert(held.frames).second;
}

// From whoever called something that locks.
std::string DescribeCallers(std::span<const std::uintptr_t> frames) {
  while (!frames.empty()) {
    const std::string function = FunctionAt(frames.front(), true);
    if (!IsPlumbing(function) && !absl::StartsWith(function, "pthread_")) break;
    frames = frames.subspan(1);
  }
  return DescribeFrames(frames, false);
}

std::string LockedFrom(const Held& held) {
  return absl::StrCat("  locked from\n",
                      DescribeCallers(std::span(held.frames).first(held.frame_count)));
}

std::string Address(const void* mutex) {
  return absl::StrCat("0x", absl::Hex(reinterpret_cast<std::uintptr_t>(mutex)));
}

void TellHeldNow(Held& held) {
  const Telling telling;
  if (!IsNews(held)) return;
  Say(absl::StrCat("verdant: ", Who(held), " holds the mutex ", Address(held.mutex), LastWait(held),
                   ", and others of its OS thread run\n", LockedFrom(held)));
}

void TellHeldBefore(Held& held) {
  const Telling telling;
  if (!IsNews(held)) return;
  Say(absl::StrCat("verdant: ", Who(held), " held the mutex ", Address(held.mutex),
                   " while others of its OS thread could run", LastWait(held), "\n",
                   LockedFrom(held)));
}

void TellCollision(const Held& held) {
  const Telling telling;
  std::array<std::uintptr_t, kMostFrames> here = {};
  const std::size_t count = WhereAmI(here);
  Hub& hub = *current_hub;
  const std::string self = hub.OnHubStack() ? "a hub callback" : Hub::Describe(hub.CurrentTask());
  const char* outcome = held.kind == LockKind::kRecursive
                            ? ": both have it now, as it is recursive and the OS thread is the same"
                            : ": their OS thread hangs for good";
  Say(absl::StrCat("verdant: ", self, " locks the mutex ", Address(held.mutex), " that ", Who(held),
                   " holds", LastWait(held), outcome, "\n  locks it from\n",
                   DescribeCallers(std::span(here).first(count)), LockedFrom(held)));
}

// ---- Once a turn. ----

class TurnCheck final : public LoopHook {
 public:
  void OnTurn() noexcept override {
    if (thread_state.count == 0 || !Watching()) return;
    for (std::size_t i = 0; i < thread_state.count; ++i) {
      Held& held = thread_state.held[i];
      // The hub's own stack runs, so that all others are suspended.
      if (!held.told && !held.IsOf(fiber_thread.current)) TellHeldNow(held);
    }
  }
};
thread_local TurnCheck turn_check;

}  // namespace

// Every hub calls it when it is made, if it is there.
void WatchMutexes(Hub& hub) {
  if (pthread_attr_t attributes; pthread_getattr_np(pthread_self(), &attributes) == 0) {
    void* low = nullptr;
    std::size_t size = 0;
    pthread_attr_getstack(&attributes, &low, &size);
    pthread_attr_destroy(&attributes);
    thread_state.stack_end = reinterpret_cast<std::uintptr_t>(low) + size;
  }
  thread_state.count = 0;
  turn_check.Unlink();  // from the hub of a process that has forked
  hub.hooks().prepare.PushBack(&turn_check);
}

void BeforeLock(const void* mutex, LockKind kind) noexcept {
  if (thread_state.count == 0 || !Watching()) return;
  for (std::size_t i = 0; i < thread_state.count; ++i) {
    const Held& held = thread_state.held[i];
    if (held.mutex != mutex || held.IsOf(fiber_thread.current)) continue;
    if (held.kind == LockKind::kShared && kind == LockKind::kShared) continue;
    return TellCollision(held);
  }
}

[[gnu::noinline]] void AfterLock(const void* mutex, LockKind kind) noexcept {
  if (!Watching() || thread_state.count == kMostHeld) return;
  Held& held = thread_state.held[thread_state.count++];
  held.mutex = mutex;
  held.fiber = fiber_thread.current;
  held.id = held.fiber->id;
  held.kind = kind;
  held.switches = current_hub->switches();
  held.told = false;
  held.frames.fill(0);
  held.frame_count = WhereAmI(held.frames);
}

void BeforeUnlock(const void* mutex) noexcept {
  if (thread_state.count == 0 || thread_state.busy) return;
  // The last one of the caller, or of whoever else has locked it.
  std::size_t found = kMostHeld;
  for (std::size_t i = 0; i < thread_state.count; ++i) {
    const Held& held = thread_state.held[i];
    if (held.mutex != mutex) continue;
    if (found == kMostHeld || held.IsOf(fiber_thread.current)) found = i;
  }
  if (found == kMostHeld) return;
  Held& held = thread_state.held[found];
  if (!held.told && Watching() && current_hub->switches() != held.switches) TellHeldBefore(held);
  const auto at = thread_state.held.begin() + static_cast<std::ptrdiff_t>(found);
  std::copy(at + 1, thread_state.held.begin() + static_cast<std::ptrdiff_t>(thread_state.count),
            at);
  --thread_state.count;
}

}  // namespace internal

void EnableMutexCheck(bool enable) {
  internal::mode.store(enable ? internal::Mode::kOn : internal::Mode::kOff);
}

void SetMutexCheckHandler(std::function<void(const std::string&)> handler) {
  const internal::Telling telling;
  internal::TheListener().handler = std::move(handler);
}

}  // namespace verdant
