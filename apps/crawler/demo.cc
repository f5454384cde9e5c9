#include "apps/crawler/demo.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "apps/crawler/crawl.h"
#include "apps/crawler/crawl_command.h"
#include "apps/crawler/demo_web.h"
#include "apps/crawler/interrupt.h"
#include "apps/crawler/progress.h"
#include "apps/crawler/url.h"
#include "hub/green_thread.h"
#include "net/http_server.h"
#include "net/listen.h"

namespace verdant::crawler {
namespace {

constexpr std::size_t kShownDifferences = 10;
// The site is ours, and so is the machine: no reason to hold back.
constexpr int kDemoConcurrency = 64;

void Answer(const DemoWeb& web, const std::string& origin, net::HttpRequest& request,
            net::HttpResponse& response) {
  const bool gzip =
      absl::StrContains(request.headers().Get("accept-encoding").value_or(""), "gzip");
  const DemoResponse page = web.Respond(request.target(), origin, gzip);
  if (page.delay_ms > 0) Sleep(absl::Milliseconds(page.delay_ms));
  response.SetStatus(page.status);
  for (const auto& [name, value] : page.headers) response.headers().Add(name, value);
  // A client that has gone away is its own affair.
  static_cast<void>(response.Write(page.body));
}

void PrintDifference(std::string_view title, const std::vector<std::string>& urls) {
  if (urls.empty()) return;
  absl::PrintF("%s %d:\n", title, urls.size());
  for (std::size_t i = 0; i < urls.size() && i < kShownDifferences; ++i)
    absl::PrintF("  %s\n", urls[i]);
  if (urls.size() > kShownDifferences)
    absl::PrintF("  and %d more\n", urls.size() - kShownDifferences);
}

}  // namespace

int RunDemo(const DemoCommand& command) {
  absl::StatusOr<green::Socket> listener = net::Listen("127.0.0.1:0");
  if (!listener.ok()) {
    absl::FPrintF(stderr, "crawler demo: %s\n", listener.status().message());
    return kExitFailure;
  }
  const DemoWeb web(command.pages, command.seed);
  const absl::StatusOr<green::Address> address = listener->local();
  if (!address.ok()) {
    absl::FPrintF(stderr, "crawler demo: %s\n", address.status().message());
    return kExitFailure;
  }
  const std::string origin = absl::StrCat("http://127.0.0.1:", address->port());
  net::HttpServer server([&web, &origin](net::HttpRequest& request, net::HttpResponse& response) {
    Answer(web, origin, request, response);
  });
  auto serving = Spawn([&] { return server.Serve(*listener); });
  absl::PrintF("serving a made-up site of %d pages (seed %d) at %s/\n", command.pages, command.seed,
               origin);

  std::set<std::string> visited;
  CrawlOptions options;
  options.concurrency = kDemoConcurrency;
  options.max_per_host = kDemoConcurrency;
  options.user_agent = std::string(kDefaultUserAgent);
  options.allow_private = true;
  Crawl crawl({*Url::Parse(absl::StrCat(origin, kDemoStart))}, options,
              [&visited](const PageRecord& record) {
                visited.emplace(record.url.path_and_query());
                return absl::OkStatus();
              });
  Interrupt interrupt([&crawl] { crawl.Stop(); });
  CrawlSummary summary;
  {
    Progress progress([&crawl] { return ProgressText(crawl); });
    summary = crawl.Run();
  }
  server.Stop();
  static_cast<void>(serving.Wait());

  const std::vector<std::string> expected = web.Expected();
  std::vector<std::string> missing;
  std::vector<std::string> unexpected;
  std::set_difference(expected.begin(), expected.end(), visited.begin(), visited.end(),
                      std::back_inserter(missing));
  std::set_difference(visited.begin(), visited.end(), expected.begin(), expected.end(),
                      std::back_inserter(unexpected));
  const std::string text = FormatSummary(summary);
  absl::PrintF("%s", text);
  absl::PrintF("expected        %d URLs, by walking the site's graph\n", expected.size());
  absl::PrintF("visited         %d URLs, by crawling it\n", visited.size());
  PrintDifference("missing", missing);
  PrintDifference("not expected", unexpected);
  if (interrupt.happened()) return kExitInterrupted;
  const bool same = missing.empty() && unexpected.empty();
  absl::PrintF("%s\n", same ? "both sets are equal" : "the sets differ");
  return same ? kExitOk : kExitFailure;
}

}  // namespace verdant::crawler
