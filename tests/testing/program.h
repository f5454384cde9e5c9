#ifndef VERDANT_TESTS_TESTING_PROGRAM_H_
#define VERDANT_TESTS_TESTING_PROGRAM_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hub/clock.h"

namespace verdant::testing {

struct ProgramOptions {
  std::string standard_input = {};                                    // then end of file
  std::vector<std::pair<std::string, std::string>> environment = {};  // over the test's own
  std::string working_directory = {};                                 // empty: the test's own
  // Raises the program's limit of open files to this, as far as that is allowed.
  std::size_t open_files = 0;
};

struct ProgramResult {
  int exit_code = 0;  // 128 plus the signal's number if a signal ended it, as the shell has it
  std::string out = {};
  std::string err = {};
};

// A program that runs beside the test, in a process group of its own, and is killed with this
// object or when the test dies. Green threads read its output as it comes; waiting for it parks the
// calling green thread only, so that servers of the test go on. One green thread waits at a time.
class Program {
 public:
  // argv[0] is looked for on the PATH. Fails if it cannot be started.
  static absl::StatusOr<std::unique_ptr<Program>> Start(std::vector<std::string> argv,
                                                        const ProgramOptions& options = {});
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  pid_t pid() const;
  // Sends a signal to the program alone; no effect once it has ended.
  void Signal(int number);
  bool Running() const;

  // Waits until `text` has been written to standard output or standard error. Fails, with all that
  // was written, if the program ends first or `deadline` comes.
  absl::Status WaitForOutput(std::string_view text, Deadline deadline = absl::Seconds(60));
  // Waits for its end and the end of its output. DeadlineExceeded, with what it has written so far,
  // leaves it running.
  absl::StatusOr<ProgramResult> Wait(Deadline deadline = absl::Seconds(60));

  // What it has written so far.
  const std::string& out() const;
  const std::string& err() const;

 private:
  struct State;
  explicit Program(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

// Runs a program to its end; kills it after `timeout` and fails with what it has written.
absl::StatusOr<ProgramResult> RunProgram(std::vector<std::string> argv,
                                         const ProgramOptions& options = {},
                                         absl::Duration timeout = absl::Seconds(60));

}  // namespace verdant::testing

#endif  // VERDANT_TESTS_TESTING_PROGRAM_H_
