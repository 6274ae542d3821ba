"""Shows that what `cutlayer export --torch` writes computes what the program computes.

    BIN=target/release/cutlayer python tests/torch_roundtrip.py [FOLDER]

needs a Python with numpy, torch and safetensors. Makes small runs of several models, exports each with --torch and
--arrays, and compares 100 test images: smashed data and logits to 1e-4; under PSGL from the same disguised images, and
from the clean ones the decision of at least 98 (a rounding can move a pixel of the map, or a decision at a tie). FOLDER,
a new one, keeps runs and exports. Exit status 0 if all holds.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

BIN = Path(os.environ.get("BIN", "target/release/cutlayer")).resolve()
IMAGES, TOLERANCE, DECISIONS = 100, 1e-4, 98
QUICK = ["data.train=512", f"data.test={IMAGES}", "train.epochs=1", "attack=[]", "evaluate.mu_images=2"]
PLAIN = ["psgl.enabled=false"]
RUNS = {
    "split-cnn": ["model.name=split-cnn", *PLAIN],
    "lenet5": ["model.name=lenet5", "model.cut=3", *PLAIN],
    "resnet8": ["model.name=resnet8", "model.cut=6", *PLAIN],
    "resnet8, first cut": ["model.name=resnet8", "model.cut=3", *PLAIN],
    "PSGL": [],
    "PSGL, dense, server's Jacobian, nuclear": [
        "psgl.apply=dense", "psgl.jacobian=server", "psgl.map_norm=nuclear", "psgl.fuse_relu=false", "psgl.mirror=false"
    ],
    "PSGL, weights by streams, lenet5": ["model.name=lenet5", "model.cut=2", "psgl.weights_from=streams"],
    "PSGL, sent clean": ["psgl.send=clean"],
    "PSGL, unrecovered": ["psgl.server=unrecovered"],
    "PSGL, unfused, without the attack": ["psgl.server=unfused", "psgl.attack=false"],
    "PSGL, one large stream, server's Jacobian": ["psgl.server=large", "psgl.jacobian=server"],
    "PSGL, one plain stream": ["psgl.server=plain"],
}


def call(*arguments):
    done = subprocess.run([BIN, *arguments], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, arguments))}:\n{done.stderr}")


def loaded(folder):
    spec = importlib.util.spec_from_file_location("exported", folder / "load.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load()


def furthest(ours, theirs):
    return float(np.abs(ours - theirs.numpy()).max())


@torch.no_grad()
def compare(model, arrays, prefix, psgl):
    """The largest differences by name, and how many decisions from clean images agree."""
    named = {name.removeprefix(prefix): arrays[name] for name in arrays.files if name.startswith(prefix)}
    x = torch.from_numpy(arrays["images"])
    if psgl:
        sent = model.send(torch.from_numpy(named["disguised"]), torch.from_numpy(named["map"]))
    else:
        sent = model.smash(x)
    answer = model.answer(sent)
    differences = {"smashed data": furthest(named["smashed"], sent)}
    if "scores" in named:
        for stream in ("attacked", "recovered", "fused"):
            differences[f"logits, {stream}"] = furthest(named[f"logits_{stream}"], answer[stream])
        for part in ("low_rank", "gradient_map", "scores"):
            differences[part] = furthest(named[part], answer[part])
    else:
        differences["logits"] = furthest(named["logits"], answer["logits"])
    return differences, int((model.decide(x).numpy() == named["decisions"]).sum())


def main():
    temporary = None if len(sys.argv) > 1 else tempfile.TemporaryDirectory()
    folder = Path(temporary.name if temporary else sys.argv[1])
    folder.mkdir(exist_ok=True)
    os.environ["CUTLAYER_HOME"] = str(folder / "home")
    good = True
    for i, (name, settings) in enumerate(RUNS.items()):
        run, torch_folder, file = (folder / f"{what}{i}" for what in ("run", "torch", "arrays"))
        changes = [part for setting in QUICK + settings for part in ("--set", setting)]
        call("run", "quick", "--out", run, *changes)
        call("export", run, "--torch", torch_folder, "--arrays", file)
        arrays = np.load(file)
        psgl = "disguised" in arrays.files
        assert len(arrays["images"]) == IMAGES
        for twin in ("", "vanilla"):
            if not (torch_folder / twin / "load.py").is_file():
                continue
            prefix = f"{twin}_" if twin else ""
            differences, same = compare(loaded(torch_folder / twin), arrays, prefix, psgl and not twin)
            right = max(differences.values()) <= TOLERANCE and same >= DECISIONS
            good &= right
            worst = ", ".join(f"{what} {value:.1e}" for what, value in differences.items())
            print(f"{'ok ' if right else 'BAD'} {name}{', its twin' if twin else ''}: {same} of {IMAGES} decisions; {worst}", flush=True)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
