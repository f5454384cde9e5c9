#include "net/http_request.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "net/http_response.h"
#include "net/internal/http_input.h"

namespace verdant::net {

namespace {

constexpr std::size_t kMinStraightRead = 4096;

}  // namespace

HttpRequest::HttpRequest(HttpRequestHead head, green::Stream& stream, internal::HttpInput& input,
                         const HttpLimits& limits, absl::Duration io_timeout)
    : head_(std::move(head)),
      stream_(stream),
      input_(input),
      body_(head_.framing(), head_.content_length(), limits),
      io_timeout_(io_timeout),
      continue_pending_(head_.expects_continue()) {}

absl::Status HttpRequest::AllowToContinue(Deadline deadline) {
  if (!continue_pending_) return absl::OkStatus();
  if (response_ != nullptr && response_->started()) {
    return absl::FailedPreconditionError(
        absl::StrCat("body of the request from ", peer(),
                     ": the response began before the client was let continue"));
  }
  const absl::Status status = stream_.SendAll("HTTP/1.1 100 Continue\r\n\r\n", deadline);
  if (status.ok()) continue_pending_ = false;
  return status;
}

absl::Status HttpRequest::BodyError() {
  const std::string text =
      absl::StrCat("body of the request from ", peer(), ": ", body_.error().detail);
  status_ = body_.error().status == 413 ? absl::ResourceExhaustedError(text)
                                        : absl::InvalidArgumentError(text);
  return status_;
}

absl::StatusOr<std::size_t> HttpRequest::Read(std::span<char> buffer, Deadline deadline) {
  if (!status_.ok()) return status_;
  if (buffer.empty()) return 0;
  while (!body_.done()) {
    const Deadline limit = std::min(deadline, Deadline(io_timeout_));
    if (absl::Status status = AllowToContinue(limit); !status.ok()) return status_ = status;
    std::string_view data;
    if (input_.empty()) {
      // What is content for certain needs no detour.
      const std::size_t straight = static_cast<std::size_t>(
          std::min<std::uint64_t>(buffer.size(), body_.remaining_in_piece()));
      const bool through = straight >= kMinStraightRead;
      const absl::StatusOr<std::size_t> got =
          through ? stream_.Recv(buffer.first(straight), limit) : input_.Fill(limit);
      if (!got.ok()) {
        // The caller's own deadline may be tried again.
        if (limit != deadline) status_ = got.status();
        return got.status();
      }
      if (*got == 0) {
        return status_ = absl::DataLossError(absl::StrCat("body of the request from ", peer(),
                                                          ": the client went away before its end"));
      }
      if (through) {
        body_.Decode({buffer.data(), *got}, &data);
        return *got;
      }
    }
    input_.Consume(body_.Decode(input_.buffered(), &data, buffer.size()));
    if (body_.failed()) return BodyError();
    if (!data.empty()) {
      std::memcpy(buffer.data(), data.data(), data.size());
      return data.size();
    }
  }
  return 0;
}

absl::StatusOr<std::string> HttpRequest::ReadAll(std::size_t limit, Deadline deadline) {
  std::string all;
  for (;;) {
    constexpr std::size_t kStep = 16384;
    const std::size_t size = all.size();
    all.resize(size + std::min(kStep, limit - size + 1));
    const absl::StatusOr<std::size_t> got = Read({all.data() + size, all.size() - size}, deadline);
    if (!got.ok()) return got.status();
    all.resize(size + *got);
    if (*got == 0) return all;
    if (all.size() > limit) {
      return absl::ResourceExhaustedError(
          absl::StrCat("body of the request from ", peer(), ": more than ", limit, " bytes"));
    }
  }
}

}  // namespace verdant::net
