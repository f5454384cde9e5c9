#include "green/stream.h"

#include <errno.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "green/address.h"
#include "green/socket_error.h"
#include "gtest/gtest.h"

namespace verdant::green {
namespace {

// A connection whose every transfer is given beforehand: how much is taken or brought at a time,
// and how it ends.
class Scripted final : public Stream {
 public:
  std::deque<std::string> incoming;
  std::size_t takes = SIZE_MAX;     // of each Send
  std::size_t room = SIZE_MAX;      // before `end` stands in the way
  absl::Status end;                 // of both directions; OK is the end of the stream
  std::string sent;                 // what has been taken so far
  std::vector<std::size_t> pieces;  // how many came with each call
  std::vector<Deadline> deadlines;

  void Close() override { closed_ = true; }
  bool closed() const override { return closed_; }
  const Address& peer() const override { return peer_; }

 private:
  absl::StatusOr<std::size_t> RecvSome(std::span<char> buffer, Deadline deadline) override {
    deadlines.push_back(deadline);
    if (incoming.empty()) return end.ok() ? absl::StatusOr<std::size_t>(0) : end;
    std::string& next = incoming.front();
    const std::size_t count = std::min(buffer.size(), next.size());
    std::copy_n(next.begin(), count, buffer.begin());
    next.erase(0, count);
    if (next.empty()) incoming.pop_front();
    return count;
  }
  absl::StatusOr<std::size_t> SendSome(std::span<const std::string_view> data,
                                       Deadline deadline) override {
    deadlines.push_back(deadline);
    pieces.push_back(data.size());
    std::size_t count = 0;
    for (const std::string_view piece : data) {
      EXPECT_FALSE(piece.empty());
      const std::string_view part = piece.substr(0, std::min(takes - count, room));
      sent += part;
      count += part.size();
      room -= part.size();
      if (part.size() < piece.size()) break;
    }
    return count > 0 ? absl::StatusOr<std::size_t>(count) : end;
  }
  absl::Status EndSending(Deadline) override { return absl::OkStatus(); }

  Address peer_ = *Address::Parse("127.0.0.1:7");
  bool closed_ = false;
};

TEST(Stream, RecvExactlyPutsPiecesTogether) {
  Scripted stream;
  stream.incoming = {"a", "bcd", "efgh"};
  std::array<char, 6> buffer;
  std::size_t received = 99;
  EXPECT_TRUE(stream.RecvExactly(buffer, Deadline::Never(), &received).ok());
  EXPECT_EQ(received, 6u);
  EXPECT_EQ(std::string(buffer.data(), buffer.size()), "abcdef");
  EXPECT_EQ(stream.incoming, (std::deque<std::string>{"gh"}));
}

TEST(Stream, A13_2_RecvExactlyGivesEveryWaitTheSameDeadline) {
  Scripted stream;
  stream.incoming = {"a", "b", "c"};
  std::array<char, 3> buffer;
  EXPECT_TRUE(stream.RecvExactly(buffer, Deadline::At(1234)).ok());
  EXPECT_EQ(stream.deadlines, std::vector<Deadline>(3, Deadline::At(1234)));
}

TEST(Stream, RecvExactlyOfAStreamThatEndsBeforeSaysHowFarItCame) {
  Scripted stream;
  stream.incoming = {"abc"};
  std::array<char, 10> buffer;
  std::size_t received = 0;
  const absl::Status status = stream.RecvExactly(buffer, Deadline::Never(), &received);
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(status.message(), "recv from 127.0.0.1:7: end of stream after 3 of 10 bytes");
  EXPECT_EQ(received, 3u);
}

TEST(Stream, RecvExactlyPassesFailuresOn) {
  Scripted stream;
  stream.incoming = {"abc"};
  stream.end = internal::ErrnoStatus(ECONNRESET, "recv from 127.0.0.1:7");
  std::array<char, 10> buffer;
  std::size_t received = 0;
  EXPECT_EQ(ErrnoOf(stream.RecvExactly(buffer, Deadline::Never(), &received)), ECONNRESET);
  EXPECT_EQ(received, 3u);
}

TEST(Stream, RecvExactlyOfNothingAsksForNothing) {
  Scripted stream;
  EXPECT_TRUE(stream.RecvExactly({}).ok());
  EXPECT_TRUE(stream.deadlines.empty());
}

TEST(Stream, SendAllGoesOnWhereAShortSendStopped) {
  for (std::size_t takes = 1; takes <= 12; ++takes) {
    Scripted stream;
    stream.takes = takes;
    const std::array<std::string_view, 4> pieces = {"head", "", "body", "end"};
    std::size_t sent = 0;
    EXPECT_TRUE(stream.SendAll(pieces, Deadline::Never(), &sent).ok());
    EXPECT_EQ(stream.sent, "headbodyend") << takes << " at a time";
    EXPECT_EQ(sent, 11u);
    EXPECT_EQ(stream.pieces.size(), (11 + takes - 1) / takes);
  }
}

TEST(Stream, A13_2_SendAllGivesEveryWaitTheSameDeadline) {
  Scripted stream;
  stream.takes = 2;
  EXPECT_TRUE(stream.SendAll("abcdef", Deadline::At(77)).ok());
  EXPECT_EQ(stream.deadlines, std::vector<Deadline>(3, Deadline::At(77)));
}

TEST(Stream, SendAllOfManyPiecesTakesFewCalls) {
  Scripted stream;
  std::vector<std::string> text;
  std::vector<std::string_view> pieces;
  for (int i = 0; i < 100; ++i) text.push_back(absl::StrCat(i, ","));
  for (const std::string& piece : text) pieces.push_back(piece);
  EXPECT_TRUE(stream.SendAll(pieces).ok());
  std::string expected;
  for (const std::string& piece : text) expected += piece;
  EXPECT_EQ(stream.sent, expected);
  EXPECT_LE(stream.pieces.size(), 4u);
}

TEST(Stream, SendAllThatFailsSaysHowMuchHadGone) {
  Scripted stream;
  stream.takes = 2;
  stream.room = 5;
  stream.end = internal::ErrnoStatus(EPIPE, "send to 127.0.0.1:7");
  std::size_t sent = 0;
  EXPECT_EQ(ErrnoOf(stream.SendAll("abcdefgh", Deadline::Never(), &sent)), EPIPE);
  EXPECT_EQ(sent, 5u);
  EXPECT_EQ(stream.sent, "abcde");
}

TEST(Stream, SendAllOfNothingSendsNothing) {
  Scripted stream;
  EXPECT_TRUE(stream.SendAll("").ok());
  EXPECT_TRUE(stream.SendAll(std::span<const std::string_view>()).ok());
  EXPECT_TRUE(stream.deadlines.empty());
}

TEST(Stream, SendTellsHowMuchWasTaken) {
  Scripted stream;
  stream.takes = 3;
  const absl::StatusOr<std::size_t> took = stream.Send("abcdef");
  ASSERT_TRUE(took.ok());
  EXPECT_EQ(*took, 3u);
}

}  // namespace
}  // namespace verdant::green
