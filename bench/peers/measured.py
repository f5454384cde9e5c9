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


def main(benchmarks):
    """`benchmarks`: by name, a function of the number of items, and that number."""
    for _ in range(int(sys.argv[1])):
        for name in sys.argv[2:]:
            if name not in benchmarks:
                sys.exit("no such benchmark: " + name)
            print(name, per_item(*benchmarks[name]), flush=True)
