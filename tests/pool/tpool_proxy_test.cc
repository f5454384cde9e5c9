// Where what a Proxy stands for is made, called and destroyed.

#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "pool/connection_pool.h"
#include "pool/tpool.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

std::thread::id ThisThread() { return std::this_thread::get_id(); }

// Says where it was destroyed.
class Resource {
 public:
  explicit Resource(std::promise<std::thread::id> end) : end_(std::move(end)) {}
  Resource(const Resource&) = delete;
  Resource& operator=(const Resource&) = delete;
  ~Resource() { end_.set_value(ThisThread()); }
  std::thread::id Where() const { return ThisThread(); }

 private:
  std::promise<std::thread::id> end_;
};

// A promise to be given to one, and where that ended.
class Watch {
 public:
  std::promise<std::thread::id> promise() { return std::move(promise_); }
  std::thread::id Where() { return where_.get(); }
  bool ended() const {
    return where_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }

 private:
  std::promise<std::thread::id> promise_;
  std::future<std::thread::id> where_ = promise_.get_future();
};

using ResourceProxy = tpool::Proxy<Resource>;

TEST(Proxy, A8_4_ItMayBeMadeOnAnOsThread) {
  class Maker {
   public:
    Maker(std::unique_ptr<int> number, std::string text)
        : text_(text + std::to_string(*number)), where_(ThisThread()) {}
    const std::string& text() const { return text_; }
    std::thread::id where() const { return where_; }

   private:
    std::string text_;
    std::thread::id where_;
  };
  const auto made = tpool::Proxy<Maker>::Make(std::make_unique<int>(7), "x");
  EXPECT_EQ(made.object().text(), "x7");
  EXPECT_NE(made.object().where(), ThisThread());
  struct Refuses {
    Refuses() { throw std::runtime_error("refused"); }
  };
  EXPECT_THROW(tpool::Proxy<Refuses>::Make(), std::runtime_error);
}

TEST(Proxy, A8_4_ItIsDestroyedOnAnOsThreadWithTheLastCopy) {
  Watch watch;
  std::optional<ResourceProxy> proxy(ResourceProxy::Make(watch.promise()));
  std::optional<ResourceProxy> copy(proxy);
  EXPECT_NE(copy->Call(&Resource::Where), ThisThread());
  proxy.reset();
  EXPECT_TRUE(tpool::Pool().Join());
  EXPECT_FALSE(watch.ended());
  copy.reset();
  EXPECT_EQ(tpool::Pool().Pending(), 1u);
  EXPECT_NE(watch.Where(), ThisThread());
  EXPECT_TRUE(tpool::Pool().Join());
  EXPECT_EQ(tpool::Pool().Pending(), 0u);
}

TEST(Proxy, A8_4_AFullPoolHoldsUpNobodyWhoDropsOne) {
  OnFreshThread([] {
    tpool::SetNumThreads(1);
    ThreadPool& pool = tpool::Pool();
    Watch watch;
    std::optional<ResourceProxy> proxy(std::in_place, std::in_place, watch.promise());
    std::promise<void> gate;
    auto running = pool.Spawn([way = gate.get_future().share()] { way.wait(); });
    auto queued = pool.Spawn([] {});
    auto waiting = Spawn([&] { pool.Apply([] {}); });
    Sleep();
    EXPECT_EQ(pool.Waiting(), 1u);
    Event<> dropped;
    Hub::Current().Post([&] {
      proxy.reset();  // where nothing may block
      dropped.Send();
    });
    dropped.Wait();
    EXPECT_EQ(pool.Pending(), 3u);
    EXPECT_FALSE(watch.ended());
    gate.set_value();
    JoinAll({running, queued, waiting});
    EXPECT_TRUE(pool.Join());
    EXPECT_EQ(pool.Pending(), 0u);
    EXPECT_NE(watch.Where(), ThisThread());
  });
}

TEST(Proxy, A8_4_OneWhoseMakerWasInterruptedIsDestroyedOnAnOsThreadToo) {
  Watch watch;
  std::promise<void> gate;
  auto begun = std::make_shared<std::promise<void>>();
  struct Slow {
    Slow(std::promise<std::thread::id> end, const std::shared_ptr<std::promise<void>>& begun,
         const std::shared_future<void>& way)
        : resource(std::move(end)) {
      begun->set_value();
      way.wait();
    }
    Resource resource;
  };
  auto maker = Spawn([&, way = gate.get_future().share()] {
    return tpool::Proxy<Slow>::Make(watch.promise(), begun, way);
  });
  Sleep();
  begun->get_future().wait();
  maker.Kill();
  gate.set_value();
  EXPECT_TRUE(tpool::Pool().Join());
  EXPECT_NE(watch.Where(), ThisThread());
  EXPECT_THROW(static_cast<void>(maker.Wait()), GreenletExit);
}

TEST(Proxy, A8_4_WhatIsWrappedIsMadeAndDestroyedOnAnOsThread) {
  struct Cursor {
    explicit Cursor(std::promise<std::thread::id> end)
        : resource(std::make_unique<Resource>(std::move(end))), made(ThisThread()) {}
    std::unique_ptr<Resource> resource;
    std::thread::id made;
  };
  Watch watch;
  const tpool::Proxy<Watch*> database(std::in_place, &watch);
  {
    const auto cursor = database.Wrap([](Watch* w) { return Cursor(w->promise()); });
    EXPECT_NE(cursor.object().made, ThisThread());
  }
  EXPECT_NE(watch.Where(), ThisThread());
}

TEST(Proxy, A8_4_WithoutAPoolInUseItIsDestroyedWhereTheLastCopyGoes) {
  Watch unused, with_none, after_the_end;
  OnFreshThread([&] {
    { const ResourceProxy proxy(std::in_place, unused.promise()); }
    EXPECT_EQ(unused.Where(), ThisThread());
    std::optional<ResourceProxy> kept(ResourceProxy::Make(after_the_end.promise()));
    EXPECT_TRUE(tpool::KillAll());
    kept.reset();
    EXPECT_EQ(after_the_end.Where(), ThisThread());
    tpool::SetNumThreads(0);
    { const ResourceProxy proxy = ResourceProxy::Make(with_none.promise()); }
    EXPECT_EQ(with_none.Where(), ThisThread());
  });
}

TEST(Proxy, A8_4_OneDroppedAsItsThreadEndsIsStillDestroyed) {
  Watch before, after;
  std::thread::id here;
  OnFreshThread([&] {
    here = ThisThread();
    // Ends after the thread's pool, which is made later.
    static thread_local std::optional<ResourceProxy> kept;
    kept.emplace(std::in_place, after.promise());
    tpool::Execute([] {});
    const ResourceProxy dropped(std::in_place, before.promise());
  });
  EXPECT_NE(before.Where(), here);
  EXPECT_EQ(after.Where(), here);
}

TEST(Proxy, A8_4_OneThatOutlivesItsThreadIsDestroyedWhereItIsDropped) {
  Watch elsewhere, here;
  std::optional<ResourceProxy> proxy;
  OnFreshThread([&] { proxy.emplace(ResourceProxy::Make(elsewhere.promise())); });
  std::thread([&] { proxy.reset(); }).join();  // which has no hub
  EXPECT_TRUE(elsewhere.ended());
  OnFreshThread([&] { proxy.emplace(ResourceProxy::Make(here.promise())); });
  tpool::Execute([] {});
  proxy.reset();
  EXPECT_NE(here.Where(), ThisThread()) << "by the pool of this thread";
}

TEST(Proxy, A8_4_InAForkedChildItIsDestroyedThereAndThen) {
  tpool::Execute([] {});
  const pid_t child = fork();
  if (child == 0) {
    Watch watch;
    { const ResourceProxy proxy(std::in_place, watch.promise()); }
    _exit(watch.ended() && watch.Where() == ThisThread() ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// ---- Connections that live on OS threads. ----

// What happened to connections, and on which threads.
struct Log {
  void Add(const char* what) {
    const std::lock_guard<std::mutex> lock(mutex);
    entries.emplace_back(what, ThisThread());
  }
  std::mutex mutex;
  std::vector<std::pair<std::string, std::thread::id>> entries;
};

// A client library that blocks.
class Db {
 public:
  explicit Db(Log* log) : log_(log) { log_->Add("connect"); }
  Db(const Db&) = delete;
  Db& operator=(const Db&) = delete;
  ~Db() { log_->Add("close"); }
  int Query(int x) {
    log_->Add("call");
    return x + 1;
  }
  absl::Status Rollback() {
    log_->Add("cleanup");
    return absl::OkStatus();
  }

 private:
  Log* const log_;
};

TEST(Proxy, A4_6_ConnectionsOfAPoolMayLiveOnOsThreads) {
  using Connections = ConnectionPool<tpool::Proxy<Db>>;
  Log log;
  {
    Connections connections(
        [&log](Deadline) -> absl::StatusOr<tpool::Proxy<Db>> {
          return tpool::Proxy<Db>::Make(&log);
        },
        {}, [](tpool::Proxy<Db>& db) { return db.Call(&Db::Rollback); });
    absl::StatusOr<Connections::Lease> lease = connections.Get();
    ASSERT_TRUE(lease.ok());
    EXPECT_EQ((*lease)->Call(&Db::Query, 1), 2);
    EXPECT_TRUE(lease->Close().ok());
    EXPECT_EQ(connections.idle(), 1u);
    connections.Clear();
  }
  EXPECT_TRUE(tpool::Pool().Join());
  std::vector<std::string> what;
  for (const auto& [event, where] : log.entries) {
    what.push_back(event);
    EXPECT_NE(where, ThisThread()) << event;
  }
  EXPECT_EQ(what, (std::vector<std::string>{"connect", "call", "cleanup", "close"}));
}

}  // namespace
}  // namespace verdant
