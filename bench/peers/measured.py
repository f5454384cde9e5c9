"""What the programs beside this one share: CPU time of one item, printed a line "NAME NANOSECONDS" per benchmark and
repetition.

    PROGRAM REPETITIONS NAME...
"""

import sys
import time


def per_item(function, items):
    before = time.process_time_ns()
    function(items)
    return (time.process_time_ns() - before) / items


# ---- What looks the same in all of them, given how each spawns and makes its things. ----

def channel(spawn, make):
    def run(items):
        there, back = make(), make()

        def echo():
            while True:
                back.put(there.get())
        thread = spawn(echo)
        for i in range(items):
            there.put(i)
            back.get()
        thread.kill()
    return run


def semaphore(spawn, make):
    def run(items):
        there, back = make(0), make(0)

        def echo():
            while True:
                there.acquire()
                back.release()
        thread = spawn(echo)
        for _ in range(items):
            there.release()
            back.acquire()
        thread.kill()
    return run


def yields(spawn, pause, join):
    def with_threads(threads):
        def run(items):
            def member():
                for _ in range(items // threads):
                    pause(0)
            for thread in [spawn(member) for _ in range(threads)]:
                join(thread)
        return run
    return with_threads


def imap(make_pool):
    def run(items):
        for _ in make_pool(64).imap(lambda x: x + 1, range(items)):
            pass
    return run


def main(benchmarks):
    """`benchmarks`: by name, a function of the number of items, and that number."""
    for _ in range(int(sys.argv[1])):
        for name in sys.argv[2:]:
            if name not in benchmarks:
                sys.exit("no such benchmark: " + name)
            print(name, per_item(*benchmarks[name]), flush=True)
