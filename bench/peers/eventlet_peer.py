"""eventlet doing what the programs of bench/ have green threads do."""

import eventlet
import eventlet.event
import eventlet.queue
import eventlet.semaphore
import measured


def yields(threads):
    def run(items):
        def member():
            for _ in range(items // threads):
                eventlet.sleep(0)
        for thread in [eventlet.spawn(member) for _ in range(threads)]:
            thread.wait()
    return run


def spawn_join(items):
    for _ in range(items):
        eventlet.spawn(lambda: 1).wait()


def channel(items):
    there, back = eventlet.queue.LightQueue(0), eventlet.queue.LightQueue(0)

    def echo():
        while True:
            back.put(there.get())
    thread = eventlet.spawn(echo)
    for i in range(items):
        there.put(i)
        back.get()
    thread.kill()


def semaphore(items):
    there, back = eventlet.semaphore.Semaphore(0), eventlet.semaphore.Semaphore(0)

    def echo():
        while True:
            there.acquire()
            back.release()
    thread = eventlet.spawn(echo)
    for _ in range(items):
        there.release()
        back.acquire()
    thread.kill()


def event(items):
    """An item is one way, as in ours."""
    there, back = eventlet.event.Event(), eventlet.event.Event()

    def echo():
        while True:
            value = there.wait()
            there.reset()
            back.send(value)
    thread = eventlet.spawn(echo)
    for _ in range(items // 2):
        there.send(1)
        back.wait()
        back.reset()
    thread.kill()


def imap(items):
    for _ in eventlet.GreenPool(64).imap(lambda x: x + 1, range(items)):
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
