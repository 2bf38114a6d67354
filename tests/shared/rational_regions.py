"""Linear regions by clipping polygons in rational arithmetic: slow, exact, and none of the engine's code."""

from fractions import Fraction


def _value(form, point):
    return form[0] * point[0] + form[1] * point[1] + form[2]


def _half(polygon, form):
    """The part of a convex polygon where a linear form is at least 0; None if it has no area."""
    kept = []
    values = [_value(form, p) for p in polygon]
    for (p, a), (q, b) in zip(zip(polygon, values, strict=True), _turned(polygon, values), strict=True):
        if a >= 0:
            kept.append(p)
        if a * b < 0:
            t = a / (a - b)
            kept.append((p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])))
    return kept if len(kept) > 2 and area(kept) > 0 else None


def _turned(polygon, values):
    return zip(polygon[1:] + polygon[:1], values[1:] + values[:1], strict=True)


def area(polygon):
    following = polygon[1:] + polygon[:1]
    return sum(p[0] * q[1] - p[1] * q[0] for p, q in zip(polygon, following, strict=True)) / 2


def centre(polygon):
    return tuple(sum(p[i] for p in polygon) / len(polygon) for i in (0, 1))


def _split(polygon, form):
    if not any(form):
        return [polygon]
    parts = [_half(polygon, form), _half(polygon, [-x for x in form])]
    return [p for p in parts if p] if all(parts) else [polygon]


def _forms(layer, forms):
    """The layer's sums as linear forms (a, b, c) in x and y, from its inputs'."""
    found = []
    for row, bias in zip(layer.weights.tolist(), layer.bias.tolist(), strict=True):
        form = [sum(Fraction(w) * f[i] for w, f in zip(row, forms, strict=True)) for i in range(3)]
        found.append([form[0], form[1], form[2] + Fraction(bias)])
    return found


def _bent(forms, polygon, slope):
    middle = centre(polygon)
    return [f if _value(f, middle) > 0 else [slope * x for x in f] for f in forms]


def rational_regions(net, low, high, decision):
    """The regions of a network of two inputs: list of polygons, lists of (x, y) Fractions."""
    (left, bottom), (right, top) = ([Fraction(v) for v in corner] for corner in (low, high))
    square = [(left, bottom), (right, bottom), (right, top), (left, top)]
    regions = [(square, [[Fraction(1), Fraction(0), Fraction(0)], [Fraction(0), Fraction(1), Fraction(0)]])]
    for layer in net.layers[:-1]:
        slope = Fraction(layer.activation.parameters[0]) if layer.activation.name == "leaky_relu" else Fraction(0)
        cut = []
        for polygon, forms in regions:
            sums, parts = _forms(layer, forms), [polygon]
            for form in sums:
                parts = [half for part in parts for half in _split(part, form)]
            cut += [(part, _bent(sums, part, slope)) for part in parts]
        regions = cut
    if not decision:
        return [polygon for polygon, _ in regions]
    return [part for polygon, forms in regions for part in _decided(polygon, _forms(net.layers[-1], forms))]


def _decided(polygon, sums):
    if len(sums) == 1:
        return _split(polygon, sums[0])
    found = []
    for form in [f for i, f in enumerate(sums) if f not in sums[:i]]:
        part = polygon
        for rival in sums:
            part = part and (part if rival == form else _half(part, [a - b for a, b in zip(form, rival, strict=True)]))
        if part:
            found.append(part)
    return found
