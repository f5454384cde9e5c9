#include "apps/crawler/crawl_command.h"

#include <errno.h>

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "apps/crawler/body_file.h"
#include "apps/crawler/interrupt.h"
#include "apps/crawler/json_line.h"
#include "apps/crawler/line_writer.h"
#include "apps/crawler/progress.h"

namespace verdant::crawler {
namespace {

int Complain(const absl::Status& status) {
  absl::FPrintF(stderr, "crawler crawl: %s\n", status.message());
  return kExitFailure;
}

CrawlOptions OptionsOf(const CrawlCommand& command) {
  CrawlOptions options;
  options.scope = command.scope;
  options.max_pages = command.max_pages;
  options.max_depth = command.max_depth;
  options.concurrency = command.concurrency;
  options.delay = command.delay;
  options.user_agent = command.user_agent;
  options.allow_private = command.allow_private;
  return options;
}

}  // namespace

std::string ToLine(const PageRecord& record) {
  std::string text;
  JsonLine line(&text);
  line.String("url", record.url.href());
  if (record.status == 0) {
    line.Null("status");
  } else {
    line.Int("status", record.status);
  }
  line.Int("depth", record.depth).Int("bytes", record.bytes);
  if (record.content_type.empty()) {
    line.Null("content_type");
  } else {
    line.String("content_type", record.content_type);
  }
  line.Fixed("elapsed_ms", absl::ToDoubleMilliseconds(record.elapsed), 1);
  if (record.redirect.empty()) {
    line.Null("redirect");
  } else {
    line.String("redirect", record.redirect);
  }
  line.Int("links", record.links).Bool("noindex", record.noindex);
  if (record.error.ok()) {
    line.Null("error");
  } else {
    line.String("error", record.error.message());
  }
  line.End();
  return text;
}

std::string ProgressText(const Crawl& crawl) {
  const CrawlSummary so_far = crawl.Progress();
  const Frontier::Counts frontier = crawl.frontier_counts();
  const double seconds = absl::ToDoubleSeconds(so_far.elapsed);
  return absl::StrFormat("%d pages, %d waiting, %d under way, %.0f/s", so_far.pages,
                         frontier.pending, frontier.out,
                         seconds > 0 ? static_cast<double>(so_far.pages) / seconds : 0.0);
}

int RunCrawl(const CrawlCommand& command) {
  if (absl::Status status = BodyFile::MakeDirectory(command.output); !status.ok())
    return Complain(status);
  // An earlier crawl's pages are worth more than the convenience of overwriting them.
  absl::StatusOr<LineWriter> output =
      LineWriter::Open(absl::StrCat(command.output, "/pages.jsonl"), LineWriter::Existing::kRefuse);
  if (!output.ok()) return Complain(output.status());

  absl::Status failure;  // the first
  Crawl crawl(command.seeds, OptionsOf(command), [&output, &failure](const PageRecord& record) {
    if (failure.ok()) failure = record.error;
    return output->Write(ToLine(record));
  });
  Interrupt interrupt([&crawl] { crawl.Stop(); });
  CrawlSummary summary;
  {
    Progress progress([&crawl] { return ProgressText(crawl); });
    summary = crawl.Run();
  }
  absl::Status writing = summary.output;
  if (absl::Status closing = output->Close(); writing.ok()) writing = closing;
  const std::string text = FormatSummary(summary);
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (!writing.ok()) return Complain(writing);
  if (std::fflush(stdout) != 0)
    return Complain(absl::ErrnoToStatus(errno, "cannot write standard output"));
  if (interrupt.happened()) return kExitInterrupted;
  if (summary.pages == summary.status_class[0]) {
    return Complain(failure.ok() ? absl::UnavailableError("robots.txt allows no page") : failure);
  }
  return kExitOk;
}

}  // namespace verdant::crawler
