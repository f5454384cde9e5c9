#ifndef VERDANT_APPS_CRAWLER_COMMANDS_H_
#define VERDANT_APPS_CRAWLER_COMMANDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "apps/crawler/scope.h"
#include "apps/crawler/url.h"

namespace verdant::crawler {

// The exit statuses of the program.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitInterrupted = 130;

inline constexpr std::string_view kDefaultUserAgent = "VerdantBot/0.1";

// crawler fetch
struct FetchCommand {
  std::optional<std::string> input;  // a list of URLs; "-" is standard input
  int concurrency = 64;
  std::string output = "-";  // "-" is standard output
  std::optional<std::string> body_dir;
  std::vector<std::string> urls;  // as given: a bad one is a failed fetch, not bad usage
};

// crawler crawl
struct CrawlCommand {
  ScopeKind scope = ScopeKind::kHost;
  std::optional<int64_t> max_pages;
  int max_depth = Scope::kUnlimitedDepth;
  int concurrency = 64;
  absl::Duration delay = absl::ZeroDuration();
  std::string output = "crawl";
  std::string user_agent{kDefaultUserAgent};
  bool allow_private = false;
  std::vector<Url> seeds;  // at least one
};

// crawler demo
struct DemoCommand {
  int pages = 1000;
  uint64_t seed = 1;
};

// crawler help: print `text` to standard output.
struct HelpCommand {
  std::string text;
};

// crawler --version
struct VersionCommand {};

using Command = std::variant<FetchCommand, CrawlCommand, DemoCommand, HelpCommand, VersionCommand>;

// Reads the program's arguments, without its name. InvalidArgument with one line that says what is
// wrong and which help to read; the program then prints it and exits with kExitUsage.
absl::StatusOr<Command> ParseCommandLine(absl::Span<const char* const> args);

// What "crawler help [topic]" prints: the overview for an empty topic. NotFound, naming the
// closest, when there is no such command.
absl::StatusOr<std::string> HelpText(std::string_view topic);

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_COMMANDS_H_
