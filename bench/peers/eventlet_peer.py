"""eventlet doing what the programs of bench/ have green threads do."""

import eventlet
import eventlet.event
import eventlet.queue
import eventlet.semaphore
import measured


def spawn_join(items):
    for _ in range(items):
        eventlet.spawn(lambda: 1).wait()


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


yields = measured.yields(eventlet.spawn, eventlet.sleep, lambda thread: thread.wait())

measured.main({
    "Yield/2": (yields(2), 20000),
    "Yield/100": (yields(100), 20000),
    "Yield/10000": (yields(10000), 40000),
    "SpawnJoin": (spawn_join, 5000),
    "Channel": (measured.channel(eventlet.spawn, lambda: eventlet.queue.LightQueue(0)), 5000),
    "Semaphore": (measured.semaphore(eventlet.spawn, eventlet.semaphore.Semaphore), 5000),
    "Event": (event, 5000),
    "Imap": (measured.imap(eventlet.GreenPool), 5000),
})
