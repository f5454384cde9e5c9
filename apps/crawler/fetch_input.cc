#include "apps/crawler/fetch_input.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "hub/event.h"
#include "hub/io.h"

namespace verdant::crawler {

// Reads standard input when the kernel says that a read would not wait. What cannot be watched (a
// file) never waits.
class FetchInput::StandardInput {
 public:
  absl::StatusOr<std::size_t> Read(char* buffer, std::size_t size) {
    struct stat file = {};
    const bool watchable =
        fstat(STDIN_FILENO, &file) == 0 && !S_ISREG(file.st_mode) && !S_ISDIR(file.st_mode);
    for (;;) {
      if (watchable) AwaitReadable();
      if (stopped_) return 0;
      const ssize_t count = read(STDIN_FILENO, buffer, size);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR && errno != EAGAIN) {
        return absl::ErrnoToStatus(errno, "cannot read standard input");
      }
    }
  }

  // Ends the input, also for who waits for it now.
  void Stop() {
    stopped_ = true;
    if (wake_ != nullptr && !wake_->Ready()) wake_->Send();
  }

 private:
  void AwaitReadable() {
    if (stopped_) return;
    Event<> wake;
    wake_ = &wake;
    const auto forget = absl::MakeCleanup([this] { wake_ = nullptr; });
    FdListener listener(STDIN_FILENO, [&wake](std::uint32_t) {
      if (!wake.Ready()) wake.Send();
    });
    listener.SetInterest(kIoRead);
    wake.Wait();
  }

  Event<>* wake_ = nullptr;  // of the read that waits
  bool stopped_ = false;
};

FetchInput::FetchInput(std::vector<std::string> urls) : urls_(std::move(urls)) {}
FetchInput::FetchInput(FetchInput&&) noexcept = default;
FetchInput& FetchInput::operator=(FetchInput&&) noexcept = default;
FetchInput::~FetchInput() = default;

absl::StatusOr<FetchInput> FetchInput::Open(std::vector<std::string> urls,
                                            const std::optional<std::string>& list) {
  FetchInput input(std::move(urls));
  if (!list.has_value()) return input;
  if (*list == "-") {
    input.standard_input_ = std::make_unique<StandardInput>();
    input.list_.emplace("standard input",
                        [from = input.standard_input_.get()](char* buffer, std::size_t size) {
                          return from->Read(buffer, size);
                        });
    return input;
  }
  absl::StatusOr<UrlList> opened = UrlList::Open(*list);
  if (!opened.ok()) return opened.status();
  input.list_ = *std::move(opened);
  return input;
}

void FetchInput::Stop() {
  stopped_ = true;
  if (standard_input_ != nullptr) standard_input_->Stop();
}

void FetchInput::Advance() {
  ++job_.number;
  if (stopped_) {
    ended_ = true;
    return;
  }
  if (next_url_ < urls_.size()) {
    job_.url = urls_[next_url_++];
    job_.status = absl::OkStatus();
    return;
  }
  if (list_.has_value()) {
    if (at_.has_value()) {
      ++*at_;
    } else {
      at_ = list_->begin();
    }
    // Stopped meanwhile, perhaps, while waiting for a line.
    if (*at_ != std::default_sentinel && !stopped_) {
      job_.url = (*at_)->url;
      job_.status = (*at_)->status;
      return;
    }
  }
  ended_ = true;
}

}  // namespace verdant::crawler
