#include "green/stream.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"

namespace verdant::green {
namespace {

// Pieces handed over at once; more in one call would gain nothing.
constexpr std::size_t kMaxPieces = 32;

}  // namespace

absl::Status Stream::RecvExactly(std::span<char> buffer, Deadline deadline, std::size_t* received) {
  std::size_t counted = 0;
  std::size_t& done = received != nullptr ? *received : counted;
  done = 0;
  while (done < buffer.size()) {
    const absl::StatusOr<std::size_t> got = RecvSome(buffer.subspan(done), deadline);
    if (!got.ok()) return got.status();
    if (*got == 0) {
      return absl::OutOfRangeError(absl::StrCat("recv from ", peer(), ": end of stream after ",
                                                done, " of ", buffer.size(), " bytes"));
    }
    done += *got;
  }
  return absl::OkStatus();
}

absl::Status Stream::SendAll(std::span<const std::string_view> pieces, Deadline deadline,
                             std::size_t* sent) {
  std::size_t counted = 0;
  std::size_t& done = sent != nullptr ? *sent : counted;
  done = 0;
  std::array<std::string_view, kMaxPieces> batch;
  std::size_t first = 0;   // not sent completely yet
  std::size_t offset = 0;  // of which so much is sent
  for (;;) {
    std::size_t count = 0;
    for (std::size_t i = first; i < pieces.size() && count < batch.size(); ++i) {
      const std::string_view rest = pieces[i].substr(i == first ? offset : 0);
      if (!rest.empty()) batch[count++] = rest;
    }
    if (count == 0) return absl::OkStatus();
    const absl::StatusOr<std::size_t> took = SendSome({batch.data(), count}, deadline);
    if (!took.ok()) return took.status();
    done += *took;
    offset += *took;
    while (first < pieces.size() && offset >= pieces[first].size()) {
      offset -= pieces[first].size();
      ++first;
    }
  }
}

}  // namespace verdant::green
