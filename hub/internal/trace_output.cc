#include "hub/internal/trace_output.h"

#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace verdant::internal {
namespace {

// How many bytes of UTF-8 `text`, which is not empty, begins with; 0: it does not.
std::size_t CharacterAt(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong, a surrogate, beyond the last.
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f)) return 0;
  if ((first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f)) return 0;
  return size;
}

}  // namespace

void TraceOutput::Number(std::uint64_t number) noexcept {
  std::array<char, 20> digits;
  std::size_t at = digits.size();
  do {
    digits[--at] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  Text({digits.data() + at, digits.size() - at});
}

void TraceOutput::Micros(std::int64_t nanos) noexcept {
  const auto whole = static_cast<std::uint64_t>(nanos);
  Number(whole / 1000);
  Put('.');
  Put(static_cast<char>('0' + whole / 100 % 10));
  Put(static_cast<char>('0' + whole / 10 % 10));
  Put(static_cast<char>('0' + whole % 10));
}

void TraceOutput::Quoted(std::string_view text) noexcept {
  Put('"');
  Escaped(text);
  Put('"');
}

void TraceOutput::Escaped(std::string_view text) noexcept {
  constexpr std::string_view kHex = "0123456789abcdef";
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    const std::size_t size = CharacterAt(text);
    if (size == 0) {
      Text("\\ufffd");
    } else if (c == '"' || c == '\\') {
      Put('\\');
      Put(static_cast<char>(c));
    } else if (c < 0x20 || c == 0x7f) {
      Text("\\u00");
      Put(kHex[c >> 4]);
      Put(kHex[c & 0xf]);
    } else {
      Text(text.substr(0, size));
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
}

void TraceOutput::Flush() noexcept {
  std::size_t done = 0;
  while (done < used_ && error_ == 0) {
    // Not write(), which may be a cooperative one that is not for hub callbacks and handlers.
    const long wrote = syscall(SYS_write, fd_, buffer_.data() + done, used_ - done);
    if (wrote >= 0) {
      done += static_cast<std::size_t>(wrote);
    } else if (errno == EAGAIN) {
      pollfd room = {fd_, POLLOUT, 0};
      syscall(SYS_ppoll, &room, 1, nullptr, nullptr, 0);
    } else if (errno != EINTR) {
      error_ = errno;
    }
  }
  used_ = 0;
}

}  // namespace verdant::internal
