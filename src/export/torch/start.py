from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

HERE = Path(__file__).resolve().parent


class Residual(nn.Module):
    """project(x) + the inner layers of x."""

    def __init__(self, *inner, project=()):
        super().__init__()
        self.count = len(inner)
        for i, layer in enumerate(inner):
            self.add_module(str(i), layer)
        self.project = nn.Sequential(*project)

    def forward(self, x):
        y = x
        for i in range(self.count):
            y = getattr(self, str(i))(y)
        return self.project(x) + y
