#ifndef VERDANT_TESTS_CONFORMANCE_STRESS_LINKS_H_
#define VERDANT_TESTS_CONFORMANCE_STRESS_LINKS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <stdexcept>

#include "hub/handle.h"
#include "tests/conformance/stress_record.h"

namespace verdant {

// The links of one green thread, and those it ought to have.
class StressLinks {
 public:
  StressLinks(std::uint64_t who, Record& record) : who_(who), record_(record) {}

  // Adds one of any kind. Some throw, some add another.
  void Add(GreenThread<std::uint64_t> thread, Chance& chance) {
    const std::uint64_t number = ++last_;
    const Kind kind = static_cast<Kind>(chance.Below(3));
    const bool ended = thread.Ready();
    expected_.push_back({.number = number, .kind = kind, .id = 0});
    std::uint64_t id = 0;
    switch (kind) {
      case Kind::kAny:
        id = thread.Link(
            [this, number, &chance](GreenThread<std::uint64_t> t) { Run(t, number, chance); });
        break;
      case Kind::kValue:
        id = thread.LinkValue(
            [this, number, &chance](GreenThread<std::uint64_t> t) { Run(t, number, chance); });
        break;
      case Kind::kException:
        id = thread.LinkException(
            [this, number, &chance](GreenThread<std::uint64_t> t) { Run(t, number, chance); });
        break;
    }
    record_.Expect(ended || id != 0, "a link of one that has not ended waits for its end");
    for (Expected& link : expected_) {
      if (link.number == number) link.id = id;
    }
  }
  void Remove(const AnyGreenThread& thread, Chance& chance) {
    if (expected_.empty()) return;
    const std::size_t at = chance.Below(expected_.size());
    if (thread.Ready() || expected_[at].id == 0) return;
    record_.Expect(thread.Unlink(expected_[at].id), "a link still to be called can be removed");
    record_.Expect(!thread.Unlink(expected_[at].id), "and only once");
    record_.Note('U', who_, expected_[at].number);
    expected_.erase(expected_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  // Of one that is dead: all were called that should have been.
  void CheckAtEnd(const AnyGreenThread& thread) {
    for (const Expected& link : expected_) {
      record_.Expect(!Applies(link.kind, thread), "every link of one that is dead was called");
    }
    expected_.clear();
  }

 private:
  enum class Kind : std::uint8_t { kAny, kValue, kException };
  struct Expected {
    std::uint64_t number = 0;
    Kind kind = Kind::kAny;
    std::uint64_t id = 0;
  };

  static bool Applies(Kind kind, const AnyGreenThread& thread) {
    return kind == Kind::kAny || (kind == Kind::kValue) == thread.Successful();
  }
  void Run(const GreenThread<std::uint64_t>& thread, std::uint64_t number, Chance& chance) {
    record_.Note('L', who_, number);
    record_.Expect(thread.Ready(), "links are called at the end");
    while (!expected_.empty() && !Applies(expected_.front().kind, thread)) expected_.pop_front();
    record_.Expect(!expected_.empty() && expected_.front().number == number,
                   "links are called once each, in order");
    if (!expected_.empty()) expected_.pop_front();
    if (chance.OneIn(16)) Add(thread, chance);
    if (chance.OneIn(16)) throw std::runtime_error("a link's");
  }

  const std::uint64_t who_;
  Record& record_;
  std::uint64_t last_ = 0;
  std::deque<Expected> expected_;
};

}  // namespace verdant

#endif  // VERDANT_TESTS_CONFORMANCE_STRESS_LINKS_H_
