#ifndef VERDANT_HUB_INTERNAL_END_LINKS_H_
#define VERDANT_HUB_INTERNAL_END_LINKS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/any_invocable.h"

namespace verdant::internal {

struct EndLink {
  std::uint64_t id = 0;
  bool sees_error = false;  // whoever added it hears of the error, if there is one
  absl::AnyInvocable<void()> call;
};

// What is to be called when a green thread ends, in the order it was added. May be added to and
// removed from while it is being called.
class EndLinks {
 public:
  std::uint64_t Add(absl::AnyInvocable<void()> call, bool sees_error);
  // False if it is not there: never was, was removed, or was called.
  bool Remove(std::uint64_t id);
  void RemoveAll();
  bool empty() const { return links_.size() - next_ == removed_; }

  // Takes the next one to be called; one without a call when there is none.
  EndLink Next();
  // Next() has been called and Finish() has not: whoever calls them is at it.
  bool running() const { return running_; }
  void Finish();

 private:
  void Compact();

  // By ascending id. A removed one stays without a call until many are.
  std::vector<EndLink> links_;
  std::size_t next_ = 0;     // before it, those taken
  std::size_t removed_ = 0;  // of those from next_ on
  std::uint64_t last_id_ = 0;
  bool running_ = false;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_END_LINKS_H_
