"""Commands of gdb as if a suspended green thread were what its thread runs."""

import itertools

import gdb
from gdb.unwinder import Unwinder, register_unwinder

from .model import selection_kept

# How gdb calls a Context's sp, fp and pc.
REGISTERS = {"i386:x86-64": ("rsp", "rbp", "rip"), "aarch64": ("sp", "x29", "pc")}


class SuspendedUnwinder(Unwinder):
    """Has the frames of a suspended green thread follow the newest one of its thread, whose registers cannot be exchanged in a
    core file and need not be in a process."""

    def __init__(self):
        super().__init__("verdant-greenlet")
        self.enabled = False
        self.registers = {}
        self.below = None  # sp and pc of the newest frame, inlined functions aside

    def __call__(self, pending):
        if (int(pending.read_register("sp")), int(pending.read_register("pc"))) != self.below:
            return None

        class Id:
            sp = gdb.Value(next(iter(self.registers.values())))
            pc = gdb.Value(0)

        info = pending.create_unwind_info(Id)
        for name, value in self.registers.items():
            info.add_saved_register(name, gdb.Value(value).cast(pending.read_register(name).type))
        return info


class OwnFramesOnly:
    """A frame filter that leaves out the frames of the thread itself."""

    def __init__(self):
        self.name, self.priority, self.enabled = "verdant-greenlet", 1000, False
        self.first = None
        gdb.frame_filters[self.name] = self

    def filter(self, frames):
        return itertools.dropwhile(lambda frame: frame.inferior_frame() != self.first, frames)


unwinder = SuspendedUnwinder()
own_frames = OwnFramesOnly()
register_unwinder(None, unwinder, replace=True)


class stopped_in:
    """As if the thread had been stopped in a suspended green thread. Its newest frame is number 1."""

    def __init__(self, greenlet):
        self.greenlet = greenlet

    def __enter__(self):
        self.selection = selection_kept()
        self.selection.__enter__()
        if self.greenlet.hub.thread is not None:
            self.greenlet.hub.thread.switch()
        newest = gdb.newest_frame()
        newest.select()
        if self.greenlet.running:
            return
        names = REGISTERS.get(newest.architecture().name())
        if names is None:
            raise gdb.GdbError("greenlets of %s are not known here" % newest.architecture().name())
        pc = self.greenlet.pc
        # A caller's address is looked up one byte before, where at the very start of a function another one is.
        if pc == int(gdb.parse_and_eval("(unsigned long)&verdant_fiber_entry")):
            pc += 1
        unwinder.registers = dict(zip(names, (self.greenlet.sp, self.greenlet.fp, pc)))
        unwinder.below = (int(newest.read_register("sp")), int(newest.read_register("pc")))
        unwinder.enabled = own_frames.enabled = True
        gdb.invalidate_cached_frames()
        own_frames.first = self._first()
        own_frames.first.select()

    def _first(self):
        frame = gdb.newest_frame()
        while frame.type() == gdb.INLINE_FRAME:
            frame = frame.older()
        first = frame.older()
        if first is None:
            raise gdb.GdbError("no frames: %s" % gdb.frame_stop_reason_string(frame.unwind_stop_reason()))
        return first

    def __exit__(self, *_):
        if unwinder.enabled:
            unwinder.enabled = own_frames.enabled = False
            own_frames.first = None
            gdb.invalidate_cached_frames()
        self.selection.__exit__()


def run_in(greenlet, command, from_tty):
    gdb.write("Greenlet %s %s\n" % (greenlet.id, greenlet.line()))
    if not greenlet.has_frames:
        gdb.write("It has no frames yet.\n")
        return
    scope = stopped_in(greenlet)
    try:
        scope.__enter__()
        gdb.execute(command, from_tty)
    finally:
        scope.__exit__()
