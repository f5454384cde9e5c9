#ifndef VERDANT_APPS_CRAWLER_FETCH_INPUT_H_
#define VERDANT_APPS_CRAWLER_FETCH_INPUT_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "apps/crawler/url_list.h"

namespace verdant::crawler {

// One line of output to be produced.
struct FetchJob {
  std::int64_t number = 0;  // of the output line, from 1
  std::string url;          // as given
  absl::Status status;      // why the list has no URL here
};

// The URLs given as arguments, then those of a list, as one input range that is read as it is
// walked and ends early after Stop(). Standard input is read without blocking other green threads.
class FetchInput {
 public:
  // `list` is a file, "-" for standard input, or nothing. An unreadable file is a status.
  static absl::StatusOr<FetchInput> Open(std::vector<std::string> urls,
                                         const std::optional<std::string>& list);

  FetchInput(FetchInput&&) noexcept;
  FetchInput& operator=(FetchInput&&) noexcept;
  ~FetchInput();

  // The walk ends at its next step, or now if it waits for standard input. From a green thread of
  // the hub or a hub callback.
  void Stop();

  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = FetchJob;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(FetchInput* input) : input_(input) { input_->Advance(); }
    const FetchJob& operator*() const { return input_->job_; }
    Iterator& operator++() {
      input_->Advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool AtEnd() const { return input_->ended_; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) { return it.AtEnd(); }

   private:
    FetchInput* input_ = nullptr;
  };
  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  class StandardInput;
  explicit FetchInput(std::vector<std::string> urls);
  void Advance();

  std::vector<std::string> urls_;
  std::size_t next_url_ = 0;
  std::unique_ptr<StandardInput> standard_input_;
  std::optional<UrlList> list_;
  std::optional<UrlList::Iterator> at_;
  FetchJob job_;
  bool stopped_ = false;
  bool ended_ = false;
};

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_FETCH_INPUT_H_
