#ifndef VERDANT_APPS_CRAWLER_URL_LIST_H_
#define VERDANT_APPS_CRAWLER_URL_LIST_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace verdant::crawler {

// One line of a URL list.
struct UrlListEntry {
  // The line without surrounding white space; not checked to be a URL. Of a line that is too long,
  // its beginning.
  std::string url;
  // From 1; blank and comment lines count.
  int64_t line = 0;
  // InvalidArgument for a line of more than kMaxUrlBytes; the list goes on after it. What reading
  // failed with, naming list and line, in an entry with no url that is the last one. Else OK.
  absl::Status status;
};

// A list of URLs, one a line, read as it is walked: a C++20 input range of UrlListEntry that needs
// the same memory for a million lines as for one. Lines end with LF, CRLF or CR, the last perhaps
// with nothing; a byte order mark, blank lines and lines that begin with '#' are skipped.
//
//   ASSIGN_OR_RETURN(UrlList list, UrlList::Open("urls.txt"));
//   for (const UrlListEntry& entry : list) ...
//
// Single pass: a later begin() goes on with the entry that the last walk stopped at. One thread at
// a time.
class UrlList {
 private:
  struct State;

 public:
  // Fills `buffer` with up to `size` bytes and returns how many; 0 is the end.
  using Reader = std::function<absl::StatusOr<size_t>(char* buffer, size_t size)>;

  // Reads the file at `path`, or standard input for "-", with read(2), which blocks the thread (and
  // with it the hub) while a pipe or terminal has nothing: pass a cooperative Reader for those. The
  // system's error, naming the path, when it cannot be opened or is a directory.
  static absl::StatusOr<UrlList> Open(const std::string& path);

  // Reads from `reader`; `name` is what messages call the list.
  UrlList(std::string name, Reader reader);
  ~UrlList();
  UrlList(UrlList&&) noexcept;
  UrlList& operator=(UrlList&&) noexcept;

  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = UrlListEntry;
    using difference_type = ptrdiff_t;

    Iterator() = default;
    Iterator(Iterator&&) = default;
    Iterator& operator=(Iterator&&) = default;

    const UrlListEntry& operator*() const;
    const UrlListEntry* operator->() const { return &**this; }
    Iterator& operator++();
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) { return it.AtEnd(); }

   private:
    friend class UrlList;
    explicit Iterator(State* state) : state_(state) {}
    bool AtEnd() const;

    State* state_ = nullptr;
  };

  // The list must outlive the walk; it may be moved meanwhile.
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

 private:
  std::unique_ptr<State> state_;
};

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_URL_LIST_H_
