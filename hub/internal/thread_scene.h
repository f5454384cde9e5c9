#ifndef VERDANT_HUB_INTERNAL_THREAD_SCENE_H_
#define VERDANT_HUB_INTERNAL_THREAD_SCENE_H_

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "greenlet/source_location.h"
#include "hub/internal/stack_walk.h"

namespace verdant::internal {

struct Fiber;

// Where a thread's own stack lies; unknown when both are 0.
struct OwnStack {
  std::uintptr_t low = 0;
  std::uintptr_t high = 0;
  static OwnStack OfThisThread();
};

// Who runs on a thread, and where, at one moment: what a report is made of.
class ThreadScene {
 public:
  static constexpr std::size_t kMostFrames = 48;
  ThreadScene() : ThreadScene(OwnStack()) {}
  explicit ThreadScene(OwnStack own_stack);

  // Notes what runs on the calling thread: in a signal handler, with its third argument.
  void NoteInterrupted(const void* context);

  // The same from outside, as far as it can be read: `fiber` is a copy of the one that runs.
  void NoteFiber(const Fiber& fiber, bool is_main);
  void NoteStack(const Fiber& fiber, const MachineState& state);

  bool is_hub() const;
  bool is_main() const { return is_main_; }
  std::uint32_t flags() const { return flags_; }
  SourceLocation site() const { return site_; }
  const MachineState& state() const { return state_; }

  // A green thread by its number, name and spawn site, or what else it is.
  std::string Who() const;
  // The stack, as WalkStack() gives it.
  std::size_t Frames(const CodeMap& code, bool in_system_call,
                     std::span<std::uintptr_t> frames) const;

 private:
  void Describe(const Fiber& fiber, bool is_main);
  std::size_t CopyStack(const Fiber& fiber, bool from_inside);

  const OwnStack own_stack_;
  const std::unique_ptr<std::uintptr_t[]> stack_;
  std::size_t words_ = 0;  // of the stack, copied
  MachineState state_;
  bool is_main_ = false;
  std::uint32_t flags_ = 0;
  std::uint64_t id_ = 0;
  SourceLocation site_;
  std::array<char, 128> name_ = {};
};

// Who runs on the thread of that number and where, as lines of text that are indented; a thread
// that no signal reaches is said not to answer, after a second. Any thread.
std::string DescribeThread(std::int64_t thread_id);

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_THREAD_SCENE_H_
