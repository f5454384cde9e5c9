#ifndef VERDANT_TESTS_HUB_TRACE_TESTING_H_
#define VERDANT_TESTS_HUB_TRACE_TESTING_H_

#include <cstddef>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "hub/trace.h"
#include "tests/hub/json_testing.h"
#include "tests/testing/temporary_directory.h"

namespace verdant::testing {

// A slice of a trace: what lies between a begin and its end, in microseconds.
struct Slice {
  std::string name;
  std::string category;
  Json::Object args;  // of its begin and its end together
  double begin = 0;
  double end = 0;
  std::size_t depth = 0;

  std::string Arg(const std::string& key) const {
    const auto found = args.find(key);
    if (found == args.end()) return "";
    if (const auto* text = std::get_if<std::string>(&found->second.value)) return *text;
    if (const auto* yes = std::get_if<bool>(&found->second.value)) return *yes ? "true" : "false";
    return std::get<Json::Number>(found->second.value).text;
  }
};

struct Arrow {
  std::string name;
  const Slice* from = nullptr;
  const Slice* to = nullptr;
};

// A trace file, read as strictly as the format is described: throws std::runtime_error if a begin
// has no end or the other way round, time runs backwards on a track, a track has no name, or an
// arrow does not lead from a slice to a later one.
class TraceFile {
 public:
  static TraceFile Read(const std::string& path) {
    std::ifstream file(path);
    return TraceFile(std::string(std::istreambuf_iterator<char>(file), {}));
  }
  explicit TraceFile(const std::string& text) : json_(JsonParser::Parse(text)) {
    for (const Json& event : json_["traceEvents"].array()) Take(event);
    for (const auto& [track, open] : open_) {
      if (!open.empty()) Fail("a slice that never ends", *open.back());
      if (names_.count(track) == 0) Fail("a track without a name");
    }
    for (const auto& [id, ends] : ends_) TakeArrow(ends);
  }

  const std::map<double, std::string>& tracks() const { return names_; }
  const std::string& process() const { return process_; }
  std::vector<const Slice*> Slices(const std::string& name) const {
    std::vector<const Slice*> found;
    for (const auto& [track, slices] : slices_) {
      for (const auto& slice : slices) {
        if (slice->name == name) found.push_back(slice.get());
      }
    }
    return found;
  }
  const std::vector<Arrow>& arrows() const { return arrows_; }
  std::size_t ArrowsFrom(const std::string& from, const std::string& to) const {
    std::size_t count = 0;
    for (const Arrow& arrow : arrows_)
      count += arrow.from->name == from && arrow.to->name == to ? 1 : 0;
    return count;
  }
  std::size_t counters() const { return counters_; }

 private:
  struct End {
    std::string name;
    double track = 0;
    double time = 0;
    bool seen = false;
  };
  using Ends = std::pair<End, End>;

  [[noreturn]] static void Fail(const std::string& what, const Slice& slice = {}) {
    throw std::runtime_error("trace: " + what + ": " + slice.name);
  }

  void Take(const Json& event) {
    const std::string& phase = event["ph"].text();
    event["pid"].number();
    if (phase == "M") {
      const std::string& what = event["name"].text();
      if (what == "process_name") process_ = event["args"]["name"].text();
      if (what == "thread_name") names_[event["tid"].number()] = event["args"]["name"].text();
      return;
    }
    const double track = event["tid"].number();
    const double time = event["ts"].number();
    if (phase == "s" || phase == "f") {
      Ends& ends = ends_[event["id"].number()];
      End& end = phase == "s" ? ends.first : ends.second;
      if (end.seen) Fail("an arrow with two beginnings");
      end = {event["name"].text(), track, time, true};
      if (phase == "f" && event["bp"].text() != "e") Fail("an arrow to the next slice");
      return;
    }
    if (time < latest_[track]) Fail("time runs backwards");
    latest_[track] = time;
    std::vector<Slice*>& open = open_[track];
    if (phase == "B") {
      auto slice = std::make_unique<Slice>();
      slice->name = event["name"].text();
      slice->category = event["cat"].text();
      slice->begin = time;
      slice->depth = open.size();
      if (event.has("args")) slice->args = event["args"].object();
      open.push_back(slice.get());
      slices_[track].push_back(std::move(slice));
    } else if (phase == "E") {
      if (open.empty()) Fail("an end without a begin");
      if (open.back()->name != event["name"].text()) Fail("an end of another slice");
      open.back()->end = time;
      if (event.has("args")) {
        for (const auto& [key, value] : event["args"].object()) {
          if (!open.back()->args.emplace(key, value).second) Fail("an argument that comes twice");
        }
      }
      open.pop_back();
    } else if (phase == "C") {
      event["args"]["runnable"].number();
      event["args"]["green threads"].number();
      ++counters_;
    } else {
      Fail("an event of the unknown phase " + phase);
    }
  }

  // The innermost slice there; at the border of two the earlier or the later one.
  const Slice* SliceAt(const End& end, bool later) const {
    const Slice* found = nullptr;
    for (const auto& slice : slices_.at(end.track)) {
      if (slice->begin > end.time) break;
      if (slice->end < end.time || (later && slice->end == end.time && found != nullptr)) continue;
      if (later || found == nullptr || slice->begin < end.time) found = slice.get();
    }
    return found;
  }
  void TakeArrow(const Ends& ends) {
    const auto& [from, to] = ends;
    if (!from.seen || !to.seen) Fail("half an arrow");
    if (from.name != to.name) Fail("an arrow with two names");
    if (from.time > to.time) Fail("an arrow into the past");
    const Arrow arrow = {from.name, SliceAt(from, false), SliceAt(to, true)};
    if (arrow.from == nullptr || arrow.to == nullptr) Fail("an arrow without a slice");
    arrows_.push_back(arrow);
  }

  const Json json_;
  std::string process_;
  std::map<double, std::string> names_;
  std::map<double, double> latest_;
  std::map<double, std::vector<Slice*>> open_;
  std::map<double, std::vector<std::unique_ptr<Slice>>> slices_;
  std::map<double, Ends> ends_;
  std::vector<Arrow> arrows_;
  std::size_t counters_ = 0;
};

// What `trace` writes now.
inline TraceFile Written(const Trace& trace) {
  const TemporaryDirectory directory;
  const std::string path = directory.File("trace.json");
  const absl::Status status = trace.WriteTo(path);
  EXPECT_TRUE(status.ok()) << status;
  return TraceFile::Read(path);
}

}  // namespace verdant::testing

#endif  // VERDANT_TESTS_HUB_TRACE_TESTING_H_
