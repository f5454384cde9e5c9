// What becomes of an imap when it is destroyed early, or its workers or readers are killed.

#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "pool/green_pool.h"
#include "pool/imap.h"
#include "tests/pool/imap_testing.h"

namespace verdant {
namespace {

TEST(Imap, LeavingTheLoopKillsWhatIsUnderWayAndWaitsForIt) {
  GreenPool pool(3);
  int begun = 0;
  int unwound = 0;
  {
    for (int r : pool.Imap(
             [&](int x) {
               struct Note {
                 int& count;
                 ~Note() {
                   Sleep();
                   ++count;
                 }
               } note{unwound};
               ++begun;
               if (x > 0) Sleep(absl::InfiniteDuration());
               return x;
             },
             UpTo(100))) {
      EXPECT_EQ(r, 0);
      Settle();
      break;
    }
  }
  EXPECT_EQ(begun, 4);
  EXPECT_EQ(unwound, 4);
}

TEST(Imap, DestroyedBeforeItStartedItCallsNothing) {
  GreenPool pool(3);
  Counter input;
  { auto results = pool.Imap(Twice, input); }
  Settle();
  EXPECT_EQ(input.read, 0);
}

TEST(Imap, DestroyedWhileItsInputWaitsItEndsThat) {
  GreenPool pool(3);
  Counter input;
  input.wait_at = 1;
  {
    auto results = pool.Imap(Twice, input);
    EXPECT_EQ(results.Next(), 0);
  }
  EXPECT_EQ(input.read, 1);
  input.gate.Send();
}

TEST(Imap, ACallThatSurvivesItsKillIsWaitedFor) {
  GreenPool pool(1);
  bool survived = false;
  {
    auto results = pool.Imap(
        [&](int x) {
          try {
            Sleep(absl::InfiniteDuration());
          } catch (const GreenletExit&) {
          }
          Sleep(absl::Milliseconds(1));
          survived = true;
          return x;
        },
        UpTo(10));
    Settle();
  }
  EXPECT_TRUE(survived);
}

TEST(Imap, AKillAndATimeoutDuringTheDestructorAreThrownAfterIt) {
  GreenPool pool(1);
  std::vector<std::string> log;
  auto reader = Spawn([&] {
    try {
      Timeout t(absl::Milliseconds(1));
      {
        auto results = pool.Imap(
            [&](int x) {
              struct Note {
                std::vector<std::string>& log;
                ~Note() {
                  Sleep(absl::Milliseconds(5));
                  log.push_back("unwound");
                }
              } note{log};
              Sleep(absl::InfiniteDuration());
              return x;
            },
            UpTo(10));
        Sleep();
      }
      log.push_back("destroyed");
      Sleep();
    } catch (const TimeoutExpired&) {
      log.push_back("timed out");
    }
    Sleep();
  });
  reader.Join();
  EXPECT_EQ(log, (std::vector<std::string>{"unwound", "destroyed", "timed out"}));
}

TEST(Imap, ACallThatNeverEndsAfterItsKillIsToldByLoopExit) {
  GreenPool pool(1);
  std::vector<std::string> reports;
  Hub::Current().SetErrorHandler(
      [&](const UncaughtError& e) { reports.push_back(DescribeException(e.error)); });
  {
    auto results = pool.Imap(
        [&](int x) {
          try {
            Sleep(absl::InfiniteDuration());
          } catch (const GreenletExit&) {
          }
          Event<> never;
          never.Wait();
          return x;
        },
        UpTo(10));
    Settle();
  }
  Hub::Current().SetErrorHandler([](const UncaughtError&) {});
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_NE(reports[0].find("Event::Wait"), std::string::npos);
}

TEST(Imap, TheReaderKilledInTheLoopTakesTheCallsAlong) {
  GreenPool pool(4);
  int unwound = 0;
  auto reader = Spawn([&] {
    struct Note {
      int& count;
      ~Note() { ++count; }
    };
    for (int r : pool.Imap(
             [&](int x) {
               Note note{unwound};
               Sleep(absl::InfiniteDuration());
               return x;
             },
             UpTo(10))) {
      ADD_FAILURE() << r;
    }
  });
  Settle();
  reader.Kill();
  reader.Join();
  EXPECT_EQ(unwound, 4);
}

TEST(Imap, SeveralReadersAreServedInTheOrderTheyCame) {
  GreenPool pool(3);
  std::vector<Event<>> gates(6);
  auto results = pool.Imap(
      [&](int x) {
        gates[x].Wait();
        return x;
      },
      UpTo(6));
  std::vector<std::pair<int, int>> got;
  std::vector<AnyGreenThread> readers;
  for (int reader = 0; reader < 4; ++reader) {
    readers.push_back(Spawn([&, reader] {
      auto r = results.Next();
      got.emplace_back(reader, r.value_or(-1));
    }));
  }
  Settle();
  readers[1].Kill();
  readers[1].Join();
  gates[0].Send();
  gates[2].Send();
  Settle();
  EXPECT_EQ(got, (std::vector<std::pair<int, int>>{{0, 0}}));
  gates[1].Send();
  Settle();
  EXPECT_EQ(got, (std::vector<std::pair<int, int>>{{0, 0}, {2, 1}, {3, 2}}));
  for (int i = 3; i < 6; ++i) gates[i].Send();
  EXPECT_EQ(results.Next(), 3);
  JoinAll(readers);
}

TEST(Imap, AllWaitingReadersLearnOfTheEnd) {
  GreenPool pool(3);
  Event<> gate;
  auto results = pool.Imap([&](int) { gate.Wait(); }, UpTo(1));
  int ended = 0;
  std::vector<AnyGreenThread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.push_back(Spawn([&] {
      if (!results.Next()) ++ended;
    }));
  }
  Settle();
  gate.Send();
  JoinAll(readers);
  EXPECT_EQ(ended, 3);
}

TEST(Imap, AWorkerKilledFromOutsideBetweenCallsIsReplaced) {
  GreenPool pool(1);
  std::vector<AnyGreenThread> workers;
  auto results = pool.Imap(
      [&](int x) {
        workers.push_back(CurrentGreenThread());
        return x;
      },
      UpTo(20));
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(results.Next(), i);
    Settle();
    for (auto& w : workers) w.Kill();
    workers.clear();
  }
  EXPECT_EQ(results.Next(), std::nullopt);
}

TEST(Imap, DestroyedInAHubCallbackItEndsWithoutAnybodyWaiting) {
  GreenPool pool(2);
  int unwound = 0;
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> function = owned;
  std::optional results = pool.Imap(
      [&unwound, owned = std::move(owned)](int x) {
        struct Note {
          int& count;
          ~Note() {
            Sleep();
            ++count;
          }
        } const note{unwound};
        Sleep(absl::InfiniteDuration());
        return x + *owned;
      },
      UpTo(10));
  Settle();
  Event<> destroyed;
  Hub::Current().ScheduleCall(absl::ZeroDuration(), [&] {
    results.reset();
    EXPECT_EQ(unwound, 0);
    EXPECT_FALSE(function.expired());
    destroyed.Send();
  });
  destroyed.Wait();
  Settle();
  EXPECT_EQ(unwound, 2);
  EXPECT_TRUE(function.expired());
}

TEST(Imap, DestroyedInAHubCallbackBeforeItStartedOrAfterItsEndItCallsNothing) {
  GreenPool pool(2);
  int calls = 0;
  const auto count = [&](int x) {
    ++calls;
    return x;
  };
  std::optional done = pool.Imap(count, UpTo(2));
  Settle();
  EXPECT_EQ(calls, 2);
  std::optional<ImapResults<int>> unstarted;
  Event<> destroyed;
  Hub::Current().ScheduleCall(absl::ZeroDuration(), [&] {
    unstarted = pool.Imap(count, UpTo(10));
    unstarted.reset();
    done.reset();
    destroyed.Send();
  });
  destroyed.Wait();
  Settle();
  EXPECT_EQ(calls, 2);
}

TEST(Imap, A12_17_LeftInTheChildOfAForkItRunsAndEndsNothing) {
  GreenPool pool(2);
  int unwound = 0;
  pid_t child = -1;
  const auto call = [&](int x) {
    struct Note {
      int& count;
      ~Note() { ++count; }
    } const note{unwound};
    if (x > 0) Sleep(absl::InfiniteDuration());
    return x;
  };
  for (int r : pool.Imap(call, UpTo(10))) {
    EXPECT_EQ(r, 0);
    child = fork();
    break;
  }
  if (child == 0) {
    Settle();
    if (unwound != 1) _exit(1);
    _exit(pool.Map([](int x) { return x + 6; }, UpTo(2)).back());
  }
  EXPECT_EQ(unwound, 3);
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(Imap, A12_17_ReadInTheChildOfAForkItSaysThatItIsTheParents) {
  GreenPool pool(1);
  auto results = pool.Imap(
      [&](int x) {
        Sleep(absl::InfiniteDuration());
        return x;
      },
      UpTo(10));
  Settle();
  const pid_t child = fork();
  if (child == 0) {
    try {
      static_cast<void>(results.Next());
      _exit(1);
    } catch (const std::logic_error&) {
      _exit(2);
    }
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 2);
}

}  // namespace
}  // namespace verdant
