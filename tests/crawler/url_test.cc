#include "apps/crawler/url.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/hash/hash_testing.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

using namespace std::string_view_literals;

Url Parsed(std::string_view text) {
  absl::StatusOr<Url> url = Url::Parse(text);
  EXPECT_TRUE(url.ok()) << url.status();
  return *std::move(url);
}

std::string Message(const absl::StatusOr<Url>& url) {
  EXPECT_EQ(url.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(url.status().message());
}

TEST(Url, CanonicalisesAsBrowsersDo) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"http://example.org", "http://example.org/"},
      {"HTTP://EXAMPLE.Org/A", "http://example.org/A"},
      {"  https://example.org/ \r\n", "https://example.org/"},
      {"http://example.org:80/", "http://example.org/"},
      {"https://example.org:443/x", "https://example.org/x"},
      {"http://example.org:443/x", "http://example.org:443/x"},
      {"http://example.org/a/./b/../c", "http://example.org/a/c"},
      {"http://example.org/%2e%2e/x", "http://example.org/x"},
      {"http://example.org/a b", "http://example.org/a%20b"},
      {"http://example.org/caf\xC3\xA9", "http://example.org/caf%C3%A9"},
      {"http://example.org/%7Ea/%7e", "http://example.org/%7Ea/%7e"},
      {"http://example.org\\a\\b", "http://example.org/a/b"},
      {"http://b\xC3\xBC"
       "cher.example/",
       "http://xn--bcher-kva.example/"},
      {"http://XN--BCHER-KVA.example/", "http://xn--bcher-kva.example/"},
      {"http://2130706433/", "http://127.0.0.1/"},
      {"http://0x7f.1/", "http://127.0.0.1/"},
      {"http://[0:0::1]:8080/", "http://[::1]:8080/"},
      {"http://example.org/?q=a b", "http://example.org/?q=a%20b"},
      {"http://example.org/?", "http://example.org/?"},
      {"http:example.org/x", "http://example.org/x"},
      {"http://example.org./", "http://example.org./"},
  };
  for (const auto& [text, href] : kCases) EXPECT_EQ(Parsed(text).href(), href);
}

TEST(Url, DropsFragments) {
  EXPECT_EQ(Parsed("http://h/a#b").href(), "http://h/a");
  EXPECT_EQ(Parsed("http://h/a?b#c?d#e").href(), "http://h/a?b");
  EXPECT_EQ(Parsed("http://h/#").href(), "http://h/");
}

TEST(Url, GivesItsParts) {
  const Url url = Parsed("https://www.example.org:8443/a/b.html?c=d&e#f");
  EXPECT_EQ(url.scheme(), "https");
  EXPECT_TRUE(url.is_https());
  EXPECT_EQ(url.host(), "www.example.org");
  EXPECT_EQ(url.port(), 8443);
  EXPECT_EQ(url.path(), "/a/b.html");
  EXPECT_EQ(url.query(), "?c=d&e");
  EXPECT_EQ(url.path_and_query(), "/a/b.html?c=d&e");
  EXPECT_EQ(url.Origin(), "https://www.example.org:8443");
}

TEST(Url, PartsOfTheShortestUrl) {
  const Url url = Parsed("http://h");
  EXPECT_EQ(url.scheme(), "http");
  EXPECT_FALSE(url.is_https());
  EXPECT_EQ(url.host(), "h");
  EXPECT_EQ(url.port(), 80);
  EXPECT_EQ(url.path(), "/");
  EXPECT_EQ(url.query(), "");
  EXPECT_EQ(url.Origin(), "http://h:80");
}

TEST(Url, OriginOfIpv6KeepsBrackets) {
  const Url url = Parsed("https://[2001:DB8::1]/");
  EXPECT_EQ(url.host(), "[2001:db8::1]");
  EXPECT_EQ(url.Origin(), "https://[2001:db8::1]:443");
}

TEST(Url, PartsSurviveCopyAndMove) {
  Url first = Parsed("http://example.org/some/quite/long/path?with=query");
  const Url copy = first;
  const Url moved = std::move(first);
  EXPECT_EQ(copy, moved);
  EXPECT_EQ(moved.host(), "example.org");
  EXPECT_EQ(copy.path(), "/some/quite/long/path");
}

TEST(Url, EqualSpellingsAreOneKey) {
  std::vector<Url> urls;
  for (const std::string_view text :
       {"http://h/a", "http://H:80/a#x", "http://h/a?", "https://h/a", "http://h/b/../a"}) {
    urls.push_back(Parsed(text));
  }
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly(urls));
  EXPECT_EQ(urls[0], urls[1]);
  EXPECT_EQ(urls[0], urls[4]);
  EXPECT_FALSE(urls[0] == urls[2]);
  EXPECT_FALSE(urls[0] == urls[3]);
}

TEST(Url, RefusalsNameTheUrlAndTheCause) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"", "empty URL"},
      {"  \t ", "empty URL"},
      {"example.org/x", "\"example.org/x\": no scheme"},
      {"/path", "\"/path\": no scheme"},
      {"//example.org/", "no scheme"},
      {"localhost:8080/x", "\"localhost:8080/x\": no scheme (write http://"},
      {"ftp://example.org/", "scheme \"ftp\" is neither http nor https"},
      {"file:///etc/passwd", "scheme \"file\" is neither"},
      {"javascript:alert(1)", "scheme \"javascript\" is neither"},
      {"mailto:a@b", "scheme \"mailto\" is neither"},
      {"data:text/html,x", "scheme \"data\" is neither"},
      {"http://", "no host"},
      {"http:///", "no host"},
      {"http://:80/", "no host"},
      {"http://h:99999/", "port \"99999\" is not a number from 0 to 65535"},
      {"http://h:80x/", "port \"80x\" is not a number"},
      {"http://h:-1/", "port \"-1\" is not a number"},
      {"http://a b/", "host \"a b\" is not a valid name or address"},
      {"http://[::1/", "is not a valid name or address"},
      {"http://[xyz]:80/", "host \"[xyz]\" is not a valid"},
      {"http://256.1.1.1/", "host \"256.1.1.1\" is not a valid"},
      {"http://exa%00mple/", "is not a valid name or address"},
      {"http://h<x>/", "is not a valid name or address"},
  };
  for (const auto& [text, part] : kCases) {
    const std::string message = Message(Url::Parse(text));
    EXPECT_TRUE(absl::StrContains(message, part)) << message << " lacks " << part;
  }
}

TEST(Url, RefusesControlCharactersWithTheirPlace) {
  EXPECT_EQ(Message(Url::Parse("http://h/a\x1b[31m")),
            "\"http://h/a\\x1b[31m\": control character 0x1b at byte 10");
  EXPECT_TRUE(absl::StrContains(Message(Url::Parse("http://h/a\r\nX: y")), "0x0d at byte 10"));
  EXPECT_TRUE(absl::StrContains(Message(Url::Parse("http://h/\0"sv)), "0x00"));
  EXPECT_TRUE(absl::StrContains(Message(Url::Parse("http://h/\x7f")), "0x7f"));
}

TEST(Url, RefusesInvalidUtf8WithoutPrintingItRaw) {
  const std::string message = Message(Url::Parse("http://h/caf\xE9"));
  EXPECT_EQ(message, "\"http://h/caf\\xe9\": not valid UTF-8");
}

TEST(Url, RefusesUserInfoWithoutRepeatingIt) {
  for (const std::string_view text : {"http://user:secret@example.org/", "http://user@example.org/",
                                      "http://:secret@example.org"}) {
    const std::string message = Message(Url::Parse(text));
    EXPECT_TRUE(absl::StrContains(message, "user name or password")) << message;
    EXPECT_TRUE(absl::StrContains(message, "example.org")) << message;
    EXPECT_FALSE(absl::StrContains(message, "secret")) << message;
  }
}

TEST(Url, LengthIsCappedBeforeAndAfterEncoding) {
  const std::string longest = absl::StrCat("http://h/", std::string(kMaxUrlBytes - 9, 'a'));
  EXPECT_EQ(Parsed(longest).href().size(), kMaxUrlBytes);
  EXPECT_TRUE(absl::StrContains(Message(Url::Parse(absl::StrCat(longest, "a"))),
                                "8193 bytes long, more than the 8192 allowed"));
  const std::string grows = absl::StrCat("http://h/", std::string(kMaxUrlBytes - 9, '"'));
  EXPECT_TRUE(absl::StrContains(Message(Url::Parse(grows)), "when encoded"));
}

TEST(Url, LongUrlsAreCutInMessages) {
  const std::string text = absl::StrCat("ftp://", std::string(1000, 'x'));
  EXPECT_LT(Message(Url::Parse(text)).size(), 300u);
}

TEST(Resolve, FollowsTheRulesOfReferences) {
  const Url base = Parsed("https://example.org/a/b/c.html?q=1");
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"d.html", "https://example.org/a/b/d.html"},
      {"./d", "https://example.org/a/b/d"},
      {"../d", "https://example.org/a/d"},
      {"../../../../d", "https://example.org/d"},
      {"/d", "https://example.org/d"},
      {"//other.example/d", "https://other.example/d"},
      {"http://other.example", "http://other.example/"},
      {"?x=y", "https://example.org/a/b/c.html?x=y"},
      {"#frag", "https://example.org/a/b/c.html?q=1"},
      {"", "https://example.org/a/b/c.html?q=1"},
      {"  d\n", "https://example.org/a/b/d"},
      {"d\n/\te", "https://example.org/a/b/d/e"},
      {"\\d", "https://example.org/d"},
      {"https:d", "https://example.org/a/b/d"},
      {"http:d", "http://d/"},
      {"d e", "https://example.org/a/b/d%20e"},
      {"./d:e", "https://example.org/a/b/d:e"},
  };
  for (const auto& [reference, href] : kCases) {
    const absl::StatusOr<Url> url = base.Resolve(reference);
    ASSERT_TRUE(url.ok()) << reference << ": " << url.status();
    EXPECT_EQ(url->href(), href) << reference;
  }
}

TEST(Resolve, RefusesWhatCannotBeFetched) {
  const Url base = Parsed("https://example.org/a");
  for (const std::string_view reference :
       {"mailto:x@y", "javascript:void(0)", "java\tscript:void(0)", "data:,x", "ftp://h/", "d:e",
        "http://[/", "//user:pw@h/", "http://h:70000/",
        "a\x01"
        "b",
        "\x1b[2J"}) {
    EXPECT_FALSE(base.Resolve(reference).ok()) << reference;
  }
}

TEST(Resolve, EncodesBytesOfOldEncodingsOneByOne) {
  const Url base = Parsed("http://example.org/a/");
  EXPECT_EQ(base.Resolve("caf\xE9?q=\xE9t\xE9")->href(), "http://example.org/a/caf%E9?q=%E9t%E9");
  EXPECT_FALSE(base.Resolve("http://h\xE9/").ok());
}

TEST(Resolve, ResolverGivesWhatTheUrlGives) {
  const Url base = Parsed("http://example.org/a/b?c");
  UrlResolver resolver(base);
  const UrlResolver moved = std::move(resolver);
  for (const std::string_view reference : {"x", "../y", "?z", "#w", "//h/"}) {
    EXPECT_EQ(*moved.Resolve(reference), *base.Resolve(reference));
  }
}

TEST(Printable, EscapesAndCuts) {
  EXPECT_EQ(PrintableUrl("a\x1b\xE9\n"), "\"a\\x1b\\xe9\\n\"");
  EXPECT_EQ(PrintableUrl("abcdef", 3), "\"abc...\"");
  EXPECT_EQ(PrintableUrl("abc", 3), "\"abc\"");
}

TEST(Domain, SeedDomainDropsWwwAndTrailingDot) {
  EXPECT_EQ(SeedDomain("www.example.org"), "example.org");
  EXPECT_EQ(SeedDomain("example.org"), "example.org");
  EXPECT_EQ(SeedDomain("www.example.org."), "example.org");
  EXPECT_EQ(SeedDomain("docs.example.org"), "docs.example.org");
  EXPECT_EQ(SeedDomain("www2.example.org"), "www2.example.org");
}

TEST(Domain, HostsMatchWholeLabelsOnly) {
  EXPECT_TRUE(HostInDomain("example.org", "example.org"));
  EXPECT_TRUE(HostInDomain("a.b.example.org", "example.org"));
  EXPECT_TRUE(HostInDomain("a.example.org.", "example.org"));
  EXPECT_FALSE(HostInDomain("badexample.org", "example.org"));
  EXPECT_FALSE(HostInDomain("example.org.evil.test", "example.org"));
  EXPECT_FALSE(HostInDomain("org", "example.org"));
}

}  // namespace
}  // namespace verdant::crawler
