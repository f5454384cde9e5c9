#ifndef VERDANT_GREEN_INTERNAL_DNS_NAME_H_
#define VERDANT_GREEN_INTERNAL_DNS_NAME_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "green/address.h"

namespace verdant::green::dns {

// What the text of a host turned out to be: addresses that need no look-up, or a name to look up.
struct Host {
  std::vector<Address> addresses = {};  // of a literal or of localhost; port 0
  std::string name = {};  // lower case, without a final dot; empty if there are addresses
  bool absolute = false;  // written with a final dot: not to be tried under search domains

  std::string Key() const { return absolute ? name + "." : name; }
};

// InvalidArgument for what is neither a literal nor a well-formed name, NotFound for names that by
// standard never exist.
absl::StatusOr<Host> ParseHost(std::string_view host);

// "cannot resolve 'host'", with unprintable bytes escaped and an overlong text cut: the beginning
// of every error.
std::string CannotResolve(std::string_view host);

// The full names to look up one after the other: the name itself first if it has at least `ndots`
// dots, otherwise last (resolv.conf(5)).
std::vector<std::string> Candidates(const Host& host, const std::vector<std::string>& search,
                                    std::size_t ndots);

}  // namespace verdant::green::dns

#endif  // VERDANT_GREEN_INTERNAL_DNS_NAME_H_
