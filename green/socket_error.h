#ifndef VERDANT_GREEN_SOCKET_ERROR_H_
#define VERDANT_GREEN_SOCKET_ERROR_H_

#include <string_view>

#include "absl/status/status.h"

namespace verdant::green {

// The errno behind a Status of this module, for callers that tell causes apart (ECONNREFUSED,
// ECONNRESET, ...); 0 if a system call's failure is not what it reports.
int ErrnoOf(const absl::Status& status);

namespace internal {

// "what: text of the error", with the canonical code for `error` and ErrnoOf() == `error`. `error`
// must not be 0.
absl::Status ErrnoStatus(int error, std::string_view what);

}  // namespace internal
}  // namespace verdant::green

#endif  // VERDANT_GREEN_SOCKET_ERROR_H_
