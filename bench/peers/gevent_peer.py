"""gevent doing what the programs of bench/ have green threads do."""

import gevent
import gevent.event
import gevent.lock
import gevent.pool
import gevent.queue
import measured


def spawn_join(items):
    for _ in range(items):
        gevent.spawn(lambda: 1).get()


def event(items):
    """An item is one way, as in ours; an AsyncResult serves once, so each is a new one."""
    results = [gevent.event.AsyncResult() for _ in range(2)]

    def echo():
        while True:
            value = results[0].get()
            results[0] = gevent.event.AsyncResult()
            results[1].set(value)
    thread = gevent.spawn(echo)
    for _ in range(items // 2):
        results[0].set(1)
        results[1].get()
        results[1] = gevent.event.AsyncResult()
    thread.kill()


yields = measured.yields(gevent.spawn, gevent.sleep, lambda thread: thread.join())

measured.main({
    "Yield/2": (yields(2), 20000),
    "Yield/100": (yields(100), 20000),
    "Yield/10000": (yields(10000), 40000),
    "SpawnJoin": (spawn_join, 5000),
    "Channel": (measured.channel(gevent.spawn, gevent.queue.Channel), 5000),
    "Semaphore": (measured.semaphore(gevent.spawn, gevent.lock.Semaphore), 5000),
    "Event": (event, 5000),
    "Imap": (measured.imap(gevent.pool.Pool), 5000),
})
