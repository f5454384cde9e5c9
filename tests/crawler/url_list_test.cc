#include "apps/crawler/url_list.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "apps/crawler/url.h"
#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

static_assert(std::ranges::input_range<UrlList>);
static_assert(std::movable<UrlList>);

// Hands out `text` in pieces of `step` bytes, then ends with `last`.
UrlList FromText(std::string text, size_t step = 1 << 20, absl::Status last = absl::OkStatus()) {
  return UrlList("list",
                 [text = std::move(text), step, last, at = size_t{0}](
                     char* buffer, size_t size) mutable -> absl::StatusOr<size_t> {
                   const size_t count = std::min({step, size, text.size() - at});
                   if (count == 0 && !last.ok()) return last;
                   text.copy(buffer, count, at);
                   at += count;
                   return count;
                 });
}

std::vector<UrlListEntry> Read(UrlList list) {
  std::vector<UrlListEntry> entries;
  for (const UrlListEntry& entry : list) entries.push_back(entry);
  return entries;
}

std::vector<std::string> Described(const std::vector<UrlListEntry>& entries) {
  std::vector<std::string> out;
  for (const UrlListEntry& entry : entries) {
    out.push_back(absl::StrCat(entry.line, ":", entry.url, entry.status.ok() ? "" : " !"));
  }
  return out;
}

using Strings = std::vector<std::string>;

TEST(UrlList, ReadsLines) {
  EXPECT_EQ(Described(Read(FromText("a\nb\nc\n"))), (Strings{"1:a", "2:b", "3:c"}));
  EXPECT_EQ(Described(Read(FromText("a\nb"))), (Strings{"1:a", "2:b"}));
  EXPECT_EQ(Described(Read(FromText(""))), Strings{});
  EXPECT_EQ(Described(Read(FromText("\n\n"))), Strings{});
}

TEST(UrlList, AllLineEndsWorkWhereverReadsEnd) {
  for (size_t step = 1; step < 20; ++step) {
    EXPECT_EQ(Described(Read(FromText("a\r\nb\rc\n\rd\r\n\r\ne", step))),
              (Strings{"1:a", "2:b", "3:c", "5:d", "7:e"}))
        << step;
  }
}

TEST(UrlList, SkipsBlanksCommentsAndTheByteOrderMark) {
  EXPECT_EQ(Described(Read(FromText("\xEF\xBB\xBFhttp://a/\n  \n# c\n\t#d\n  http://b/#x \t\n#"))),
            (Strings{"1:http://a/", "5:http://b/#x"}));
  EXPECT_EQ(Described(Read(FromText("\xEF\xBB\xBF# c\nx"))), Strings{"2:x"});
}

TEST(UrlList, OverlongLinesAreReportedAndPassedOver) {
  const std::string longest(kMaxUrlBytes, 'x');
  const std::vector<UrlListEntry> entries =
      Read(FromText(absl::StrCat("a\n", longest, "\n", longest, "y\n", longest, longest, "\nb\n")));
  ASSERT_EQ(entries.size(), 5u);
  EXPECT_TRUE(entries[1].status.ok());
  for (const int i : {2, 3}) {
    EXPECT_EQ(entries[i].status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(absl::StrContains(entries[i].status.message(),
                                  absl::StrCat("list: line ", i + 1, " is longer than the 8192")));
    EXPECT_LT(entries[i].status.message().size(), 400u);
  }
  EXPECT_EQ(entries[4].url, "b");
  EXPECT_EQ(entries[4].line, 5);
}

TEST(UrlList, AFailedReadIsTheLastEntry) {
  const std::vector<UrlListEntry> entries =
      Read(FromText("a\nb\nhalf", 3, absl::DataLossError("disk gone")));
  EXPECT_EQ(Described(entries), (Strings{"1:a", "2:b", "3: !"}));
  EXPECT_EQ(entries[2].status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(entries[2].status.message(), "list: line 3: disk gone");
}

TEST(UrlList, WalksGoOnWhereTheyStopped) {
  UrlList list = FromText("a\nb\nc\n");
  auto it = list.begin();
  EXPECT_EQ(it->url, "a");
  ++it;
  UrlList moved = std::move(list);
  EXPECT_EQ(it->url, "b");
  auto again = moved.begin();
  EXPECT_EQ((*again).url, "b");
  again++;
  EXPECT_EQ(again->url, "c");
  ++again;
  EXPECT_TRUE(again == moved.end());
  EXPECT_TRUE(moved.begin() == moved.end());
}

TEST(UrlList, AMillionLinesNeedOneBuffer) {
  // The reader makes them up: were the list to gather them, this would need hundreds of megabytes.
  constexpr int64_t kLines = 1'000'000;
  int64_t made = 0;
  UrlList list("list", [&made](char* buffer, size_t size) -> absl::StatusOr<size_t> {
    constexpr std::string_view kLine =
        "http://example.org/a/rather/long/path/that/is/the/same/on/every/line/of/the/list.html\n";
    size_t filled = 0;
    while (made < kLines && filled + kLine.size() <= size) {
      kLine.copy(buffer + filled, kLine.size());
      filled += kLine.size();
      ++made;
    }
    EXPECT_LE(size, size_t{1} << 20);
    return filled;
  });
  int64_t count = 0;
  for (const UrlListEntry& entry : list) {
    ++count;
    ASSERT_EQ(entry.line, count);
  }
  EXPECT_EQ(count, kLines);
}

TEST(UrlList, ReadsFiles) {
  const std::string path = absl::StrCat(testing::TempDir(), "/urls.txt");
  std::ofstream(path) << "http://a/\n\nhttp://b/";
  absl::StatusOr<UrlList> list = UrlList::Open(path);
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(Described(Read(*std::move(list))), (Strings{"1:http://a/", "3:http://b/"}));
  std::remove(path.c_str());
}

TEST(UrlList, UnreadableFilesAreAStatusNamingThem) {
  const absl::StatusOr<UrlList> missing = UrlList::Open("/nonexistent/urls.txt");
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StrContains(missing.status().message(), "/nonexistent/urls.txt"));
  const absl::StatusOr<UrlList> directory = UrlList::Open(testing::TempDir());
  EXPECT_FALSE(directory.ok());
  EXPECT_TRUE(absl::StrContains(directory.status().message(), "cannot read URL list"));
}

}  // namespace
}  // namespace verdant::crawler
