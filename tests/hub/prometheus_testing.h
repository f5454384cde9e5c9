#ifndef VERDANT_TESTS_HUB_PROMETHEUS_TESTING_H_
#define VERDANT_TESTS_HUB_PROMETHEUS_TESTING_H_

#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace verdant::testing {

// Samples in Prometheus' text format, read strictly: throws std::runtime_error unless each metric
// has one HELP and one TYPE line before its samples, which stand together, names and labels are
// what they may be, no sample comes twice, and the buckets of a histogram are cumulative, in order,
// and agree with its count.
class PrometheusSamples {
 public:
  using Labels = std::map<std::string, std::string>;

  explicit PrometheusSamples(std::string_view text) {
    if (text.empty() || text.back() != '\n') Fail("no line feed at the end");
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      line_ = text.substr(0, end);
      text.remove_prefix(end + 1);
      if (line_.substr(0, 2) == "# ") {
        TakeComment();
      } else {
        TakeSample();
      }
    }
    FinishHistograms();
  }

  const std::string& TypeOf(const std::string& metric) const { return types_.at(metric); }
  // The value of the one sample of that name that has all of `labels`.
  double Value(const std::string& name, const Labels& labels) const {
    const double* found = nullptr;
    for (const auto& [sample, value] : samples_) {
      if (sample.first != name || !Has(sample.second, labels)) continue;
      if (found != nullptr) throw std::runtime_error("several samples of " + name);
      found = &value;
    }
    if (found == nullptr) throw std::runtime_error("no sample of " + name);
    return *found;
  }
  std::size_t Count(const std::string& name, const Labels& labels) const {
    std::size_t count = 0;
    for (const auto& [sample, value] : samples_)
      count += sample.first == name && Has(sample.second, labels) ? 1 : 0;
    return count;
  }
  std::size_t size() const { return samples_.size(); }

 private:
  [[noreturn]] void Fail(const std::string& what) const {
    throw std::runtime_error("metrics: " + what + " in: " + std::string(line_));
  }
  static bool Has(const Labels& all, const Labels& some) {
    for (const auto& [key, value] : some) {
      const auto found = all.find(key);
      if (found == all.end() || found->second != value) return false;
    }
    return true;
  }

  std::string TakeName(std::string_view& rest, bool colon) const {
    std::size_t size = 0;
    const auto fits = [&](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colon && c == ':') ||
             (size > 0 && c >= '0' && c <= '9');
    };
    while (size < rest.size() && fits(rest[size])) ++size;
    if (size == 0) Fail("no name");
    std::string name(rest.substr(0, size));
    rest.remove_prefix(size);
    return name;
  }
  void Take(std::string_view& rest, char c) const {
    if (rest.empty() || rest.front() != c) Fail(std::string("no ") + c);
    rest.remove_prefix(1);
  }

  void TakeComment() {
    std::string_view rest = line_.substr(2);
    const std::string kind = TakeName(rest, false);
    Take(rest, ' ');
    const std::string name = TakeName(rest, true);
    Take(rest, ' ');
    if (kind == "HELP") {
      if (!helped_.insert(name).second) Fail("HELP again");
      for (std::size_t i = 0; i < rest.size(); ++i) {
        if (rest[i] == '\\' && (++i == rest.size() || (rest[i] != '\\' && rest[i] != 'n')))
          Fail("an escape");
      }
    } else if (kind == "TYPE") {
      if (helped_.count(name) == 0) Fail("TYPE without HELP");
      if (rest != "counter" && rest != "gauge" && rest != "histogram") Fail("the type");
      if (!types_.emplace(name, rest).second) Fail("TYPE again");
      current_ = name;
    } else {
      Fail("neither HELP nor TYPE");
    }
  }

  void TakeSample() {
    std::string_view rest = line_;
    const std::string name = TakeName(rest, true);
    const bool histogram = !current_.empty() && types_[current_] == "histogram";
    if (!histogram ? name != current_
                   : name != current_ + "_bucket" && name != current_ + "_sum" &&
                         name != current_ + "_count")
      Fail("a sample of another metric");
    if (types_[current_] == "counter" &&
        (name.size() < 6 || name.substr(name.size() - 6) != "_total"))
      Fail("a counter that is no _total");
    Labels labels;
    Take(rest, '{');
    for (;;) {
      const std::string label = TakeName(rest, false);
      Take(rest, '=');
      if (!labels.emplace(label, TakeQuoted(rest)).second) Fail("a label again");
      if (rest.empty() || rest.front() != ',') break;
      rest.remove_prefix(1);
    }
    Take(rest, '}');
    Take(rest, ' ');
    const double value = Number(std::string(rest));
    if (!samples_.emplace(std::pair(name, labels), value).second) Fail("a sample again");
    if (histogram) TakeHistogram(name, labels, value);
  }
  std::string TakeQuoted(std::string_view& rest) const {
    std::string value;
    Take(rest, '"');
    for (;;) {
      if (rest.empty()) Fail("a label without an end");
      const char c = rest.front();
      rest.remove_prefix(1);
      if (c == '"') return value;
      if (c != '\\') {
        value += c;
        continue;
      }
      const char escaped = rest.empty() ? '\0' : rest.front();
      if (escaped != '\\' && escaped != '"' && escaped != 'n') Fail("an escape");
      value += escaped == 'n' ? '\n' : escaped;
      rest.remove_prefix(1);
    }
  }
  double Number(const std::string& text) const {
    if (text == "+Inf") return HUGE_VAL;
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0' || (text[0] < '0' || text[0] > '9')) Fail("the number");
    return value;
  }

  struct Histogram {
    double bound = -1;
    double count = 0;
    bool whole = false;  // +Inf was there
    double total = -1;
    bool sum = false;
  };
  void TakeHistogram(const std::string& name, Labels labels, double value) {
    double bound = 0;
    if (name == current_ + "_bucket") {
      if (labels.count("le") == 0) Fail("a bucket without a bound");
      bound = Number(labels["le"]);
      labels.erase("le");
    }
    Histogram& histogram = histograms_[{current_, labels}];
    if (name == current_ + "_sum") {
      histogram.sum = true;
    } else if (name == current_ + "_count") {
      histogram.total = value;
    } else {
      if (bound <= histogram.bound || value < histogram.count) Fail("a bucket out of order");
      histogram.bound = bound;
      histogram.count = value;
      histogram.whole = std::isinf(bound);
    }
  }
  void FinishHistograms() {
    for (const auto& [key, histogram] : histograms_) {
      line_ = key.first;
      if (!histogram.whole || !histogram.sum || histogram.total != histogram.count)
        Fail("an incomplete histogram");
    }
  }

  std::string_view line_;
  std::string current_;
  std::set<std::string> helped_;
  std::map<std::string, std::string> types_;
  std::map<std::pair<std::string, Labels>, double> samples_;
  std::map<std::pair<std::string, Labels>, Histogram> histograms_;
};

}  // namespace verdant::testing

#endif  // VERDANT_TESTS_HUB_PROMETHEUS_TESTING_H_
