#!/usr/bin/env python3
"""Checks a file in the Trace Event Format as Perfetto and chrome://tracing read it, and prints what is in it.

  check_trace.py FILE [NAME...]    each NAME must be the name of a slice

An independent reader: nothing of the project takes part. Fails on what is no JSON, a begin without its end, slices that
overlap, time that runs backwards on a track, a track or process without a name, an arrow with one end or none in a slice.
"""

import collections
import json
import sys


def check(path, wanted):
    with open(path, encoding="utf-8", errors="strict") as file:
        trace = json.load(file)
    process_names = {}
    track_names = {}
    latest = collections.defaultdict(float)
    open_slices = collections.defaultdict(list)
    slices = []
    flows = collections.defaultdict(dict)
    counters = 0
    for event in trace["traceEvents"]:
        phase = event["ph"]
        if phase == "M":
            if event["name"] == "process_name":
                process_names[event["pid"]] = event["args"]["name"]
            elif event["name"] == "thread_name":
                track_names[event["pid"], event["tid"]] = event["args"]["name"]
            continue
        track = event["pid"], event["tid"]
        if phase in "sf":
            assert phase not in flows[event["cat"], event["id"]], f"two ends of one arrow: {event}"
            flows[event["cat"], event["id"]][phase] = event
            continue
        assert event["ts"] >= latest[track], f"back in time: {event}"
        latest[track] = event["ts"]
        if phase == "B":
            open_slices[track].append(dict(event, depth=len(open_slices[track])))
        elif phase == "E":
            begin = open_slices[track].pop()
            assert event["name"] == begin["name"], f"the end of another slice: {event}"
            slices.append((track, begin["ts"], event["ts"], begin["name"], begin["depth"]))
        elif phase == "C":
            assert all(isinstance(value, int) for value in event["args"].values()), event
            counters += 1
        else:
            raise AssertionError(f"unknown phase: {event}")
    for track, left in open_slices.items():
        assert not left, f"begun and not ended: {left}"
        assert track in track_names, f"track without a name: {track}"
        assert track[0] in process_names, f"process without a name: {track}"
    by_track = collections.defaultdict(list)
    for track, begin, end, name, depth in sorted(slices):
        if depth == 0:
            assert not by_track[track] or by_track[track][-1][1] <= begin, f"{name} overlaps at {begin}"
            by_track[track].append((begin, end, name))
    for key, ends in flows.items():
        assert set(ends) == {"s", "f"}, f"half an arrow: {ends}"
        assert ends["s"]["ts"] <= ends["f"]["ts"], f"an arrow into the past: {ends}"
        for end in ends.values():
            track = end["pid"], end["tid"]
            assert any(begin <= end["ts"] <= last for begin, last, _ in by_track[track]), f"an arrow outside: {end}"
    names = collections.Counter(name for _, _, _, name, _ in slices)
    for name in wanted:
        assert names[name] > 0, f"no slice is named {name!r}: {sorted(names)}"
    print(f"{len(track_names)} tracks, {len(slices)} slices, {len(flows)} arrows, {counters} counter samples")


if __name__ == "__main__":
    check(sys.argv[1], sys.argv[2:])
