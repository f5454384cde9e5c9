#ifndef VERDANT_NET_HTTP_STATUS_H_
#define VERDANT_NET_HTTP_STATUS_H_

#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace verdant::net {

// The reason phrase of a status code (RFC 9110, section 15, and others of IANA's list); "Unknown"
// for others.
std::string_view HttpReason(int status);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, section 5.6.7).
std::string HttpDate(absl::Time time);

}  // namespace verdant::net

#endif  // VERDANT_NET_HTTP_STATUS_H_
