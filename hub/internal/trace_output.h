#ifndef VERDANT_HUB_INTERNAL_TRACE_OUTPUT_H_
#define VERDANT_HUB_INTERNAL_TRACE_OUTPUT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace verdant::internal {

// Text on its way to a file, without anything that a signal handler must not do. After an error
// everything is dropped.
class TraceOutput {
 public:
  explicit TraceOutput(int fd) : fd_(fd) {}
  TraceOutput(const TraceOutput&) = delete;
  TraceOutput& operator=(const TraceOutput&) = delete;

  void Put(char c) noexcept {
    if (used_ == buffer_.size()) Flush();
    buffer_[used_++] = c;
  }
  void Text(std::string_view text) noexcept {
    for (const char c : text) Put(c);
  }
  void Number(std::uint64_t number) noexcept;
  // Microseconds, with the nanoseconds behind the point.
  void Micros(std::int64_t nanos) noexcept;
  // A JSON string in its quotes. What is not UTF-8 becomes U+FFFD.
  void Quoted(std::string_view text) noexcept;
  // The same of several parts: what stands between the quotes.
  void Escaped(std::string_view text) noexcept;

  void Flush() noexcept;
  // 0, or the errno of what failed.
  int error() const noexcept { return error_; }

 private:
  const int fd_;
  int error_ = 0;
  std::size_t used_ = 0;
  std::array<char, 4096> buffer_;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_TRACE_OUTPUT_H_
