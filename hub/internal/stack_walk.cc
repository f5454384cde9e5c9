#include "hub/internal/stack_walk.h"

#include <link.h>
#include <ucontext.h>

namespace verdant::internal {
namespace {

constexpr std::uintptr_t kWord = sizeof(std::uintptr_t);
// How far up to look for where code without frame pointers was called from.
constexpr std::size_t kMostWordsSearched = 512;
constexpr std::size_t kMostFramesGuessed = 8;

// At any word: calls of functions that need no alignment are made without, by optimising compilers.
bool IsFrameRecord(const StackWords& stack, std::uintptr_t fp) {
  return stack.Contains(fp) && stack.Contains(fp + kWord);
}

#if defined(__x86_64__)
constexpr std::size_t kLongestCall = 7;

// Whether the bytes that end at `end` are a call: E8 with four bytes of distance, or FF /2 with its
// operand in a register or in memory.
bool EndsWithCall(const unsigned char* end) {
  if (end[-5] == 0xE8) return true;
  for (std::size_t length = 2; length <= kLongestCall; ++length) {
    const unsigned char* at = end - length;
    if (at[0] != 0xFF || ((at[1] >> 3) & 7) != 2) continue;
    const int mod = at[1] >> 6;
    const int rm = at[1] & 7;
    std::size_t needs = 2;
    if (mod != 3 && rm == 4) ++needs;
    if (mod == 1) needs += 1;
    if (mod == 2 || (mod == 0 && rm == 5)) needs += 4;
    if (needs == length) return true;
  }
  return false;
}
#else
constexpr std::size_t kLongestCall = 4;

// BL, or BLR of any register.
bool EndsWithCall(const unsigned char* end) {
  const std::uint32_t instruction =
      static_cast<std::uint32_t>(end[-4]) | static_cast<std::uint32_t>(end[-3]) << 8 |
      static_cast<std::uint32_t>(end[-2]) << 16 | static_cast<std::uint32_t>(end[-1]) << 24;
  return (instruction & 0xFC000000) == 0x94000000 || (instruction & 0xFFFFFC1F) == 0xD63F0000;
}
#endif

}  // namespace

void CodeMap::Refresh() {
  segments_.clear();
  dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void* out) {
        auto& segments = *static_cast<std::vector<Segment>*>(out);
        const bool is_program = segments.empty();
        for (int i = 0; i < object->dlpi_phnum; ++i) {
          const auto& header = object->dlpi_phdr[i];
          if (header.p_type != PT_LOAD || (header.p_flags & PF_X) == 0) continue;
          const std::uintptr_t begin = object->dlpi_addr + header.p_vaddr;
          segments.push_back({begin, begin + header.p_memsz, is_program});
        }
        return 0;
      },
      &segments_);
}

const CodeMap::Segment* CodeMap::Find(std::uintptr_t address) const {
  for (const Segment& segment : segments_) {
    if (address >= segment.begin && address < segment.end) return &segment;
  }
  return nullptr;
}

bool CodeMap::FollowsCall(std::uintptr_t address) const {
  const Segment* segment = Find(address);
  return segment != nullptr && address - segment->begin >= kLongestCall &&
         EndsWithCall(reinterpret_cast<const unsigned char*>(address));
}

MachineState MachineState::OfInterrupted(const void* ucontext) {
  const mcontext_t& machine = static_cast<const ucontext_t*>(ucontext)->uc_mcontext;
  MachineState state;
#if defined(__x86_64__)
  state.pc = static_cast<std::uintptr_t>(machine.gregs[REG_RIP]);
  state.sp = static_cast<std::uintptr_t>(machine.gregs[REG_RSP]);
  state.fp = static_cast<std::uintptr_t>(machine.gregs[REG_RBP]);
#else
  state.pc = machine.pc;
  state.sp = machine.sp;
  state.fp = machine.regs[29];
  state.link = machine.regs[30];
#endif
  return state;
}

std::size_t FollowFramePointers(const StackWords& stack, std::uintptr_t fp,
                                std::span<std::uintptr_t> frames) {
  std::size_t count = 0;
  while (count < frames.size() && IsFrameRecord(stack, fp)) {
    const std::uintptr_t caller = stack.At(fp + kWord);
    if (caller == 0) break;
    frames[count++] = caller;
    const std::uintptr_t next = stack.At(fp);
    if (next <= fp) break;
    fp = next;
  }
  return count;
}

std::size_t WalkStack(const CodeMap& code, const MachineState& state, const StackWords& stack,
                      bool in_system_call, std::span<std::uintptr_t> frames) {
  if (frames.empty()) return 0;
  std::size_t count = 0;
  frames[count++] = state.pc;
  const auto add = [&](std::uintptr_t frame) {
    if (count < frames.size()) frames[count++] = frame;
  };
  std::uintptr_t fp = IsFrameRecord(stack, state.fp) ? state.fp : 0;
  std::size_t at = 0;
  if (in_system_call || !code.IsProgram(state.pc)) {
    if (code.FollowsCall(state.link)) add(state.link);
    const std::size_t most_frames = count + kMostFramesGuessed;
    for (; at < stack.words.size() && at < kMostWordsSearched && count < most_frames; ++at) {
      if (code.IsProgram(frames[count - 1]) && count > 1) break;
      if (fp != 0 && stack.sp + at * kWord >= fp) break;
      if (code.FollowsCall(stack.words[at])) add(stack.words[at]);
    }
  }
  // Without a frame pointer to go by: the first thing that looks like a frame of its own.
  for (; fp == 0 && at + 1 < stack.words.size(); ++at) {
    const std::uintptr_t here = stack.sp + at * kWord;
    if (IsFrameRecord(stack, here) && stack.words[at] > here && stack.Contains(stack.words[at]) &&
        code.FollowsCall(stack.words[at + 1])) {
      fp = here;
    }
  }
  return fp == 0 ? count : count + FollowFramePointers(stack, fp, frames.subspan(count));
}

}  // namespace verdant::internal
