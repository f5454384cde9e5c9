#ifndef VERDANT_GREEN_INTERNAL_DNS_CACHE_H_
#define VERDANT_GREEN_INTERNAL_DNS_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "green/address.h"
#include "hub/clock.h"

namespace verdant::green::dns {

// How the look-up of a name ended, shared by all who asked for it.
struct Outcome {
  absl::Status status = {};
  std::vector<Address> addresses = {};     // port 0
  std::exception_ptr exception = nullptr;  // to be thrown in whoever asked
};

// Outcomes by name until their time is over; of too many, those go first that have been asked for
// least recently.
class Cache {
 public:
  Cache(std::size_t capacity, Clock& clock) : capacity_(capacity), clock_(clock) {}

  // Null if there is none, or not any more.
  std::shared_ptr<const Outcome> Find(std::string_view name);
  void Put(std::string name, std::shared_ptr<const Outcome> outcome, absl::Duration ttl);
  void Clear();
  std::size_t size() const { return by_name_.size(); }

 private:
  struct Entry {
    std::string name;
    std::shared_ptr<const Outcome> outcome;
    std::int64_t expires;
  };
  using Entries = std::list<Entry>;

  void Erase(Entries::iterator entry);

  const std::size_t capacity_;
  Clock& clock_;
  Entries entries_;                                                   // most recently used first
  absl::flat_hash_map<std::string_view, Entries::iterator> by_name_;  // the entries' own names
};

}  // namespace verdant::green::dns

#endif  // VERDANT_GREEN_INTERNAL_DNS_CACHE_H_
