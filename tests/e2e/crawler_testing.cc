#include "tests/e2e/crawler_testing.h"

#include <stdlib.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace verdant::crawler {

std::string CrawlerProgram() {
  const char* runfiles = getenv("TEST_SRCDIR");
  const char* workspace = getenv("TEST_WORKSPACE");
  if (runfiles == nullptr || workspace == nullptr) return "bazel-bin/apps/crawler/crawler";
  return absl::StrCat(runfiles, "/", workspace, "/apps/crawler/crawler");
}

testing::ProgramResult RunCrawler(std::vector<std::string> arguments,
                                  const testing::ProgramOptions& options) {
  arguments.insert(arguments.begin(), CrawlerProgram());
  absl::StatusOr<testing::ProgramResult> result =
      testing::RunProgram(std::move(arguments), options, absl::Seconds(120));
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *std::move(result) : testing::ProgramResult{.exit_code = -1};
}

std::string CrawlerCommand(const std::vector<std::string>& arguments) {
  std::string command = CrawlerProgram();
  for (const std::string& argument : arguments) {
    absl::StrAppend(&command, " '", absl::StrReplaceAll(argument, {{"'", "'\\''"}}), "'");
  }
  return command;
}

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  EXPECT_EQ(lines.back(), "") << "the last line has no end";
  lines.pop_back();
  return lines;
}

std::string Field(std::string_view line, std::string_view name) {
  const std::string key = absl::StrCat("\"", name, "\":");
  const std::size_t at = line.find(key);
  if (at == line.npos) return "(none)";
  std::string_view value = line.substr(at + key.size());
  if (value.empty() || value[0] != '"')
    return std::string(value.substr(0, value.find_first_of(",}")));
  value.remove_prefix(1);
  std::size_t end = 0;
  while (end < value.size() && value[end] != '"') end += value[end] == '\\' ? 2 : 1;
  return std::string(value.substr(0, end));
}

std::vector<std::string> Fields(const std::vector<std::string>& lines, std::string_view name) {
  std::vector<std::string> values;
  for (const std::string& line : lines) values.push_back(Field(line, name));
  return values;
}

}  // namespace verdant::crawler
