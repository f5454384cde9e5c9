// The crawler's program: reads the command line and runs one command.
#include <cstdio>
#include <exception>
#include <string>
#include <type_traits>
#include <variant>

#include "absl/types/span.h"
#include "apps/crawler/commands.h"
#include "apps/crawler/crawl_command.h"
#include "apps/crawler/demo.h"
#include "apps/crawler/fetch.h"
#include "apps/crawler/version.h"

namespace verdant::crawler {
namespace {

int Print(const std::string& text) {
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!written) std::fputs("crawler: cannot write standard output\n", stderr);
  return written ? kExitOk : kExitFailure;
}

int Run(const Command& command) {
  return std::visit(
      [](const auto& chosen) {
        using Chosen = std::decay_t<decltype(chosen)>;
        if constexpr (std::is_same_v<Chosen, FetchCommand>) {
          return RunFetch(chosen);
        } else if constexpr (std::is_same_v<Chosen, CrawlCommand>) {
          return RunCrawl(chosen);
        } else if constexpr (std::is_same_v<Chosen, DemoCommand>) {
          return RunDemo(chosen);
        } else if constexpr (std::is_same_v<Chosen, HelpCommand>) {
          return Print(chosen.text);
        } else {
          static_assert(std::is_same_v<Chosen, VersionCommand>);
          return Print(VersionText());
        }
      },
      command);
}

}  // namespace
}  // namespace verdant::crawler

int main(int argc, char** argv) {
  const absl::StatusOr<verdant::crawler::Command> command = verdant::crawler::ParseCommandLine(
      absl::MakeConstSpan(argv, static_cast<std::size_t>(argc)).subspan(argc > 0 ? 1 : 0));
  if (!command.ok()) {
    std::fprintf(stderr, "crawler: %s\n", std::string(command.status().message()).c_str());
    return verdant::crawler::kExitUsage;
  }
  try {
    return verdant::crawler::Run(*command);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "crawler: %s\n", e.what());
    return verdant::crawler::kExitFailure;
  }
}
