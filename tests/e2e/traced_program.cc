// A program that leaves a trace on: two hubs, green threads that wait for each other, for a pipe
// and for time. Prints the metrics of both hubs, and writes the trace when it has ended or in the
// handler of the signal that it dies of.
//
//   traced_program FILE [crash]

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/hub_group.h"
#include "hub/io.h"
#include "hub/metrics.h"
#include "hub/semaphore.h"
#include "hub/trace.h"

namespace {

const verdant::Trace* trace_of_process = nullptr;
int trace_fd = -1;

void WriteAndDie(int signal) {
  trace_of_process->WriteInSignalHandler(trace_fd);
  ::signal(signal, SIG_DFL);
  raise(signal);
}

void PingPong() {
  verdant::Semaphore ping(0);
  verdant::Semaphore pong(0);
  auto server = verdant::Spawn([&] {
    for (int i = 0; i < 100; ++i) {
      ping.Acquire();
      pong.Release();
    }
  });
  server.SetName("server");
  auto client = verdant::Spawn([&] {
    for (int i = 0; i < 100; ++i) {
      ping.Release();
      pong.Acquire();
    }
  });
  client.SetName("client \"one\"\n");
  verdant::JoinAll({server, client});
}

void ReadAPipe() {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0) std::abort();
  auto reader = verdant::Spawn([&] {
    auto descriptor = verdant::IoDescriptor::Register(ends[0]);
    if (!descriptor.ok()) std::abort();
    descriptor->ReadWouldBlock();
    descriptor->WaitReadable();
  });
  reader.SetName("reader");
  verdant::Sleep(absl::Milliseconds(2));
  if (write(ends[1], "x", 1) != 1) std::abort();
  reader.Join();
  close(ends[0]);
  close(ends[1]);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: traced_program FILE [crash]\n", stderr);
    return 2;
  }
  verdant::Trace trace;
  trace.Start();
  verdant::HubGroup::Options options;
  options.threads = 1;
  options.hub.trace = &trace;
  options.name = "crew";
  verdant::HubGroup group(options);
  group.RunInHub(0, &PingPong);
  ReadAPipe();
  if (argc > 2 && std::string_view(argv[2]) == "crash") {
    trace_of_process = &trace;
    trace_fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    signal(SIGABRT, &WriteAndDie);
    auto culprit = verdant::Spawn([] { std::abort(); });
    culprit.SetName("culprit");
    culprit.Join();
  }
  const std::string metrics = verdant::PrometheusText(verdant::CollectMetrics(absl::Seconds(10)));
  std::fputs(metrics.c_str(), stdout);
  group.Stop();
  const absl::Status status = trace.WriteTo(argv[1]);
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  return 0;
}
