"""Green threads in gdb, of a live process or of a core file:

  info greenlets                 the green threads of all hubs: state, what they wait for, where they were spawned
  greenlet ID                    one of them, with its backtrace
  greenlet ID COMMAND            a gdb command as if stopped there:  greenlet 3 bt full,  greenlet 3 frame apply all info locals
  greenlet apply ID... COMMAND   the same for several
  greenlet apply all COMMAND     for each:  greenlet apply all bt
  greenlet gcore FILE            generate-core-file that has the stacks too: gdb before 17 stumbles over their guard pages

ID is a green thread's number: N on the hub of the selected thread (or the only hub), H.N on hub H; 0 is the hub's own loop.
Load it with "source tools/gdb/verdant.py" or gdb -x. Nothing is called in the process, and nothing in it is changed. Types are
not needed, so neither is debug information; names and line numbers in backtraces are as good as what the program was built with.
"""

import itertools
import struct

import gdb
from gdb.unwinder import Unwinder, register_unwinder

VERSION = 2
SYMBOL = "verdant_debug_hubs"

# DebugHubs of hub/internal/hub_registry.h, behind its version.
INDEX_FIELDS = (
    "first list_next task_node task_state task_is_green_thread task_is_main task_fiber task_own_fiber"
    " task_operation task_detail fiber_context fiber_stack fiber_name fiber_id fiber_site_file fiber_site_line"
    " thread_current state_new state_running state_done").split()

# How gdb calls a Context's sp, fp and pc.
REGISTERS = {"i386:x86-64": ("rsp", "rbp", "rip"), "aarch64": ("sp", "x29", "pc")}


class Memory:
    """Words and strings of the selected inferior."""

    def __init__(self):
        self._strings = {}

    def read(self, address, size):
        return bytes(gdb.selected_inferior().read_memory(address, size))

    def words(self, address, count):
        return struct.unpack("=%dQ" % count, self.read(address, 8 * count))

    def string(self, address):
        """One that ends with a zero; None for a null pointer. Most are literals that many point to."""
        if address == 0:
            return None
        if address not in self._strings:
            pointer = gdb.Value(address).cast(gdb.lookup_type("char").pointer())
            try:
                self._strings[address] = pointer.string(errors="replace")
            except gdb.error:
                self._strings[address] = "<unreadable>"
        return self._strings[address]


class Index:
    """What the program says of its types, and where its hubs are."""

    def __init__(self, memory):
        try:
            address = int(gdb.parse_and_eval("(unsigned long)&" + SYMBOL))
            version, *values = memory.words(address, 1 + len(INDEX_FIELDS))
        except gdb.MemoryError:
            raise gdb.GdbError("the program is not running")
        except gdb.error:
            raise gdb.GdbError("there is no symbol %s: no program with //hub, or stripped of its symbol table" % SYMBOL)
        if version != VERSION:
            raise gdb.GdbError("the program's %s has version %d, this script reads %d" % (SYMBOL, version, VERSION))
        for name, value in zip(INDEX_FIELDS, values):
            setattr(self, name, value)
        # As much of each as is looked at.
        self.fiber_size = 24 + max(value for name, value in zip(INDEX_FIELDS, values) if name.startswith("fiber_"))
        self.task_size = 8 + max(value for name, value in zip(INDEX_FIELDS, values) if name.startswith("task_"))
        self.task_size = max(self.task_size, self.task_own_fiber + self.fiber_size)


class Greenlet:
    """One green thread, or the main greenlet of a thread, or (number 0) a hub's own stack."""

    def __init__(self, hub, fiber, raw):
        index = hub.index
        self.hub = hub
        self.fiber = fiber
        self.sp, self.fp, self.pc = struct.unpack_from("=3Q", raw, index.fiber_context)
        self.stack, self.stack_size = struct.unpack_from("=2Q", raw, index.fiber_stack)
        self.fiber_name, = struct.unpack_from("=Q", raw, index.fiber_name)

    @property
    def id(self):
        return "%d.%d" % (self.hub.number, self.number)

    @property
    def running(self):
        return self.hub.running_fiber == self.fiber

    @property
    def has_frames(self):
        return self.running or self.pc != 0 and self.state != "not started"

    def line(self):
        text = "%-16s %s" % (self.name, self.state)
        return text + (", spawned at " + self.site if self.site else "")


class HubLoop(Greenlet):
    def __init__(self, hub, fiber):
        super().__init__(hub, fiber, hub.memory.read(fiber, hub.index.fiber_size))
        self.number, self.name, self.site = 0, "hub", None

    @property
    def state(self):
        return "running" if self.running else "aside while others run"


class Task(Greenlet):
    def __init__(self, hub, address):
        memory, index = hub.memory, hub.index
        raw = memory.read(address, index.task_size)

        def word(offset, form="=Q"):
            return struct.unpack_from(form, raw, offset)[0]

        own, fiber = index.task_own_fiber, word(index.task_fiber)
        super().__init__(hub, fiber, raw[own:] if fiber == address + own else memory.read(fiber, index.fiber_size))
        self.number = word(own + index.fiber_id)
        self._state = raw[index.task_state]
        self._operation = memory.string(word(index.task_operation))
        self._detail = word(index.task_detail, "=i")
        name = memory.string(word(own + index.fiber_name)) or memory.string(self.fiber_name)
        if raw[index.task_is_main]:
            self.name = "main"
        elif name:
            self.name = "'%s'" % name
        else:
            self.name = "" if raw[index.task_is_green_thread] else "greenlet"
        line = word(own + index.fiber_site_line, "=I")
        self.site = "%s:%d" % (memory.string(word(own + index.fiber_site_file)), line) if line else None

    @property
    def state(self):
        if self.running:
            return "running"
        index = self.hub.index
        if self._state == index.state_new:
            return "not started"
        if self._state == index.state_done:
            return "ended"
        if self._state == index.state_running:
            return "runnable" if self.fiber in self.hub.runnable else "aside in a greenlet's switch"
        return "waiting in " + self._operation + (" of file descriptor %d" % self._detail if self._detail >= 0 else "")


class Hub:
    """A HubRecord, and the green threads of its hub."""

    def __init__(self, memory, index, address):
        self.memory, self.index = memory, index
        self.next, self.number, self.thread_id, thread, hub_fiber, tasks, ready = memory.words(address, 7)
        self.thread = next((t for t in gdb.selected_inferior().threads() if t.ptid[1] == self.thread_id), None)
        # A ReadyQueue: a ring and where in it the first is.
        head, size, mask, ring = memory.words(ready, 4)
        slots = memory.words(ring, mask + 1)
        self.runnable = {slots[(head + i) & mask] for i in range(size)}
        self.running_fiber = 0
        self.loop = HubLoop(self, hub_fiber)
        self.tasks = [Task(self, node - index.task_node) for node in self._nodes(tasks)]
        self.running_fiber = self._running(memory.words(thread + index.thread_current, 1)[0])

    def _nodes(self, head):
        node, = self.memory.words(head + self.index.list_next, 1)
        while node != head:
            yield node
            node, = self.memory.words(node + self.index.list_next, 1)

    def _running(self, current):
        """Whose stack the thread is on: in the midst of a switch it may not yet, or no longer, be the current fiber."""
        if self.thread is None:
            return current
        with selection_kept():
            self.thread.switch()
            sp = int(gdb.newest_frame().read_register("sp"))
        here = [g for g in self.greenlets() if g.stack <= sp < g.stack + g.stack_size]
        return here[0].fiber if here else current

    def greenlets(self):
        return [self.loop] + self.tasks

    def title(self):
        thread = "thread %d" % self.thread_id
        if self.thread is not None:
            thread = "gdb's thread %d (LWP %d)" % (self.thread.num, self.thread_id)
            if self.thread.name:
                thread += ' "%s"' % self.thread.name
        return "Hub %d on %s: %d greenlets, %d runnable" % (self.number, thread, len(self.tasks), len(self.runnable))


def all_hubs():
    memory = Memory()
    index = Index(memory)
    if index.list_next == 0:
        return []
    hubs = []
    address = index.first
    while address != 0:
        hubs.append(Hub(memory, index, address))
        address = hubs[-1].next
    return hubs


def find(hubs, text):
    """The greenlet of an ID."""
    hub_number, dot, number = text.rpartition(".")
    if not number.isdigit() or (dot and not hub_number.isdigit()):
        raise gdb.GdbError("'%s' is no greenlet: N or HUB.N, see info greenlets" % text)
    if dot:
        candidates = [h for h in hubs if h.number == int(hub_number)]
    else:
        selected = gdb.selected_thread()
        candidates = [h for h in hubs if h.thread is not None and selected is not None and h.thread.num == selected.num]
        if not candidates and len(hubs) == 1:
            candidates = hubs
        if not candidates and hubs:
            raise gdb.GdbError("the selected thread has no hub: say HUB.%s, see info greenlets" % number)
    for hub in candidates:
        for greenlet in hub.greenlets():
            if greenlet.number == int(number):
                return greenlet
    raise gdb.GdbError("there is no greenlet %s" % text)


class selection_kept:
    """Selects thread and frame again at the end."""

    def __enter__(self):
        self.thread = gdb.selected_thread()
        self.level = 0
        frame = gdb.selected_frame().newer()
        while frame is not None:
            self.level += 1
            frame = frame.newer()

    def __exit__(self, *_):
        if self.thread is not None and self.thread.is_valid():
            self.thread.switch()
        frame = gdb.newest_frame()
        for _ in range(self.level):
            frame = frame.older()
        frame.select()


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


PAGE = 4096
COPIED_AT_ONCE = 1 << 20  # by generate-core-file, which leaves out all of it if a page of it cannot be read


def load_segments(core):
    """(address, place in the file, size) of each PT_LOAD of a 64-bit ELF core file."""
    header = core.read(64)
    table, sections = struct.unpack_from("=QQ", header, 32)
    size, count = struct.unpack_from("=HH", header, 54)
    if count == 0xffff:
        core.seek(sections + 44)
        count, = struct.unpack("=I", core.read(4))
    for i in range(count):
        core.seek(table + i * size)
        kind, _, offset, address, _, in_file = struct.unpack("=IIQQQQ", core.read(40))
        if kind == 1 and in_file > 0:
            yield address, offset, in_file


def save_core(path):
    gdb.execute("generate-core-file " + path)
    inferior = gdb.selected_inferior()
    with open(path, "r+b") as core:
        for address, offset, size in list(load_segments(core)):
            for begin in range(0, size, COPIED_AT_ONCE):
                end = min(begin + COPIED_AT_ONCE, size)
                try:
                    inferior.read_memory(address + begin, end - begin)
                    continue
                except gdb.MemoryError:
                    pass
                for page in range(begin, end, PAGE):
                    try:
                        content = bytes(inferior.read_memory(address + page, min(PAGE, end - page)))
                    except gdb.MemoryError:
                        continue
                    core.seek(offset + page)
                    core.write(content)
    gdb.write("Completed what could not be copied at once.\n")


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


register_unwinder(None, unwinder, replace=True)
InfoGreenlets()
GreenletCommand()
