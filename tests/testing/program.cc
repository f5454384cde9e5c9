#include "tests/testing/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/io.h"

namespace verdant::testing {
namespace {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { Close(); }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

struct Pipe {
  Fd read, write;
};

absl::StatusOr<Pipe> MakePipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "pipe2");
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

void SetNonBlocking(const Fd& fd) { fcntl(fd.get(), F_SETFL, O_NONBLOCK); }

std::vector<std::string> Environment(
    const std::vector<std::pair<std::string, std::string>>& changes) {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    variables[std::string(text.substr(0, equals))] = text.substr(equals + 1);
  }
  for (const auto& [name, value] : changes) variables[name] = value;
  std::vector<std::string> result;
  for (const auto& [name, value] : variables) result.push_back(absl::StrCat(name, "=", value));
  return result;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// All the child needs, made before the fork: after it only system calls are safe.
struct ChildPlan {
  std::vector<char*> argv, environment;
  const char* working_directory;
  rlim_t open_files;
  int in, out, err, report;
  pid_t parent;
};

[[noreturn]] void BecomeProgram(const ChildPlan& plan) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != plan.parent) _exit(127);
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  rlimit limit;
  if (plan.open_files != 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = std::min(std::max(limit.rlim_cur, plan.open_files), limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  if ((plan.working_directory == nullptr || chdir(plan.working_directory) == 0) &&
      dup2(plan.in, 0) == 0 && dup2(plan.out, 1) == 1 && dup2(plan.err, 2) == 2) {
    execvpe(plan.argv[0], plan.argv.data(), plan.environment.data());
  }
  const int error = errno;
  static_cast<void>(!write(plan.report, &error, sizeof(error)));
  _exit(127);
}

// Parks until `fd` is ready and calls `step` again and again until that says false or fails other
// than for want of readiness.
template <typename Step>
void Pump(const Fd& fd, bool read, Step step) {
  absl::StatusOr<IoDescriptor> descriptor = IoDescriptor::Register(fd.get());
  if (!descriptor.ok()) return;
  for (;;) {
    const ssize_t n = step();
    if (n > 0 || (n < 0 && errno == EINTR)) continue;
    if (n == 0 || errno != EAGAIN) return;
    if (read) {
      descriptor->ReadExhausted();
      if (descriptor->WaitReadable() != IoWait::kReady) return;
    } else {
      descriptor->WriteExhausted();
      if (descriptor->WaitWritable() != IoWait::kReady) return;
    }
  }
}

}  // namespace

struct Program::State {
  std::string name;
  pid_t pid = -1;
  Fd pid_fd;
  bool reaped = false;
  int open_outputs = 2;
  ProgramResult result;
  std::optional<Event<bool>> news;  // somebody waits for output or an end

  bool Ended() const { return reaped && open_outputs == 0; }

  void Tell() {
    if (news && !news->Ready()) news->Send();
  }
  // Waits for one piece of news.
  bool Listen(Deadline deadline) {
    news.emplace();
    return news->Wait(deadline).has_value();
  }

  void Read(const Fd& fd, std::string& into) {
    std::array<char, 16384> buffer;
    Pump(fd, /*read=*/true, [&] {
      const ssize_t n = read(fd.get(), buffer.data(), buffer.size());
      if (n > 0) {
        into.append(buffer.data(), static_cast<std::size_t>(n));
        Tell();
      }
      return n;
    });
    --open_outputs;
    Tell();
  }

  static void Write(const Fd& fd, std::string_view text) {
    Pump(fd, /*read=*/false, [&]() -> ssize_t {
      if (text.empty()) return 0;
      const ssize_t n = write(fd.get(), text.data(), text.size());
      if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
      return n;
    });
  }

  bool Reap(int flags) {
    int status = 0;
    if (waitpid(pid, &status, flags) != pid) return false;
    reaped = true;
    result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
  }

  void AwaitEnd() {
    absl::StatusOr<IoDescriptor> descriptor = IoDescriptor::Register(pid_fd.get());
    if (!descriptor.ok()) return;
    while (!reaped && !Reap(WNOHANG)) {
      descriptor->ReadExhausted();
      if (descriptor->WaitReadable() != IoWait::kReady) return;
    }
    Tell();
  }

  absl::Status Failure(absl::StatusCode code, std::string_view what) const {
    return absl::Status(code, absl::StrCat(name, ": ", what, "\n--- standard output\n", result.out,
                                           "\n--- standard error\n", result.err));
  }
};

absl::StatusOr<std::unique_ptr<Program>> Program::Start(std::vector<std::string> argv,
                                                        const ProgramOptions& options) {
  if (argv.empty()) return absl::InvalidArgumentError("no program was named");
  // A program may end before it has read all of its input.
  signal(SIGPIPE, SIG_IGN);
  absl::StatusOr<Pipe> in = MakePipe(), out = MakePipe(), err = MakePipe(), report = MakePipe();
  for (const auto* made : {&in, &out, &err, &report}) {
    if (!made->ok()) return made->status();
  }
  auto state = std::make_shared<State>();
  state->name = argv[0];
  std::vector<std::string> environment = Environment(options.environment);
  const ChildPlan plan = {
      .argv = Pointers(argv),
      .environment = Pointers(environment),
      .working_directory =
          options.working_directory.empty() ? nullptr : options.working_directory.c_str(),
      .open_files = options.open_files,
      .in = in->read.get(),
      .out = out->write.get(),
      .err = err->write.get(),
      .report = report->write.get(),
      .parent = getpid(),
  };
  state->pid = fork();
  if (state->pid < 0) return absl::ErrnoToStatus(errno, "fork");
  if (state->pid == 0) BecomeProgram(plan);
  setpgid(state->pid, state->pid);
  report->write.Close();
  int error = 0;
  if (read(report->read.get(), &error, sizeof(error)) == sizeof(error)) {
    state->Reap(0);
    return absl::ErrnoToStatus(error, absl::StrCat("cannot run ", state->name));
  }
  state->pid_fd = Fd(static_cast<int>(syscall(SYS_pidfd_open, state->pid, 0)));
  auto program = std::unique_ptr<Program>(new Program(state));
  if (state->pid_fd.get() < 0) return absl::ErrnoToStatus(errno, "pidfd_open");
  for (const Fd* fd : {&in->write, &out->read, &err->read}) SetNonBlocking(*fd);
  SpawnN([state, fd = std::move(out->read)] { state->Read(fd, state->result.out); });
  SpawnN([state, fd = std::move(err->read)] { state->Read(fd, state->result.err); });
  SpawnN([fd = std::move(in->write), text = options.standard_input] { State::Write(fd, text); });
  SpawnN([state] { state->AwaitEnd(); });
  return program;
}

Program::Program(std::shared_ptr<State> state) : state_(std::move(state)) {}

Program::~Program() {
  // What the program has started may outlive it. Their ends of the pipes close with them, and with
  // that the green threads end.
  kill(-state_->pid, SIGKILL);
  if (!state_->reaped) {
    kill(state_->pid, SIGKILL);
    state_->Reap(0);
  }
}

pid_t Program::pid() const { return state_->pid; }

void Program::Signal(int number) {
  if (!state_->reaped) kill(state_->pid, number);
}

bool Program::Running() const { return !state_->reaped; }

absl::Status Program::WaitForOutput(std::string_view text, Deadline deadline) {
  State& state = *state_;
  while (!absl::StrContains(state.result.out, text) && !absl::StrContains(state.result.err, text)) {
    if (state.Ended()) {
      return state.Failure(absl::StatusCode::kFailedPrecondition,
                           absl::StrCat("ended without having written '", text, "'"));
    }
    if (!state.Listen(deadline)) {
      return state.Failure(absl::StatusCode::kDeadlineExceeded,
                           absl::StrCat("has not written '", text, "' in time"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<ProgramResult> Program::Wait(Deadline deadline) {
  while (!state_->Ended()) {
    if (!state_->Listen(deadline)) {
      return state_->Failure(absl::StatusCode::kDeadlineExceeded, "has not ended in time");
    }
  }
  return state_->result;
}

const std::string& Program::out() const { return state_->result.out; }
const std::string& Program::err() const { return state_->result.err; }

absl::StatusOr<ProgramResult> RunProgram(std::vector<std::string> argv,
                                         const ProgramOptions& options, absl::Duration timeout) {
  absl::StatusOr<std::unique_ptr<Program>> program = Program::Start(std::move(argv), options);
  if (!program.ok()) return program.status();
  return (*program)->Wait(timeout);
}

}  // namespace verdant::testing
