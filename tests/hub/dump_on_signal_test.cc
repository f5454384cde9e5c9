#include "hub/dump_on_signal.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "greenlet/internal/sanitizer.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/io.h"

namespace verdant {
namespace {

class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe(ends_), 0); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close(ends_[0]);
    close(ends_[1]);
  }
  int write_end() const { return ends_[1]; }

  // Reads until `part` has come, blocking the thread.
  std::string BlockUntil(const std::string& part) {
    while (!absl::StrContains(all_, part) && ReadMore()) {
    }
    return all_;
  }
  // The same, letting others run.
  std::string WaitUntil(const std::string& part) {
    absl::StatusOr<IoDescriptor> descriptor = IoDescriptor::Register(ends_[0]);
    EXPECT_TRUE(descriptor.ok());
    while (!absl::StrContains(all_, part)) {
      // This end blocks, so it is not to be tried first.
      descriptor->ReadExhausted();
      descriptor->WaitReadable(Deadline::Never());
      if (!ReadMore()) break;
    }
    descriptor->Unregister();
    return all_;
  }

 private:
  bool ReadMore() {
    std::vector<char> buffer(65536);  // more than a green thread's stack has
    const ssize_t size = read(ends_[0], buffer.data(), buffer.size());
    if (size > 0) all_.append(buffer.data(), static_cast<std::size_t>(size));
    return size > 0;
  }
  int ends_[2];
  std::string all_;
};

bool Has(const std::string& text, const std::string& part) { return absl::StrContains(text, part); }

TEST(DumpOnSignal, B13_5_HubsThatTurnDescribeThemselves) {
  Pipe pipe;
  Event<> never;
  auto waiter = Spawn([&] { never.Wait(); });
  waiter.SetName("waiter");
  Sleep();
  const DumpOnSignal dump(SIGUSR2, {.fd = pipe.write_end()});
  ASSERT_EQ(kill(getpid(), SIGUSR2), 0);
  const std::string text = pipe.WaitUntil("waiting in Event::Wait");
  EXPECT_EQ(text.find("hub "), 0u) << text;
  EXPECT_TRUE(Has(text, "): 2 green threads, 0 runnable, ")) << text;
  EXPECT_TRUE(Has(text, "  the main greenlet: waiting in read of file descriptor ")) << text;
  EXPECT_TRUE(Has(text, " 'waiter' spawned at tests/hub/dump_on_signal_test.cc:")) << text;
  waiter.KillAndJoin();
}

TEST(DumpOnSignal, B13_5_EachSignalHasADump) {
#if defined(VERDANT_VALGRIND)
  GTEST_SKIP() << "Valgrind at times takes the frame entered right after the handler for no memory";
#endif
  Pipe pipe;
  const DumpOnSignal dump(SIGUSR2, {.fd = pipe.write_end()});
  raise(SIGUSR2);
  pipe.WaitUntil("the main greenlet");
  auto second = Spawn([] { Sleep(absl::Hours(1)); });
  second.SetName("second");
  Sleep();
  raise(SIGUSR2);
  EXPECT_TRUE(Has(pipe.WaitUntil("'second'"), "'second'"));
  second.KillAndJoin();
}

// ThreadSanitizer keeps a signal back until the thread asks it for something that may take long.
#if !defined(VERDANT_TSAN)

TEST(DumpOnSignal, B13_5_OfAStuckHubItIsToldWhoRunsAndWhere) {
  Pipe pipe;
  auto culprit = Spawn([&] {
    const DumpOnSignal dump(SIGUSR2,
                            {.fd = pipe.write_end(), .dump = {.patience = absl::Milliseconds(5)}});
    raise(SIGUSR2);
    const std::string text = pipe.BlockUntil(" runs:\n");
    EXPECT_TRUE(Has(text, ": is stuck, has not turned for 5ms\n")) << text;
    EXPECT_TRUE(Has(text, " 'culprit' spawned at tests/hub/dump_on_signal_test.cc:")) << text;
    // The frames follow.
    EXPECT_TRUE(Has(pipe.BlockUntil("dump_on_signal_test"), "dump_on_signal_test"));
  });
  culprit.SetName("culprit");
  culprit.Wait();
}

TEST(DumpOnSignal, B13_5_AStuckHubCallbackAndAStuckMainAreTold) {
  Pipe pipe;
  const DumpOnSignal dump(SIGUSR2,
                          {.fd = pipe.write_end(), .dump = {.patience = absl::Milliseconds(5)}});
  raise(SIGUSR2);
  EXPECT_TRUE(Has(pipe.BlockUntil(" runs:\n"), "  the main greenlet runs:\n"));
  Event<> done;
  Hub::Current().Post([&] {
    raise(SIGUSR2);
    EXPECT_TRUE(Has(pipe.BlockUntil("  the hub runs:\n"), "  the hub runs:\n"));
    done.Send();
  });
  done.Wait();
}

#endif

std::atomic<int> caught{0};

TEST(DumpOnSignal, B13_5_TheFormerHandlerComesBack) {
  struct sigaction action = {};
  action.sa_handler = [](int) { caught.fetch_add(1); };
  struct sigaction before;
  sigaction(SIGUSR2, &action, &before);
  {
    Pipe pipe;
    const DumpOnSignal dump(SIGUSR2, {.fd = pipe.write_end()});
    raise(SIGUSR2);
    pipe.WaitUntil("the main greenlet");
  }
  EXPECT_EQ(caught.load(), 0);
  raise(SIGUSR2);
  EXPECT_EQ(caught.load(), 1);
  sigaction(SIGUSR2, &before, nullptr);
}

TEST(DumpOnSignal, B13_5_RefusesASecondOneAndWhatCannotBeCaught) {
  EXPECT_THROW(static_cast<void>(DumpOnSignal{SIGKILL}), std::logic_error);
  EXPECT_THROW(static_cast<void>(DumpOnSignal{0}), std::logic_error);
  EXPECT_THROW(static_cast<void>(DumpOnSignal{12345}), std::logic_error);
  const DumpOnSignal dump(SIGUSR2);
  EXPECT_THROW(static_cast<void>(DumpOnSignal{SIGUSR1}), std::logic_error);
}

// How a child that runs `body` and exits with what it returns has ended.
template <typename Body>
int StatusOfChild(Body&& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

TEST(DumpOnSignal, B13_5_AChildOfAForkHasTheFormerMeaningOfTheSignal) {
  Pipe pipe;
  const int status = [&] {
    const DumpOnSignal dump(SIGUSR2, {.fd = pipe.write_end()});
    return StatusOfChild([] {
      raise(SIGUSR2);
      return 0;
    });
  }();
  ASSERT_TRUE(WIFSIGNALED(status)) << status;
  EXPECT_EQ(WTERMSIG(status), SIGUSR2);
}

TEST(DumpOnSignal, B13_5_AKillQuitFromOutsideShowsOnStandardError) {
#if defined(VERDANT_TSAN)
  GTEST_SKIP() << "ThreadSanitizer starts no threads after a fork";
#endif
  Pipe pipe;
  Pipe ready;
  const pid_t child = fork();
  if (child == 0) {
    dup2(pipe.write_end(), STDERR_FILENO);
    const DumpOnSignal dump;
    auto server = Spawn([] { Sleep(absl::Hours(1)); });
    server.SetName("server");
    Sleep();
    if (write(ready.write_end(), "ready", 5) != 5) _exit(1);
    server.Join();
    _exit(0);
  }
  ready.BlockUntil("ready");
  ASSERT_EQ(kill(child, SIGQUIT), 0);
  const std::string text = pipe.BlockUntil("waiting in Sleep");
  EXPECT_TRUE(Has(text, "'server' spawned at")) << text;
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

}  // namespace
}  // namespace verdant
