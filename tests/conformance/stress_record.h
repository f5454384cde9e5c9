#ifndef VERDANT_TESTS_CONFORMANCE_STRESS_RECORD_H_
#define VERDANT_TESTS_CONFORMANCE_STRESS_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace verdant {

// SplitMix64: the same numbers for a seed everywhere.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // 0 to n-1.
  std::uint32_t Below(std::size_t n) { return static_cast<std::uint32_t>(Next() % n); }
  bool OneIn(std::size_t n) { return Below(n) == 0; }

 private:
  std::uint64_t state_;
};

// What happened, in order, and the first thing that should not have.
class Record {
 public:
  void Note(char what, std::uint64_t who, std::uint64_t detail) {
    events_.push_back(static_cast<std::uint64_t>(what) << 56 | (who & 0xfffffffu) << 28 |
                      (detail & 0xfffffffu));
  }
  // With the latest events, oldest first, each as what, who and detail.
  void Expect(bool holds, const char* claim) {
    if (holds || !violation_.empty()) return;
    violation_ = std::string("not so: ") + claim + "; after";
    for (std::size_t i = events_.size() > 24 ? events_.size() - 24 : 0; i < events_.size(); ++i) {
      violation_ += std::string(" ") + static_cast<char>(events_[i] >> 56) +
                    std::to_string(events_[i] >> 28 & 0xfffffffu) + ":" +
                    std::to_string(events_[i] & 0xfffffffu);
    }
  }
  const std::vector<std::uint64_t>& events() const { return events_; }
  const std::string& violation() const { return violation_; }

 private:
  std::vector<std::uint64_t> events_;
  std::string violation_;
};

// Counts a scope for as long as it lasts.
class Inside {
 public:
  explicit Inside(std::size_t& count) : count_(count) { ++count_; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() { --count_; }

 private:
  std::size_t& count_;
};

}  // namespace verdant

#endif  // VERDANT_TESTS_CONFORMANCE_STRESS_RECORD_H_
