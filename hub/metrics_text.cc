// Metrics as Prometheus reads them.

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "hub/metrics.h"

namespace verdant {
namespace {

void AppendEscaped(std::string& text, std::string_view value) {
  for (const char c : value) {
    switch (c) {
      case '\\':
        text += "\\\\";
        break;
      case '"':
        text += "\\\"";
        break;
      case '\n':
        text += "\\n";
        break;
      default:
        text += c;
    }
  }
}

// As a number of seconds that says exactly so many nanoseconds.
std::string Seconds(std::int64_t nanos) {
  std::string text = absl::StrCat(nanos / 1000000000);
  std::string fraction = absl::StrCat(1000000000 + nanos % 1000000000).substr(1);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  if (!fraction.empty()) absl::StrAppend(&text, ".", fraction);
  return text;
}

// What the samples of one metric have in common, then these, hub by hub.
class Family {
 public:
  Family(std::string& text, std::string_view name, std::string_view type, std::string_view help)
      : text_(text), name_(name) {
    absl::StrAppend(&text_, "# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n");
  }

  void Sample(const HubMetrics& hub, std::string_view value, std::string_view label = {},
              std::string_view label_value = {}, std::string_view suffix = {}) {
    absl::StrAppend(&text_, name_, suffix, "{hub=\"", hub.hub, "\",thread=\"");
    AppendEscaped(text_, hub.thread_name);
    text_ += '"';
    if (!label.empty()) {
      absl::StrAppend(&text_, ",", label, "=\"");
      AppendEscaped(text_, label_value);
      text_ += '"';
    }
    absl::StrAppend(&text_, "} ", value, "\n");
  }
  void Sample(const HubMetrics& hub, std::uint64_t value, std::string_view label = {},
              std::string_view label_value = {}) {
    Sample(hub, absl::StrCat(value), label, label_value);
  }
  void Sample(const HubMetrics& hub, const DurationHistogram& histogram) {
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
      so_far += histogram.counts()[i];
      const bool last = i == DurationHistogram::kBounds.size();
      Sample(hub, absl::StrCat(so_far), "le",
             last ? "+Inf" : Seconds(DurationHistogram::kBounds[i]), "_bucket");
    }
    Sample(hub, Seconds(histogram.sum_nanos()), {}, {}, "_sum");
    Sample(hub, absl::StrCat(so_far), {}, {}, "_count");
  }

 private:
  std::string& text_;
  const std::string_view name_;
};

}  // namespace

std::string PrometheusText(const std::vector<HubMetrics>& hubs) {
  std::string text;
  Family up(text, "verdant_hub_up", "gauge", "Whether the hub answered in time; 0: it is stuck.");
  for (const HubMetrics& hub : hubs) up.Sample(hub, std::uint64_t{hub.answered});

  const auto each = [&](std::string_view name, std::string_view type, std::string_view help,
                        absl::FunctionRef<void(Family&, const HubMetrics&)> sample) {
    Family family(text, name, type, help);
    for (const HubMetrics& hub : hubs) {
      if (hub.answered) sample(family, hub);
    }
  };
  each("verdant_green_threads", "gauge", "Green threads that have not ended, by state.",
       [](Family& family, const HubMetrics& hub) {
         family.Sample(hub, hub.states.not_started, "state", "new");
         family.Sample(hub, hub.states.runnable, "state", "runnable");
         family.Sample(hub, hub.states.waiting, "state", "waiting");
       });
  each("verdant_green_threads_waiting", "gauge", "Green threads that wait, by what they wait in.",
       [](Family& family, const HubMetrics& hub) {
         for (const auto& [operation, count] : hub.states.waiting_in)
           family.Sample(hub, count, "operation", operation);
       });
  each("verdant_timers", "gauge", "Calls to come, and waits that have a deadline.",
       [](Family& family, const HubMetrics& hub) { family.Sample(hub, hub.counts.timers); });
  each("verdant_descriptor_waits", "gauge", "Waits for a file descriptor, by direction.",
       [](Family& family, const HubMetrics& hub) {
         family.Sample(hub, hub.counts.readers, "direction", "read");
         family.Sample(hub, hub.counts.writers, "direction", "write");
       });

  struct Counter {
    std::string_view name;
    std::string_view help;
    std::uint64_t Hub::Counts::*count;
  };
  for (const Counter& counter : {
           Counter{"verdant_spawned_total", "Green threads and greenlets that the hub has known.",
                   &Hub::Counts::spawned},
           Counter{"verdant_switches_total", "Green threads resumed.", &Hub::Counts::switches},
           Counter{"verdant_turns_total", "Looks at timers and descriptors.", &Hub::Counts::turns},
           Counter{"verdant_sleeps_total", "Times that the hub slept and was woken.",
                   &Hub::Counts::sleeps},
           Counter{"verdant_posted_calls_total", "Calls from other threads that the hub has run.",
                   &Hub::Counts::posted_calls},
           Counter{"verdant_poller_calls_total", "System calls that asked for or set readiness.",
                   &Hub::Counts::poller_calls},
       }) {
    each(counter.name, "counter", counter.help, [&](Family& family, const HubMetrics& hub) {
      family.Sample(hub, hub.counts.*counter.count);
    });
  }

  each("verdant_turn_seconds", "histogram",
       "How long green threads ran before the hub looked at timers and descriptors again.",
       [](Family& family, const HubMetrics& hub) { family.Sample(hub, hub.turn_times); });
  each("verdant_timer_lag_seconds", "histogram", "How late the earliest of the timers due fired.",
       [](Family& family, const HubMetrics& hub) { family.Sample(hub, hub.timer_lag); });
  return text;
}

}  // namespace verdant
