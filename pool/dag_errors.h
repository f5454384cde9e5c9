#ifndef VERDANT_POOL_DAG_ERRORS_H_
#define VERDANT_POOL_DAG_ERRORS_H_

#include <exception>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "hub/errors.h"

namespace verdant {

namespace internal {

// A key as messages show it.
template <typename Key>
std::string DagKeyText(const Key& key) {
  if constexpr (requires(std::ostream & out) { out << key; }) {
    std::ostringstream out;
    out << key;
    return "'" + out.str() + "'";
  } else {
    return "(a key)";
  }
}

}  // namespace internal

// A key of a DagPool has a value or a task already (row A9.3).
class Collision : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// What stands in the place of a value that a DagPool's task failed to compute: thrown in everything
// that reads the value (row A9.5). The cause is what the task threw, which is itself a
// PropagateError if that read a value that had failed; what() tells the whole chain.
template <typename Key>
class PropagateError : public std::runtime_error {
 public:
  PropagateError(Key key, std::exception_ptr cause)
      : runtime_error("the value of " + internal::DagKeyText(key) + " failed: " + CauseText(cause)),
        key_(std::move(key)),
        cause_(std::move(cause)) {}

  const Key& key() const { return key_; }
  const std::exception_ptr& cause() const { return cause_; }

 private:
  static std::string CauseText(const std::exception_ptr& cause) {
    try {
      std::rethrow_exception(cause);
    } catch (const PropagateError& error) {
      return error.what();
    } catch (...) {
      return DescribeException(cause);
    }
  }

  Key key_;
  std::exception_ptr cause_;
};

}  // namespace verdant

#endif  // VERDANT_POOL_DAG_ERRORS_H_
