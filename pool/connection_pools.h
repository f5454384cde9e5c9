#ifndef VERDANT_POOL_CONNECTION_POOLS_H_
#define VERDANT_POOL_CONNECTION_POOLS_H_

#include <cstddef>
#include <map>
#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hub/clock.h"
#include "pool/connection_pool.h"

namespace verdant {

// A ConnectionPool for each key, such as a (host, database), made when it is first asked for. All
// have the same options. Row A4.8.
//
//   using Address = std::pair<std::string, std::string>;
//   ConnectionPools<Address, Database> databases([&](const Address& address, Deadline by) {
//     return Database::Connect(address.first, address.second, credentials[address.first], by);
//   });
//   auto database = databases.Get({"db1", "users"});
//
// Key is copied and has operator<. Threading: as ConnectionPool.
template <typename Key, typename Connection>
class ConnectionPools {
 public:
  using Pool = ConnectionPool<Connection>;
  using Lease = typename Pool::Lease;
  using Connect = absl::AnyInvocable<absl::StatusOr<Connection>(const Key&, Deadline)>;
  using Cleanup = absl::AnyInvocable<absl::Status(const Key&, Connection&)>;

  explicit ConnectionPools(Connect connect, ConnectionPoolOptions options = {},
                           Cleanup cleanup = nullptr)
      : hooks_(std::make_shared<Hooks>(std::move(connect), std::move(cleanup))),
        options_(options) {}

  // The key's pool; stays where it is until this ends. With a min_size, making it may wait, and
  // throws what connecting throws: there is no pool then. Of several made for one key at once the
  // first that is ready stays; the others close what they have connected.
  Pool& For(const Key& key) {
    if (const auto place = pools_.find(key); place != pools_.end()) return *place->second;
    typename Pool::Cleanup cleanup;
    if (hooks_->cleanup != nullptr) {
      cleanup = [hooks = hooks_, key](Connection& c) { return hooks->cleanup(key, c); };
    }
    auto made = std::make_unique<Pool>(
        [hooks = hooks_, key](Deadline by) { return hooks->connect(key, by); }, options_,
        std::move(cleanup));
    return *pools_.try_emplace(key, std::move(made)).first->second;
  }
  // A connection of the key's pool; see ConnectionPool::Get().
  absl::StatusOr<Lease> Get(const Key& key, Deadline deadline = Deadline::Never()) {
    return For(key).Get(deadline);
  }
  // Closes all idle connections, pool by pool in the order of the keys.
  void Clear() {
    for (auto& [key, pool] : pools_) pool->Clear();
  }
  // Pools made so far.
  std::size_t size() const { return pools_.size(); }

 private:
  // Shared with the pools, which leases may outlive.
  struct Hooks {
    Hooks(Connect c, Cleanup k) : connect(std::move(c)), cleanup(std::move(k)) {}
    Connect connect;
    Cleanup cleanup;
  };

  const std::shared_ptr<Hooks> hooks_;
  const ConnectionPoolOptions options_;
  std::map<Key, std::unique_ptr<Pool>> pools_;
};

}  // namespace verdant

#endif  // VERDANT_POOL_CONNECTION_POOLS_H_
