#include "greenlet/context.h"

#include <any>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/greenlet/greenlet_testing.h"

namespace verdant {
namespace {

TEST(ContextVar, B14_3_HasItsDefaultUntilItIsSet) {
  const ContextVar<std::string> var("user", "nobody");
  EXPECT_EQ(var.Get(), "nobody");
  EXPECT_EQ(*var.Find(), "nobody");
  EXPECT_EQ(var.Get("somebody"), "somebody");
  auto token = var.Set("alice");
  EXPECT_EQ(var.Get(), "alice");
  EXPECT_EQ(var.Get("somebody"), "alice");
  EXPECT_EQ(var.name(), "user");
  var.Reset(std::move(token));
  EXPECT_EQ(var.Get(), "nobody");
}

TEST(ContextVar, B14_3_WithoutADefaultGetThrowsAndNamesIt) {
  const ContextVar<int> var("answer");
  EXPECT_EQ(var.Find(), nullptr);
  EXPECT_EQ(var.Get(42), 42);
  try {
    var.Get();
    FAIL();
  } catch (const std::out_of_range& e) {
    EXPECT_NE(std::string(e.what()).find("'answer'"), std::string::npos) << e.what();
  }
}

TEST(ContextVar, B14_3_ResetGoesBackToWhatWasThereBefore) {
  const ContextVar<int> var("var", 0);
  auto first = var.Set(1);
  auto second = var.Set(2);
  var.Reset(std::move(second));
  EXPECT_EQ(var.Get(), 1);
  var.Reset(std::move(first));
  EXPECT_EQ(var.Get(), 0);
  EXPECT_TRUE(Context::Current().empty());
}

TEST(ContextVar, B14_3_ATokenIsForOnceForItsVariableAndForItsGreenlet) {
  const ContextVar<int> var("var", 0);
  const ContextVar<int> other("var", 0);
  Context().Run([&] {
    EXPECT_THROW(other.Reset(var.Set(1)), std::logic_error);
    auto token = var.Set(2);
    Greenlet([&] { EXPECT_THROW(var.Reset(std::move(token)), std::logic_error); }).Switch();
    EXPECT_THROW(var.Reset(std::move(token)), std::logic_error);
    auto last = var.Set(3);
    var.Reset(std::move(last));
    EXPECT_THROW(var.Reset(std::move(last)), std::logic_error);
    EXPECT_EQ(var.Get(), 2);
  });
  EXPECT_EQ(var.Get(), 0);
}

TEST(ContextVar, B14_3_AScopeSetsItForABlockAlsoWhenThatThrows) {
  const ContextVar<int> var("var", 0);
  {
    const ContextVar<int>::Scope outer(var, 1);
    EXPECT_EQ(var.Get(), 1);
    try {
      const ContextVar<int>::Scope inner(var, 2);
      EXPECT_EQ(var.Get(), 2);
      throw std::runtime_error("out");
    } catch (const std::runtime_error&) {
    }
    EXPECT_EQ(var.Get(), 1);
  }
  EXPECT_EQ(var.Get(), 0);
}

TEST(ContextVar, B14_3_ManyDoNotDisturbOneAnother) {
  std::vector<std::unique_ptr<ContextVar<int>>> vars;
  std::vector<std::unique_ptr<ContextVar<int>::Scope>> scopes;
  for (int i = 0; i < 50; ++i) {
    vars.push_back(std::make_unique<ContextVar<int>>("var", -1));
    scopes.push_back(std::make_unique<ContextVar<int>::Scope>(*vars.back(), i));
  }
  for (int i = 0; i < 50; ++i) EXPECT_EQ(vars[static_cast<std::size_t>(i)]->Get(), i);
  while (!scopes.empty()) scopes.pop_back();
  EXPECT_TRUE(Context::Current().empty());
}

TEST(Context, Decision20_AGreenletInheritsItsCreatorsAsItIsThen) {
  const ContextVar<int> var("var", 0);
  const ContextVar<int>::Scope one(var, 1);
  Greenlet child([&] {
    EXPECT_EQ(var.Get(), 1);
    var.Set(10);
    ToParent();
    EXPECT_EQ(var.Get(), 10);
  });
  const ContextVar<int>::Scope two(var, 2);
  child.Switch();
  EXPECT_EQ(var.Get(), 2);
  child.Switch();
  EXPECT_TRUE(child.dead());
  EXPECT_EQ(var.Get(), 2);
}

TEST(Context, Decision20_IsInheritedFromTheCreatorNotFromTheParentOrTheStarter) {
  const ContextVar<std::string> var("var", "none");
  Greenlet parent([&] { ToParent(); });
  Greenlet child;
  {
    const ContextVar<std::string>::Scope scope(var, "creator");
    child = Greenlet([&] { return var.Get(); }, {.parent = &parent});
    child.set_parent(Greenlet::Current());
  }
  const ContextVar<std::string>::Scope scope(var, "starter");
  EXPECT_EQ(std::any_cast<std::string>(child.Switch()), "creator");
}

TEST(Context, Decision20_GrandchildrenInheritWhatTheirParentsSet) {
  const ContextVar<int> var("var", 0);
  Greenlet child([&] {
    var.Set(1);
    Greenlet([&] {
      EXPECT_EQ(var.Get(), 1);
      var.Set(2);
    }).Switch();
    EXPECT_EQ(var.Get(), 1);
  });
  child.Switch();
  EXPECT_EQ(var.Get(), 0);
}

TEST(Context, B14_3_RunKeepsWhatIsSetInItAndGivesTheCallerItsOwnBack) {
  const ContextVar<int> var("var", 0);
  const ContextVar<int>::Scope scope(var, 1);
  Context context;
  EXPECT_EQ(context.Run([&] { return var.Get(); }), 0);
  context.Run([&] { var.Set(7); });
  EXPECT_EQ(var.Get(), 1);
  EXPECT_THROW(context.Run([&] {
    EXPECT_EQ(var.Get(), 7);
    throw std::runtime_error("out");
  }),
               std::runtime_error);
  EXPECT_EQ(var.Get(), 1);
  Context copy = context.Copy();
  copy.Run([&] { var.Set(8); });
  EXPECT_EQ(context.Run([&] { return var.Get(); }), 7);
  EXPECT_EQ(copy.Run([&] { return var.Get(); }), 8);
}

TEST(Context, B14_3_RunOfOneThatRunsAlreadyIsRefused) {
  Context context;
  context.Run([&] {
    EXPECT_THROW(context.Run([] {}), std::logic_error);
    Context other;
    other.Run([] {});
  });
  context.Run([] {});
}

TEST(Context, B14_3_RunIsOfOneGreenletWhileOthersSwitch) {
  const ContextVar<int> var("var", 0);
  Context context;
  Greenlet child([&] {
    context.Run([&] {
      var.Set(5);
      ToParent();
      EXPECT_EQ(var.Get(), 5);
    });
    EXPECT_EQ(var.Get(), 0);
  });
  child.Switch();
  EXPECT_EQ(var.Get(), 0);
  child.Switch();
}

TEST(Context, B14_3_CurrentIsASnapshot) {
  const ContextVar<int> var("var", 0);
  const ContextVar<int>::Scope one(var, 1);
  Context then = Context::Current();
  const ContextVar<int>::Scope two(var, 2);
  EXPECT_EQ(then.Run([&] { return var.Get(); }), 1);
  EXPECT_EQ(var.Get(), 2);
}

TEST(Context, B14_3_MayBeRunOnAnotherThread) {
  const ContextVar<std::string> var("var", "none");
  const ContextVar<std::string>::Scope scope(var, "carried");
  OnFreshThread([&, context = Context::Current()]() mutable {
    EXPECT_EQ(var.Get(), "none");
    EXPECT_EQ(context.Run([&] { return var.Get(); }), "carried");
  });
}

TEST(Context, C8_OfAGreenletMayBeReadAndReplaced) {
  const ContextVar<int> var("var", 0);
  Greenlet child([&] {
    ToParent(var.Get());
    return var.Get();
  });
  Context seven;
  seven.Run([&] { var.Set(7); });
  seven.AssignTo(child);
  EXPECT_EQ(Context::Of(child).Run([&] { return var.Get(); }), 7);
  EXPECT_EQ(std::any_cast<int>(child.Switch()), 7);
  Context().AssignTo(child);
  EXPECT_TRUE(Context::Of(child).empty());
  EXPECT_EQ(std::any_cast<int>(child.Switch()), 0);
  EXPECT_THROW(Context::Of(child), std::logic_error);
  EXPECT_THROW(Context().AssignTo(Greenlet()), std::logic_error);
  EXPECT_TRUE(Context::Of(Greenlet::Current()).empty());
}

TEST(Context, C8_OfAnotherThreadsGreenletIsRefused) {
  const Greenlet child([] {});
  OnFreshThread([&] {
    EXPECT_THROW(Context::Of(child), std::logic_error);
    EXPECT_THROW(Context().AssignTo(child), std::logic_error);
  });
}

TEST(Context, ValuesGoWithTheLastContextThatHasThem) {
  int ends = 0;
  const ContextVar<std::shared_ptr<CountsEnd>> var("var", nullptr);
  Greenlet unstarted;
  {
    Greenlet child([&] {
      const ContextVar<std::shared_ptr<CountsEnd>>::Scope scope(var,
                                                                std::make_shared<CountsEnd>(ends));
      unstarted = Greenlet([] {});
    });
    child.Switch();
  }
  EXPECT_EQ(ends, 0);
  unstarted = Greenlet();
  EXPECT_EQ(ends, 1);
  OnFreshThread([&] { var.Set(std::make_shared<CountsEnd>(ends)); });
  EXPECT_EQ(ends, 2);
}

}  // namespace
}  // namespace verdant
