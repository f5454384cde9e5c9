#ifndef VERDANT_APPS_CRAWLER_OPTIONS_H_
#define VERDANT_APPS_CRAWLER_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace verdant::crawler {

enum class OptionType {
  kFlag,      // --name, --name=true or --name=false
  kText,      // anything but the empty string
  kInteger,   // a whole number from `min` to `max`
  kDuration,  // seconds ("1.5") or with a unit ("500ms", "2m"); not negative, not infinite
  kChoice,    // one of `choices`
};

// One option of a command, as a row of a table of constants.
struct OptionSpec {
  std::string_view name;  // without dashes
  OptionType type = OptionType::kFlag;
  std::string_view value_name = {};    // in help: "FILE"; choices and flags need none
  std::string_view default_text = {};  // in help only; empty: not shown
  std::string_view help = {};
  int64_t min = 0;
  int64_t max = INT64_MAX;
  absl::Span<const std::string_view> choices = {};
};

struct CommandSpec {
  std::string_view name = {};
  std::string_view summary = {};    // one line, for the overview
  std::string_view arguments = {};  // in the usage line: "URL..."
  std::string_view details;         // paragraphs parted by a blank line
  std::string_view exit_codes;      // "0 all fetched, 1 ..."
  absl::Span<const OptionSpec> options = {};
};

// The options and arguments given to one command. The getters take names from the command's table
// and throw std::logic_error for a name or type that is not in it.
class ParsedOptions {
 public:
  bool Has(std::string_view name) const;
  bool Flag(std::string_view name) const;  // false when not given
  std::optional<std::string> Text(std::string_view name) const;
  std::optional<int64_t> Integer(std::string_view name) const;
  std::optional<absl::Duration> Duration(std::string_view name) const;
  std::optional<std::string> Choice(std::string_view name) const;

  // What was not an option, in order.
  const std::vector<std::string>& arguments() const { return arguments_; }
  // --help or -h was among the options; nothing else was checked then.
  bool help() const { return help_; }

 private:
  friend absl::StatusOr<ParsedOptions> ParseOptions(const CommandSpec& command,
                                                    absl::Span<const char* const> args);
  const std::string* Find(std::string_view name, OptionType type) const;

  const CommandSpec* command_ = nullptr;
  absl::flat_hash_map<std::string_view, std::string> values_;  // valid for their types
  std::vector<std::string> arguments_;
  bool help_ = false;
};

// Reads what follows the command's name: "--x=v", "--x v", flags, arguments anywhere, "--" after
// which all are arguments; "-" is an argument. InvalidArgument, naming the option, when it is
// unknown (and which one is close to it), given twice, without its value, or with one that its type
// does not take; a value that begins with "--" has to be written after "=". `command` must outlive
// the result.
absl::StatusOr<ParsedOptions> ParseOptions(const CommandSpec& command,
                                           absl::Span<const char* const> args);

// All there is to know about one command, in lines of at most 80 columns.
std::string CommandHelp(std::string_view program, const CommandSpec& command);

// What the program is and which commands it has.
std::string ProgramHelp(std::string_view program, std::string_view summary,
                        absl::Span<const CommandSpec> commands);

// The candidate that `word` most likely meant: nearest by inserted, dropped, changed and swapped
// characters. nullopt when none is near.
std::optional<std::string_view> ClosestWord(std::string_view word,
                                            absl::Span<const std::string_view> candidates);

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_OPTIONS_H_
