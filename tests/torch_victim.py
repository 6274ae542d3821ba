"""Makes the victim of tests/victim: a client trained by nobody but drawn by seed in PyTorch, what it sends for eight pictures,
32 pairs of the attacker's own, and what PyTorch's own rMLE gets of the first.

    python tests/torch_victim.py tests/victim

needs numpy, torch and safetensors. The first lines are what the README shows: how any victim is exported.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

out = Path(sys.argv[1])
torch.manual_seed(0)
torch.set_num_threads(1)
rng = np.random.default_rng(0)

client = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
                       nn.Conv2d(8, 8, 3, padding=1), nn.ReLU())


def pictures(count):
    """Soft strokes on black: two segments each, in bytes."""
    y, x = np.mgrid[0:28, 0:28]
    images = np.zeros((count, 1, 28, 28))
    for image in images:
        for _ in range(2):
            (ay, ax), (by, bx) = rng.uniform(5, 23, (2, 2))
            t = np.clip(((y - ay) * (by - ay) + (x - ax) * (bx - ax)) / ((by - ay) ** 2 + (bx - ax) ** 2), 0, 1)
            d2 = (y - ay - t * (by - ay)) ** 2 + (x - ax - t * (bx - ax)) ** 2
            image[0] = np.maximum(image[0], np.exp(-d2 / 3))
    return np.round(images * 255).astype(np.uint8)


def tensor(images):
    return torch.from_numpy(images).float() / 255


# Running statistics that are not those of a fresh layer.
client.train()
with torch.no_grad():
    client(tensor(pictures(256)))
client.eval()

# --- the export ---------------------------------------------------------------------------------------------
images, own = pictures(8), pictures(32)
save_file(client.state_dict(), out / "client.safetensors")
(out / "model.toml").write_text("""input = [1, 28, 28]
layers = [{ conv = 8, kernel = 3, padding = 1 }, "batchnorm", "relu", { maxpool = 2 },
          { conv = 8, kernel = 3, padding = 1 }, "relu"]
""")
with torch.no_grad():
    np.savez(out / "smashed.npz", smashed=client(tensor(images)).numpy(), images=images, labels=np.arange(8) % 2)
    np.savez(out / "own.npz", smashed=client(tensor(own)).numpy(), images=own, labels=np.arange(32) % 2)


# --- PyTorch's own rMLE -------------------------------------------------------------------------------------
def loss_of(x, z, tv):
    down, across = x[:, :, 1:] - x[:, :, :-1], x[:, :, :, 1:] - x[:, :, :, :-1]
    return ((client(x) - z) ** 2).mean() + tv * ((down**2).mean() + (across**2).mean())


x, tv = tensor(images), 1e-3
with torch.no_grad():
    z = client(x)
    ramp = torch.linspace(.1, .9, 784).reshape(1, 1, 28, 28)
    at_ramp = [loss_of(ramp, z[i:i + 1], tv).item() for i in range(8)]
guess = torch.full_like(x, .5, requires_grad=True)
adam = torch.optim.Adam([guess], lr=.1, amsgrad=True)
for _ in range(500):
    adam.zero_grad()
    (loss_of(guess, z, tv) * len(x)).backward()
    adam.step()
    with torch.no_grad():
        guess.clamp_(0, 1)
mse = ((guess.detach() - x) ** 2).mean((1, 2, 3))
reference = {"about": "rMLE by PyTorch: losses at a ramp from .1 to .9, and what 500 steps of Adam(amsgrad, .1) get, dB",
             "torch": torch.__version__, "tv": tv, "loss_at_ramp": at_ramp, "psnr": (-10 * mse.log10()).tolist()}
(out / "reference.json").write_text(json.dumps(reference, indent=1) + "\n")
print(reference["psnr"])
