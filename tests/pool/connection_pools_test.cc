#include "pool/connection_pools.h"

#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "tests/pool/connection_testing.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

using Address = std::pair<std::string, std::string>;

struct Database {
  Address address;
  std::string user;
};
using Pools = ConnectionPools<Address, Database>;

TEST(ConnectionPools, A4_8_EachKeyHasAPoolOfItsOwn) {
  std::map<std::string, std::string> users = {{"db1", "ann"}, {"db2", "bob"}};
  int connects = 0;
  Pools pools(
      [&](const Address& address, Deadline) -> absl::StatusOr<Database> {
        ++connects;
        if (!users.contains(address.first)) return absl::NotFoundError("no such host");
        return Database{address, users[address.first]};
      },
      {.max_size = 1});
  auto a = pools.Get({"db1", "x"});
  auto b = pools.Get({"db2", "x"});
  auto c = pools.Get({"db1", "y"});
  EXPECT_EQ((*a)->user, "ann");
  EXPECT_EQ((*b)->user, "bob");
  EXPECT_EQ((*c)->address, Address("db1", "y"));
  EXPECT_EQ(pools.size(), 3u);
  EXPECT_EQ(&pools.For({"db1", "x"}), &pools.For({"db1", "x"}));
  EXPECT_EQ(pools.For({"db1", "x"}).Free(), 0);
  EXPECT_EQ(pools.Get({"db1", "x"}, absl::ZeroDuration()).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(pools.Get({"db3", "x"}).status(), absl::NotFoundError("no such host"));
  EXPECT_TRUE(a->Close().ok());
  EXPECT_TRUE(pools.Get({"db1", "x"}).ok());
  EXPECT_EQ(connects, 4);
  pools.Clear();
  EXPECT_EQ(pools.For({"db1", "x"}).size(), 0u);
}

TEST(ConnectionPools, A4_8_TheCleanupKnowsTheKey) {
  std::vector<std::string> cleaned;
  Pools pools(
      [](const Address& address, Deadline) {
        return Database{address, ""};
      },
      {},
      [&](const Address& address, Database& database) {
        EXPECT_EQ(address, database.address);
        cleaned.push_back(address.second);
        return absl::OkStatus();
      });
  for (const char* name : {"x", "y"}) EXPECT_TRUE(pools.Get({"db", name})->Close().ok());
  EXPECT_EQ(cleaned, (std::vector<std::string>{"x", "y"}));
}

TEST(ConnectionPools, A4_8_TwoThatFirstAskForAKeyAtOnceGetTheSamePool) {
  int connects = 0;
  Pools pools(
      [&](const Address& address, Deadline) {
        ++connects;
        Sleep();
        return Database{address, ""};
      },
      {.min_size = 1, .max_size = 2});
  std::vector<Pools::Pool*> seen;
  std::vector<AnyGreenThread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.push_back(Spawn([&] { seen.push_back(&pools.For({"db", "x"})); }));
  }
  JoinAll(threads);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0], seen[1]);
  EXPECT_EQ(pools.size(), 1u);
  EXPECT_TRUE(pools.Get({"db", "x"}).ok());
  EXPECT_EQ(connects, 2);
}

TEST(ConnectionPools, A4_8_AKeyWhoseFirstConnectionFailsHasNoPool) {
  bool refuses = true;
  Pools pools(
      [&](const Address& address, Deadline) {
        if (refuses) throw std::runtime_error("refused");
        return Database{address, ""};
      },
      {.min_size = 1});
  EXPECT_THROW(static_cast<void>(pools.Get({"db", "x"})), std::runtime_error);
  EXPECT_EQ(pools.size(), 0u);
  pools.Clear();
  refuses = false;
  EXPECT_TRUE(pools.Get({"db", "x"}).ok());
  EXPECT_EQ(pools.size(), 1u);
}

TEST(ConnectionPools, A4_8_AKeyWhoseFirstConnectionIsUnderWayHasNoPoolYet) {
  Event<> connected;
  Pools pools(
      [&](const Address& address, Deadline) {
        connected.Wait();
        return Database{address, ""};
      },
      {.min_size = 1});
  auto killed = Spawn([&] { static_cast<void>(pools.For({"db", "x"})); });
  auto asker = Spawn([&] { return pools.For({"db", "x"}).idle(); });
  Settle();
  EXPECT_EQ(pools.size(), 0u);
  pools.Clear();
  killed.KillAndJoin();
  EXPECT_EQ(pools.size(), 0u);
  pools.Clear();
  connected.Send();
  EXPECT_EQ(asker.Wait(), 1u);
  EXPECT_EQ(pools.size(), 1u);
}

TEST(ConnectionPools, A4_8_OfTwoThatMakeAPoolAtOnceTheLastClosesWhatItConnected) {
  ConnectionLog log;
  ConnectionPools<int, TestConnection> pools(
      [&](int, Deadline) {
        Sleep();
        return TestConnection(log);
      },
      {.min_size = 1});
  std::vector<AnyGreenThread> threads;
  for (int i = 0; i < 2; ++i) threads.push_back(Spawn([&] { pools.For(7); }));
  JoinAll(threads);
  EXPECT_EQ(log.opened, 2);
  EXPECT_EQ(log.closed, (std::vector<int>{1}));
  EXPECT_EQ(pools.For(7).idle(), 1u);
}

TEST(ConnectionPools, A4_8_LeasesMayOutliveThem) {
  Pools::Lease lease;
  {
    Pools pools([](const Address& address, Deadline) { return Database{address, "ann"}; });
    lease = *pools.Get({"db", "x"});
  }
  EXPECT_EQ(lease->user, "ann");
  EXPECT_TRUE(lease.Close().ok());
}

}  // namespace
}  // namespace verdant
