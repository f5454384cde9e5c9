#include "apps/crawler/line_writer.h"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hub/clock.h"
#include "hub/green_thread.h"

namespace verdant::crawler {
namespace {

std::string TempPath(const std::string& name) { return testing::TempDir() + "/" + name; }

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(LineWriter, WritesLinesInOrderAndAllOfThem) {
  const std::string path = TempPath("lines");
  auto writer = LineWriter::Open(path, LineWriter::Existing::kReplace);
  ASSERT_TRUE(writer.ok());
  std::string expected;
  for (int i = 0; i < 50000; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    expected += line;
    ASSERT_TRUE(writer->Write(line).ok());
  }
  EXPECT_TRUE(writer->Close().ok());
  EXPECT_EQ(ReadAll(path), expected);
}

TEST(LineWriter, AFirstLineIsWrittenAtOnce) {
  const std::string path = TempPath("first");
  auto writer = LineWriter::Open(path, LineWriter::Existing::kReplace);
  ASSERT_TRUE(writer->Write("early\n").ok());
  EXPECT_EQ(ReadAll(path), "early\n");
}

TEST(LineWriter, ALaterLineIsWrittenThoughNoneFollows) {
  const std::string path = TempPath("later");
  auto writer = LineWriter::Open(path, LineWriter::Existing::kReplace);
  ASSERT_TRUE(writer->Write("first\n").ok());
  ASSERT_TRUE(writer->Write("second\n").ok());
  const Deadline patience(absl::Seconds(20));
  while (ReadAll(path) != "first\nsecond\n" && !patience.Passed()) Sleep(absl::Milliseconds(5));
  EXPECT_EQ(ReadAll(path), "first\nsecond\n");
  LineWriter moved = *std::move(writer);
  ASSERT_TRUE(moved.Write("third\n").ok());
  EXPECT_TRUE(moved.Close().ok());
  EXPECT_EQ(ReadAll(path), "first\nsecond\nthird\n");
}

TEST(LineWriter, RefusesToReplaceWhatItWasToldToKeep) {
  const std::string path = TempPath("kept");
  std::ofstream(path) << "precious";
  const auto writer = LineWriter::Open(path, LineWriter::Existing::kRefuse);
  EXPECT_TRUE(absl::IsAlreadyExists(writer.status())) << writer.status();
  EXPECT_EQ(ReadAll(path), "precious");
}

TEST(LineWriter, AFullDiskIsReportedNamingTheFileAndKept) {
  auto writer = LineWriter::Open("/dev/full", LineWriter::Existing::kReplace);
  ASSERT_TRUE(writer.ok());
  const absl::Status status = writer->Write("lost\n");
  EXPECT_NE(status.message().find("/dev/full"), status.message().npos) << status;
  EXPECT_NE(status.message().find("No space left"), status.message().npos) << status;
  EXPECT_FALSE(writer->Write("also lost\n").ok());
  EXPECT_FALSE(writer->Close().ok());
}

TEST(LineWriter, AnUnwritablePlaceIsAStatus) {
  const auto writer = LineWriter::Open("/nonexistent/lines", LineWriter::Existing::kReplace);
  EXPECT_FALSE(writer.ok());
  EXPECT_NE(writer.status().message().find("/nonexistent/lines"), std::string::npos);
}

}  // namespace
}  // namespace verdant::crawler
