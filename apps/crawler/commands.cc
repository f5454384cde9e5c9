#include "apps/crawler/commands.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "apps/crawler/options.h"
#include "apps/crawler/robots.h"

namespace verdant::crawler {
namespace {

constexpr std::string_view kProgram = "crawler";
constexpr std::string_view kSummary =
    "Fetches lists of URLs and crawls sites, thousands of connections at a time on one thread.";

constexpr int64_t kMaxConcurrency = 100'000;
constexpr int64_t kMaxDemoPages = 1'000'000;
constexpr std::string_view kScopes[] = {"host", "domain", "prefix", "any"};

constexpr OptionSpec kConcurrency = {
    .name = "concurrency",
    .type = OptionType::kInteger,
    .value_name = "N",
    .default_text = "64",
    .help = "How many fetches run at once.",
    .min = 1,
    .max = kMaxConcurrency,
};

constexpr OptionSpec kFetchOptions[] = {
    {
        .name = "input",
        .type = OptionType::kText,
        .value_name = "FILE|-",
        .help = "Read URLs from FILE, or from standard input for -, one a line, after those given "
                "as arguments. Blank lines and lines that begin with # are skipped. The list is "
                "read as it is needed, so it may be of any length.",
    },
    kConcurrency,
    {
        .name = "output",
        .type = OptionType::kText,
        .value_name = "FILE|-",
        .default_text = "-",
        .help = "Where the JSON lines go; - is standard output.",
    },
    {
        .name = "body-dir",
        .type = OptionType::kText,
        .value_name = "DIR",
        .help = "Keep each body as a file of its own in DIR, which is made if need be, named by "
                "the number of its output line in eight digits (00000001). Without this, bodies "
                "are counted and dropped.",
    },
};

constexpr OptionSpec kCrawlOptions[] = {
    {
        .name = "scope",
        .type = OptionType::kChoice,
        .default_text = "host",
        .help = "How far links are followed. host: the seeds' hosts and ports. domain: the seeds' "
                "hosts without a leading www., and all hosts below them. prefix: the directories "
                "of the seeds' paths and all below. any: everywhere.",
        .choices = kScopes,
    },
    {
        .name = "max-pages",
        .type = OptionType::kInteger,
        .value_name = "N",
        .default_text = "no limit",
        .help = "Stop after N pages.",
        .min = 1,
    },
    {
        .name = "max-depth",
        .type = OptionType::kInteger,
        .value_name = "N",
        .default_text = "no limit",
        .help = "Follow at most N links from a seed; 0 fetches the seeds alone. Redirects do not "
                "count.",
        .max = std::numeric_limits<int32_t>::max() - 1,
    },
    kConcurrency,
    {
        .name = "delay",
        .type = OptionType::kDuration,
        .value_name = "TIME",
        .default_text = "0",
        .help = "The least time between the starts of two fetches from one host: seconds (1.5) or "
                "with a unit (500ms). A longer Crawl-delay in robots.txt is obeyed.",
    },
    {
        .name = "output",
        .type = OptionType::kText,
        .value_name = "DIR",
        .default_text = "crawl",
        .help = "Where pages.jsonl goes; made if need be.",
    },
    {
        .name = "user-agent",
        .type = OptionType::kText,
        .value_name = "TEXT",
        .default_text = kDefaultUserAgent,
        .help = "The User-Agent header. Its leading letters, - and _ are the name that robots.txt "
                "files know the crawler by. Say how to reach you: \"MyBot/1.0 "
                "(+https://example.org/bot)\".",
    },
    {
        .name = "allow-private",
        .type = OptionType::kFlag,
        .help = "Also connect to addresses that are not public: loopback, private networks, "
                "link-local and the like. Without this, links and DNS answers cannot lead the "
                "crawler into the network it runs in.",
    },
};

constexpr OptionSpec kDemoOptions[] = {
    {
        .name = "pages",
        .type = OptionType::kInteger,
        .value_name = "N",
        .default_text = "1000",
        .help = "The size of the site. Some pages more or less than N are visited, since it has "
                "redirects, images and forbidden pages too.",
        .min = 1,
        .max = kMaxDemoPages,
    },
    {
        .name = "seed",
        .type = OptionType::kInteger,
        .value_name = "N",
        .default_text = "1",
        .help = "Which of the possible sites; the same seed gives the same site.",
    },
};

constexpr CommandSpec kCommands[] = {
    {
        .name = "fetch",
        .summary = "Fetch a list of URLs",
        .arguments = "URL...",
        .details = "Fetches the URLs and writes one JSON line for each, in their order: url, "
                   "final_url, status, bytes, content_type, elapsed_ms, error. A URL that cannot "
                   "be fetched has its cause in error, and the others go on.\n\n"
                   "Progress goes to standard error when that is a terminal, never to the output.",
        .exit_codes = "0 when all were fetched, 1 when some failed, 2 for bad usage, 130 after "
                      "Ctrl-C.",
        .options = kFetchOptions,
    },
    {
        .name = "crawl",
        .summary = "Crawl from seed URLs",
        .arguments = "SEED...",
        .details = "Follows links from the seeds, each URL once, and writes one JSON line for each "
                   "page to pages.jsonl in the output directory, then a summary. Obeys robots.txt "
                   "(RFC 9309), robots meta elements and X-Robots-Tag headers.\n\n"
                   "Ctrl-C finishes what is in flight and writes what there is.",
        .exit_codes =
            "0 when the crawl came to its end, 1 when nothing answered or the output could "
            "not be written, 2 for bad usage, 130 after Ctrl-C.",
        .options = kCrawlOptions,
    },
    {
        .name = "demo",
        .summary = "Crawl a made-up site served by this process",
        .details = "Serves a computed web on a loopback port (links of all kinds, redirects, "
                   "missing pages, robots rules, compressed and slow pages, traps), crawls it in "
                   "the same process and compares the pages visited with those that should be.",
        .exit_codes = "0 when both sets are equal, 1 when they differ, 2 for bad usage, 130 after "
                      "Ctrl-C.",
        .options = kDemoOptions,
    },
    {
        .name = "help",
        .summary = "Tell about a command",
        .arguments = "[COMMAND]",
        .details = "Tells all about COMMAND, or which commands there are.",
        .exit_codes = "0, or 2 when there is no such command.",
    },
};

const CommandSpec* FindCommand(std::string_view name) {
  const auto found =
      std::find_if(std::begin(kCommands), std::end(kCommands),
                   [name](const CommandSpec& command) { return command.name == name; });
  return found == std::end(kCommands) ? nullptr : found;
}

absl::Status Usage(std::string_view topic, std::string_view message) {
  return absl::InvalidArgumentError(
      absl::StrCat(message, "; see \"", kProgram, " help", topic.empty() ? "" : " ", topic, "\""));
}

std::string NoCommand(std::string_view name) {
  std::vector<std::string_view> names;
  for (const CommandSpec& command : kCommands) names.push_back(command.name);
  std::string message = absl::StrCat("no command ", PrintableUrl(name));
  if (const auto close = ClosestWord(name, names)) {
    absl::StrAppend(&message, " (did you mean ", *close, "?)");
  }
  return message;
}

absl::StatusOr<Command> MakeFetch(const ParsedOptions& options) {
  FetchCommand fetch;
  fetch.input = options.Text("input");
  fetch.concurrency = static_cast<int>(options.Integer("concurrency").value_or(fetch.concurrency));
  fetch.output = options.Text("output").value_or(fetch.output);
  fetch.body_dir = options.Text("body-dir");
  fetch.urls = options.arguments();
  if (fetch.urls.empty() && !fetch.input) return absl::InvalidArgumentError("fetch: no URL given");
  return fetch;
}

absl::StatusOr<Command> MakeCrawl(const ParsedOptions& options) {
  CrawlCommand crawl;
  if (const auto name = options.Choice("scope")) crawl.scope = *ParseScopeKind(*name);
  crawl.max_pages = options.Integer("max-pages");
  crawl.max_depth = static_cast<int>(options.Integer("max-depth").value_or(crawl.max_depth));
  crawl.concurrency = static_cast<int>(options.Integer("concurrency").value_or(crawl.concurrency));
  crawl.delay = options.Duration("delay").value_or(crawl.delay);
  crawl.output = options.Text("output").value_or(crawl.output);
  crawl.user_agent = options.Text("user-agent").value_or(crawl.user_agent);
  crawl.allow_private = options.Flag("allow-private");
  if (ProductToken(crawl.user_agent).empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--user-agent: ", PrintableUrl(crawl.user_agent),
                     " does not begin with a name of letters, - and _ for robots.txt"));
  }
  for (const char c : crawl.user_agent) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--user-agent: ", PrintableUrl(crawl.user_agent), " holds what a header cannot"));
    }
  }
  for (const std::string& argument : options.arguments()) {
    absl::StatusOr<Url> seed = Url::Parse(argument);
    if (!seed.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("seed ", seed.status().message()));
    }
    crawl.seeds.push_back(*std::move(seed));
  }
  if (crawl.seeds.empty()) return absl::InvalidArgumentError("crawl: no seed URL given");
  return crawl;
}

absl::StatusOr<Command> MakeDemo(const ParsedOptions& options) {
  DemoCommand demo;
  demo.pages = static_cast<int>(options.Integer("pages").value_or(demo.pages));
  demo.seed = static_cast<uint64_t>(options.Integer("seed").value_or(1));
  if (!options.arguments().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "demo: takes no argument, but ", PrintableUrl(options.arguments()[0]), " was given"));
  }
  return demo;
}

absl::StatusOr<Command> MakeHelp(const ParsedOptions& options) {
  if (options.arguments().size() > 1) {
    return absl::InvalidArgumentError("help: tells about one command at a time");
  }
  absl::StatusOr<std::string> text =
      HelpText(options.arguments().empty() ? "" : options.arguments()[0]);
  if (!text.ok()) return text.status();
  return HelpCommand{*std::move(text)};
}

absl::StatusOr<Command> Make(const ParsedOptions& options, std::string_view name) {
  if (name == "fetch") return MakeFetch(options);
  if (name == "crawl") return MakeCrawl(options);
  if (name == "demo") return MakeDemo(options);
  return MakeHelp(options);
}

}  // namespace

absl::StatusOr<std::string> HelpText(std::string_view topic) {
  if (topic.empty()) return ProgramHelp(kProgram, kSummary, kCommands);
  const CommandSpec* command = FindCommand(topic);
  if (command == nullptr) return absl::NotFoundError(NoCommand(topic));
  return CommandHelp(kProgram, *command);
}

absl::StatusOr<Command> ParseCommandLine(absl::Span<const char* const> args) {
  if (args.empty()) return Usage("", "no command given");
  const std::string_view name = args[0];
  if (name == "--version") {
    if (args.size() > 1) return Usage("", "--version stands alone");
    return VersionCommand();
  }
  if (name == "--help" || name == "-h") return HelpCommand{*HelpText("")};
  const CommandSpec* command = FindCommand(name);
  if (command == nullptr) return Usage("", NoCommand(name));
  const absl::StatusOr<ParsedOptions> options = ParseOptions(*command, args.subspan(1));
  if (!options.ok()) return Usage(name, options.status().message());
  if (options->help()) return HelpCommand{CommandHelp(kProgram, *command)};
  absl::StatusOr<Command> made = Make(*options, name);
  if (!made.ok()) return Usage(name, made.status().message());
  return made;
}

}  // namespace verdant::crawler
