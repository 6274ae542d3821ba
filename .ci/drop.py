"""Drops files on a real window, as a file manager would (XDND 5): `.ci/drop.py WINDOW-NAME X Y PATH…`.

Needs a display and libX11, nothing else. Exit status 0 once the window took the drop and read the paths.
"""

import ctypes as c
import sys
import time
from ctypes.util import find_library
from pathlib import Path

x = c.CDLL(find_library("X11") or "libX11.so.6")
for name, result in {"XOpenDisplay": c.c_void_p, "XDefaultRootWindow": c.c_ulong, "XInternAtom": c.c_ulong,
                     "XCreateSimpleWindow": c.c_ulong}.items():
    getattr(x, name).restype = result


class Client(c.Structure):
    _fields_ = [("type", c.c_int), ("serial", c.c_ulong), ("send", c.c_int), ("display", c.c_void_p),
                ("window", c.c_ulong), ("message", c.c_ulong), ("format", c.c_int), ("data", c.c_long * 5)]


class Request(c.Structure):
    _fields_ = [("type", c.c_int), ("serial", c.c_ulong), ("send", c.c_int), ("display", c.c_void_p),
                ("owner", c.c_ulong), ("requestor", c.c_ulong), ("selection", c.c_ulong), ("target", c.c_ulong),
                ("property", c.c_ulong), ("time", c.c_ulong)]


class Answer(c.Structure):
    _fields_ = [("type", c.c_int), ("serial", c.c_ulong), ("send", c.c_int), ("display", c.c_void_p),
                ("requestor", c.c_ulong), ("selection", c.c_ulong), ("target", c.c_ulong), ("property", c.c_ulong),
                ("time", c.c_ulong)]


class Event(c.Union):
    _fields_ = [("type", c.c_int), ("client", Client), ("request", Request), ("answer", Answer), ("pad", c.c_long * 24)]


display = c.c_void_p(x.XOpenDisplay(None))
root = x.XDefaultRootWindow(display)


def atom(name):
    return x.XInternAtom(display, name.encode(), 0)


def children(window):
    parent, top, kids, count = c.c_ulong(), c.c_ulong(), c.POINTER(c.c_ulong)(), c.c_uint()
    x.XQueryTree(display, c.c_ulong(window), c.byref(top), c.byref(parent), c.byref(kids), c.byref(count))
    return [kids[i] for i in range(count.value)]


def named(window, name):
    text = c.c_char_p()
    if x.XFetchName(display, c.c_ulong(window), c.byref(text)) and text.value and name in text.value.decode():
        return window
    return next((found for child in children(window) if (found := named(child, name))), None)


def send(window, message, *data):
    event = Event()
    event.client = Client(33, 0, 1, display, window, atom(message), 32, (c.c_long * 5)(*data, *[0] * (5 - len(data))))
    x.XSendEvent(display, c.c_ulong(window), 0, c.c_long(0), c.byref(event))
    x.XFlush(display)


def main(name, left, top, paths):
    window = named(root, name)
    if window is None:
        sys.exit(f"no window is called {name}")
    source = x.XCreateSimpleWindow(display, c.c_ulong(root), 0, 0, 1, 1, 0, c.c_ulong(0), c.c_ulong(0))
    selection, uris, copy = atom("XdndSelection"), atom("text/uri-list"), atom("XdndActionCopy")
    x.XSetSelectionOwner(display, c.c_ulong(selection), c.c_ulong(source), c.c_ulong(0))
    text = "".join(Path(path).resolve().as_uri() + "\r\n" for path in paths).encode()
    send(window, "XdndEnter", source, 5 << 24, uris)
    send(window, "XdndPosition", source, 0, left << 16 | top, 0, copy)
    dropped, read, end = False, False, time.time() + 15
    while time.time() < end:
        if not x.XPending(display):
            time.sleep(.02)
            continue
        event = Event()
        x.XNextEvent(display, c.byref(event))
        if event.type == 30:  # SelectionRequest
            asked = event.request
            x.XChangeProperty(display, c.c_ulong(asked.requestor), c.c_ulong(asked.property), c.c_ulong(asked.target), 8, 0,
                              text, len(text))
            answer = Event()
            answer.answer = Answer(31, 0, 1, display, asked.requestor, asked.selection, asked.target, asked.property,
                                   asked.time)
            x.XSendEvent(display, c.c_ulong(asked.requestor), 0, c.c_long(0), c.byref(answer))
            x.XFlush(display)
            read = True
        elif event.type == 33 and event.client.message == atom("XdndStatus") and not dropped:
            if not event.client.data[1] & 1:
                sys.exit("the window does not take it")
            send(window, "XdndDrop", source, 0, 0)
            dropped = True
        elif event.type == 33 and event.client.message == atom("XdndFinished"):
            print("dropped" if read else "dropped, and nobody read it")
            return
    sys.exit(f"no answer: dropped {dropped}, read {read}")


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
