"""Green threads in gdb, of a live process or of a core file:

  info greenlets                 the green threads of all hubs: state, what they wait for, where they were spawned
  greenlet ID                    one of them, with its backtrace
  greenlet ID COMMAND            a gdb command as if stopped there:  greenlet 3 bt full,  greenlet 3 frame apply all info locals
  greenlet apply ID... COMMAND   the same for several
  greenlet apply all COMMAND     for each:  greenlet apply all bt
  greenlet gcore FILE            generate-core-file that has the stacks too: gdb before 17 stumbles over their guard pages

ID is a green thread's number: N on the hub of the selected thread (or the only hub), H.N on hub H; 0 is the hub's own loop.
Load it with "source tools/gdb/verdant.py" or gdb -x; what it is made of lies beside it, in verdant_gdb. Nothing is called in
the process, and nothing in it is changed. Types are not needed, so neither is debug information; names and line numbers in
backtraces are as good as what the program was built with.
"""

import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from verdant_gdb.cores import save_core
from verdant_gdb.frames import run_in
from verdant_gdb.model import all_hubs, find


class InfoGreenlets(gdb.Command):
    """The green threads of all hubs: number, name, state, what each waits for, where it was spawned. The running one of each hub
is marked with *; number 0 is the hub's own loop."""

    def __init__(self):
        super().__init__("info greenlets", gdb.COMMAND_STATUS, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        hubs = all_hubs()
        if not hubs:
            gdb.write("No hubs.\n")
        for hub in hubs:
            gdb.write(hub.title() + "\n")
            for greenlet in hub.greenlets():
                gdb.write("%s %-6s %s\n" % ("*" if greenlet.running else " ", greenlet.id, greenlet.line()))


class GreenletCommand(gdb.Command):
    """greenlet ID [COMMAND]: runs a gdb command (backtrace if none) as if stopped in a green thread.
greenlet apply ID... COMMAND, greenlet apply all COMMAND: the same for several.
greenlet gcore FILE: generate-core-file with all stacks.

ID is N on the hub of the selected thread or the only hub, or HUB.N; "info greenlets" lists them. The frames of one that is
suspended are numbered from 1 on."""

    def __init__(self):
        super().__init__("greenlet", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        words = argument.split()
        if not words:
            raise gdb.GdbError("greenlet ID [COMMAND], or greenlet apply ID...|all COMMAND")
        if words[0] == "gcore":
            if len(words) != 2:
                raise gdb.GdbError("greenlet gcore FILE")
            save_core(words[1])
            return
        if words[0] != "apply":
            run_in(find(all_hubs(), words[0]), argument.strip()[len(words[0]):].strip() or "backtrace", from_tty)
            return
        rest = argument.strip()[len("apply"):].strip()
        hubs = all_hubs()
        chosen = []
        while rest:
            word = rest.split(None, 1)[0]
            if word == "all" and not chosen:
                chosen = [g for h in hubs for g in h.greenlets()]
                rest = rest[len(word):].strip()
                break
            if not word.replace(".", "").isdigit():
                break
            chosen.append(find(hubs, word))
            rest = rest[len(word):].strip()
        if not chosen or not rest:
            raise gdb.GdbError("greenlet apply ID...|all COMMAND")
        for greenlet in chosen:
            gdb.write("\n")
            try:
                run_in(greenlet, rest, from_tty)
            except gdb.error as error:
                gdb.write("%s\n" % error)


InfoGreenlets()
GreenletCommand()
