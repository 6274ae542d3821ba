def even(x):
    """Repeats the last row and column of an odd side."""
    return F.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2), mode="replicate")


def pack(x, gradient_map):
    """2×2 pixels become four channels; one more holds the mean of |map|."""
    channel = even(gradient_map.abs().mean(1, keepdim=True))
    return torch.cat([F.pixel_unshuffle(even(x), 2), F.avg_pool2d(channel, 2)], 1)


def saliency(alpha, beta):
    """The gradient map in [-1, 1]: raise a pixel where alpha < 0 < beta, lower it in the mirrored case."""
    alpha, beta = alpha.double(), beta.double()
    moves = (alpha < 0) & (beta > 0)
    if MIRROR:
        moves |= (alpha > 0) & (beta < 0)
    gradient_map = torch.where(moves, -alpha.sign() * (alpha * beta).abs(), 0.0)
    peak = gradient_map.abs().flatten(1).amax(1).clamp(min=1e-12)
    return (gradient_map / peak[:, None, None, None]).float()


def attack(x, gradient_map):
    """The disguised images: pixels moved along the map, within [0, 1]."""
    if APPLY == "dense":
        return (x + THETA * gradient_map).clamp(0, 1)
    size = gradient_map[0].numel()
    moving = min(int(GAMMA * size), size)
    if moving == 0:
        return x
    strength = gradient_map.abs()
    least = strength.flatten(1).topk(moving).values[:, -1]
    moved = (gradient_map != 0) & (strength >= least[:, None, None, None])
    return (x + THETA * gradient_map.sign() * moved).clamp(0, 1)


def shrink(matrices, tau):
    """Singular value thresholding, the proximal map of tau times the nuclear norm."""
    u, s, vh = torch.linalg.svd(matrices, full_matrices=False)
    return (u * (s[:, None, :] - tau).clamp(min=0)) @ vh


def soften(matrices, tau):
    """Soft thresholding, the proximal map of tau times the l1 norm."""
    return matrices.sign() * (matrices.abs() - tau).clamp(min=0)


def recover(z):
    """Splits smashed data into L, the recovered features, and S, the recovered gradient map, by accelerated
    proximal gradient: min mu (|L|_* + lambda |S|) + 1/2 |D - L - S|^2, D being channels × positions."""
    d = z.detach().double().flatten(2)
    scale = d.abs().amax((1, 2), keepdim=True)
    d = d / torch.where(scale > 0, scale, 1.0)
    lam = max(d.shape[1:]) ** -0.5
    tau = (0.99 * torch.linalg.matrix_norm(d, 2))[:, None, None].clamp(min=MU)
    decay = (MU / tau) ** (1 / max(int(0.6 * ITERATIONS), 1))
    shrink_map = soften if MAP_NORM == "l1" else shrink
    low, sparse = torch.zeros_like(d), torch.zeros_like(d)
    low_before, sparse_before = low, sparse
    momentum, momentum_before = 1.0, 1.0
    for _ in range(ITERATIONS):
        pull = (momentum_before - 1) / momentum
        y_low, y_sparse = low + pull * (low - low_before), sparse + pull * (sparse - sparse_before)
        residual = (y_low + y_sparse - d) / 2
        low_before, sparse_before = low, sparse
        low = shrink(y_low - residual, tau / 2)
        sparse = shrink_map(y_sparse - residual, lam * tau / 2)
        momentum_before, momentum = momentum, (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        tau = (decay * tau).clamp(min=MU)
    return (low * scale).view_as(z).to(z.dtype), (sparse * scale).view_as(z).to(z.dtype)


def fuse_decisions(attacked, recovered, fused):
    """Scores (N, K): each stream's softmax, weighted by its setting and its own largest score."""
    scores = [logits.softmax(1) for logits in (recovered, fused, attacked)]
    trust = [weight * score.amax(1, keepdim=True) for weight, score in zip(WEIGHTS, scores)]
    return sum(t * s for t, s in zip(trust, scores)) / sum(trust)


class Model(nn.Module):
    """A client and a server under PSGL. Images are (N, C, H, W) in [0, 1]."""

    def __init__(self):
        super().__init__()
        channels, height, width = SMASHED
        self.client = client_layers()
        names = () if SERVER == "one" else ("attacked", "recovered", "fused")
        self.streams = nn.ModuleDict({name: server_layers() for name in names})
        self.server = server_layers() if SERVER == "one" else None
        fuses = SERVER in ("streams", "unrecovered")
        self.fuse = nn.Conv2d(2 * channels, channels, 3, padding=1) if fuses else None
        self.pool = min(2, height, width)
        # The client's own head, which is never sent; none where the server is asked for the Jacobian.
        features = channels * (height // self.pool) * (width // self.pool)
        self.head = nn.Linear(features, CLASSES) if JACOBIAN == "head" else None

    def disguise(self, x):
        """The disguised images, which the client sends in place of x, and their gradient map."""
        if INFERENCE == "clean":
            return x, torch.zeros_like(x)
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            z = self.client(pack(x, torch.zeros_like(x)))
            if self.head is None:
                answer = self.answer(z)
                logits = answer["logits"] if SERVER == "one" else answer["fused"]
            else:
                logits = self.head(F.max_pool2d(z, self.pool).flatten(1))
            predicted = logits.gather(1, logits.argmax(1, keepdim=True)).sum()
            alpha, = torch.autograd.grad(predicted, x, retain_graph=True)
            beta = torch.autograd.grad(logits.sum(), x)[0] - alpha
        gradient_map = saliency(alpha, beta).to(x.dtype)
        return attack(x.detach(), gradient_map), gradient_map

    def send(self, disguised, gradient_map):
        """Smashed data of images that are disguised already."""
        return self.client(pack(disguised, gradient_map))

    def smash(self, x):
        """Smashed data: all of the images that crosses the wire."""
        return self.send(*self.disguise(x))

    def answer(self, z):
        """What the server makes of smashed data: logits of its three streams, the fused decision's scores, and
        the two parts of z, low_rank (L) and gradient_map (S). Of a single stream its logits alone."""
        if SERVER == "one":
            return {"logits": self.server(z)}
        low_rank, sparse = (z, torch.zeros_like(z)) if SERVER == "unrecovered" else recover(z)
        # The recovery's derivative counts as the identity.
        straight_through = z + (low_rank - z).detach()
        mixed = z
        if self.fuse is not None:
            fused = self.fuse(torch.cat([z, straight_through], 1))
            mixed = (fused.relu() if FUSE_RELU else fused) + z
        inputs = {"attacked": z, "recovered": low_rank, "fused": mixed}
        answer = {name: self.streams[name](value) for name, value in inputs.items()}
        return {**answer, "scores": fuse_decisions(**answer), "low_rank": low_rank, "gradient_map": sparse}

    def logits(self, x):
        """Logits (N, K) of the three streams, by name; of a single one as they are."""
        answer = self.answer(self.smash(x))
        return answer["logits"] if SERVER == "one" else {name: answer[name] for name in self.streams}

    def forward(self, x):
        """Scores of the fused decision (N, K); each row sums to 1. Of a single stream its logits."""
        return self.answer(self.smash(x))["logits" if SERVER == "one" else "scores"]

    @torch.no_grad()
    def decide(self, x):
        """The predicted classes (N)."""
        return self(x).argmax(1)


def weights():
    """The weights as they are in the files, under the names of `Model`."""
    named = {**load_file(HERE / "client.safetensors"), **load_file(HERE / "server.safetensors")}

    def renamed(name):
        party, part, rest = name.split(".", 2)
        if part in ("head", "fuse"):
            return f"{part}.{rest}"
        return f"streams.{part}.{rest}" if party == "server" and SERVER != "one" else name

    return {renamed(name): value for name, value in named.items()}
