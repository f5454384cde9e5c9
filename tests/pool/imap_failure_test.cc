// What becomes of an imap when something throws, is interrupted, killed or destroyed early.

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

TEST(Imap, A3_11_AnExceptionStandsInThePlaceOfItsResultAndNextGoesOn) {
  GreenPool pool(3);
  auto odd_fails = [](int x) {
    if (x % 3 == 0) Sleep();
    if (x % 2 == 1) throw std::runtime_error(std::to_string(x));
    return x;
  };
  auto results = pool.Imap(odd_fails, UpTo(7));
  std::vector<std::string> log;
  for (;;) {
    try {
      auto r = results.Next();
      if (!r) break;
      log.push_back(std::to_string(*r));
    } catch (const std::runtime_error& e) {
      log.push_back(std::string("!") + e.what());
    }
  }
  EXPECT_EQ(log, (std::vector<std::string>{"0", "!1", "2", "!3", "4", "!5", "6"}));
  EXPECT_EQ(results.Next(), std::nullopt);
}

TEST(Imap, A3_11_IteratorsThrowOnDereferenceAndGoOn) {
  GreenPool pool(2);
  auto results = pool.Imap(
      [](int x) {
        if (x < 2) throw std::runtime_error("early");
        return x;
      },
      UpTo(4));
  std::vector<int> got;
  int errors = 0;
  for (auto it = results.begin(); it != results.end(); ++it) {
    try {
      got.push_back(*it);
      EXPECT_EQ(*it, got.back());
    } catch (const std::runtime_error&) {
      ++errors;
      EXPECT_THROW(static_cast<void>(*it), std::runtime_error);
    }
  }
  EXPECT_EQ(errors, 2);
  EXPECT_EQ(got, (std::vector<int>{2, 3}));
}

TEST(Imap, A3_11_ARangeForEndsAtTheFirstExceptionAndAnotherContinues) {
  GreenPool pool(2);
  auto results = pool.Imap(
      [](int x) {
        if (x == 2) throw std::runtime_error("two");
        return x;
      },
      UpTo(5));
  std::vector<int> got;
  EXPECT_THROW(
      {
        for (int r : results) got.push_back(r);
      },
      std::runtime_error);
  for (int r : results) got.push_back(r);
  EXPECT_EQ(got, (std::vector<int>{0, 1, 3, 4}));
}

TEST(Imap, A3_11_GreenletExitAndTimeoutExpiredOfACallAreItsResult) {
  GreenPool pool(1);
  auto killed = Spawn([] { Sleep(absl::InfiniteDuration()); });
  Sleep();
  killed.Kill();
  auto results = pool.Imap(
      [&](int x) {
        if (x == 0) killed.Wait();
        if (x == 1) {
          Timeout t(absl::ZeroDuration());
          Sleep(absl::InfiniteDuration());
        }
        return x;
      },
      UpTo(3));
  EXPECT_THROW(results.Next(), GreenletExit);
  EXPECT_THROW(results.Next(), TimeoutExpired);
  EXPECT_EQ(results.Next(), 2);
  EXPECT_EQ(results.Next(), std::nullopt);
}

TEST(Imap, A3_11_AnExceptionOfTheInputComesAfterTheResultsBeforeItAndEndsThem) {
  for (int size : {1, 2, 10}) {
    GreenPool pool(size);
    Counter input;
    input.throw_at = 3;
    auto slow_first = [](int x) {
      for (int i = 0; i < 5 - x; ++i) Sleep();
      return x;
    };
    auto results = pool.Imap(slow_first, input);
    EXPECT_EQ(results.Next(), 0);
    EXPECT_EQ(results.Next(), 1);
    EXPECT_EQ(results.Next(), 2);
    EXPECT_THROW(results.Next(), std::runtime_error);
    EXPECT_EQ(results.Next(), std::nullopt);
    EXPECT_EQ(results.Next(), std::nullopt);
  }
}

TEST(Imap, A3_11_AnInputThatThrowsAtOnceIsOneExceptionAndTheEnd) {
  GreenPool pool(2);
  Counter input;
  input.throw_at = 0;
  auto results = pool.ImapUnordered(Twice, input);
  int errors = 0;
  auto it = results.begin();
  ASSERT_NE(it, results.end());
  try {
    static_cast<void>(*it);
  } catch (const std::runtime_error&) {
    ++errors;
  }
  ++it;
  EXPECT_EQ(it, results.end());
  EXPECT_EQ(errors, 1);
}

TEST(Imap, A3_15_ATimeoutDuringNextLosesNothing) {
  GreenPool pool(2);
  Event<> gate;
  auto results = pool.Imap(
      [&](int x) {
        if (x == 1) gate.Wait();
        return x;
      },
      UpTo(4));
  EXPECT_EQ(results.Next(), 0);
  EXPECT_FALSE(WithTimeout(absl::Milliseconds(1), [&] { static_cast<void>(results.Next()); }));
  EXPECT_THROW(results.Next(absl::Milliseconds(1)), TimeoutExpired);
  EXPECT_THROW(results.Next(absl::ZeroDuration()), TimeoutExpired);
  gate.Send();
  EXPECT_EQ(results.Next(), 1);
  EXPECT_EQ(results.Next(absl::Hours(1)), 2);
  EXPECT_EQ(results.Next(), 3);
  EXPECT_EQ(results.Next(), std::nullopt);
}

TEST(Imap, A3_15_ATimeoutThatComesTogetherWithTheResultLosesNothing) {
  GreenPool pool(1);
  auto results = pool.Imap(
      [](int x) {
        Sleep(absl::Milliseconds(1));
        return x;
      },
      UpTo(30));
  std::vector<int> got;
  for (;;) {
    try {
      Timeout t(absl::Milliseconds(1));
      auto r = results.Next();
      if (!r) break;
      got.push_back(*r);
    } catch (const TimeoutExpired&) {
    }
  }
  EXPECT_EQ(got, UpTo(30));
}

TEST(Imap, A3_15_AnInterruptedIncrementCanBeRepeated) {
  GreenPool pool(1);
  Event<> gate;
  auto results = pool.Imap(
      [&](int x) {
        if (x == 1) gate.Wait();
        return x;
      },
      UpTo(3));
  auto it = results.begin();
  EXPECT_EQ(*it, 0);
  EXPECT_FALSE(WithTimeout(absl::Milliseconds(1), [&] { ++it; }));
  EXPECT_EQ(*it, 0);
  gate.Send();
  ++it;
  EXPECT_EQ(*it, 1);
  ++it;
  EXPECT_EQ(*it, 2);
  ++it;
  EXPECT_EQ(it, results.end());
}

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

TEST(ImapUnordered, A3_11_AnExceptionOfTheInputComesLast) {
  GreenPool pool(10);
  Counter input;
  input.throw_at = 3;
  auto results = pool.ImapUnordered(
      [](int x) {
        for (int i = 0; i < 5 - x; ++i) Sleep();
        return x;
      },
      input);
  EXPECT_EQ(results.Next(), 2);
  EXPECT_EQ(results.Next(), 1);
  EXPECT_EQ(results.Next(), 0);
  EXPECT_THROW(results.Next(), std::runtime_error);
  EXPECT_EQ(results.Next(), std::nullopt);
}

}  // namespace
}  // namespace verdant
