"""The rows of bench/run's table: what is measured, beside what, and what passes."""

SWITCH = "//bench/greenlet:switch_bench"
HUB = "//bench/hub:hub_bench"
POOL = "//bench/pool:pool_bench"
MEMORY = "//bench/hub:memory_bench"
CORES = "//bench/hub:cores_bench"
TRACE = "//bench/hub:trace_bench"
HEALTH = "//bench/hub:health_bench"
MUTEXES = "//bench/hub:health_bench_with_mutex_check"
ECHO = "//bench/net:echo_bench"
INSTRUCTIONS = "//bench/pool:operations"
CRAWLER = "//apps/crawler"
BOOST_CONTEXT = "Boost.Context"
BOOST_FIBER = "Boost.Fiber"
ST = "state-threads"
GO = "Go"
EVENTLET = "eventlet"
GEVENT = "gevent"

# 1.8 times as fast, as a ratio of times.
FROM_ONE_TO_TWO = 0.5556

# Program, row, our benchmark, the peer and its benchmark, the largest ratio that passes (None: for information), our limit.
# The peers Go, eventlet and gevent are programs of their own; a benchmark of another program of ours is (program, benchmark).
# What watching costs has as its peer the same without.
ROWS = [
    (SWITCH, "switch, bare", "BareInline", BOOST_CONTEXT, "BoostContextBare", 0.5, 3),
    (SWITCH, "switch, bare, out of line", "BareOutOfLine", BOOST_CONTEXT, "BoostContextBare", None, None),
    (SWITCH, "switch, with exception state", "WholeFiber", BOOST_CONTEXT, "BoostContextFiber", 0.5, 3),
    (SWITCH, "Greenlet::Switch, with a value", "GreenletSwitch", BOOST_CONTEXT, "BoostContextFiber", None, None),
    (HUB, "yield, 2 green threads", "YieldOurs/2", BOOST_FIBER, "YieldBoost/2", 0.3, None),
    (HUB, "yield, 2 green threads", "YieldOurs/2", GO, "Yield/2", 0.3, None),
    (HUB, "yield, 100 green threads", "YieldOurs/100", BOOST_FIBER, "YieldBoost/100", 0.3, 8),
    (HUB, "yield, 100 green threads", "YieldOurs/100", ST, "YieldSt/100", 0.3, 8),
    (HUB, "yield, 100 green threads", "YieldOurs/100", GO, "Yield/100", 0.3, 8),
    (HUB, "yield, 100 green threads", "YieldOurs/100", GEVENT, "Yield/100", 0.3, 8),
    (HUB, "yield, 100 green threads", "YieldOurs/100", EVENTLET, "Yield/100", 0.3, 8),
    (HUB, "yield, 10000 green threads", "YieldOurs/10000", BOOST_FIBER, "YieldBoost/10000", 0.3, None),
    (HUB, "yield, 10000 green threads", "YieldOurs/10000", GO, "Yield/10000", 0.3, None),
    (HUB, "spawn and join", "SpawnJoinOurs", ST, "SpawnJoinSt", 0.6, 50),
    (HUB, "spawn and join", "SpawnJoinOurs", BOOST_FIBER, "SpawnJoinBoost", 0.5, 50),
    (HUB, "spawn and join", "SpawnJoinOurs", BOOST_FIBER + ", pooled stacks", "SpawnJoinBoostPooled", 0.5, 50),
    (HUB, "spawn and join", "SpawnJoinOurs", GO, "SpawnJoin", None, 50),
    (HUB, "spawn and join", "SpawnJoinOurs", GEVENT, "SpawnJoin", None, 50),
    (HUB, "spawn and join", "SpawnJoinOurs", EVENTLET, "SpawnJoin", None, 50),
    (HUB, "SpawnN of a thousand, each", "SpawnBatchOurs", BOOST_FIBER, "SpawnBatchBoost", None, None),
    (HUB, "event, one way", "EventOurs", BOOST_FIBER + " promise", "EventBoost", None, 30),
    (HUB, "event, one way", "EventOurs", GEVENT + " AsyncResult", "Event", None, 30),
    (HUB, "event, one way", "EventOurs", EVENTLET, "Event", None, 30),
    (HUB, "semaphore, there and back", "SemaphoreOurs", BOOST_FIBER + " condition", "SemaphoreBoost", None, 30),
    (HUB, "semaphore, there and back", "SemaphoreOurs", GO + " channel of 1", "Semaphore", None, 30),
    (HUB, "semaphore, there and back", "SemaphoreOurs", GEVENT, "Semaphore", None, 30),
    (HUB, "timer set and cancelled, 1000000 pending", "TimerOurs", "std::multimap", "TimerMultimap", None, 40),
    (HUB, "timer set and cancelled, 1000000 pending", "TimerOurs", GO, "Timer", None, 40),
    (POOL, "channel, there and back", "ChannelRoundTrip", GO, "Channel", 0.25, 60),
    (POOL, "channel, there and back", "ChannelRoundTrip", GEVENT, "Channel", None, 60),
    (POOL, "channel, there and back", "ChannelRoundTrip", EVENTLET, "Channel", None, 60),
    (POOL, "imap, an item", "ImapOfCallsThatReturnAtOnce/64", GEVENT, "Imap", None, 150),
    (POOL, "imap, an item", "ImapOfCallsThatReturnAtOnce/64", EVENTLET, "Imap", None, 150),
    (MEMORY, "idle green thread, bytes", "IdleBytes", GO, "IdleBytes", None, 4300),
    (MEMORY, "one of 1000000 sleeping, bytes", "SleeperBytes", None, None, None, 4500),
    (MEMORY, "mappings with 1000000 sleeping", "SleeperVmas", None, None, None, 100),
    (CORES, "hashing 4 KiB, 2 threads", "HashTwoThreads", "1 thread: what is possible", "HashOneThread", None, None),
    (CORES, "echo of 4 KiB hashed, 2 hubs", "EchoTwoHubs", "1 hub", "EchoOneHub", FROM_ONE_TO_TWO, None),
    (CORES, "crawl-like fan-out, 2 hubs", "CrawlTwoHubs", "1 hub", "CrawlOneHub", FROM_ONE_TO_TWO, None),
    (CORES, "post to another hub, one way", "PostOneWay", "threads: mutex, condition", "PlainOneWay", None, None),
    (CORES, "post to another hub and back", "PostRoundTrip", "threads: mutex, condition", "PlainRoundTrip", None, None),
    (CORES, "post to another hub and back", "PostRoundTrip", "threads: eventfd", "EventfdRoundTrip", None, None),
    (CORES, "post to another hub and back, wall", "PostRoundTrip/wall", "threads: eventfd", "EventfdRoundTrip/wall", None, None),
    (CORES, "RunInHub", "RunInHub", "threads: mutex, condition", "PlainRoundTrip", None, None),
    (CORES, "SharedQueue to another hub", "SharedQueue", "threads: mutex, conditions", "PlainQueue", None, None),
    (TRACE, "traced: yield, 100 green threads", "Yield100/1", "not traced", "Yield100/0", None, None),
    (TRACE, "traced: wake-up and switch", "PingPong/1", "not traced", "PingPong/0", None, None),
    (TRACE, "traced: spawn and join", "SpawnJoin/1", "not traced", "SpawnJoin/0", None, None),
    (TRACE, "an event of a trace", "Event", "reading the processor's counter", "Ticks", None, None),
    (TRACE, "metrics read at 10 Hz: yield, 100 of them", "Yield100/2", "never read", "Yield100/0", None, None),
    (TRACE, "metrics read at 10 Hz: wake-up and switch", "PingPong/2", "never read", "PingPong/0", None, None),
    (TRACE, "metrics read at 10 Hz: spawn and join", "SpawnJoin/2", "never read", "SpawnJoin/0", None, None),
    (TRACE, "metrics of 100 green threads, read", "CollectMetricsOf/100", None, None, None, None),
    (TRACE, "metrics of 100 green threads, and as text", "MetricsTextOf/100", "read only", "CollectMetricsOf/100", None, None),
    (TRACE, "metrics of 100000 green threads, read", "CollectMetricsOf/100000", None, None, None, None),
    (HEALTH, "stalls looked for: yield, 2 of them", "BM_YieldOfTwo/25", "not looked for", "BM_YieldOfTwo/0", None, None),
    (HEALTH, "stalls looked for: a turn of the hub", "BM_Turn/25", "not looked for", "BM_Turn/0", None, None),
    (HEALTH, "1 stack of 64 measured: spawn and join", "BM_SpawnAndJoin/64", "none measured", "BM_SpawnAndJoin/0", None, None),
    (HEALTH, "each stack measured: spawn and join", "BM_SpawnAndJoin/1", "none measured", "BM_SpawnAndJoin/0", None, None),
    (MUTEXES, "mutexes checked: lock and unlock", "BM_LockAndUnlock/1", "not linked", (HEALTH, "BM_LockAndUnlock/1"), None, None),
    (ECHO, "echo over TCP, 1 connection", "Echo/epoll/1", "a loop over epoll", "Echo/loop/1", None, None),
    (ECHO, "echo over TCP, 32 connections", "Echo/epoll/32", "a loop over epoll", "Echo/loop/32", None, None),
    (ECHO, "echo over TCP, 256 connections", "Echo/epoll/256", "a loop over epoll", "Echo/loop/256", None, None),
    (ECHO, "echo by io_uring, 1 connection", "Echo/io_uring/1", "ours by epoll", "Echo/epoll/1", None, None),
    (ECHO, "echo by io_uring, 32 connections", "Echo/io_uring/32", "ours by epoll", "Echo/epoll/32", None, None),
    (ECHO, "echo by io_uring, 256 connections", "Echo/io_uring/256", "ours by epoll", "Echo/epoll/256", None, None),
    *((ECHO, f"echo by io_uring ahead, {load}", f"Echo/ahead/{key}", "ours by epoll", f"Echo/epoll/{key}", None, None)
      for key, load in (("1", "1 connection"), ("32", "32 connections"), ("256", "256 connections"), ("once", "1 trip each"),
                        ("16k", "16 KiB"))),
    *((INSTRUCTIONS, f"instructions: {name}", name, None, None, None, None)
      for name in ("yield/2", "yield/100", "yield/10000", "spawn_join", "spawn_batch", "semaphore", "event", "channel", "timeout",
                   "imap")),
]

# Rows that bench/crawler/run makes, all at once.
CRAWLER_ROWS = ("crawler fetch", "crawler crawl")
