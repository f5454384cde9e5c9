#include "apps/crawler/options.h"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "apps/crawler/url.h"

namespace verdant::crawler {
namespace {

constexpr size_t kColumns = 80;
constexpr size_t kHelpIndent = 6;

const OptionSpec* FindOption(const CommandSpec& command, std::string_view name) {
  const auto found = std::find_if(command.options.begin(), command.options.end(),
                                  [name](const OptionSpec& option) { return option.name == name; });
  return found == command.options.end() ? nullptr : &*found;
}

std::optional<absl::Duration> ReadDuration(std::string_view text) {
  absl::Duration duration;
  double seconds = 0;
  if (absl::SimpleAtod(text, &seconds)) {
    duration = absl::Seconds(seconds);
  } else if (!absl::ParseDuration(text, &duration)) {
    return std::nullopt;
  }
  if (duration < absl::ZeroDuration() || duration == absl::InfiniteDuration()) return std::nullopt;
  return duration;
}

// What a value of this type must be, when `value` is not; else empty.
std::string WhyNot(const OptionSpec& option, std::string_view value) {
  switch (option.type) {
    case OptionType::kFlag:
      return value == "true" || value == "false" ? "" : "not true or false";
    case OptionType::kText:
      return value.empty() ? "empty" : "";
    case OptionType::kInteger: {
      int64_t number = 0;
      if (absl::SimpleAtoi(value, &number) && number >= option.min && number <= option.max) {
        return "";
      }
      if (option.max == INT64_MAX) {
        return absl::StrCat("not a whole number of at least ", option.min);
      }
      return absl::StrCat("not a whole number from ", option.min, " to ", option.max);
    }
    case OptionType::kDuration:
      return ReadDuration(value) ? "" : "not a time such as 1.5 (seconds), 500ms or 2m";
    case OptionType::kChoice:
      return std::find(option.choices.begin(), option.choices.end(), value) != option.choices.end()
                 ? ""
                 : absl::StrCat("not one of ", absl::StrJoin(option.choices, ", "));
  }
  return "of an unknown type";
}

absl::Status UnknownOption(const CommandSpec& command, std::string_view name) {
  std::vector<std::string_view> names = {"help"};
  for (const OptionSpec& option : command.options) names.push_back(option.name);
  std::string message = absl::StrCat("unknown option ", PrintableUrl(absl::StrCat("--", name)),
                                     " for ", command.name);
  if (const auto close = ClosestWord(name, names)) {
    absl::StrAppend(&message, " (did you mean --", *close, "?)");
  }
  return absl::InvalidArgumentError(message);
}

// Appends `text`, paragraphs parted by blank lines, wrapped and indented.
void AppendWrapped(std::string_view text, size_t indent, std::string* out) {
  const std::string margin(indent, ' ');
  bool first = true;
  for (const std::string_view paragraph : absl::StrSplit(text, "\n\n")) {
    if (!std::exchange(first, false)) out->push_back('\n');
    std::string line;
    for (const std::string_view word :
         absl::StrSplit(paragraph, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
      if (!line.empty() && indent + line.size() + 1 + word.size() > kColumns) {
        absl::StrAppend(out, margin, line, "\n");
        line.clear();
      }
      absl::StrAppend(&line, line.empty() ? "" : " ", word);
    }
    absl::StrAppend(out, margin, line, "\n");
  }
}

std::string OptionHeading(const OptionSpec& option) {
  std::string heading = absl::StrCat("  --", option.name);
  if (option.type == OptionType::kChoice) {
    absl::StrAppend(&heading, "=", absl::StrJoin(option.choices, "|"));
  } else if (option.type != OptionType::kFlag) {
    absl::StrAppend(&heading, "=", option.value_name);
  }
  if (!option.default_text.empty()) {
    absl::StrAppend(&heading, "  (default: ", option.default_text, ")");
  }
  return heading;
}

}  // namespace

std::optional<std::string_view> ClosestWord(std::string_view word,
                                            absl::Span<const std::string_view> candidates) {
  std::optional<std::string_view> best;
  // A third of the letters wrong is still recognisable; more is another word.
  size_t best_distance = std::max<size_t>(word.size() / 3, 1) + 1;
  for (const std::string_view candidate : candidates) {
    std::vector<std::vector<size_t>> distance(word.size() + 1,
                                              std::vector<size_t>(candidate.size() + 1));
    for (size_t i = 0; i <= word.size(); ++i) {
      for (size_t j = 0; j <= candidate.size(); ++j) {
        size_t& here = distance[i][j];
        if (i == 0 || j == 0) {
          here = i + j;
          continue;
        }
        here = std::min({distance[i - 1][j] + 1, distance[i][j - 1] + 1,
                         distance[i - 1][j - 1] + (word[i - 1] == candidate[j - 1] ? 0 : 1)});
        if (i > 1 && j > 1 && word[i - 1] == candidate[j - 2] && word[i - 2] == candidate[j - 1]) {
          here = std::min(here, distance[i - 2][j - 2] + 1);
        }
      }
    }
    if (distance[word.size()][candidate.size()] < best_distance) {
      best_distance = distance[word.size()][candidate.size()];
      best = candidate;
    }
  }
  return best;
}

const std::string* ParsedOptions::Find(std::string_view name, OptionType type) const {
  const OptionSpec* option = command_ == nullptr ? nullptr : FindOption(*command_, name);
  if (option == nullptr || option->type != type) {
    throw std::logic_error(absl::StrCat("ParsedOptions: no option --", name, " of this type"));
  }
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

bool ParsedOptions::Has(std::string_view name) const { return values_.contains(name); }

bool ParsedOptions::Flag(std::string_view name) const {
  const std::string* value = Find(name, OptionType::kFlag);
  return value != nullptr && *value == "true";
}

std::optional<std::string> ParsedOptions::Text(std::string_view name) const {
  const std::string* value = Find(name, OptionType::kText);
  return value == nullptr ? std::nullopt : std::optional<std::string>(*value);
}

std::optional<int64_t> ParsedOptions::Integer(std::string_view name) const {
  const std::string* value = Find(name, OptionType::kInteger);
  int64_t number = 0;
  if (value == nullptr || !absl::SimpleAtoi(*value, &number)) return std::nullopt;
  return number;
}

std::optional<absl::Duration> ParsedOptions::Duration(std::string_view name) const {
  const std::string* value = Find(name, OptionType::kDuration);
  return value == nullptr ? std::nullopt : ReadDuration(*value);
}

std::optional<std::string> ParsedOptions::Choice(std::string_view name) const {
  const std::string* value = Find(name, OptionType::kChoice);
  return value == nullptr ? std::nullopt : std::optional<std::string>(*value);
}

absl::StatusOr<ParsedOptions> ParseOptions(const CommandSpec& command,
                                           absl::Span<const char* const> args) {
  ParsedOptions parsed;
  parsed.command_ = &command;
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string_view arg = args[i];
    if (arg == "--") {
      parsed.arguments_.insert(parsed.arguments_.end(),
                               args.begin() + static_cast<ptrdiff_t>(i) + 1, args.end());
      break;
    }
    if (arg == "-" || !absl::StartsWith(arg, "-")) {
      parsed.arguments_.emplace_back(arg);
      continue;
    }
    if (arg == "--help" || arg == "-h") {
      parsed.help_ = true;
      return parsed;
    }
    std::string_view name = arg;
    if (!absl::ConsumePrefix(&name, "--")) {
      return absl::InvalidArgumentError(absl::StrCat("unknown option ", PrintableUrl(arg), " for ",
                                                     command.name,
                                                     " (options begin with two dashes)"));
    }
    const size_t equals = name.find('=');
    std::optional<std::string> value;
    if (equals != std::string_view::npos) {
      value.emplace(name.substr(equals + 1));
      name = name.substr(0, equals);
    }
    const OptionSpec* option = FindOption(command, name);
    if (option == nullptr) return UnknownOption(command, name);
    if (!value && option->type == OptionType::kFlag) value = "true";
    if (!value) {
      const bool has_next = i + 1 < args.size();
      if (!has_next || absl::StartsWith(args[i + 1], "--")) {
        return absl::InvalidArgumentError(
            absl::StrCat("--", option->name, ": needs a value",
                         has_next ? absl::StrCat(" (write --", option->name, "=", args[i + 1],
                                                 " if that is the value)")
                                  : ""));
      }
      value.emplace(args[++i]);
    }
    if (const std::string why_not = WhyNot(*option, *value); !why_not.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", option->name, ": ", PrintableUrl(*value), " is ", why_not));
    }
    if (!parsed.values_.emplace(option->name, *std::move(value)).second) {
      return absl::InvalidArgumentError(absl::StrCat("--", option->name, ": given twice"));
    }
  }
  return parsed;
}

std::string CommandHelp(std::string_view program, const CommandSpec& command) {
  std::string out = absl::StrCat("Usage: ", program, " ", command.name);
  if (!command.options.empty()) absl::StrAppend(&out, " [options]");
  if (!command.arguments.empty()) absl::StrAppend(&out, " ", command.arguments);
  out.append("\n\n");
  AppendWrapped(command.details, 0, &out);
  if (!command.options.empty()) {
    out.append("\nOptions:\n");
    for (const OptionSpec& option : command.options) {
      absl::StrAppend(&out, OptionHeading(option), "\n");
      AppendWrapped(option.help, kHelpIndent, &out);
    }
  }
  out.append("\n");
  AppendWrapped(absl::StrCat("Exit status: ", command.exit_codes), 0, &out);
  return out;
}

std::string ProgramHelp(std::string_view program, std::string_view summary,
                        absl::Span<const CommandSpec> commands) {
  std::string out = absl::StrCat("Usage: ", program, " COMMAND [options] [arguments]\n\n");
  AppendWrapped(summary, 0, &out);
  out.append("\nCommands:\n");
  size_t width = 0;
  for (const CommandSpec& command : commands) width = std::max(width, command.name.size());
  for (const CommandSpec& command : commands) {
    absl::StrAppend(&out, "  ", command.name, std::string(width - command.name.size() + 2, ' '),
                    command.summary, "\n");
  }
  absl::StrAppend(&out, "\n", program, " help COMMAND tells all about a command; ", program,
                  " --version names the\nversions of the program and its libraries.\n");
  return out;
}

}  // namespace verdant::crawler
