#include "tests/testing/temporary_directory.h"

#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace verdant::testing {
namespace {

[[noreturn]] void Die(std::string_view what, const std::string& path) {
  std::perror(absl::StrCat(what, " ", path).c_str());
  std::abort();
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
  // Not below TEST_TMPDIR, whose path is often longer than a Unix socket's may be.
  path_ = (error ? std::filesystem::path("/tmp") : parent) / "verdant-test-XXXXXX";
  if (mkdtemp(path_.data()) == nullptr) Die("mkdtemp", path_);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::File(std::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

std::string TemporaryDirectory::Write(std::string_view name, std::string_view content) const {
  const std::string file = File(name);
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(file).parent_path(), error);
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  if (!out.flush()) Die("cannot write", file);
  return file;
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace verdant::testing
