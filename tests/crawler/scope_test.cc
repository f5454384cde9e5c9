#include "apps/crawler/scope.h"

#include <initializer_list>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "apps/crawler/url.h"
#include "gtest/gtest.h"

namespace verdant::crawler {
namespace {

Scope MakeScope(ScopeKind kind, std::initializer_list<std::string_view> seeds,
                int max_depth = Scope::kUnlimitedDepth) {
  std::vector<Url> urls;
  for (const std::string_view seed : seeds) urls.push_back(*Url::Parse(seed));
  return Scope(kind, urls, max_depth);
}

bool Has(const Scope& scope, std::string_view url) { return scope.Contains(*Url::Parse(url)); }

TEST(ScopeKind, NamesGoBothWays) {
  for (const ScopeKind kind :
       {ScopeKind::kHost, ScopeKind::kDomain, ScopeKind::kPrefix, ScopeKind::kAny}) {
    EXPECT_EQ(*ParseScopeKind(ScopeKindName(kind)), kind);
  }
  const absl::StatusOr<ScopeKind> bad = ParseScopeKind("Host");
  EXPECT_EQ(bad.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(bad.status().message(), "scope \"Host\" is not one of host, domain, prefix, any");
}

TEST(Scope, HostMeansHostAndPort) {
  const Scope scope = MakeScope(ScopeKind::kHost, {"http://example.org/a"});
  EXPECT_TRUE(Has(scope, "http://example.org/other"));
  EXPECT_TRUE(Has(scope, "https://example.org/"));
  EXPECT_FALSE(Has(scope, "http://example.org:8080/"));
  EXPECT_FALSE(Has(scope, "http://example.org:443/"));
  EXPECT_FALSE(Has(scope, "http://www.example.org/"));
  EXPECT_FALSE(Has(scope, "http://example.org.evil.test/"));
}

TEST(Scope, HostWithPortStaysOnThatPort) {
  const Scope scope = MakeScope(ScopeKind::kHost, {"http://127.0.0.1:8001/"});
  EXPECT_TRUE(Has(scope, "http://127.0.0.1:8001/x"));
  EXPECT_FALSE(Has(scope, "http://127.0.0.1:8002/x"));
  EXPECT_FALSE(Has(scope, "http://127.0.0.1/x"));
}

TEST(Scope, DomainTakesSubdomainsOnAnyPort) {
  const Scope scope = MakeScope(ScopeKind::kDomain, {"https://www.example.org/x"});
  EXPECT_TRUE(Has(scope, "http://example.org/"));
  EXPECT_TRUE(Has(scope, "http://www.example.org/"));
  EXPECT_TRUE(Has(scope, "http://a.b.example.org:81/"));
  EXPECT_TRUE(Has(scope, "http://example.org./"));
  EXPECT_FALSE(Has(scope, "http://notexample.org/"));
  EXPECT_FALSE(Has(scope, "http://org/"));
}

TEST(Scope, DomainOfAnAddressIsThatAddress) {
  const Scope scope = MakeScope(ScopeKind::kDomain, {"http://127.0.0.1/"});
  EXPECT_TRUE(Has(scope, "http://127.0.0.1:99/"));
  EXPECT_FALSE(Has(scope, "http://127.0.0.2/"));
  EXPECT_FALSE(Has(scope, "http://[::1]/"));
}

TEST(Scope, PrefixIsTheSeedsDirectory) {
  const Scope scope = MakeScope(ScopeKind::kPrefix, {"http://h/docs/api/index.html?x=/y/z"});
  EXPECT_TRUE(Has(scope, "http://h/docs/api/"));
  EXPECT_TRUE(Has(scope, "http://h/docs/api/a/b?c"));
  EXPECT_TRUE(Has(scope, "https://h/docs/api/a"));
  EXPECT_FALSE(Has(scope, "http://h/docs/api"));
  EXPECT_FALSE(Has(scope, "http://h/docs/apis/x"));
  EXPECT_FALSE(Has(scope, "http://h/docs/"));
  EXPECT_FALSE(Has(scope, "http://h:81/docs/api/a"));
  EXPECT_FALSE(Has(scope, "http://other/docs/api/a"));
}

TEST(Scope, AnySeedWillDo) {
  const Scope hosts = MakeScope(ScopeKind::kHost, {"http://a/", "http://b/"});
  EXPECT_TRUE(Has(hosts, "http://a/1"));
  EXPECT_TRUE(Has(hosts, "http://b/2"));
  EXPECT_FALSE(Has(hosts, "http://c/"));
  const Scope prefixes = MakeScope(ScopeKind::kPrefix, {"http://a/x/", "http://a/y/"});
  EXPECT_TRUE(Has(prefixes, "http://a/x/1"));
  EXPECT_TRUE(Has(prefixes, "http://a/y/1"));
  EXPECT_FALSE(Has(prefixes, "http://a/z/1"));
}

TEST(Scope, AnyTakesEverything) {
  const Scope scope = MakeScope(ScopeKind::kAny, {});
  EXPECT_TRUE(Has(scope, "https://anything.test:1/x"));
}

TEST(Scope, NoSeedsMeanNothingIsInside) {
  EXPECT_FALSE(Has(MakeScope(ScopeKind::kHost, {}), "http://a/"));
  EXPECT_FALSE(Has(MakeScope(ScopeKind::kDomain, {}), "http://a/"));
  EXPECT_FALSE(Has(MakeScope(ScopeKind::kPrefix, {}), "http://a/"));
}

TEST(Scope, DepthIsJudgedAfterThePlace) {
  const Scope scope = MakeScope(ScopeKind::kHost, {"http://a/"}, 2);
  const Url inside = *Url::Parse("http://a/x");
  EXPECT_EQ(scope.Judge(inside, 0), Scope::Verdict::kInside);
  EXPECT_EQ(scope.Judge(inside, 2), Scope::Verdict::kInside);
  EXPECT_EQ(scope.Judge(inside, 3), Scope::Verdict::kTooDeep);
  EXPECT_EQ(scope.Judge(*Url::Parse("http://b/"), 3), Scope::Verdict::kOutside);
  EXPECT_EQ(MakeScope(ScopeKind::kHost, {"http://a/"}).Judge(inside, 1'000'000),
            Scope::Verdict::kInside);
}

TEST(Scope, NegativeDepthIsMisuse) {
  EXPECT_THROW(MakeScope(ScopeKind::kAny, {}, -1), std::logic_error);
}

}  // namespace
}  // namespace verdant::crawler
