#ifndef VERDANT_TESTS_E2E_CRAWLER_TESTING_H_
#define VERDANT_TESTS_E2E_CRAWLER_TESTING_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "tests/testing/program.h"

namespace verdant::crawler {

// Where the crawler's program is.
std::string CrawlerProgram();

// Runs it with these arguments to its end; a failure to do so is a failure of the test.
testing::ProgramResult RunCrawler(std::vector<std::string> arguments,
                                  const testing::ProgramOptions& options = {});

// The shell's command line for it, each argument quoted, to put redirections after.
std::string CrawlerCommand(const std::vector<std::string>& arguments);

std::vector<std::string> Lines(std::string_view text);

// The text of one field of a line of JSON as the crawler writes it: without its quotes, but with
// its escapes; "null" for null, "(none)" if there is no such field.
std::string Field(std::string_view line, std::string_view name);
std::vector<std::string> Fields(const std::vector<std::string>& lines, std::string_view name);

}  // namespace verdant::crawler

#endif  // VERDANT_TESTS_E2E_CRAWLER_TESTING_H_
