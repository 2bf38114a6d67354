"""The first original's picture from its numbers alone, in float64 numpy: nothing here is the engine's.

Rays, 64 equal steps, ten false-position steps, stripes and light; sparks and axes as lines one pixel wide.
"""

import numpy as np

BALL, STEPS, POLISH = 5.0, 64, 10


def camera(azimuth, altitude, radius=12.0):
    """Position and the right-handed frame (side, up, forward) of a camera that looks at the origin."""
    c = radius * np.array([np.cos(azimuth) * np.cos(altitude), np.sin(altitude), np.sin(azimuth) * np.cos(altitude)])
    forward = -c / np.linalg.norm(c)
    side = np.cross(forward, [0, 1, 0])
    side /= np.linalg.norm(side)
    return c, side, np.cross(side, forward), forward


def value(net, p):
    """f(p) = sum V tanh(W (p, 1)) for a 3-8-1 network without output bias."""
    first, last = net.layers
    return np.tanh(p @ first.weights.T.astype(float) + first.bias) @ last.weights[0].astype(float)


def rays(size, azimuth, altitude):
    """(directions (H, W, 3), eye) of a square picture."""
    eye, side, up, forward = camera(azimuth, altitude)
    g = (np.arange(size) + 0.5) / size * 2 - 1
    d = forward + side * (g[None, :, None] / 2) + up * (-g[:, None, None] / 2)
    return d / np.linalg.norm(d, axis=-1, keepdims=True), eye


def surface(net, level, size, azimuth, altitude):
    """(colour (H, W, 3) in [0, 1], distance along the chord (H, W), inf where nothing is hit)."""
    d, eye = rays(size, azimuth, altitude)
    b = d @ eye
    under = b * b - (eye @ eye - BALL * BALL)
    colour, found = np.zeros((size, size, 3)), np.full((size, size), np.inf)
    at = np.nonzero(under > 0)
    root = np.sqrt(under[at])
    direction = d[at]
    start = eye + direction * (-b[at] - root)[:, None]
    length = 2 * root
    f = lambda i, t: value(net, start[i] + direction[i] * t[:, None]) - level
    everyone = np.arange(len(length))
    before = np.floor(f(everyone, np.zeros(len(length))))
    step, hit, todo = length / STEPS, np.zeros(len(length), int), everyone
    for i in range(1, STEPS):
        changed = np.floor(f(todo, step[todo] * i)) != before[todo]
        hit[todo[changed]] = i
        todo = todo[~changed]
    i = np.flatnonzero(hit)
    low, high = step[i] * (hit[i] - 1), step[i] * hit[i]
    f_low, f_high = f(i, low), f(i, high)
    target = np.floor(np.maximum(f_low, f_high))
    t = low
    for _ in range(POLISH):
        t = low - (low - high) / (f_low - f_high) * (f_low - target)
        f_t = f(i, t)
        right = (f_t - target) * (f_high - target) < 0
        f_low, low = np.where(right, f_t, f_low), np.where(right, t, low)
        f_high, high = np.where(right, f_high, f_t), np.where(right, high, t)
    p = start[i] + direction[i] * t[:, None]
    colour[at[0][i], at[1][i]] = shade(net, p, direction[i])
    found[at[0][i], at[1][i]] = t
    return colour, found


def shade(net, p, direction):
    e = 0.01
    n = np.stack([value(net, p + e * v) - value(net, p - e * v) for v in np.eye(3)], axis=-1)
    n /= np.linalg.norm(n, axis=1, keepdims=True)
    n = np.where((n * direction).sum(1, keepdims=True) > 0, -n, n)
    base = 0.1 * (p + np.sign(np.sin(10 * np.linalg.norm(p, axis=1, keepdims=True)))) + 0.5
    light = np.array([0.0, 1.0, 0.0])
    reflected = light - 2 * n * n[:, 1:2]
    specular = np.clip((reflected * direction).sum(1), 0, 1) ** 10 + 0.2
    return np.clip(base * np.clip(n[:, 1], 0.3, 1)[:, None] + 0.7 * specular[:, None], 0, 1)


def spark_paths(net):
    """(512, 10, 3) vertices of the sparks."""
    g = np.arange(-4.0, 4.0)
    seeds = np.stack(np.meshgrid(g, g, g, indexing="ij"), axis=-1).reshape(-1, 3)
    paths = []
    for k in range(10):
        p = seeds.copy()
        for _ in range(20):
            n = np.stack([value(net, p + 1e-4 * v) - value(net, p - 1e-4 * v) for v in np.eye(3)], axis=-1)
            p = p + 0.02 * (k - 4) * n / np.linalg.norm(n, axis=1, keepdims=True)
        paths.append(p)
    return np.stack(paths, axis=1)


def draw_lines(image, segments, size, azimuth, altitude, paint):
    """Rasterises segments (N, 2, 3): the pixel whose column (or row, if steeper) centre the line passes.

    paint   called with (rows, columns, world points (M, 3), index of the segment) of the pixels, in drawing order
    """
    eye, side, up, forward = camera(azimuth, altitude)
    for number, (a, b) in enumerate(segments):
        ends = []
        for p in (a, b):
            q = p - eye
            z = q @ forward
            ends.append((((q @ side) / z * 2 + 1) / 2 * size, (1 - (q @ up) / z * 2) / 2 * size, z))
        (x0, y0, z0), (x1, y1, z1) = ends
        steep = abs(y1 - y0) > abs(x1 - x0)
        u0, v0, u1, v1 = (y0, x0, y1, x1) if steep else (x0, y0, x1, y1)
        if u0 == u1:
            continue
        low, high = sorted((u0, u1))
        u = np.arange(np.ceil(low - 0.5), np.ceil(high - 0.5)) + 0.5
        s = (u - u0) / (u1 - u0)
        v = v0 + s * (v1 - v0)
        # Perspective: what is even on the picture is not in space.
        w = s / z1 / ((1 - s) / z0 + s / z1)
        rows, columns = (u, v) if steep else (v, u)
        # A line just between two pixels takes the left or upper one, as rasterisers do.
        rows, columns = (np.ceil(x - 1e-6).astype(int) - 1 for x in (rows, columns))
        keep = (rows >= 0) & (rows < size) & (columns >= 0) & (columns < size)
        paint(rows[keep], columns[keep], (a + (b - a) * w[:, None])[keep], number, w[keep])


def picture(net, level, size=400, azimuth=2.21, altitude=0.21):
    """(image (H, W, 3) in [0, 1], chord distance (H, W), line pixels (H, W) bool): the whole classic picture."""
    image = np.zeros((size, size, 3))
    lines = np.zeros((size, size), bool)
    paths = spark_paths(net)
    segments = np.stack([paths[:, :-1], paths[:, 1:]], axis=2).reshape(-1, 2, 3)
    v_ends = value(net, segments.reshape(-1, 3)).reshape(-1, 2)

    def spark(rows, columns, p, number, w):
        inside = np.linalg.norm(p, axis=1) <= BALL
        # The value is a vertex's own, carried along the line like its place.
        v = v_ends[number, 0] + (v_ends[number, 1] - v_ends[number, 0]) * w
        alpha = 0.4 * np.exp(-7 * ((level - v) % 1.0))
        colour = np.clip(np.stack([0.5 + v / 10, 0.25 - v / 10, 0.5 - v / 4], axis=-1), 0, 1)
        np.add.at(image, (rows[inside], columns[inside]), 2 * (colour * alpha[:, None])[inside])
        lines[rows, columns] = True

    draw_lines(image, segments, size, azimuth, altitude, spark)
    ends = np.array([((1, 0, 0), (1, 0.6, 0)), ((0, 1, 0), (0.6, 1, 0)), ((0, 0, 1), (0, 0.6, 1))], float)

    def axis(rows, columns, p, number, w):
        colour = ends[number, 0] + (ends[number, 1] - ends[number, 0]) * w[:, None]
        image[rows, columns] = 0.6 * colour + 0.4 * image[rows, columns]
        lines[rows, columns] = True

    draw_lines(image, np.stack([np.zeros((3, 3)), np.eye(3) * 5], axis=1), size, azimuth, altitude, axis)
    colour, found = surface(net, level, size, azimuth, altitude)
    hit = np.isfinite(found)
    image[hit] = 0.6 * colour[hit] + 0.4 * image[hit]
    return np.clip(image, 0, 1), found, lines
