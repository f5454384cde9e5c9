#include "apps/crawler/fetch.h"

#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "apps/crawler/body_file.h"
#include "apps/crawler/fetch_input.h"
#include "apps/crawler/interrupt.h"
#include "apps/crawler/json_line.h"
#include "apps/crawler/line_writer.h"
#include "apps/crawler/progress.h"
#include "apps/crawler/url.h"
#include "green/http.h"
#include "pool/green_pool.h"

namespace verdant::crawler {
namespace {

struct FetchResult {
  std::string url;
  green::http::Response response;
  absl::Status status;
};

green::http::ClientOptions ClientOptionsFor(const FetchCommand& command) {
  green::http::ClientOptions options;
  options.user_agent = std::string(kDefaultUserAgent);
  options.max_connections = command.concurrency;
  options.max_idle_connections = command.concurrency;
  return options;
}

class Fetcher {
 public:
  explicit Fetcher(const FetchCommand& command)
      : command_(command), client_(ClientOptionsFor(command)) {}

  FetchResult Fetch(const FetchJob& job) {
    FetchResult result;
    result.url = job.url;
    if (!job.status.ok()) {
      result.status = job.status;
      return result;
    }
    const absl::StatusOr<Url> url = Url::Parse(job.url);
    if (!url.ok()) {
      result.status = url.status();
      return result;
    }
    green::http::Request request;
    request.url = url->href();
    std::optional<BodyFile> file;
    if (command_.body_dir.has_value()) file.emplace(*command_.body_dir, job.number);
    request.on_body = [&file](std::string_view piece) {
      return file.has_value() ? file->Append(piece) : absl::OkStatus();
    };
    result.status = client_.Fetch(request, result.response);
    if (result.status.ok() && file.has_value()) result.status = file->Commit();
    return result;
  }

 private:
  const FetchCommand& command_;
  green::http::Client client_;
};

std::string ToLine(const FetchResult& result) {
  const green::http::Response& response = result.response;
  std::string text;
  JsonLine line(&text);
  line.String("url", result.url);
  if (response.url.empty()) {
    line.Null("final_url");
  } else {
    line.String("final_url", response.url);
  }
  if (response.status == 0) {
    line.Null("status");
  } else {
    line.Int("status", response.status);
  }
  line.Int("bytes", response.body_bytes);
  const std::string_view type = response.Get("content-type");
  if (type.empty()) {
    line.Null("content_type");
  } else {
    line.String("content_type", type);
  }
  line.Fixed("elapsed_ms", absl::ToDoubleMilliseconds(response.elapsed), 1);
  if (result.status.ok()) {
    line.Null("error");
  } else {
    line.String("error", result.status.message());
  }
  line.End();
  return text;
}

int Complain(const absl::Status& status) {
  absl::FPrintF(stderr, "crawler fetch: %s\n", status.message());
  return kExitFailure;
}

}  // namespace

int RunFetch(const FetchCommand& command) {
  absl::StatusOr<FetchInput> input = FetchInput::Open(command.urls, command.input);
  if (!input.ok()) return Complain(input.status());
  if (command.body_dir.has_value()) {
    if (absl::Status status = BodyFile::MakeDirectory(*command.body_dir); !status.ok())
      return Complain(status);
  }
  absl::StatusOr<LineWriter> output =
      LineWriter::Open(command.output, LineWriter::Existing::kReplace);
  if (!output.ok()) return Complain(output.status());

  Fetcher fetcher(command);
  Interrupt interrupt([&input] { input->Stop(); });
  std::int64_t done = 0;
  std::int64_t failed = 0;
  absl::Status writing;
  {
    const std::int64_t began = Clock::Monotonic().NowNanos();
    Progress progress([&] {
      const double seconds = static_cast<double>(Clock::Monotonic().NowNanos() - began) / 1e9;
      return absl::StrFormat("%d fetched, %d failed, %.0f/s", done - failed, failed,
                             static_cast<double>(done) / std::max(seconds, 1e-3));
    });
    GreenPool pool(static_cast<std::size_t>(command.concurrency));
    for (const FetchResult& result :
         pool.Imap([&fetcher](const FetchJob& job) { return fetcher.Fetch(job); }, *input)) {
      ++done;
      if (!result.status.ok()) ++failed;
      writing = output->Write(ToLine(result));
      if (!writing.ok()) break;
    }
  }
  if (writing.ok()) writing = output->Close();
  if (!writing.ok()) return Complain(writing);
  if (interrupt.happened()) return kExitInterrupted;
  return failed == 0 ? kExitOk : kExitFailure;
}

}  // namespace verdant::crawler
