#ifndef VERDANT_NET_INTERNAL_HTTP_INPUT_H_
#define VERDANT_NET_INTERNAL_HTTP_INPUT_H_

#include <cstddef>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "green/stream.h"
#include "hub/clock.h"

namespace verdant::net::internal {

// What has come on a connection and nobody has taken yet: of pipelined requests the next ones.
class HttpInput {
 public:
  explicit HttpInput(green::Stream& stream) : stream_(stream) {}

  std::string_view buffered() const { return {buffer_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  void Consume(std::size_t size) { begin_ += size; }

  // Waits for more, with nothing buffered; 0 at the end of the stream.
  absl::StatusOr<std::size_t> Fill(Deadline deadline) {
    if (buffer_ == nullptr) buffer_ = std::make_unique<char[]>(kSize);
    begin_ = end_ = 0;
    const absl::StatusOr<std::size_t> got = stream_.Recv({buffer_.get(), kSize}, deadline);
    if (got.ok()) end_ = *got;
    return got;
  }

 private:
  static constexpr std::size_t kSize = 8192;

  green::Stream& stream_;
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace verdant::net::internal

#endif  // VERDANT_NET_INTERNAL_HTTP_INPUT_H_
