#include "apps/crawler/body_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

std::string Directory(const std::string& name) {
  const std::string path = testing::TempDir() + "/" + name;
  EXPECT_TRUE(BodyFile::MakeDirectory(path).ok());
  return path;
}

TEST(BodyFile, AppearsUnderItsNumberOnlyOnceCommitted) {
  const std::string directory = Directory("committed");
  BodyFile file(directory, 42);
  ASSERT_TRUE(file.Append("hello ").ok());
  ASSERT_TRUE(file.Append("world").ok());
  EXPECT_FALSE(Exists(directory + "/00000042"));
  ASSERT_TRUE(file.Commit().ok());
  std::ifstream in(directory + "/00000042");
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), "hello world");
  EXPECT_FALSE(Exists(directory + "/00000042.part"));
}

TEST(BodyFile, AnEmptyBodyIsAnEmptyFile) {
  const std::string directory = Directory("empty");
  BodyFile file(directory, 1);
  ASSERT_TRUE(file.Commit().ok());
  struct stat info;
  ASSERT_EQ(stat((directory + "/00000001").c_str(), &info), 0);
  EXPECT_EQ(info.st_size, 0);
}

TEST(BodyFile, OneThatIsNotCommittedLeavesNothing) {
  const std::string directory = Directory("dropped");
  {
    BodyFile file(directory, 7);
    ASSERT_TRUE(file.Append("half").ok());
    EXPECT_TRUE(Exists(directory + "/00000007.part"));
  }
  EXPECT_FALSE(Exists(directory + "/00000007.part"));
  EXPECT_FALSE(Exists(directory + "/00000007"));
}

TEST(BodyFile, ADirectoryThatCannotBeMadeIsAStatusNamingIt) {
  const absl::Status status = BodyFile::MakeDirectory("/nonexistent/bodies");
  EXPECT_NE(status.message().find("/nonexistent/bodies"), status.message().npos) << status;
  BodyFile file("/nonexistent/bodies", 1);
  EXPECT_FALSE(file.Append("x").ok());
}

}  // namespace
}  // namespace verdant::crawler
