"""A core file with the stacks of green threads in it."""

import struct

import gdb

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
