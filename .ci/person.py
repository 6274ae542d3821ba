"""A person at a real window, for scripts: finds controls as a screen reader does, by their names, and uses mouse and keys.

A script calls `on_a_screen()` first: it starts itself again on a virtual display with a bus for assistive technology. Needs
Xvfb, xdotool, ImageMagick's import, at-spi2-core and python3-pyatspi (Debian: xvfb xauth xdotool imagemagick at-spi2-core
python3-pyatspi dbus), and the system's Python.
"""
import atexit, os, pathlib, shutil, subprocess, sys, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The window is on a screen of its size, so that both have the same corner.
WIDTH, HEIGHT = 1280, 720
# Seconds that an act takes a person.
ACT_SECS = 2.0
# A control that is not there by then is missing.
PATIENCE_SECS = 20
A11Y = ["gdbus", "call", "--session", "--dest", "org.a11y.Bus", "--object-path", "/org/a11y/bus", "--method",
        "org.freedesktop.DBus.Properties.Set", "org.a11y.Status"]


def on_a_screen():
    """Starts the script again inside, once."""
    if os.environ.get("CUTLAYER_PERSON"):
        return
    needed = {"xvfb-run": "xvfb", "xdotool": "xdotool", "import": "imagemagick", "dbus-run-session": "dbus", "gdbus": "libglib2.0-bin"}
    missing = [package for tool, package in needed.items() if not shutil.which(tool)]
    if missing:
        sys.exit(f"missing: {' '.join(missing)}")
    os.environ.update(CUTLAYER_PERSON="1", LIBGL_ALWAYS_SOFTWARE="1", NO_COLOR="1")
    os.environ.pop("WAYLAND_DISPLAY", None)
    screen = ["xvfb-run", "-a", "-s", f"-screen 0 {WIDTH}x{HEIGHT}x24"]
    os.execvp("dbus-run-session", ["dbus-run-session", "--", *screen, sys.executable, *sys.argv])


def assistive(started=[]):
    """Lets programs believe in a screen reader; its bus serves all windows of the script."""
    if started:
        return
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    bus = subprocess.Popen(["/usr/libexec/at-spi-bus-launcher", "--launch-immediately", "--screen-reader=1"], **quiet)
    started.append(bus)
    atexit.register(bus.terminate)
    time.sleep(1)
    for word in ["IsEnabled", "ScreenReaderEnabled"]:
        subprocess.run([*A11Y, word, "<true>"], check=True, **quiet)


class Window:
    """The program's window and who sits before it. Counts what is done."""

    def __init__(self, program, *arguments, home, frames=None):
        import pyatspi
        self.atspi = pyatspi
        self.frames = frames
        self.acts = 0
        self.log = pathlib.Path(home) / "log"
        assistive()
        environment = {**os.environ, "CUTLAYER_HOME": str(home)}
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([program, *arguments], env=environment, stdout=log, stderr=log)
        self.top = self.wait("its window", self._find_top)
        # There is no window manager that would hand it the keyboard.
        named = ["xdotool", "search", "--onlyvisible", "--name", "^Cutlayer$"]
        its = self.wait("its window on the screen", lambda: subprocess.run(named, capture_output=True, text=True).stdout.split())
        self.pointer("windowfocus", "--sync", its[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)

    def _find_top(self):
        if self.process.poll() is not None:
            sys.exit(f"the window is gone:\n{self.log.read_text()}")
        named = [each for each in self.atspi.Registry.getDesktop(0) if each and each.name == "cutlayer"]
        return named[0] if named and named[0].childCount else None

    def _walk(self, node):
        for child in node:
            if child is None:
                continue
            yield child
            yield from self._walk(child)

    def all(self, name, role=None, part=False):
        """Every control of this name, or with it in its name."""
        fits = (lambda its: name in its) if part else (lambda its: its == name)
        return [each for each in self._walk(self.top) if fits(each.name) and (role is None or each.getRoleName() == role)]

    def there(self, name, role=None, part=False):
        return bool(self.all(name, role, part))

    def wait(self, what, found, secs=None):
        begin = time.monotonic()
        end = begin + (secs or PATIENCE_SECS)
        while True:
            try:
                answer = found()
            except Exception as gone:  # what is asked for may go while it is asked
                answer, what = None, f"{what} ({gone})" if time.monotonic() > end else what
            if answer:
                return answer
            if time.monotonic() > end:
                self.shot("missing")
                sys.exit(f"waited in vain for {what}")
            # Answers cost the window time, which it does not have for its work.
            time.sleep(max(0.1, (time.monotonic() - begin) / 5))

    def place(self, name, role=None, part=False):
        """Left, top, width and height of a control, once it is there and in sight."""
        def look():
            for each in self.all(name, role, part):
                e = each.queryComponent().getExtents(self.atspi.WINDOW_COORDS)
                if e.width > 0 and e.height > 0 and e.y + e.height <= HEIGHT and e.x + e.width <= WIDTH and e.y >= 0:
                    return e.x, e.y, e.width, e.height
            return None
        return self.wait(f"“{name}”", look)

    def pointer(self, *arguments):
        subprocess.run(["xdotool", *map(str, arguments)], check=True)

    def click(self, name, role=None, part=False):
        x, y, width, height = self.place(name, role, part)
        self.pointer("mousemove", x + width // 2, y + height // 2)
        time.sleep(0.15)
        self.pointer("click", 1)
        self.done(f"click {name}")

    def drag(self, name, start, end, part=False):
        """Across a control, from one place to another, each a share of its width and height."""
        x, y, width, height = self.place(name, part=part)
        at = lambda share: (round(x + share[0] * width), round(y + share[1] * height))
        self.pointer("mousemove", *at(start))
        time.sleep(0.1)
        self.pointer("mousedown", 1)
        for step in range(1, 9):
            share = [a + (b - a) * step / 8 for a, b in zip(start, end)]
            self.pointer("mousemove", *at(share))
            time.sleep(0.03)
        self.pointer("mouseup", 1)
        self.done(f"drag {name}")

    def scroll_to(self, name, over, role=None):
        """Scrolls a pane that has this control until it is in sight; looks down first, then up."""
        x, y, width, height = self.place(over, part=True)
        # Beside its words, where nothing else takes the wheel.
        self.pointer("mousemove", x + min(width, 60) // 2, y + height // 2)
        for button in [5] * 12 + [4] * 24:
            for each in self.all(name, role):
                e = each.queryComponent().getExtents(self.atspi.WINDOW_COORDS)
                if e.y + e.height <= HEIGHT - 4 and e.height > 0 and e.y > 0:
                    return
            self.pointer("click", button)
            time.sleep(0.15)

    def key(self, *keys):
        for key in keys:
            self.pointer("key", "--clearmodifiers", key)
            time.sleep(0.1)
        self.done(f"key {' '.join(keys)}")

    def done(self, what):
        self.acts += 1
        time.sleep(0.4)
        self.shot(what)

    def shot(self, what):
        """The screen as it is, if anybody wants frames."""
        if self.frames is None:
            return
        self.frames.mkdir(parents=True, exist_ok=True)
        number = len(list(self.frames.iterdir()))
        words = "".join(letter if letter.isalnum() else "-" for letter in what)[:40]
        subprocess.run(["import", "-window", "root", str(self.frames / f"{number:03}-{words}.png")], check=True)
