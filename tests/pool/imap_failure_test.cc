// What becomes of an imap when something throws, or reading is interrupted.

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
