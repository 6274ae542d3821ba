"""Cutlayer beside PyTorch and JAX on this machine, in one run.

    cargo build --release
    python3 -m venv peers && peers/bin/pip install numpy torch jax optax
    peers/bin/python benches/compare.py [--rounds 5] [--secs 2] [--threads 2] [CASE ...]

Cases that this build of Cutlayer does not have are skipped with a note. Each round times every side in turn (a process each), so that a slow moment of the machine meets them all. The ratio is our
rate divided by the faster peer's of the same round; its median and range over the rounds are printed, and the share that
the convolutions' and matrix products' own multiplications have of the machine's measured matrix-product rate.
"""
import argparse, json, os, pathlib, platform, statistics, subprocess, sys

HERE = pathlib.Path(__file__).resolve().parent
CASES = ["train_small", "train_resnet", "train_psgl", "rmle_b1", "rmle_b16", "prior_step", "inverse_step", "unsplit_step", "fsha_step", "dlg_b1", "inverting_step", "apg_64x28", "apg_128x4096"]
# Those that the JAX side has.
JAX = ["train_small", "rmle_b1", "rmle_b16", "prior_step", "inverse_step", "unsplit_step", "fsha_step", "dlg_b1", "inverting_step", "apg_64x28"]


def conv(n, c_in, c_out, side, kernel=3):
    """Multiply-adds of one convolution, forward."""
    return n * c_out * c_in * kernel * kernel * side * side


def gigaflops(case):
    """2 x multiply-adds of a step's convolutions and matrix products; none where they are not the work."""
    if case == "train_small":
        forward = conv(64, 1, 16, 28) + conv(64, 16, 32, 14) + conv(64, 32, 64, 7) + 64 * (3136 * 128 + 1280)
        return 2 * (3 * forward - conv(64, 1, 16, 28)) / 1e9  # the first layer's input needs no gradient
    if case == "train_resnet":
        block = 2 * conv(32, 64, 64, 32)  # one on each side of the cut
        first = conv(32, 3, 64, 32)
        return 2 * (3 * (first + 2 * block + 32 * 640) - first) / 1e9  # as above; normalisation is not counted
    if case == "train_psgl":
        client = conv(64, 5, 16, 14) + conv(64, 16, 32, 14)
        stream = conv(64, 32, 64, 14) + 64 * (3136 * 128 + 1280)
        head = 64 * 15680
        fuse = conv(64, 64, 32, 14)
        first = conv(64, 5, 16, 14)
        learn_head = 3 * (client + head) - first
        jacobian = 3 * (client + head)  # once forward, twice back to the image
        rest = 3 * client - first + 3 * 3 * stream + 3 * fuse
        return 2 * (learn_head + jacobian + rest) / 1e9
    if case.startswith("rmle"):
        n = int(case.split("_b")[1])
        return 2 * 2 * (conv(n, 1, 16, 28) + conv(n, 16, 32, 14)) / 1e9
    if case == "prior_step":
        generator = 64 * (16 * 128 + 128 * 1568) + conv(64, 32, 64, 7) + conv(64, 16, 4, 14)
        return 2 * 2 * (generator + conv(64, 1, 16, 28) + conv(64, 16, 32, 14)) / 1e9
    decoder = lambda n: conv(n, 32, 64, 7) + conv(n, 64, 128, 7, 1) + conv(n, 32, 128, 14, 1) + conv(n, 32, 32, 28) + conv(n, 32, 1, 28)
    if case == "inverse_step":
        return 2 * (3 * decoder(32) - conv(32, 32, 64, 7)) / 1e9
    if case == "unsplit_step":
        first, second = conv(1, 1, 8, 24, 5), conv(1, 8, 16, 8, 5)
        return 2 * (2 * (first + second) + 3 * (first + second) - first) / 1e9
    if case == "fsha_step":
        client, first = conv(64, 1, 16, 28) + conv(64, 16, 32, 14), conv(64, 1, 16, 28)
        pilot = conv(64, 1, 16, 14) + conv(64, 16, 32, 7) + conv(64, 32, 32, 7)
        critic = conv(64, 32, 64, 4) + 12 * conv(64, 64, 64, 4) + conv(64, 64, 64, 2) + 64 * 256
        # The critic on both sides' data, there and back; its penalty: there, back to its input, and back through both.
        return 2 * (3 * client - first + 3 * (pilot + decoder(64)) - conv(64, 1, 16, 14) + 3 * 2 * critic + 6 * critic) / 1e9
    if case == "dlg_b1":
        first = conv(1, 1, 12, 14, 5)
        forward = first + 2 * conv(1, 12, 12, 7, 5) + 588 * 10
        backward = 2 * forward - first  # all weights' gradients, and all inputs' but the image's
        # Back through all of that to image and label, with the weights fixed: two products for each weight gradient, one for
        # each input gradient, one for each layer.
        second = 2 * forward + (forward - first) + forward
        return 2 * (forward + backward + second) / 1e9
    if case == "inverting_step":
        first = conv(1, 1, 16, 28)
        forward = first + conv(1, 16, 32, 14) + conv(1, 32, 64, 7) + 3136 * 128 + 1280
        # As above; of the linear layers too.
        return 2 * (forward + (2 * forward - first) + 2 * forward + (forward - first) + forward) / 1e9
    return None


def processor():
    """What the processor calls itself."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def versions():
    """The peers' versions, from what pip installed: importing them would take seconds."""
    from importlib.metadata import PackageNotFoundError, version
    def of(package):
        try:
            return version(package)
        except PackageNotFoundError:
            return "missing"
    return f"PyTorch {of('torch')}, JAX {of('jax')}, Python {platform.python_version()}"


def is_known(program, case):
    """Whether `cutlayer bench` has this case."""
    done = subprocess.run([program, "bench", "--json", "--secs", "0", case], capture_output=True, text=True)
    if done.returncode != 0 and "unknown case" not in done.stderr:
        sys.exit(f"{case} failed:\n{done.stderr[-2000:]}")
    return done.returncode == 0


def lines(command, env):
    """The JSON lines that a side prints, by case."""
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stderr[-2000:]}")
    return {line["case"]: line for line in map(json.loads, filter(None, done.stdout.splitlines()))}


def matrix_product_rate(threads, cutlayer, env):
    """Billions of floating-point operations a second of a large matrix product, PyTorch's and ours: the machine's is the larger."""
    code = (
        "import time, torch; torch.set_num_threads(%d); a, b = torch.rand(2048, 2048), torch.rand(2048, 2048); a @ b\n"
        "times = []\n"
        "for _ in range(10):\n    start = time.perf_counter(); a @ b; times.append(time.perf_counter() - start)\n"
        "print(2 * 2048 ** 3 / min(times) / 1e9)" % threads
    )
    torch = float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    ours = lines([cutlayer, "bench", "--json", "--threads", str(threads), "--secs", "1", "matmul_2048"], env)
    return torch, ours["matmul_2048"]["rate"] * 2 * 2048**3 / 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", default=[])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--secs", type=float, default=2.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cutlayer", default=HERE.parent / "target/release/cutlayer")
    args = parser.parse_args()
    cases = []
    for case in args.cases or CASES:
        if is_known(args.cutlayer, case):
            cases.append(case)
        else:
            print(f"skipped: `cutlayer bench` has no {case}", file=sys.stderr)
    if not cases:
        sys.exit("nothing is left to compare")
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[: args.threads]))
    env = {**os.environ, "OMP_NUM_THREADS": str(args.threads)}
    common = ["--secs", str(args.secs)]
    sides = {
        "cutlayer": [args.cutlayer, "bench", "--json", "--threads", str(args.threads), *common, *cases],
        "torch": [sys.executable, HERE / "peer_torch.py", "--threads", str(args.threads), *common, *cases],
        "jax": ["taskset", "-c", cores, sys.executable, HERE / "peer_jax.py", *common, *[c for c in cases if c in JAX]],
    }
    if not any(case in JAX for case in cases):
        del sides["jax"]  # without a case it would do all of its own
    rates = matrix_product_rate(args.threads, args.cutlayer, env)
    peak = max(rates)
    rounds = []
    for i in range(args.rounds):
        rounds.append({side: lines(command, env) for side, command in sides.items()})
        print(f"round {i + 1} of {args.rounds}", file=sys.stderr)
    print(f"{processor()}; {versions()}; {args.threads} threads, {args.rounds} rounds of {args.secs} s; a 2048 x 2048 matrix product reaches {rates[0]:.0f} GFLOP/s in PyTorch, {rates[1]:.0f} here\n")
    print("| case | ours, ms | PyTorch, ms | JAX, ms | ours / faster peer | range | of the matrix-product rate |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for case in cases:
        def ms(side):
            values = [each[side][case]["median_ms"] for each in rounds if case in each.get(side, {})]
            return statistics.median(values) if values else None
        ratios = []
        for each in rounds:
            peers = [each[side][case]["rate"] for side in ("torch", "jax") if case in each.get(side, {})]
            ratios.append(each["cutlayer"][case]["rate"] / max(peers))
        shown = [f"{value:.2f}" if value else "–" for value in map(ms, ("cutlayer", "torch", "jax"))]
        flops = gigaflops(case)
        share = f"{100 * flops / (ms('cutlayer') / 1e3) / peak:.0f} %" if flops else "–"
        print(f"| `{case}` | {' | '.join(shown)} | **{statistics.median(ratios):.2f}** | "
              f"{min(ratios):.2f} – {max(ratios):.2f} | {share} |")


if __name__ == "__main__":
    main()
