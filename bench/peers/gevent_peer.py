"""gevent doing what the programs of bench/ have green threads do."""

import gevent
import gevent.event
import gevent.lock
import gevent.pool
import gevent.queue
import measured


def yields(threads):
    def run(items):
        def member():
            for _ in range(items // threads):
                gevent.sleep(0)
        gevent.joinall([gevent.spawn(member) for _ in range(threads)])
    return run


def spawn_join(items):
    for _ in range(items):
        gevent.spawn(lambda: 1).get()


def channel(items):
    there, back = gevent.queue.Channel(), gevent.queue.Channel()

    def echo():
        while True:
            back.put(there.get())
    thread = gevent.spawn(echo)
    for i in range(items):
        there.put(i)
        back.get()
    thread.kill()


def semaphore(items):
    there, back = gevent.lock.Semaphore(0), gevent.lock.Semaphore(0)

    def echo():
        while True:
            there.acquire()
            back.release()
    thread = gevent.spawn(echo)
    for _ in range(items):
        there.release()
        back.acquire()
    thread.kill()


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


def imap(items):
    for _ in gevent.pool.Pool(64).imap(lambda x: x + 1, range(items)):
        pass


measured.main({
    "Yield/2": (yields(2), 20000),
    "Yield/100": (yields(100), 20000),
    "Yield/10000": (yields(10000), 40000),
    "SpawnJoin": (spawn_join, 5000),
    "Channel": (channel, 5000),
    "Semaphore": (semaphore, 5000),
    "Event": (event, 5000),
    "Imap": (imap, 5000),
})
