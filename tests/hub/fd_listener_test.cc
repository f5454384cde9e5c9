// Listeners on descriptors that others read and write (hub/io.h).

#include <unistd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/io.h"
#include "tests/hub/io_testing.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(FdListener, A12_8_CallsBackOnTheHubForAsLongAsItIsInterested) {
  Pair pair;
  Event<std::uint32_t> got;
  FdListener listener(pair.fd[0], [&](std::uint32_t events) {
    if (!got.Ready()) got.Send(events);
  });
  listener.SetInterest(kIoRead);
  ASSERT_EQ(write(pair.fd[1], "x", 1), 1);
  EXPECT_EQ(got.Wait(), kIoRead);
  got.Reset();
  EXPECT_EQ(got.Wait(), kIoRead);  // level-triggered: nobody has read it
  got.Reset();
  listener.SetInterest(kIoNone);
  EXPECT_THROW(got.Wait(), LoopExit);
  listener.SetInterest(kIoRead | kIoWrite);
  EXPECT_EQ(got.Wait(), kIoRead | kIoWrite);
}

TEST(FdListener, MayEndItselfFromItsCallback) {
  Pair pair;
  Event<> done;
  std::unique_ptr<FdListener> listener;
  listener =
      std::make_unique<FdListener>(pair.fd[0], [&, text = std::string(100, 'a')](std::uint32_t) {
        listener = nullptr;
        EXPECT_EQ(text.size(), 100u);
        done.Send();
      });
  listener->SetInterest(kIoWrite);
  done.Wait();
  EXPECT_EQ(Hub::Current().counts().waiting_for_io, 0u);
}

TEST(FdListener, OneThatEndsAnotherInTheSamePollKeepsItSilent) {
  Pair a, b;
  int calls = 0;
  Event<> done;
  std::array<std::unique_ptr<FdListener>, 2> listeners;
  for (std::size_t i = 0; i < 2; ++i) {
    listeners[i] = std::make_unique<FdListener>(i == 0 ? a.fd[0] : b.fd[0], [&, i](std::uint32_t) {
      ++calls;
      listeners[1 - i] = nullptr;
      if (!done.Ready()) done.Send();
    });
    listeners[i]->SetInterest(kIoWrite);
  }
  done.Wait();
  Sleep();
  listeners = {};
  EXPECT_GE(calls, 1);
  Sleep();
}

TEST(FdListener, A12_5_ANumberClosedAndUsedAgainIsWatchedAnew) {
  for (const bool told : {true, false}) {
    auto first = std::make_unique<Pair>();
    const int number = first->fd[0];
    Event<> readable;
    auto listener = std::make_unique<FdListener>(number, [&](std::uint32_t) {
      if (!readable.Ready()) readable.Send();
    });
    listener->SetInterest(kIoRead);
    Sleep();
    Sleep(absl::Milliseconds(1));
    if (told) {
      listener->DescriptorClosing();
    } else {
      listener = nullptr;
    }
    first = nullptr;
    Pair second;
    ASSERT_EQ(second.fd[0], number);
    FdListener again(number, [&](std::uint32_t) {
      if (!readable.Ready()) readable.Send();
    });
    again.SetInterest(kIoRead);
    ASSERT_EQ(write(second.fd[1], "x", 1), 1);
    readable.Wait();
  }
}

TEST(FdListener, ADescriptorMayPassFromAListenerToGreenThreads) {
  Pair pair;
  auto listener = std::make_unique<FdListener>(pair.fd[0], [](std::uint32_t) {});
  listener->SetInterest(kIoRead);
  EXPECT_THROW(IoDescriptor::Register(pair.fd[0]).IgnoreError(), std::logic_error);
  Sleep(absl::Milliseconds(1));
  listener = nullptr;
  IoDescriptor reader = MustRegister(pair.fd[0]);
  reader.ReadWouldBlock();
  Sleep(absl::Milliseconds(1));
  ASSERT_EQ(write(pair.fd[1], "x", 1), 1);
  EXPECT_EQ(reader.WaitReadable(), IoWait::kReady);
  FdListener late(pair.fd[0], [](std::uint32_t) {});
  EXPECT_THROW(late.SetInterest(kIoRead), std::logic_error);
}

TEST(FdListener, A12_8_ASecondListenerOfOneDirectionIsRefusedNamingBoth) {
  Pair pair;
  FdListener first(pair.fd[0], [](std::uint32_t) {});
  first.SetInterest(kIoRead);
  {
    FdListener second(pair.fd[0], [](std::uint32_t) {});
    try {
      second.SetInterest(kIoRead | kIoWrite);
      ADD_FAILURE() << "not refused";
    } catch (const std::logic_error& e) {
      const std::string what = e.what();
      EXPECT_TRUE(what.starts_with("second simultaneous read on file descriptor ")) << what;
      const std::size_t one = what.find("tests/hub/fd_listener_test.cc:");
      ASSERT_NE(one, std::string::npos) << what;
      EXPECT_NE(what.find("tests/hub/fd_listener_test.cc:", one + 1), std::string::npos) << what;
    }
    second.SetInterest(kIoNone);
  }
  EXPECT_EQ(Hub::Current().counts().waiting_for_io, 1u);
  first.SetInterest(kIoNone);
  FdListener third(pair.fd[0], [](std::uint32_t) {});
  third.SetInterest(kIoRead);  // one that is paused is in nobody's way
}

TEST(FdListener, A12_8_TwoOfOneDescriptorAreToldOfADirectionEach) {
  Pair pair;
  Event<> read, written;
  std::unique_ptr<FdListener> reader, writer;
  reader = std::make_unique<FdListener>(pair.fd[0], [&](std::uint32_t events) {
    EXPECT_EQ(events, kIoRead);
    reader->SetInterest(kIoNone);
    read.Send();
  });
  writer = std::make_unique<FdListener>(pair.fd[0], [&](std::uint32_t events) {
    EXPECT_EQ(events, kIoWrite);
    writer->SetInterest(kIoNone);
    written.Send();
  });
  reader->SetInterest(kIoRead);
  writer->SetInterest(kIoWrite);
  EXPECT_EQ(Hub::Current().counts().waiting_for_io, 2u);
  written.Wait();
  EXPECT_FALSE(read.Ready());
  ASSERT_EQ(write(pair.fd[1], "x", 1), 1);
  read.Wait();
  EXPECT_EQ(Hub::Current().counts().waiting_for_io, 0u);
  // Both at once, and the first ends the second.
  read.Reset();
  written.Reset();
  reader = std::make_unique<FdListener>(pair.fd[0], [&](std::uint32_t) {
    writer = nullptr;
    reader->SetInterest(kIoNone);
    read.Send();
  });
  reader->SetInterest(kIoRead);
  writer->SetInterest(kIoWrite);
  read.Wait();
  EXPECT_FALSE(written.Ready());
  // The end of the connection is for both, which not every poller calls a hangup; the end of the
  // descriptor too.
  std::uint32_t reader_told = 0, writer_told = 0;
  reader = std::make_unique<FdListener>(pair.fd[0], [&](std::uint32_t e) { reader_told |= e; });
  writer = std::make_unique<FdListener>(pair.fd[0], [&](std::uint32_t e) { writer_told |= e; });
  reader->SetInterest(kIoRead);
  writer->SetInterest(kIoWrite);
  pair.Close(1);
  while (reader_told == 0 || writer_told == 0) Sleep();
  EXPECT_EQ(reader_told & kIoWrite, 0u);
  EXPECT_EQ(writer_told & kIoRead, 0u);
  reader->DescriptorClosing();
  EXPECT_EQ(Hub::Current().counts().waiting_for_io, 0u);
  writer->SetInterest(kIoWrite);
  EXPECT_EQ(Hub::Current().counts().waiting_for_io, 0u);
}

TEST(FdListener, A12_4_OneWhoseDescriptorWasClosedBehindItMakesRoomForTheNext) {
  for (const bool for_green_threads : {true, false}) {
    auto first = std::make_unique<Pair>();
    const int number = first->fd[0];
    int calls = 0;
    FdListener stale(number, [&](std::uint32_t) { ++calls; });
    stale.SetInterest(kIoRead);
    Sleep(absl::Milliseconds(1));
    first = nullptr;
    Pair second;
    ASSERT_EQ(second.fd[0], number);
    if (for_green_threads) {
      IoDescriptor reader = MustRegister(number);
      reader.ReadWouldBlock();
      ASSERT_EQ(write(second.fd[1], "x", 1), 1);
      EXPECT_EQ(reader.WaitReadable(), IoWait::kReady);
      stale.SetInterest(kIoRead);  // silently without effect
    } else {
      Event<> readable;
      FdListener next(number, [&](std::uint32_t) {
        if (!readable.Ready()) readable.Send();
      });
      next.SetInterest(kIoRead);
      ASSERT_EQ(write(second.fd[1], "x", 1), 1);
      readable.Wait();
    }
    EXPECT_EQ(calls, 0);
  }
  EXPECT_EQ(Hub::Current().counts().waiting_for_io, 0u);
}

TEST(FdListener, OnAnotherThreadItIsRefused) {
  Pair pair;
  FdListener listener(pair.fd[0], [](std::uint32_t) {});
  OnFreshThread([&] { EXPECT_THROW(listener.SetInterest(kIoRead), std::logic_error); });
}

TEST(FdListener, OneOfANumberThatNobodyKnowsEndsQuietly) {
  FdListener listener(1 << 30, [](std::uint32_t) {});
  EXPECT_THROW(listener.SetInterest(kIoRead), std::logic_error);
  listener.SetInterest(kIoNone);
  listener.DescriptorClosing();
}

TEST(FdListener, WhatCannotBeWatchedIsReportedEveryTurn) {
  const int file = OpenRegularFile();
  int calls = 0;
  Event<> enough;
  FdListener* self = nullptr;
  FdListener listener(file, [&](std::uint32_t events) {
    EXPECT_NE(events & kIoRead, 0u);
    if (++calls < 3) return;
    self->SetInterest(kIoNone);
    enough.Send();
  });
  self = &listener;
  listener.SetInterest(kIoRead);
  enough.Wait();
  EXPECT_EQ(calls, 3);
  close(file);
}

TEST(FdListener, A12_12_WhatItsCallbackThrowsIsReported) {
  Pair pair;
  Event<std::string> reported;
  Hub::Current().SetErrorHandler([&](const UncaughtError& error) { reported.Send(error.context); });
  std::unique_ptr<FdListener> listener;
  listener = std::make_unique<FdListener>(pair.fd[0], [&](std::uint32_t) {
    listener = nullptr;
    throw std::runtime_error("x");
  });
  listener->SetInterest(kIoWrite);
  EXPECT_EQ(reported.Wait(), "a file descriptor's listener");
  Hub::Current().SetErrorHandler(nullptr);
}

}  // namespace
}  // namespace verdant
