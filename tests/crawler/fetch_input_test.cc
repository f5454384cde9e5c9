#include "apps/crawler/fetch_input.h"

#include <fcntl.h>
#include <unistd.h>

#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/testing/temporary_directory.h"

namespace verdant::crawler {
namespace {

static_assert(std::ranges::input_range<FetchInput>);

using Strings = std::vector<std::string>;

Strings Walk(FetchInput& input) {
  Strings jobs;
  for (const FetchJob& job : input) {
    jobs.push_back(absl::StrCat(job.number, ":", job.url, job.status.ok() ? "" : "!"));
  }
  return jobs;
}

// Puts a descriptor in the place of standard input while it lives.
class StandardInputIs {
 public:
  explicit StandardInputIs(int fd) : saved_(dup(STDIN_FILENO)) { dup2(fd, STDIN_FILENO); }
  ~StandardInputIs() {
    dup2(saved_, STDIN_FILENO);
    close(saved_);
  }

 private:
  const int saved_;
};

struct Pipe {
  Pipe() { EXPECT_EQ(pipe(ends), 0); }
  ~Pipe() {
    close(ends[0]);
    CloseWriting();
  }
  void Write(std::string_view text) const {
    EXPECT_EQ(write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void CloseWriting() { close(std::exchange(ends[1], -1)); }
  int ends[2];
};

TEST(FetchInput, ArgumentsComeBeforeTheListAndNumbersGoOn) {
  const testing::TemporaryDirectory directory;
  const std::string list = directory.Write("list", "# comment\nc\n\nd\r\n");
  absl::StatusOr<FetchInput> input = FetchInput::Open({"a", "b"}, list);
  ASSERT_TRUE(input.ok()) << input.status();
  EXPECT_EQ(Walk(*input), (Strings{"1:a", "2:b", "3:c", "4:d"}));
}

TEST(FetchInput, NeitherArgumentsNorListAreNeeded) {
  FetchInput none = *FetchInput::Open({}, std::nullopt);
  EXPECT_EQ(Walk(none), Strings{});
  FetchInput one = *FetchInput::Open({"x"}, std::nullopt);
  EXPECT_EQ(Walk(one), Strings{"1:x"});
}

TEST(FetchInput, AListThatCannotBeReadIsAStatusThatNamesIt) {
  const absl::Status missing = FetchInput::Open({}, "/nowhere/list").status();
  EXPECT_TRUE(absl::IsNotFound(missing)) << missing;
  EXPECT_TRUE(absl::StrContains(missing.message(), "/nowhere/list")) << missing;
  const testing::TemporaryDirectory directory;
  EXPECT_FALSE(FetchInput::Open({}, directory.path()).ok());
}

TEST(FetchInput, ALineThatIsTooLongIsAFailedJob) {
  const testing::TemporaryDirectory directory;
  const std::string list =
      directory.Write("list", absl::StrCat("a\n", std::string(100'000, 'x'), "\nb\n"));
  absl::StatusOr<FetchInput> input = FetchInput::Open({}, list);
  const Strings jobs = Walk(*input);
  ASSERT_EQ(jobs.size(), 3u);
  EXPECT_EQ(jobs[0], "1:a");
  EXPECT_TRUE(absl::EndsWith(jobs[1], "!"));
  EXPECT_EQ(jobs[2], "3:b");
}

TEST(FetchInput, StopEndsTheWalk) {
  absl::StatusOr<FetchInput> input = FetchInput::Open({"a", "b", "c"}, std::nullopt);
  Strings jobs;
  for (const FetchJob& job : *input) {
    jobs.push_back(job.url);
    if (job.url == "b") input->Stop();
  }
  EXPECT_EQ(jobs, (Strings{"a", "b"}));
}

TEST(FetchInput, StandardInputIsReadAsItComes) {
  Pipe pipe;
  const StandardInputIs redirected(pipe.ends[0]);
  absl::StatusOr<FetchInput> input = FetchInput::Open({}, "-");
  ASSERT_TRUE(input.ok()) << input.status();
  Strings jobs;
  auto walk = Spawn([&] {
    for (const FetchJob& job : *input) jobs.push_back(job.url);
  });
  Sleep();
  EXPECT_EQ(jobs, Strings{});
  pipe.Write("one\ntwo\nthr");
  while (jobs.size() < 2) Sleep();
  EXPECT_EQ(jobs, (Strings{"one", "two"}));
  pipe.Write("ee\n");
  while (jobs.size() < 3) Sleep();
  pipe.Write("four");
  pipe.CloseWriting();
  walk.Wait();
  EXPECT_EQ(jobs, (Strings{"one", "two", "three", "four"}));
}

TEST(FetchInput, StopWakesWhoWaitsForStandardInput) {
  Pipe pipe;
  const StandardInputIs redirected(pipe.ends[0]);
  absl::StatusOr<FetchInput> input = FetchInput::Open({"a"}, "-");
  Strings jobs;
  auto walk = Spawn([&] { jobs = Walk(*input); });
  pipe.Write("b\n");
  Sleep(absl::Milliseconds(1));
  input->Stop();
  walk.Wait();
  EXPECT_LE(jobs.size(), 2u);
}

TEST(FetchInput, StandardInputMayBeAFile) {
  const testing::TemporaryDirectory directory;
  const int fd = open(directory.Write("list", "a\nb\n").c_str(), O_RDONLY);
  {
    const StandardInputIs redirected(fd);
    absl::StatusOr<FetchInput> input = FetchInput::Open({}, "-");
    EXPECT_EQ(Walk(*input), (Strings{"1:a", "2:b"}));
  }
  close(fd);
}

TEST(FetchInput, WhatBreaksOffIsAFailedJob) {
  const int fd = open("/", O_RDONLY | O_DIRECTORY);
  {
    const StandardInputIs redirected(fd);
    absl::StatusOr<FetchInput> input = FetchInput::Open({"a"}, "-");
    EXPECT_EQ(Walk(*input), (Strings{"1:a", "2:!"}));
  }
  close(fd);
}

}  // namespace
}  // namespace verdant::crawler
