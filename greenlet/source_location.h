#ifndef VERDANT_GREENLET_SOURCE_LOCATION_H_
#define VERDANT_GREENLET_SOURCE_LOCATION_H_

namespace verdant {

// A line of a source file: std::source_location as far as reports need it, for compilers that do
// not have that yet (clang before 16).
class SourceLocation {
 public:
  // No line at all: line() is 0.
  constexpr SourceLocation() = default;

  // Where it is called; as a default argument, where the function that has it is called.
  static constexpr SourceLocation current(const char* file = __builtin_FILE(),
                                          unsigned line = __builtin_LINE()) {
    SourceLocation location;
    location.file_ = file;
    location.line_ = line;
    return location;
  }

  constexpr const char* file_name() const { return file_; }
  constexpr unsigned line() const { return line_; }

 private:
  const char* file_ = "";
  unsigned line_ = 0;
};

}  // namespace verdant

#endif  // VERDANT_GREENLET_SOURCE_LOCATION_H_
