"""How each kind of drawn object looks: one function a kind, its proportions varied by a Generator.

Each paints with a pen in the disc of radius 1, y up, taking colours from `ink`: a row of colours in no fixed order,
so that an object is recognised by its shape. `side` is 1 or -1: objects that look to one side look to either.
"""

import math

from tools.drawn.shapes import around, common, polar, union, without

RIGHT = 0.5 * math.pi


def house(pen, ink, rng, side):
    wall, roof = rng.uniform(0.5, 0.64), rng.uniform(0.7, 0.78)
    eaves = rng.uniform(0.0, 0.16)
    peak = rng.uniform(0.72, 0.92)
    if rng.random() < 0.7:
        x = side * rng.uniform(0.28, 0.4)
        pen.paint(pen.box(x - 0.09, eaves, x + 0.09, rng.uniform(0.62, 0.76)), ink[2])
    pen.paint(pen.box(-wall, -0.68, wall, eaves), ink[0])
    pen.paint(pen.polygon([(-roof, eaves), (roof, eaves), (0.0, peak)], 0.03), ink[1])
    door = -side * rng.uniform(0.14, 0.24)
    top = rng.uniform(-0.26, -0.16)
    pen.paint(pen.box(door - 0.13, -0.68, door + 0.13, top), ink[2])
    window = side * rng.uniform(0.2, 0.3)
    glass = rng.uniform(0.1, 0.14)
    pen.paint(pen.box(window - glass, -0.16 - glass, window + glass, -0.16 + glass), ink[3])
    pen.paint(pen.stroke([(window, -0.16 - glass), (window, -0.16 + glass)], 0.03), pen.outline, 0)
    pen.paint(pen.stroke([(window - glass, -0.16), (window + glass, -0.16)], 0.03), pen.outline, 0)


def tree(pen, ink, rng, side):
    trunk = rng.uniform(0.07, 0.13)
    pen.paint(pen.polygon([(-1.5 * trunk, -0.95), (1.5 * trunk, -0.95), (trunk, 0.1), (-trunk, 0.1)]), ink[1])
    if rng.random() < 0.5:
        tiers, width = int(rng.integers(2, 5)), rng.uniform(0.5, 0.62)
        for k in range(tiers):
            low, share = -0.5 + 0.9 * k / tiers, 1.0 - 0.6 * k / tiers
            high = min(low + 0.95 - 0.35 * k / tiers, 0.95)
            pen.paint(pen.polygon([(-width * share, low), (width * share, low), (0.0, high)], 0.02), ink[0])
        return
    count, spread, y = int(rng.integers(5, 8)), rng.uniform(0.3, 0.36), rng.uniform(0.28, 0.34)
    puffs = [polar(spread, angle, 0.0, y) for angle in around(count, rng.uniform(0, 6))]
    crown = [pen.circle(px * 1.15, py, rng.uniform(0.24, 0.31)) for px, py in puffs]
    pen.paint(union(pen.circle(0.0, y, 0.36), *crown), ink[0])
    if rng.random() < 0.4:
        for px, py in puffs:
            pen.paint(pen.circle(px * 0.8, py * 0.9 + 0.03, 0.06), ink[2], 0)


def car(pen, ink, rng, side):
    roof, sill = rng.uniform(0.34, 0.46), rng.uniform(-0.02, 0.08)
    front, back = rng.uniform(0.26, 0.4), rng.uniform(0.3, 0.62)
    bonnet, boot = side * rng.uniform(0.52, 0.6), -side * rng.uniform(0.6, 0.7)
    cabin = [(bonnet, sill), (side * front, roof), (-side * back, roof), (boot, sill)]
    pen.paint(pen.polygon(cabin, 0.05), ink[0])
    pen.paint(pen.box(-0.92, -0.34, 0.92, sill + 0.06, 0.12), ink[0])
    high, low = roof - 0.05, sill + 0.06
    pillar = rng.uniform(-0.1, 0.06)
    glass = [(side * (front + 0.1), low), (side * (front - 0.03), high)]
    pen.paint(pen.polygon([*glass, (pillar + side * 0.04, high), (pillar + side * 0.04, low)]), ink[2], 0)
    glass = [(-side * (back + 0.04), low), (-side * (back - 0.04), high)]
    pen.paint(pen.polygon([*glass, (pillar - side * 0.04, high), (pillar - side * 0.04, low)]), ink[2], 0)
    wheel = rng.uniform(0.19, 0.25)
    for x in (-rng.uniform(0.48, 0.56), rng.uniform(0.48, 0.56)):
        pen.paint(pen.circle(x, -0.34, wheel), pen.outline if rng.random() < 0.6 else ink[1])
        pen.paint(pen.circle(x, -0.34, 0.45 * wheel), ink[3], 0)
    pen.paint(pen.circle(side * 0.82, -0.08, 0.06), ink[3], 0)


def boat(pen, ink, rng, side):
    deck, keel = rng.uniform(-0.42, -0.32), rng.uniform(-0.8, -0.7)
    mast = side * rng.uniform(-0.08, 0.1)
    top = rng.uniform(0.8, 0.92)
    pen.paint(pen.stroke([(mast, deck), (mast, top)], rng.uniform(0.05, 0.08)), ink[1])
    main = [(mast - side * 0.06, top - 0.06), (mast - side * 0.06, deck + 0.14)]
    pen.paint(pen.polygon([*main, (mast - side * rng.uniform(0.48, 0.62), deck + 0.14)], 0.015), ink[2])
    if rng.random() < 0.75:
        jib = [(mast + side * 0.06, top - rng.uniform(0.1, 0.3)), (mast + side * 0.06, deck + 0.14)]
        pen.paint(pen.polygon([*jib, (mast + side * rng.uniform(0.36, 0.5), deck + 0.14)], 0.015), ink[3])
    if rng.random() < 0.4:
        pen.paint(pen.polygon([(mast, top), (mast, top - 0.12), (mast + side * 0.2, top - 0.06)]), ink[0])
    stern, bow = rng.uniform(0.5, 0.62), rng.uniform(0.42, 0.5)
    hull = [(-side * 0.74, deck), (side * 0.84, deck), (side * bow, keel), (-side * stern, keel)]
    pen.paint(pen.polygon(hull, 0.03), ink[0])
    if rng.random() < 0.5:
        pen.paint(pen.stroke([(-0.6, deck - 0.1), (0.6, deck - 0.1)], 0.05), ink[2], 0)


def fish(pen, ink, rng, side):
    tall, tail = rng.uniform(0.32, 0.46), rng.uniform(0.32, 0.46)
    root, end = -side * 0.42, -side * rng.uniform(0.84, 0.92)
    fork = -side * rng.uniform(0.66, 0.74)
    pen.paint(pen.polygon([(root, 0.0), (end, tail), (fork, 0.0), (end, -tail)], 0.02), ink[1])
    fin = tall * rng.uniform(1.25, 1.5)
    pen.paint(pen.polygon([(side * 0.35, 0.6 * tall), (-side * 0.1, fin), (-side * 0.25, 0.5 * tall)], 0.02), ink[1])
    if rng.random() < 0.7:
        pen.paint(
            pen.polygon([(side * 0.2, -0.6 * tall), (-side * 0.1, -fin), (-side * 0.2, -0.5 * tall)], 0.02), ink[1]
        )
    # The body is what two circles share; they meet at (+-0.72, 0) about its middle.
    middle, radius = side * 0.16, (0.72**2 + tall**2) / (2 * tall)
    body = common(pen.circle(middle, tall - radius, radius), pen.circle(middle, radius - tall, radius))
    pen.paint(body, ink[0])
    if rng.random() < 0.6:
        for k in range(int(rng.integers(1, 4))):
            x = middle + side * (0.06 - 0.2 * k)
            stripe = common(body + 0.05, pen.box(x - 0.045, -1, x + 0.045, 1))
            pen.paint(stripe, ink[2], 0)
    eye = (middle + side * rng.uniform(0.38, 0.44), rng.uniform(0.06, 0.12))
    pen.paint(pen.circle(*eye, 0.09), (0.97, 0.97, 0.95), 0)
    pen.paint(pen.circle(*eye, 0.048), (0.06, 0.06, 0.08), 0)


def cat(pen, ink, rng, side):
    wide, tall = rng.uniform(0.62, 0.74), rng.uniform(0.52, 0.62)
    tip, inner = rng.uniform(0.55, 0.68), rng.uniform(0.12, 0.2)
    for s in (-1, 1):
        ear = [(s * (wide - 0.03), 0.02), (s * tip, 0.7), (s * inner, 0.34)]
        pen.paint(pen.polygon(ear, 0.03), ink[0])
        middle = [sum(p[i] for p in ear) / 3 for i in (0, 1)]
        pen.paint(pen.polygon([(0.5 * (x + middle[0]), 0.5 * (y + middle[1])) for x, y in ear]), ink[2], 0)
    pen.paint(pen.ellipse(0.0, -0.14, wide, tall), ink[0])
    if rng.random() < 0.5:
        pen.paint(pen.ellipse(0.0, -0.38, 0.3, 0.22), ink[1], 0)
    gap, slit = rng.uniform(0.26, 0.34), rng.uniform(0.03, 0.07)
    dark = (0.06, 0.06, 0.08)
    for s in (-1, 1):
        pen.paint(pen.ellipse(s * gap, 0.02, 0.13, rng.uniform(0.12, 0.15), s * 0.25), ink[3])
        pen.paint(pen.ellipse(s * gap, 0.02, slit, 0.12), dark, 0)
    pen.paint(pen.polygon([(-0.07, -0.2), (0.07, -0.2), (0.0, -0.3)], 0.015), dark, 0)
    thin = rng.uniform(0.022, 0.038)
    pen.paint(pen.stroke([(-0.16, -0.38), (-0.08, -0.43), (0.0, -0.36), (0.08, -0.43), (0.16, -0.38)], thin), dark, 0)
    reach = rng.uniform(0.78, 0.88)
    for s in (-1, 1):
        for y in (-0.06, 0.0, 0.06):
            pen.paint(pen.stroke([(s * 0.3, -0.3 + y), (s * reach, -0.26 + 2.6 * y)], thin), pen.outline, 0)


def flower(pen, ink, rng, side):
    y, count = rng.uniform(0.3, 0.36), int(rng.integers(5, 9))
    bend = side * rng.uniform(0.0, 0.12)
    stem = [(0.0, y), (bend, -0.3), (bend * 0.4, -0.95)]
    thick = rng.uniform(0.06, 0.1)
    pen.paint(pen.stroke(stem, thick), ink[1])
    for s in (side, -side)[: int(rng.integers(1, 3))]:
        pen.paint(pen.ellipse(bend + s * 0.22, -0.5, 0.25, 0.1, s * rng.uniform(0.4, 0.7)), ink[1])
    start, out = rng.uniform(0, 6), rng.uniform(0.32, 0.36)
    across = min(0.19, 0.95 * out * math.sin(math.pi / count))
    for angle in around(count, start):
        pen.paint(pen.ellipse(*polar(out, angle, 0.0, y), 0.25, across, angle), ink[0])
    pen.paint(pen.circle(0.0, y, rng.uniform(0.15, 0.21)), ink[2])


def star(pen, ink, rng, side):
    points, inner = int(rng.choice([5, 5, 5, 6])), rng.uniform(0.38, 0.52)
    start = RIGHT + rng.uniform(-0.25, 0.25)
    corners = [polar(0.92 if k % 2 == 0 else 0.92 * inner, angle) for k, angle in enumerate(around(2 * points, start))]
    pen.paint(pen.polygon(corners, rng.uniform(0.0, 0.05)), ink[0])
    if rng.random() < 0.4:
        pen.paint(pen.polygon([(0.6 * x, 0.6 * y) for x, y in corners], 0.02), ink[1], 0)


def sun(pen, ink, rng, side):
    rays, disc, start = int(rng.integers(8, 15)), rng.uniform(0.4, 0.52), rng.uniform(0, 6)
    gap, reach = disc + rng.uniform(0.06, 0.14), rng.uniform(0.85, 0.95)
    half = rng.uniform(0.3, 0.45) * 2.0 * math.pi * gap / rays * 0.5
    pointed = rng.random() < 0.5
    for angle in around(rays, start):
        if pointed:
            dx, dy = polar(half * 1.3, angle + RIGHT)
            x, y = polar(gap, angle)
            pen.paint(pen.polygon([(x + dx, y + dy), (x - dx, y - dy), polar(reach, angle)]), ink[1])
        else:
            pen.paint(pen.stroke([polar(gap, angle), polar(reach - half, angle)], 1.5 * half), ink[1])
    pen.paint(pen.circle(0.0, 0.0, disc), ink[0])
    if rng.random() < 0.4:
        dark = (0.08, 0.07, 0.08)
        for s in (-1, 1):
            pen.paint(pen.circle(s * 0.17, 0.1, 0.05), dark, 0)
        smile = [polar(0.24, angle, 0.0, 0.02) for angle in (3.6, 4.0, 4.4, 4.71, 5.0, 5.4, 5.8)]
        pen.paint(pen.stroke(smile, 0.05), dark, 0)


def umbrella(pen, ink, rng, side):
    rim, top = rng.uniform(0.0, 0.1), rng.uniform(0.78, 0.9)
    wide = rng.uniform(0.82, 0.92)
    thick = rng.uniform(0.06, 0.09)
    pen.paint(pen.stroke([(0.0, top + 0.06), (0.0, -0.72)], thick), ink[1])
    bend = [(side * (0.14 - 0.14 * math.cos(t)), -0.72 - 0.14 * math.sin(t)) for t in (0, 0.5, 1, 1.57, 2.1, 2.6, 3.14)]
    pen.paint(pen.stroke(bend, thick), ink[1])
    canopy = common(pen.ellipse(0.0, rim, wide, top - rim), pen.above(rim - 0.01))
    lobes = int(rng.integers(3, 6))
    step = 2.0 * wide / lobes
    for k in range(lobes):
        canopy = without(canopy, pen.ellipse(-wide + (k + 0.5) * step, rim - 0.02, 0.46 * step, 0.12))
    pen.paint(canopy, ink[0])
    for k in range(1, lobes):
        x = -wide + k * step
        arc = [(x * math.cos(t), rim + (top - rim) * math.sin(t)) for t in (0.1, 0.5, 0.9, 1.25, 1.57)]
        pen.paint(pen.stroke(arc, 0.03), pen.outline if pen.line else ink[2], 0)


def cup(pen, ink, rng, side):
    top, foot, low = rng.uniform(0.5, 0.6), rng.uniform(0.34, 0.5), rng.uniform(-0.66, -0.56)
    high, shift = rng.uniform(0.3, 0.42), -side * 0.16
    thick = rng.uniform(0.11, 0.16)
    edge = shift + side * (0.5 * (top + foot))
    middle = 0.5 * (high + low) + 0.04
    pen.paint(pen.ring(edge + side * 0.1, middle, rng.uniform(0.24, 0.29), thick), ink[0])
    pen.paint(
        pen.polygon([(shift - top, high), (shift + top, high), (shift + foot, low), (shift - foot, low)], 0.05), ink[0]
    )
    pen.paint(pen.ellipse(shift, high + 0.02, top + 0.03, 0.13), ink[0])
    pen.paint(pen.ellipse(shift, high + 0.02, top - 0.06, 0.085), ink[1], 0)
    if rng.random() < 0.5:
        y = rng.uniform(-0.2, -0.05)
        pen.paint(pen.box(shift - foot - 0.02, y - 0.07, shift + foot + 0.02, y + 0.07), ink[2], 0)
    if rng.random() < 0.5:
        for x in (-0.2, 0.0, 0.2):
            wave = [(shift + x + 0.05 * math.sin(5.0 * t), high + 0.16 + 0.36 * t) for t in (0, 0.25, 0.5, 0.75, 1.0)]
            pen.paint(pen.stroke(wave, 0.04), ink[3], 0)


def key(pen, ink, rng, side):
    bow, thick = rng.uniform(0.27, 0.34), rng.uniform(0.1, 0.15)
    tilt = rng.choice([0.0, 0.5, -0.5, 0.8, -0.8]) + rng.uniform(-0.15, 0.15)
    x0 = -(0.94 - bow)
    at = lambda x, y: (side * (x * math.cos(tilt) - y * math.sin(tilt)), x * math.sin(tilt) + y * math.cos(tilt))
    shaft = pen.stroke([at(x0 + bow, 0.0), at(0.86, 0.0)], thick)
    teeth = []
    for k in range(int(rng.integers(2, 4))):
        x, depth = 0.82 - 0.2 * k, rng.uniform(0.2, 0.32)
        teeth.append(pen.stroke([at(x, 0.0), at(x, -depth)], 0.12))
    centre = at(x0, 0.0)
    if rng.random() < 0.6:
        head = without(pen.circle(*centre, bow), pen.circle(*centre, bow * rng.uniform(0.4, 0.6)))
    else:
        leaves = [polar(0.62 * bow, angle) for angle in (RIGHT, math.pi, -RIGHT)]
        lobes = [at(x0 + px, py) for px, py in leaves]
        head = union(*[pen.circle(px, py, 0.42 * bow) for px, py in lobes], pen.circle(*centre, 0.55 * bow))
        for px, py in lobes:
            head = without(head, pen.circle(px, py, 0.2 * bow))
    pen.paint(union(head, shaft, *teeth), ink[0])


def bottle(pen, ink, rng, side):
    wide, neck = rng.uniform(0.26, 0.34), rng.uniform(0.09, 0.13)
    shoulder, foot = rng.uniform(0.08, 0.24), -0.92
    throat = shoulder + rng.uniform(0.2, 0.32)
    steps = [k / 6 for k in range(7)]
    curve = [
        (neck + (wide - neck) * 0.5 * (1 + math.cos(math.pi * t)), shoulder + (throat - shoulder) * t) for t in steps
    ]
    right = [(wide, foot), *curve, (neck, 0.8)]
    pen.paint(pen.polygon([*right, *[(-x, y) for x, y in reversed(right)]], 0.02), ink[0])
    pen.paint(pen.box(-neck - 0.05, 0.76, neck + 0.05, 0.93, 0.03), ink[1])
    if rng.random() < 0.75:
        y = rng.uniform(-0.42, -0.3)
        half = rng.uniform(0.2, 0.28)
        pen.paint(pen.box(-wide, y - half, wide, y + half), ink[2])
        if rng.random() < 0.5:
            pen.paint(pen.ellipse(0.0, y, 0.6 * wide, 0.6 * half), ink[3], 0)


def mushroom(pen, ink, rng, side):
    rim, top, wide = rng.uniform(-0.1, 0.05), rng.uniform(0.7, 0.85), rng.uniform(0.68, 0.84)
    stem, foot = rng.uniform(0.17, 0.25), rng.uniform(0.22, 0.34)
    pen.paint(pen.polygon([(-stem, rim), (stem, rim), (foot, -0.78), (-foot, -0.78)], 0.07), ink[1])
    cap = common(pen.ellipse(0.0, rim, wide, top - rim), pen.above(rim - 0.02))
    pen.paint(cap - 0.04, ink[0])
    if rng.random() < 0.85:
        size = rng.uniform(0.08, 0.12)
        height = top - rim
        for x, y in ((0.0, 0.62), (-0.45, 0.28), (0.42, 0.34), (0.05, 0.2)):
            spot = pen.circle(x * wide * 1.1, rim + y * height, size * rng.uniform(0.7, 1.2))
            pen.paint(common(spot, cap), ink[2], 0)


def butterfly(pen, ink, rng, side):
    up, down = rng.uniform(0.38, 0.46), rng.uniform(0.28, 0.36)
    lean, slim = rng.uniform(0.5, 0.75), rng.uniform(0.25, 0.31)
    spots = rng.random() < 0.7
    for s in (-1, 1):
        pen.paint(pen.ellipse(s * 0.36, -0.36, down, 0.22, -s * 0.8), ink[1])
        pen.paint(pen.ellipse(s * 0.46, 0.24, up, slim, s * lean), ink[0])
        if spots:
            pen.paint(pen.ellipse(s * 0.52, 0.3, 0.45 * up, 0.45 * slim, s * lean), ink[2], 0)
            pen.paint(pen.circle(s * 0.4, -0.4, 0.09), ink[2], 0)
        feeler = [(0.0, 0.36), (s * 0.1, 0.6), (s * 0.24, 0.8)]
        pen.paint(pen.stroke(feeler, 0.035), pen.outline, 0)
        pen.paint(pen.circle(s * 0.25, 0.8, 0.045), pen.outline, 0)
    pen.paint(pen.ellipse(0.0, -0.06, 0.085, 0.5), ink[3])


def snowman(pen, ink, rng, side):
    low, middle, head = rng.uniform(0.36, 0.42), rng.uniform(0.26, 0.31), rng.uniform(0.19, 0.23)
    y0 = -0.94 + low
    y1 = y0 + low + 0.6 * middle
    y2 = y1 + middle + 0.6 * head
    dark = (0.08, 0.07, 0.09)
    for s in (-1, 1):
        hand = (s * rng.uniform(0.62, 0.72), y1 + rng.uniform(0.12, 0.3))
        pen.paint(pen.stroke([(s * 0.2, y1), hand], 0.05), pen.outline, 0)
    for y, radius in ((y0, low), (y1, middle), (y2, head)):
        pen.paint(pen.circle(0.0, y, radius), ink[0])
    for k in range(2):
        pen.paint(pen.circle(0.0, y1 + 0.12 - 0.16 * k, 0.045), dark, 0)
    for s in (-1, 1):
        pen.paint(pen.circle(s * 0.08, y2 + 0.05, 0.035), dark, 0)
    pen.paint(pen.polygon([(0.0, y2 + 0.02), (0.0, y2 - 0.06), (side * 0.26, y2 - 0.04)]), ink[1], 0)
    if rng.random() < 0.85:
        brim = y2 + 0.7 * head
        tall = min(0.94, brim + rng.uniform(0.2, 0.3))
        pen.paint(pen.box(-0.16, brim, 0.16, tall), ink[2])
        pen.paint(pen.box(-0.28, brim - 0.03, 0.28, brim + 0.05, 0.02), ink[2])
    if rng.random() < 0.5:
        scarf = y2 - 0.85 * head
        pen.paint(pen.box(-0.22, scarf - 0.06, 0.22, scarf + 0.05, 0.05), ink[3])
        pen.paint(pen.box(side * 0.1 - 0.05, scarf - 0.26, side * 0.1 + 0.05, scarf, 0.03), ink[3])
