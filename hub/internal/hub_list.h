#ifndef VERDANT_HUB_INTERNAL_HUB_LIST_H_
#define VERDANT_HUB_INTERNAL_HUB_LIST_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "hub/internal/mailbox.h"

namespace verdant::internal {

// Where another thread finds the hubs of the process, to ask them all something.
struct ListedHub {
  std::uint64_t number;  // in the order of making, never given again
  int thread;            // the kernel's number for it
  std::shared_ptr<Mailbox> mailbox;
};

// A hub's place in the list, for as long as it exists. Made on the hub's thread.
class HubListing {
 public:
  explicit HubListing(std::shared_ptr<Mailbox> mailbox);
  HubListing(const HubListing&) = delete;
  HubListing& operator=(const HubListing&) = delete;
  ~HubListing();

  std::uint64_t number() const { return number_; }
  int thread() const { return thread_; }
  // In the order of their numbers. From any thread.
  static std::vector<ListedHub> All();
  // In the child of a fork, where none of them exists.
  static void ForgetAll();

 private:
  const std::uint64_t number_;
  const int thread_;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_HUB_LIST_H_
