#include "green/internal/dns_files.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace verdant::green::dns {
namespace {

// As the C library has it.
constexpr std::size_t kMostDots = 15;

std::vector<std::string_view> Words(std::string_view line) {
  return absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
}

std::string ReadAll(const std::string& path) {
  // Without O_NONBLOCK the opening of a FIFO would never return.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return {};
  const absl::Cleanup close_fd = [fd] { close(fd); };
  struct stat about;
  if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) return {};
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t n = read(fd, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
  }
}

}  // namespace

WatchedFile::WatchedFile(std::string path, Clock& clock, absl::Duration interval)
    : path_(std::move(path)),
      clock_(clock),
      interval_nanos_(absl::ToInt64Nanoseconds(std::max(interval, absl::ZeroDuration()))) {}

std::optional<std::string> WatchedFile::ReadIfChanged() {
  if (path_.empty()) return std::nullopt;
  const std::int64_t now = clock_.NowNanos();
  if (looked_ && now - *looked_ < interval_nanos_) return std::nullopt;
  looked_ = now;
  Stamp stamp;
  if (struct stat about; stat(path_.c_str(), &about) == 0) {
    stamp = {.exists = true,
             .device = about.st_dev,
             .inode = about.st_ino,
             .size = about.st_size,
             .modified_nanos = about.st_mtim.tv_sec * 1'000'000'000 + about.st_mtim.tv_nsec};
  }
  if (stamp_ == stamp) return std::nullopt;
  stamp_ = stamp;
  return stamp.exists ? ReadAll(path_) : std::string();
}

const std::vector<Address>* HostsFile::Find(std::string_view name) {
  if (const std::optional<std::string> text = file_.ReadIfChanged()) {
    addresses_.clear();
    for (const std::string_view line : absl::StrSplit(*text, '\n')) {
      const std::vector<std::string_view> words = Words(line.substr(0, line.find('#')));
      if (words.size() < 2) continue;
      const absl::StatusOr<Address> address = Address::FromIp(words[0], 0);
      if (!address.ok()) continue;
      for (std::size_t i = 1; i < words.size(); ++i) {
        std::vector<Address>& known = addresses_[absl::AsciiStrToLower(words[i])];
        if (std::find(known.begin(), known.end(), *address) == known.end()) {
          known.push_back(*address);
        }
      }
    }
  }
  const auto at = addresses_.find(name);
  return at != addresses_.end() ? &at->second : nullptr;
}

SearchRules SearchRules::Parse(std::string_view resolv_conf) {
  SearchRules rules;
  for (const std::string_view line : absl::StrSplit(resolv_conf, '\n')) {
    const std::vector<std::string_view> words = Words(line.substr(0, line.find_first_of("#;")));
    if (words.empty()) continue;
    if (words[0] == "search" || words[0] == "domain") {
      // The last of several lines counts.
      rules.domains.clear();
      for (std::size_t i = 1; i < words.size(); ++i) {
        const std::string_view domain = absl::StripSuffix(words[i], ".");
        if (!domain.empty()) rules.domains.push_back(absl::AsciiStrToLower(domain));
        if (words[0] == "domain") break;
      }
    } else if (words[0] == "options") {
      for (std::string_view option : words) {
        if (std::size_t n; absl::ConsumePrefix(&option, "ndots:") && absl::SimpleAtoi(option, &n)) {
          rules.ndots = std::min(n, kMostDots);
        }
      }
    }
  }
  return rules;
}

}  // namespace verdant::green::dns
