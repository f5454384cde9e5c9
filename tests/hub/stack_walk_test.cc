#include "hub/internal/stack_walk.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/internal/frame_text.h"
#include "hub/internal/system_call.h"
#include "tests/testing/emulated.h"

namespace verdant::internal {
namespace {

// A return address into this program, of the function that calls it.
[[gnu::noinline]] std::uintptr_t ReturnAddress() {
  return reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
}

TEST(CodeMap, KnowsCodeFromDataAndTheProgramFromItsLibraries) {
  CodeMap code;
  code.Refresh();
  const std::uintptr_t here = ReturnAddress();
  EXPECT_TRUE(code.Contains(here));
  EXPECT_TRUE(code.IsProgram(here));
  EXPECT_FALSE(code.Contains(reinterpret_cast<std::uintptr_t>(&code)));
  EXPECT_FALSE(code.Contains(0));
}

TEST(CodeMap, KnowsWhereACallReturnsTo) {
  CodeMap code;
  code.Refresh();
  EXPECT_TRUE(code.FollowsCall(ReturnAddress()));
  std::uintptr_t (*volatile indirectly)() = &ReturnAddress;
  EXPECT_TRUE(code.FollowsCall(indirectly()));
  EXPECT_FALSE(code.FollowsCall(reinterpret_cast<std::uintptr_t>(&code)));
}

// A made-up stack, whose words begin at address 0x10000.
class Stack {
 public:
  static constexpr std::uintptr_t kBegin = 0x10000;
  explicit Stack(std::size_t words) : words_(words, 0) {}
  std::uintptr_t& operator[](std::size_t index) { return words_[index]; }
  static std::uintptr_t Address(std::size_t index) {
    return kBegin + index * sizeof(std::uintptr_t);
  }
  StackWords view() const { return {kBegin, words_}; }

 private:
  std::vector<std::uintptr_t> words_;
};

TEST(FollowFramePointers, GoesUpToTheOutermostFrame) {
  Stack stack(32);
  stack[4] = Stack::Address(10);
  stack[5] = 111;
  stack[10] = Stack::Address(20);
  stack[11] = 222;
  stack[20] = 0;
  stack[21] = 333;
  std::array<std::uintptr_t, 8> frames;
  ASSERT_EQ(FollowFramePointers(stack.view(), Stack::Address(4), frames), 3u);
  EXPECT_EQ(frames[0], 111u);
  EXPECT_EQ(frames[2], 333u);
  EXPECT_EQ(FollowFramePointers(stack.view(), Stack::Address(4), std::span(frames).first(2)), 2u);
}

// gcc does so from -O1 on where it knows the function that it calls.
TEST(FollowFramePointers, FramesMayBeginAtAnyWord) {
  Stack stack(32);
  stack[5] = Stack::Address(10);
  stack[6] = 111;
  stack[10] = Stack::Address(21);
  stack[11] = 222;
  stack[21] = 0;
  stack[22] = 333;
  std::array<std::uintptr_t, 8> frames;
  ASSERT_EQ(FollowFramePointers(stack.view(), Stack::Address(5), frames), 3u);
  EXPECT_EQ(frames[0], 111u);
  EXPECT_EQ(frames[2], 333u);
}

TEST(FollowFramePointers, StopsAtWhatIsNoFrame) {
  Stack stack(32);
  stack[4] = Stack::Address(2);  // leads down
  stack[5] = 111;
  std::array<std::uintptr_t, 8> frames;
  EXPECT_EQ(FollowFramePointers(stack.view(), Stack::Address(4), frames), 1u);
  stack[4] = Stack::Address(4);  // to itself
  EXPECT_EQ(FollowFramePointers(stack.view(), Stack::Address(4), frames), 1u);
  stack[4] = Stack::Address(1000);  // out of the stack
  EXPECT_EQ(FollowFramePointers(stack.view(), Stack::Address(4), frames), 1u);
  stack[4] = UINTPTR_MAX;
  EXPECT_EQ(FollowFramePointers(stack.view(), Stack::Address(4), frames), 1u);
  for (const std::uintptr_t fp : {std::uintptr_t{0}, std::uintptr_t{1}, Stack::Address(4) + 1,
                                  Stack::Address(31), UINTPTR_MAX}) {
    EXPECT_EQ(FollowFramePointers(stack.view(), fp, frames), 0u) << fp;
  }
  EXPECT_EQ(FollowFramePointers({}, Stack::Address(4), frames), 0u);
}

TEST(WalkStack, FindsWhoCalledCodeWithoutFramePointers) {
  CodeMap code;
  code.Refresh();
  const std::uintptr_t caller = ReturnAddress();
  const std::uintptr_t outer = ReturnAddress();
  Stack stack(64);
  stack[3] = caller;  // the system call's own caller has left no frame
  stack[20] = Stack::Address(40);
  stack[21] = outer;
  stack[40] = 0;
  stack[41] = caller;
  std::array<std::uintptr_t, 8> frames;
  const MachineState with_fp = {.pc = 77, .sp = Stack::kBegin, .fp = Stack::Address(20)};
  ASSERT_EQ(WalkStack(code, with_fp, stack.view(), true, frames), 4u);
  EXPECT_EQ(frames[0], 77u);
  EXPECT_EQ(frames[1], caller);
  EXPECT_EQ(frames[2], outer);
  EXPECT_EQ(frames[3], caller);
  const MachineState without_fp = {.pc = 77, .sp = Stack::kBegin};
  ASSERT_EQ(WalkStack(code, without_fp, stack.view(), true, frames), 4u);
  EXPECT_EQ(frames[1], caller);
  EXPECT_EQ(frames[3], caller);
}

TEST(WalkStack, AnEmptyStackLeavesThePc) {
  CodeMap code;
  std::array<std::uintptr_t, 8> frames;
  ASSERT_EQ(WalkStack(code, {.pc = 77}, {}, true, frames), 1u);
  EXPECT_EQ(frames[0], 77u);
}

TEST(FrameText, NamesTheFunctionAndTheObject) {
  const std::array<std::uintptr_t, 1> frames = {ReturnAddress()};
  const std::string text = DescribeFrames(frames, false);
  EXPECT_NE(text.find("#0 "), std::string::npos) << text;
  // Functions are found by way of the kernel's list of what is mapped: by the emulator, then.
  if (!Emulated()) {
    EXPECT_NE(text.find("TestBody()"), std::string::npos) << text;
  }
  EXPECT_NE(text.find("stack_walk_test+0x"), std::string::npos) << text;
  EXPECT_EQ(FunctionAt(1, false), "");
}

TEST(SystemCall, IsReadFromTheKernelsText) {
  const auto call = ParseSystemCall("0 0x3 0x7f0 0x20000 0x1 0x2 0x0 0x7ffe9 0x7f3d\n");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->number, 0);
  EXPECT_EQ(call->arguments[0], 3u);
  EXPECT_EQ(call->sp, 0x7ffe9u);
  EXPECT_EQ(call->pc, 0x7f3du);
  for (const char* text : {"", "running", "-1 0x7ffe9 0x7f3d", "0 0x3", "x"})
    EXPECT_FALSE(ParseSystemCall(text)) << text;
}

TEST(SystemCall, SaysItsNameAndItsDescriptor) {
  SystemCall call;
  call.number = SYS_read;
  call.arguments[0] = 1000000;
  EXPECT_EQ(call.Describe(), "read of file descriptor 1000000");
  call.number = SYS_clock_nanosleep;
  EXPECT_EQ(call.Describe(), "clock_nanosleep");
  call.number = 4242;
  EXPECT_EQ(call.Describe(), "number 4242");
}

TEST(CopyMemory, CopiesWhatIsThere) {
  const std::string text = "green";
  char copy[5] = {};
  ASSERT_EQ(CopyMemory(reinterpret_cast<std::uintptr_t>(text.data()), copy, 5), 5u);
  EXPECT_EQ(std::string(copy, 5), text);
  EXPECT_EQ(CopyMemory(16, copy, 5), 0u);
}

}  // namespace
}  // namespace verdant::internal
