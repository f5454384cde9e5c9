// Whose exception it is that leaves a call which a member of a full pool makes inline.

#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "hub/errors.h"
#include "hub/green_thread.h"
#include "hub/lock.h"
#include "hub/scope.h"
#include "hub/timeout.h"
#include "pool/green_pile.h"
#include "pool/green_pool.h"
#include "pool/group.h"

namespace verdant {
namespace {

using Body = std::function<void()>;

// What became of a call made inline.
struct Outcome {
  std::exception_ptr thrown;  // out of the call that was to spawn it
  std::exception_ptr kept;    // by its handle, or reported where it has none
  bool ready = true;          // the handle's, when it was there
};

// A way to have a member of a full pool make a call. In the member.
template <typename Call>
Outcome InMemberOf(auto& pool, Call call) {
  Outcome outcome;
  auto member = pool.Spawn([&] {
    try {
      call(outcome);
    } catch (...) {
      outcome.thrown = std::current_exception();
    }
  });
  member.Wait();
  EXPECT_TRUE(outcome.ready);
  return outcome;
}

Outcome BySpawn(Body body) {
  GreenPool pool(1);
  return InMemberOf(pool, [&](Outcome& outcome) {
    auto inner = pool.Spawn(body);
    outcome.ready = inner.Ready();
    outcome.kept = inner.Error();
  });
}

Outcome BySpawnN(Body body) {
  GreenPool pool(1);
  return InMemberOf(pool, [&](Outcome& outcome) {
    Hub::Current().SetErrorHandler([&](const UncaughtError& e) { outcome.kept = e.error; });
    struct Reset {
      ~Reset() { Hub::Current().SetErrorHandler(nullptr); }
    } const reset;
    pool.SpawnN(body);
  });
}

Outcome ByPile(Body body) {
  GreenPool pool(1);
  GreenPile<void> pile(pool);
  return InMemberOf(pool, [&](Outcome& outcome) {
    pile.Spawn(body);
    try {
      pile.Next();
    } catch (...) {
      outcome.kept = std::current_exception();
    }
  });
}

Outcome ByGroup(Body body) {
  Group group(1);
  return InMemberOf(group, [&](Outcome& outcome) {
    auto inner = group.Spawn(body);
    outcome.ready = inner.Ready();
    outcome.kept = inner.Error();
  });
}

struct Way {
  const char* name;
  Outcome (*make)(Body);
};

class InlineCall : public testing::TestWithParam<Way> {
 protected:
  static Outcome Make(Body body) { return GetParam().make(std::move(body)); }
  // A green thread's GreenletExit is reported to nobody.
  static bool TellsOfExits() { return GetParam().make != &BySpawnN; }
};

INSTANTIATE_TEST_SUITE_P(Ways, InlineCall,
                         testing::Values(Way{"Spawn", &BySpawn}, Way{"SpawnN", &BySpawnN},
                                         Way{"Pile", &ByPile}, Way{"Group", &ByGroup}),
                         [](const auto& tested) { return tested.param.name; });

std::string Text(const std::exception_ptr& error) {
  return error == nullptr ? "nothing" : DescribeException(error);
}

// Something else's end that f merely met.
TEST_P(InlineCall, A3_3_TheExitOfAnotherThatItWaitedForIsItsOwn) {
  auto other = Spawn([] { Sleep(absl::InfiniteDuration()); });
  other.Kill();
  const Outcome outcome = Make([&] { other.Wait(); });
  EXPECT_EQ(Text(outcome.thrown), "nothing");
  EXPECT_EQ(IsGreenletExit(outcome.kept), TellsOfExits());
}

TEST_P(InlineCall, A3_3_A3_4_AnExitThatItThrowsIsItsOwn) {
  const Outcome outcome = Make([] { throw GreenletExit(); });
  EXPECT_EQ(Text(outcome.thrown), "nothing");
  EXPECT_EQ(IsGreenletExit(outcome.kept), TellsOfExits());
}

TEST_P(InlineCall, A3_3_ATimeoutThatItSetIsItsOwn) {
  const Outcome outcome = Make([] {
    const Timeout timeout(absl::Milliseconds(1));
    Sleep(absl::InfiniteDuration());
  });
  EXPECT_EQ(Text(outcome.thrown), "nothing");
  EXPECT_TRUE(IsTimeout(outcome.kept)) << Text(outcome.kept);
}

TEST_P(InlineCall, A3_3_ADeadlineOfItsWaitIsItsOwn) {
  auto other = Spawn([] { Sleep(absl::InfiniteDuration()); });
  const Outcome outcome = Make([&] { other.Wait(absl::Milliseconds(1)); });
  EXPECT_EQ(Text(outcome.thrown), "nothing");
  EXPECT_TRUE(IsTimeout(outcome.kept)) << Text(outcome.kept);
  other.Kill();
}

TEST_P(InlineCall, A3_3_AnErrorInAScopeThatItMadeIsItsOwn) {
  const Outcome outcome = Make([] {
    Scope scope;
    scope.SpawnN([] { throw std::runtime_error("in its scope"); });
    Sleep(absl::InfiniteDuration());
  });
  EXPECT_EQ(Text(outcome.thrown), "nothing");
  EXPECT_EQ(Text(outcome.kept), "std::runtime_error: in its scope");
}

TEST_P(InlineCall, A3_3_AWaitForALockInVainIsItsOwn) {
  const Outcome outcome = Make([] {
    Lock lock;
    Spawn([&] { lock.Acquire(); }).Join();
    lock.Acquire();
  });
  EXPECT_EQ(Text(outcome.thrown), "nothing");
  EXPECT_NE(Text(outcome.kept).find("took the lock and ended"), std::string::npos)
      << Text(outcome.kept);
}

TEST_P(InlineCall, A3_3_AKillOfTheCallerComesOut) {
  const Outcome outcome = Make([] {
    auto killer = Spawn([caller = CurrentGreenThread()] { caller.Kill(); });
    Sleep(absl::InfiniteDuration());
  });
  EXPECT_TRUE(IsGreenletExit(outcome.thrown)) << Text(outcome.thrown);
  EXPECT_EQ(Text(outcome.kept), "nothing");
}

TEST_P(InlineCall, A3_3_AKillOfTheCallerBySomethingElseComesOut) {
  const Outcome outcome = Make([] {
    auto killer = Spawn([caller = CurrentGreenThread()] {
      caller.Kill(std::make_exception_ptr(std::runtime_error("from outside")));
    });
    Sleep(absl::InfiniteDuration());
  });
  EXPECT_EQ(Text(outcome.thrown), "std::runtime_error: from outside");
  EXPECT_EQ(Text(outcome.kept), "nothing");
}

TEST_P(InlineCall, A3_3_AKillOfItselfIsTheCallers) {
  const Outcome outcome = Make(
      [] { CurrentGreenThread().Kill(std::make_exception_ptr(std::runtime_error("by itself"))); });
  EXPECT_EQ(Text(outcome.thrown), "std::runtime_error: by itself");
}

TEST(InlineCallWithin, A3_3_AnErrorInAScopeOfTheCallerComesOut) {
  GreenPool pool(1);
  bool went_on = false;
  auto outer = pool.Spawn([&] {
    Scope scope;
    scope.SpawnN([] { throw std::runtime_error("in the caller's scope"); });
    auto inner = pool.Spawn([] { Sleep(absl::InfiniteDuration()); });
    went_on = true;
  });
  outer.Join();
  EXPECT_FALSE(went_on);
  EXPECT_EQ(Text(outer.Error()), "std::runtime_error: in the caller's scope");
}

// What the call within throws is aimed at the call around it, and goes no further.
TEST(InlineCallWithin, A3_3_ATimeoutPassesThroughTheCallsBegunAfterItAndNoOthers) {
  GreenPool pool(1);
  bool went_on_within = false;
  bool went_on = false;
  std::exception_ptr kept;
  pool.Spawn([&] {
        auto around = pool.Spawn([&] {
          const Timeout timeout(absl::Milliseconds(1));
          auto within = pool.Spawn([] { Sleep(absl::InfiniteDuration()); });
          went_on_within = true;
        });
        went_on = true;
        kept = around.Error();
      })
      .Wait();
  EXPECT_FALSE(went_on_within);
  EXPECT_TRUE(went_on);
  EXPECT_TRUE(IsTimeout(kept));
}

TEST(InlineCallWithin, A3_3_ATimeoutOfTheCallerPassesThroughAllOfThem) {
  GreenPool pool(1);
  bool went_on = false;
  bool timed_out = false;
  pool.Spawn([&] {
        Timeout timeout(absl::Milliseconds(1));
        try {
          auto around = pool.Spawn([&] {
            auto within = pool.Spawn([] { Sleep(absl::InfiniteDuration()); });
            went_on = true;
          });
          went_on = true;
        } catch (const TimeoutExpired& expired) {
          timed_out = timeout.Owns(expired);
        }
      })
      .Wait();
  EXPECT_FALSE(went_on);
  EXPECT_TRUE(timed_out);
}

}  // namespace
}  // namespace verdant
