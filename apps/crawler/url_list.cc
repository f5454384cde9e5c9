#include "apps/crawler/url_list.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "apps/crawler/url.h"

namespace verdant::crawler {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;

// A descriptor that is closed when the last reader using it goes, unless it is standard input.
class Descriptor {
 public:
  Descriptor(int fd, bool owned) : fd_(fd), owned_(owned) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (owned_) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
  bool owned_;
};

}  // namespace

struct UrlList::State {
  State(std::string list_name, Reader list_reader)
      : name(std::move(list_name)), reader(std::move(list_reader)), buffer(kBufferBytes, '\0') {}

  // Has unread bytes in the buffer, reading more if need be; false at the end of the list or once
  // reading has failed.
  bool Fill() {
    if (position < filled) return true;
    if (ended) return false;
    absl::StatusOr<size_t> got = reader(buffer.data(), buffer.size());
    if (!got.ok()) failure = got.status();
    if (!got.ok() || *got == 0) {
      ended = true;
      return false;
    }
    position = 0;
    filled = *got;
    return true;
  }

  // Reads one line into `text`, the rest of a long one only counted; false at the end.
  bool ReadLine() {
    text.clear();
    dropped = 0;
    bool any = false;
    while (Fill()) {
      if (std::exchange(after_cr, false) && buffer[position] == '\n') {
        ++position;
        continue;
      }
      any = true;
      const std::string_view unread(buffer.data() + position, filled - position);
      const size_t end = unread.find_first_of("\r\n");
      const std::string_view part = unread.substr(0, end);
      const size_t room = kMaxUrlBytes + 1 - text.size();
      text.append(part.substr(0, room));
      dropped += part.size() - std::min(part.size(), room);
      position += part.size();
      if (end == std::string_view::npos) continue;
      after_cr = unread[end] == '\r';
      ++position;
      ++line;
      return true;
    }
    // What a failed read cut off is no line to act upon.
    if (!any || !failure.ok()) return false;
    ++line;
    return true;
  }

  // Makes the next entry current; false at the end.
  bool Advance() {
    has_entry = true;
    while (ReadLine()) {
      std::string_view url = text;
      if (line == 1) absl::ConsumePrefix(&url, "\xEF\xBB\xBF");
      url = absl::StripAsciiWhitespace(url);
      if (url.empty() && dropped == 0) continue;
      if (!url.empty() && url.front() == '#') continue;
      entry.url = std::string(url);
      entry.line = line;
      entry.status = absl::OkStatus();
      if (dropped > 0 || url.size() > kMaxUrlBytes) {
        entry.status = absl::InvalidArgumentError(
            absl::StrFormat("%s: line %d is longer than the %d bytes allowed: %s", name, line,
                            kMaxUrlBytes, PrintableUrl(url)));
      }
      return true;
    }
    if (!failure.ok()) {
      entry.url.clear();
      entry.line = line + 1;
      entry.status = absl::Status(
          failure.code(), absl::StrCat(name, ": line ", entry.line, ": ", failure.message()));
      failure = absl::OkStatus();
      return true;
    }
    has_entry = false;
    return false;
  }

  const std::string name;
  const Reader reader;
  std::string buffer;
  size_t position = 0;
  size_t filled = 0;
  bool ended = false;
  bool after_cr = false;
  absl::Status failure;

  std::string text;
  size_t dropped = 0;
  int64_t line = 0;

  bool started = false;
  bool has_entry = false;
  UrlListEntry entry;
};

absl::StatusOr<UrlList> UrlList::Open(const std::string& path) {
  const bool is_stdin = path == "-";
  const std::string name = is_stdin ? "standard input" : path;
  const int fd = is_stdin ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open URL list ", name));
  auto descriptor = std::make_shared<Descriptor>(fd, /*owned=*/!is_stdin);
  struct stat info;
  if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
    return absl::ErrnoToStatus(EISDIR, absl::StrCat("cannot read URL list ", name));
  }
  return UrlList(name, [descriptor](char* buffer, size_t size) -> absl::StatusOr<size_t> {
    while (true) {
      const ssize_t got = read(descriptor->get(), buffer, size);
      if (got >= 0) return static_cast<size_t>(got);
      if (errno != EINTR) return absl::ErrnoToStatus(errno, "read failed");
    }
  });
}

UrlList::UrlList(std::string name, Reader reader)
    : state_(std::make_unique<State>(std::move(name), std::move(reader))) {}
UrlList::~UrlList() = default;
UrlList::UrlList(UrlList&&) noexcept = default;
UrlList& UrlList::operator=(UrlList&&) noexcept = default;

UrlList::Iterator UrlList::begin() {
  if (!std::exchange(state_->started, true)) state_->Advance();
  return Iterator(state_.get());
}

const UrlListEntry& UrlList::Iterator::operator*() const { return state_->entry; }

UrlList::Iterator& UrlList::Iterator::operator++() {
  state_->Advance();
  return *this;
}

bool UrlList::Iterator::AtEnd() const { return state_ == nullptr || !state_->has_entry; }

}  // namespace verdant::crawler
