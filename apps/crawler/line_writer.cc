#include "apps/crawler/line_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "hub/clock.h"
#include "hub/hub.h"

namespace verdant::crawler {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;
constexpr std::int64_t kFlushNanos = 1000000000;

}  // namespace

absl::Status WriteFully(int fd, std::string_view bytes, std::string_view name) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN) {
      // A descriptor somebody else made non-blocking, as terminals' sometimes are.
      pollfd ready = {fd, POLLOUT, 0};
      poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", name));
    }
  }
  return absl::OkStatus();
}

struct LineWriter::State {
  State(std::string file_name, int descriptor, bool closes)
      : name(std::move(file_name)), fd(descriptor), owned(closes) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { static_cast<void>(Close()); }

  absl::Status Write(std::string_view line) {
    buffer.append(line);
    if (buffer.size() >= kBufferBytes ||
        Clock::Monotonic().NowNanos() - flushed_at >= kFlushNanos) {
      return Flush();
    }
    // Others may be long in coming.
    if (!later.pending()) {
      later = Hub::Current().ScheduleCall(absl::Nanoseconds(kFlushNanos),
                                          [this] { static_cast<void>(Flush()); });
    }
    return status;
  }

  absl::Status Flush() {
    later.Cancel();
    flushed_at = Clock::Monotonic().NowNanos();
    if (fd < 0) return status;
    if (status.ok()) status = WriteFully(fd, buffer, name);
    buffer.clear();
    return status;
  }

  absl::Status Close() {
    if (fd < 0) return status;
    static_cast<void>(Flush());
    const int closing = std::exchange(fd, -1);
    if (owned && close(closing) != 0 && status.ok()) {
      status = absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", name));
    }
    return status;
  }

  const std::string name;
  int fd;
  const bool owned;
  std::string buffer;
  std::int64_t flushed_at = 0;
  TimerHandle later;  // the flush of what is gathered
  absl::Status status;
};

absl::StatusOr<LineWriter> LineWriter::Open(const std::string& path, Existing existing) {
  if (path == "-") {
    return LineWriter(std::make_unique<State>("standard output", STDOUT_FILENO, false));
  }
  const int flags =
      O_WRONLY | O_CREAT | O_CLOEXEC | (existing == Existing::kRefuse ? O_EXCL : O_TRUNC);
  const int fd = open(path.c_str(), flags, 0666);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", path));
  return LineWriter(std::make_unique<State>(path, fd, true));
}

LineWriter::LineWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
LineWriter::LineWriter(LineWriter&& other) noexcept = default;
LineWriter& LineWriter::operator=(LineWriter&& other) noexcept = default;
LineWriter::~LineWriter() = default;

absl::Status LineWriter::Write(std::string_view line) { return state_->Write(line); }
absl::Status LineWriter::Flush() { return state_->Flush(); }
absl::Status LineWriter::Close() { return state_->Close(); }

}  // namespace verdant::crawler
