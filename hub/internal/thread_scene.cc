#include "hub/internal/thread_scene.h"

#include <pthread.h>

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "greenlet/internal/fiber.h"
#include "hub/internal/frame_text.h"
#include "hub/internal/system_call.h"
#include "hub/internal/thread_probe.h"

#if defined(VERDANT_VALGRIND)
#include <valgrind/memcheck.h>
#endif

namespace verdant::internal {
namespace {

constexpr std::size_t kMostWords = 64 * 1024 / sizeof(std::uintptr_t);
constexpr int kAnswerSeconds = 1;

// Any words at all, which sanitizers need not believe in.
__attribute__((no_sanitize("address", "thread", "undefined"))) void CopyWords(
    std::uintptr_t from, volatile std::uintptr_t* to, std::size_t words) {
  const auto* at = reinterpret_cast<const volatile std::uintptr_t*>(from);
  for (std::size_t i = 0; i < words; ++i) to[i] = at[i];
#if defined(VERDANT_VALGRIND)
  VALGRIND_MAKE_MEM_DEFINED(to, words * sizeof(*to));
#endif
}

}  // namespace

OwnStack OwnStack::OfThisThread() {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return {};
  void* low = nullptr;
  std::size_t size = 0;
  pthread_attr_getstack(&attributes, &low, &size);
  pthread_attr_destroy(&attributes);
  return {reinterpret_cast<std::uintptr_t>(low), reinterpret_cast<std::uintptr_t>(low) + size};
}

ThreadScene::ThreadScene(OwnStack own_stack)
    : own_stack_(own_stack), stack_(new std::uintptr_t[kMostWords]) {}

void ThreadScene::NoteInterrupted(const void* context) {
  // A thread that has no fibers yet is on its own stack.
  static constexpr Fiber kNone;
  const Fiber& fiber = fiber_thread.current != nullptr ? *fiber_thread.current : kNone;
  Describe(fiber, fiber_thread.current == fiber_thread.main);
  for (std::size_t i = 0; fiber.name != nullptr && i + 1 < name_.size(); ++i) {
    name_[i] = fiber.name[i];
    if (name_[i] == '\0') break;
  }
  state_ = MachineState::OfInterrupted(context);
  words_ = CopyStack(fiber, true);
}

void ThreadScene::NoteFiber(const Fiber& fiber, bool is_main) {
  Describe(fiber, is_main);
  if (fiber.name != nullptr)
    CopyMemory(reinterpret_cast<std::uintptr_t>(fiber.name), name_.data(), name_.size() - 1);
}

void ThreadScene::NoteStack(const Fiber& fiber, const MachineState& state) {
  state_ = state;
  words_ = CopyStack(fiber, false);
}

void ThreadScene::Describe(const Fiber& fiber, bool is_main) {
  is_main_ = is_main;
  flags_ = fiber.flags;
  id_ = fiber.id;
  site_ = fiber.site();
  name_ = {};
}

std::size_t ThreadScene::CopyStack(const Fiber& fiber, bool from_inside) {
  OwnStack bounds = own_stack_;
  if (fiber.stack) {
    bounds = {reinterpret_cast<std::uintptr_t>(fiber.stack.base),
              reinterpret_cast<std::uintptr_t>(fiber.stack.limit())};
  }
  const std::uintptr_t sp = state_.sp;
  if (sp % sizeof(std::uintptr_t) != 0) return 0;
  std::size_t words = kMostWords;
  if (bounds.high != 0) {
    if (sp < bounds.low || sp >= bounds.high) return 0;
    words = std::min(words, (bounds.high - sp) / sizeof(std::uintptr_t));
    if (from_inside) {
      CopyWords(sp, stack_.get(), words);
      return words;
    }
  }
  return CopyMemory(sp, stack_.get(), words * sizeof(std::uintptr_t)) / sizeof(std::uintptr_t);
}

bool ThreadScene::is_hub() const { return id_ == 0 && std::string_view(name_.data()) == "hub"; }

std::string ThreadScene::Who() const {
  if (is_main_) return "the main greenlet";
  if (is_hub()) return "the hub";
  std::string who = id_ != 0 ? absl::StrCat("green thread ", id_) : "a greenlet";
  if (name_[0] != '\0') absl::StrAppend(&who, " '", name_.data(), "'");
  if (site_.line() != 0)
    absl::StrAppend(&who, " spawned at ", site_.file_name(), ":", site_.line());
  return who;
}

std::size_t ThreadScene::Frames(const CodeMap& code, bool in_system_call,
                                std::span<std::uintptr_t> frames) const {
  return WalkStack(code, state_, {state_.sp, {stack_.get(), words_}}, in_system_call, frames);
}

std::string DescribeThread(std::int64_t thread_id) {
  ThreadScene scene;
  if (!ThreadProbe::Call(static_cast<pid_t>(thread_id), kAnswerSeconds,
                         [&](const void* context) { scene.NoteInterrupted(context); })) {
    return "  no signal reaches it\n";
  }
  CodeMap code;
  code.Refresh();
  std::array<std::uintptr_t, ThreadScene::kMostFrames> frames;
  const std::size_t count = scene.Frames(code, false, frames);
  return absl::StrCat("  ", scene.Who(), " runs:\n",
                      DescribeFrames(std::span(frames).first(count), true));
}

}  // namespace verdant::internal
