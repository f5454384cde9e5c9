#ifndef VERDANT_TESTS_TESTING_TEMPORARY_DIRECTORY_H_
#define VERDANT_TESTS_TESTING_TEMPORARY_DIRECTORY_H_

#include <string>
#include <string_view>

namespace verdant::testing {

// A new folder, empty at first and gone with this object. Failures end the test program, since no
// test can go on without.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  const std::string& path() const { return path_; }
  // The path of `name` inside it.
  std::string File(std::string_view name) const;
  // Writes a file, folders on the way to it included, and returns its path.
  std::string Write(std::string_view name, std::string_view content) const;

 private:
  std::string path_;
};

// The bytes of a file; empty if there is none.
std::string ReadFile(const std::string& path);

}  // namespace verdant::testing

#endif  // VERDANT_TESTS_TESTING_TEMPORARY_DIRECTORY_H_
