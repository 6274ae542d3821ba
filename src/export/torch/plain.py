class Model(nn.Module):
    """A client and a server of plain split learning. Images are (N, C, H, W) in [0, 1]."""

    def __init__(self):
        super().__init__()
        self.client, self.server = client_layers(), server_layers()

    def disguise(self, x):
        """What the client sends, and its gradient map: the images as they are, and no map."""
        return x, torch.zeros_like(x)

    def send(self, disguised, gradient_map):
        """Smashed data of images that are disguised already."""
        return self.client(disguised)

    def smash(self, x):
        """Smashed data: all of the images that crosses the wire."""
        return self.send(*self.disguise(x))

    def answer(self, z):
        """What the server makes of smashed data."""
        return {"logits": self.server(z)}

    def logits(self, x):
        """Logits (N, K)."""
        return self.answer(self.smash(x))["logits"]

    def forward(self, x):
        return self.logits(x)

    @torch.no_grad()
    def decide(self, x):
        """The predicted classes (N)."""
        return self.logits(x).argmax(1)


def weights():
    """The weights as they are in the files, under the names of `Model`."""
    return {**load_file(HERE / "client.safetensors"), **load_file(HERE / "server.safetensors")}
