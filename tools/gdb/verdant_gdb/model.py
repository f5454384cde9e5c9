"""The hubs of a process or core file and their green threads, read by what the program says of its own types."""

import struct

import gdb

VERSION = 2
SYMBOL = "verdant_debug_hubs"

# DebugHubs of hub/internal/hub_registry.h, behind its version.
INDEX_FIELDS = (
    "first list_next task_node task_state task_is_green_thread task_is_main task_fiber task_own_fiber"
    " task_operation task_detail fiber_context fiber_stack fiber_name fiber_id fiber_site_file fiber_site_line"
    " thread_current state_new state_running state_done").split()


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
