#ifndef VERDANT_TESTS_TESTING_SERVER_PROCESS_H_
#define VERDANT_TESTS_TESTING_SERVER_PROCESS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "tests/testing/program.h"
#include "tests/testing/temporary_directory.h"

namespace verdant::testing {

// Starts a server that must be told its port: `start` gets a port of the loopback address that is
// free for TCP and UDP, and is called again with another if somebody else was quicker to take it
// (then it returns Unavailable).
absl::StatusOr<std::uint16_t> StartOnFreePort(
    absl::FunctionRef<absl::Status(std::uint16_t port)> start);

struct NginxConfig {
  std::string server = {};  // directives for the server block, such as locations
  std::string http = {};    // directives for the http block around it
};

// An nginx of its own on a loopback port, serving a folder. Runs as whoever runs the test, root or
// not, in one process, with all it writes in a temporary folder.
class NginxServer {
 public:
  // Returns once it accepts connections. Fails with nginx' own words if it does not start.
  static absl::StatusOr<std::unique_ptr<NginxServer>> Start(const std::string& root_dir,
                                                            const NginxConfig& config = {});
  ~NginxServer();

  std::uint16_t port() const { return port_; }
  pid_t pid() const { return program_->pid(); }
  // "http://127.0.0.1:PORT" and `path`, which begins with a slash.
  std::string Url(std::string_view path) const;
  // What it has logged: for each request a line with method, URI, status, bytes of the body, and
  // number of the connection ("GET /index.html 200 12 #3"), written before the connection goes on.
  std::string access_log() const;
  std::string error_log() const;

 private:
  NginxServer() = default;
  absl::Status StartOn(std::uint16_t port, const std::string& root_dir, const NginxConfig& config);

  TemporaryDirectory directory_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Program> program_;
};

}  // namespace verdant::testing

#endif  // VERDANT_TESTS_TESTING_SERVER_PROCESS_H_
