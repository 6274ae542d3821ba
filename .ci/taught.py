"""The lessons, taken by a person at a real window: see person.py."""
import time, tomllib

import person

LESSONS = person.ROOT / "assets/lessons"
# An attack that first learns may take so long.
ATTACK_SECS = 240
PAD, WIPE = "Drawing pad", "Wipe: the original over the stolen image"


def stroke(at):
    return lambda window: window.drag(PAD, (at, 0.2), (at, 0.8))


def wipe(window):
    window.drag(WIPE, (0.2, 0.5), (0.8, 0.5))


def click(name, role=None):
    return lambda window: window.click(name, role)


def stolen(window):
    """Waits until the attack is over; how long that took."""
    begin = time.monotonic()
    busy = lambda: window.there("Stealing: ", part=True) or window.there("The levers have moved")
    window.wait("the end of an attack", lambda: not busy() and not window.there("Nothing stolen yet"), ATTACK_SECS)
    window.shot("stolen")
    return time.monotonic() - begin


def cut_after(layer):
    """Takes hold of the cut and moves it by the arrow keys: to the layer, or the first beyond it that can be."""
    def act(window):
        at = lambda: int(window.all("Cut after layer", part=True)[0].name.split()[3])
        window.click("Cut after layer", part=True)
        window.acts -= 1  # The click and the keys are one act.
        toward = "Right" if at() < layer else "Left"
        for _ in range(12):
            if at() == layer or (at() > layer) == (toward == "Right"):
                break
            window.pointer("key", toward)
            time.sleep(0.4)
        window.done(f"cut after layer {at()}")
    return act


def looks(who):
    def act(window):
        window.click("Attacker:", "combo box")
        window.click(who)
    return act


looks_with_similar_images = looks("somebody with similar images")
GRADIENTS = "whoever gets the weights' gradients"


def lever(name, value):
    """Types a value into the field beside a lever."""
    def act(window):
        field = lambda: [each for each in window.all(name, "spin button", part=True)]
        window.wait(f"the lever {name}", field)
        e = field()[0].queryComponent().getExtents(window.atspi.WINDOW_COORDS)
        window.pointer("mousemove", e.x + e.width // 2, e.y + e.height // 2)
        window.pointer("click", 1)
        time.sleep(0.3)
        window.pointer("key", "--clearmodifiers", "ctrl+a")
        window.pointer("type", "--delay", "40", value)
        window.pointer("key", "Return")
        window.done(f"{name} {value}")
    return act


NEXT_IMAGE = "\u203a"
ACTS = {
    "what-leaves-the-room": [
        [click("Draw"), stroke(0.4)],
        [stroke(0.6)],
        [stolen, click("Play")],
        [stolen, click("Digits"), stolen, wipe],
        [click("Step")],
    ],
    "the-mirror": [
        [click("Draw"), stroke(0.4)],
        [stroke(0.6)],
        [click("Clear"), stroke(0.5)],
        [stolen, wipe],
        [click("trained", "radio button")],
        [],
    ],
    "how-deep-is-safe": [
        [cut_after(5)],
        [cut_after(8)],
        [stolen, wipe],
        [cut_after(10)],
        [looks_with_similar_images],
        [click(NEXT_IMAGE)],
        [cut_after(2)],
    ],
    "disguise": [
        [click(NEXT_IMAGE)],
        [lever("\u03b3", "0.3")],
        [lever("\u03b3", "0.1"), lever("\u03bc", "1")],
        [click(NEXT_IMAGE)],
        [stolen, wipe],
        [click("Undefended")],
    ],
    "be-the-attacker": [
        [stolen, click("Play")],
        [click("It knows our defence")],
        [stolen, click("Play"), wipe],
        [looks_with_similar_images],
        [lever("\u03b3", "0.3")],
        [click("It knows our defence")],
    ],
    "one-gradient": [
        [looks(GRADIENTS), stolen, wipe],
        [looks(f"{GRADIENTS}, label first")],
        [click("Draw"), stroke(0.4), stroke(0.6)],
        [click("Digits"), looks(GRADIENTS), lever("Images a gradient", "8")],
        [looks(f"{GRADIENTS}, label first"), lever("Images a gradient", "8")],
        [click(NEXT_IMAGE)],
    ],
}


def lesson(name):
    return tomllib.loads((LESSONS / f"{name}.toml").read_text())


def words(name):
    """All that is to be read in a lesson."""
    its = lesson(name)
    parts = [its["title"], its["summary"]]
    for step in its["step"]:
        parts += [step.get(key, "") for key in ("text", "ask", "because", "do", "notice")] + step.get("answers", [])
    return sum(len(part.split()) for part in parts)


def take(window, name):
    """Begins a lesson from the list and takes each step. Seconds that were spent waiting for an attack."""
    its, waited = lesson(name), 0.0
    window.scroll_to(f"Begin: {its['title']}", "Six lessons, a few minutes each")
    window.click(f"Begin: {its['title']}")
    window.wait("the lesson", lambda: window.there("step 1 of", part=True))
    for at, (step, acts) in enumerate(zip(its["step"], ACTS[name], strict=True), 1):
        here = f"step {at} of {len(its['step'])}"
        window.wait(here, lambda: window.there(here))
        if "answers" in step:
            window.scroll_to(step["answers"][0], here)
            window.click(step["answers"][0])
        for act in acts:
            waited += act(window) or 0.0
        last = at == len(its["step"])
        begin = time.monotonic()
        end = "The lesson is done." if last else None
        done = lambda: window.there(f"{at} of {len(its['step'])} steps done") or (end and window.there(end))
        window.wait(f"the check of {here} of {name}", done, ATTACK_SECS)
        waited += time.monotonic() - begin
        window.shot(f"{here} done")
        if not last:
            window.scroll_to("Next", here)
            window.click("Next")
    return waited
