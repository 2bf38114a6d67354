"""Trains a small classifier on two moons in PyTorch, and records every step of it that can be seen.

    python examples/two_moons.py two_moons.safetensors          3000 steps, twice
    python examples/two_moons.py two_moons.safetensors 500

Three lines make the recording: the `with`, `recorder.run` for one more training beside the first, `recorder.step`.
"""

import sys

import numpy as np

import engine

SAMPLES, STEPS, BATCH, WIDTH = 600, 3000, 64, 32


def two_moons(count, seed=0):
    """(count, 2) points in two interlocking half circles, and to which each belongs."""
    rng = np.random.default_rng(seed)
    moon = np.arange(count) % 2
    angle = rng.uniform(0.0, np.pi, count)
    upper, lower = (np.cos(angle), np.sin(angle)), (1.0 - np.cos(angle), 0.5 - np.sin(angle))
    points = np.where(moon == 0, upper, lower).T + rng.normal(0.0, 0.12, (count, 2))
    return points.astype(np.float32), moon


def train(recorder, seed, steps):
    """A plain PyTorch training loop; returns the model."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    x, y = (torch.from_numpy(array) for array in two_moons(SAMPLES))
    model = nn.Sequential(nn.Linear(2, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(steps):
        batch = torch.randint(len(x), (BATCH,))
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
        recorder.step(model, loss)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else "two_moons.safetensors"
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else STEPS
    try:
        import torch  # noqa: F401  the loop below needs it
    except ImportError:
        sys.exit("two_moons: this example trains with PyTorch, which is not installed. Run `pip install torch`.")
    points, moon = two_moons(SAMPLES)
    try:
        with engine.Recorder(path, data=points, targets=moon) as recorder:
            for seed in (1, 2):
                recorder.run(f"seed {seed}")
                train(recorder, seed, steps)
    except engine.NeurosceneError as error:
        sys.exit(f"two_moons: {error}")
    print(f"neuroscene run boundaries --history {path}")


if __name__ == "__main__":
    main()
