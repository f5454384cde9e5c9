#ifndef VERDANT_TESTS_CONFORMANCE_STRESS_RESULT_H_
#define VERDANT_TESTS_CONFORMANCE_STRESS_RESULT_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>

#include "hub/async_result.h"
#include "hub/clock.h"
#include "hub/hub.h"
#include "tests/conformance/stress_record.h"

namespace verdant {

// A result that is put there again and again, and what it ought to be.
class StressResult {
 public:
  explicit StressResult(Record& record) : record_(record) { Renew(); }

  void Set(std::uint64_t who, Chance& chance) {
    if (chance.OneIn(4)) {
      value_.reset();
      result_->SetException(std::make_exception_ptr(std::runtime_error("a result's")));
    } else {
      value_ = ++last_;
      result_->Set(last_);
    }
    record_.Expect(links_ == 0, "every link was called when there was a result");
    record_.Expect(result_->Ready() && result_->Successful() == value_.has_value(),
                   "a result is what was put there last");
    record_.Note('R', who, value_.value_or(0));
  }
  void Wait(std::uint64_t who, Deadline deadline) {
    std::optional<std::uint64_t> got;
    {
      Inside inside(waiting_);
      got = result_->Wait(deadline);
    }
    record_.Expect(
        got || (result_->Ready() && !value_) || Hub::Current().NowNanos() == deadline.nanos(),
        "a result was in time");
    record_.Expect(!got || got == value_, "a waiter gets what is there when it runs");
    record_.Note('r', who, got.value_or(0));
  }
  void Link(Chance& chance) {
    ++links_;
    const bool throws = chance.OneIn(8);
    const std::uint64_t id = result_->Link([this, throws] {
      --links_;
      if (throws) throw std::runtime_error("a link's");
    });
    if (id != 0 && chance.OneIn(4)) {
      record_.Expect(result_->Unlink(id), "a link still to be called can be removed");
      --links_;
    }
  }
  // Begins anew, without a result, if nobody waits.
  void Renew() {
    if (waiting_ != 0 || looking_ != 0) return;
    result_ = std::make_unique<AsyncResult<std::uint64_t>>();
    value_.reset();
    links_ = 0;
  }
  // For who waits for this among others: it stays while `looking` counts them.
  AsyncResult<std::uint64_t>& object() { return *result_; }
  std::size_t& looking() { return looking_; }
  bool ready() const { return result_->Ready(); }

  void CheckAtRest() const {
    record_.Expect(waiting_ == 0 || !result_->Ready(), "nobody waits for a result that is there");
  }

 private:
  std::unique_ptr<AsyncResult<std::uint64_t>> result_;
  Record& record_;
  std::optional<std::uint64_t> value_;
  std::uint64_t last_ = 0;
  std::size_t links_ = 0;  // to be called
  std::size_t waiting_ = 0;
  std::size_t looking_ = 0;
};

}  // namespace verdant

#endif  // VERDANT_TESTS_CONFORMANCE_STRESS_RESULT_H_
