#ifndef VERDANT_GREEN_INTERNAL_DNS_ANSWER_H_
#define VERDANT_GREEN_INTERNAL_DNS_ANSWER_H_

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "ares.h"
#include "green/address.h"

namespace verdant::green::dns {

// What became of one query: the addresses of one family of one name.
struct Answer {
  enum class Kind {
    kAddresses,
    kNoData,      // the name exists, but has none of this family
    kNoSuchName,  // NXDOMAIN
    kTimedOut,
    kFailed,
  };

  Kind kind = Kind::kFailed;
  std::vector<Address> addresses;  // in the server's order, port 0
  // How long the answer holds: the shortest TTL on the way from the name to the addresses, or what
  // the zone says of names that do not exist (RFC 2308). Nothing if the server did not say.
  std::optional<absl::Duration> ttl;
  std::string cause;             // of kFailed
  std::exception_ptr exception;  // instead of all this
};

// Makes sense of what c-ares hands to a callback. Follows aliases from `name` itself, so that
// records of other names in the answer count for nothing. `family` is AF_INET or AF_INET6.
Answer ReadAnswer(ares_status_t status, const ares_dns_record_t* record, std::string_view name,
                  int family);

}  // namespace verdant::green::dns

#endif  // VERDANT_GREEN_INTERNAL_DNS_ANSWER_H_
