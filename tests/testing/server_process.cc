#include "tests/testing/server_process.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "hub/green_thread.h"

namespace verdant::testing {
namespace {

constexpr int kPortsToTry = 10;
constexpr absl::Duration kPatience = absl::Seconds(60);
constexpr absl::Duration kBetweenLooks = absl::Milliseconds(5);
constexpr std::size_t kOpenFiles = 65536;

// Binds a socket to a loopback port, 0 for any; the port it has got, or 0.
std::uint16_t Bind(int socket, std::uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(socket, generic, size) != 0 || getsockname(socket, generic, &size) != 0) return 0;
  return ntohs(address.sin_port);
}

std::uint16_t FreePort() {
  const int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const absl::Cleanup close_both = [=] {
    close(tcp);
    close(udp);
  };
  const std::uint16_t port = Bind(tcp, 0);
  return port != 0 && Bind(udp, port) == port ? port : 0;
}

bool Accepts(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const absl::Cleanup close_fd = [fd] { close(fd); };
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

// Each connection takes a file too, and so does each of nginx' own.
std::size_t Connections() {
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  const std::size_t files = std::min<std::size_t>(kOpenFiles, limit.rlim_max);
  return std::max<std::size_t>(64, files / 2);
}

std::string ConfigFile(const std::string& root_dir, std::uint16_t port, const NginxConfig& config) {
  // As root it would give its folders to another user, who need not exist in a sandbox.
  return absl::StrCat(geteuid() == 0 ? "user root;\n" : "", R"(daemon off;
master_process off;
pid nginx.pid;
error_log error.log notice;
events {
  worker_connections )",
                      Connections(), R"(;
}
http {
  log_format verdant '$request_method $request_uri $status $body_bytes_sent #$connection';
  access_log access.log verdant;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  types {
    text/html html htm;
    text/css css;
    text/plain txt;
    text/xml xml;
    text/javascript js;
    application/json json;
    application/pdf pdf;
    image/gif gif;
    image/jpeg jpg jpeg;
    image/png png;
    image/svg+xml svg;
  }
  default_type application/octet-stream;
)",
                      config.http, R"(
  server {
    listen 127.0.0.1:)",
                      port, R"( backlog=1024;
    root ")",
                      root_dir, R"(";
)",
                      config.server, "\n  }\n}\n");
}

}  // namespace

absl::StatusOr<std::uint16_t> StartOnFreePort(
    absl::FunctionRef<absl::Status(std::uint16_t port)> start) {
  absl::Status status = absl::UnavailableError("no port is free");
  for (int i = 0; i < kPortsToTry && absl::IsUnavailable(status); ++i) {
    const std::uint16_t port = FreePort();
    if (port == 0) continue;
    status = start(port);
    if (status.ok()) return port;
  }
  return status;
}

absl::StatusOr<std::unique_ptr<NginxServer>> NginxServer::Start(const std::string& root_dir,
                                                                const NginxConfig& config) {
  std::unique_ptr<NginxServer> server(new NginxServer);
  absl::StatusOr<std::uint16_t> port = StartOnFreePort(
      [&](std::uint16_t candidate) { return server->StartOn(candidate, root_dir, config); });
  if (!port.ok()) return port.status();
  server->port_ = *port;
  return server;
}

absl::Status NginxServer::StartOn(std::uint16_t port, const std::string& root_dir,
                                  const NginxConfig& config) {
  const std::string file = directory_.Write("nginx.conf", ConfigFile(root_dir, port, config));
  unlink(directory_.File("nginx.pid").c_str());
  // /usr/sbin is not on everybody's PATH.
  const char* binary = access("/usr/sbin/nginx", X_OK) == 0 ? "/usr/sbin/nginx" : "nginx";
  absl::StatusOr<std::unique_ptr<Program>> program = Program::Start(
      {binary, "-p", directory_.path(), "-c", file, "-e", "error.log"}, {.open_files = kOpenFiles});
  if (!program.ok()) return program.status();
  program_ = *std::move(program);
  const Deadline deadline(kPatience);
  // It writes its process id once it listens, so another server on that port deceives nobody.
  while (ReadFile(directory_.File("nginx.pid")).empty() || !Accepts(port)) {
    const std::string log = error_log();
    if (absl::StrContains(log, "Address already in use")) {
      program_ = nullptr;
      return absl::UnavailableError(log);
    }
    if (!program_->Running()) {
      return absl::FailedPreconditionError(absl::StrCat("nginx has ended: ", program_->err(), log));
    }
    if (deadline.Passed()) return absl::DeadlineExceededError(absl::StrCat("nginx hangs: ", log));
    Sleep(kBetweenLooks);
  }
  return absl::OkStatus();
}

NginxServer::~NginxServer() = default;

std::string NginxServer::Url(std::string_view path) const {
  return absl::StrCat("http://127.0.0.1:", port_, path);
}

std::string NginxServer::access_log() const { return ReadFile(directory_.File("access.log")); }
std::string NginxServer::error_log() const { return ReadFile(directory_.File("error.log")); }

}  // namespace verdant::testing
