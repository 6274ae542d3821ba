"""Reference values for training with batch normalisation, in the form that make_golden.py describes: PyTorch's own layers, in float64.

usage: python make_norm.py OUT_DIR SEED    needs: torch
"""
import json, pathlib, sys
import torch, torch.nn as nn, torch.nn.functional as F

out, seed = pathlib.Path(sys.argv[1]), int(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)
torch.manual_seed(seed)
torch.set_default_dtype(torch.float64)


def arr(a):
    return {"shape": list(a.shape), "data": a.detach().flatten().tolist()}


class Residual(nn.Module):
    """The skip connection is projected; names as Cutlayer's, so that `project.0.weight` lies beside `0.weight`."""
    def __init__(self, cin, cout):
        super().__init__()
        for i, layer in enumerate([nn.Conv2d(cin, cout, 3, 2, 1, bias=False), nn.BatchNorm2d(cout), nn.ReLU(), nn.Conv2d(cout, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout)]):
            self.add_module(str(i), layer)
        self.project = nn.Sequential(nn.Conv2d(cin, cout, 1, 2, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        y = x
        for i in range(5):
            y = getattr(self, str(i))(y)
        return y + self.project(x)


classes = 4
client = nn.Sequential(nn.Conv2d(1, 4, 3, 1, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU())
server = nn.Sequential(Residual(4, 6), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, classes))
for module in [*client.modules(), *server.modules()]:
    if isinstance(module, nn.BatchNorm2d):
        nn.init.uniform_(module.weight, .5, 1.5), nn.init.uniform_(module.bias, -.3, .3)

# The counter of batches is PyTorch's own; nothing is computed from it.
state = lambda: {f"{side}.{k}": arr(v) for side, net in (("client", client), ("server", server)) for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")}
images, labels = torch.rand(3, 8, 1, 12, 12), torch.randint(0, classes, (3, 8))
inputs = {"images": arr(images), "labels": arr(labels), **state()}
optimisers = [torch.optim.Adam(net.parameters(), 1e-2) for net in (client, server)]
losses = []
for x, y in zip(images, labels):
    loss = F.cross_entropy(server(client(x)), y)
    losses.append(loss.item())
    for optimiser in optimisers:
        optimiser.zero_grad()
    loss.backward()
    for optimiser in optimisers:
        optimiser.step()
client.eval(), server.eval()
expected = {"losses": losses, "answer": arr(server(client(images[0]))), **state()}
about = "3 training steps, batch 8: conv-batchnorm-relu | projected residual block-relu-mean-linear, cross-entropy, two Adam(1e-2); then logits of the first batch by running statistics"
case = {"case": "batch_norm_train3", "about": about, "tolerance": 1e-3, "inputs": inputs, "expected": expected}
(out / "batch_norm_train3.json").write_text(json.dumps(case) + "\n")
