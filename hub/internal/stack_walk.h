#ifndef VERDANT_HUB_INTERNAL_STACK_WALK_H_
#define VERDANT_HUB_INTERNAL_STACK_WALK_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace verdant::internal {

// Where this process has code. Not for signal handlers, but for its const members.
class CodeMap {
 public:
  // Looks at what is loaded now.
  void Refresh();

  bool Contains(std::uintptr_t address) const { return Find(address) != nullptr; }
  // In the program itself rather than in a shared library.
  bool IsProgram(std::uintptr_t address) const {
    const Segment* segment = Find(address);
    return segment != nullptr && segment->is_program;
  }
  // Whether a call could return there.
  bool FollowsCall(std::uintptr_t address) const;

 private:
  struct Segment {
    std::uintptr_t begin;
    std::uintptr_t end;
    bool is_program;
  };
  const Segment* Find(std::uintptr_t address) const;

  std::vector<Segment> segments_;
};

// Where a thread was when it was looked at. What is not known is 0.
struct MachineState {
  std::uintptr_t pc = 0;
  std::uintptr_t sp = 0;
  std::uintptr_t fp = 0;
  std::uintptr_t link = 0;  // aarch64's x30

  // Of a thread that a signal has interrupted: the third argument of the handler.
  static MachineState OfInterrupted(const void* ucontext);
};

// The words of a stack from `sp` up, or a copy of them.
struct StackWords {
  std::uintptr_t sp = 0;
  std::span<const std::uintptr_t> words = {};

  bool Contains(std::uintptr_t address) const {
    return address >= sp && address % sizeof(std::uintptr_t) == 0 &&
           (address - sp) / sizeof(std::uintptr_t) < words.size();
  }
  std::uintptr_t At(std::uintptr_t address) const {
    return words[(address - sp) / sizeof(std::uintptr_t)];
  }
};

// Return addresses by the chain of frame pointers, the innermost first, as far as it stays within
// the words and leads upwards. Writes to `frames` and returns how many.
std::size_t FollowFramePointers(const StackWords& stack, std::uintptr_t fp,
                                std::span<std::uintptr_t> frames);

// The same for a thread that may stand anywhere, beginning with its pc. Code without frame
// pointers, as libraries and system calls are, is crossed by looking for what could be return
// addresses up to the first one of the program: one of these may be left over from an earlier call.
std::size_t WalkStack(const CodeMap& code, const MachineState& state, const StackWords& stack,
                      bool in_system_call, std::span<std::uintptr_t> frames);

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_STACK_WALK_H_
