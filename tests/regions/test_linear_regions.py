"""The linear regions are all there, each once, and the boundaries lie where the neurons change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rational_regions import area, centre, rational_regions

from engine.errors import NetworkError
from engine.network.history import Domain
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.network.units.bends import places
from engine.regions.linear_regions import regions

# Positions come from float64 sums of a few numbers near 1; three layers and a division leave some 1e-13.
CLOSE = 1e-10

NETS = {
    "small": ([2, 16, 16, 16, 2], "relu"),
    "wide": ([2, 40, 40, 2], "relu"),
    "leaky": ([2, 12, 12, 12, 2], "leaky_relu(0.2)"),
    "turned leaky": ([2, 9, 9, 2], "leaky_relu(-0.5)"),
    "one output": ([2, 16, 16, 1], "relu"),
    "five classes": ([2, 12, 12, 5], "relu"),
    "deep": ([2, *[10] * 8, 2], "relu"),
    "linear": ([2, 3], "relu"),
    "skips": ([2, 14, 13, 15, 2], ["12 relu + 2 identity", "4 leaky_relu(0.2) + 9 relu", "3 identity + 12 relu"]),
}


def torch_like(sizes, activation="relu", seed=0, last="identity"):
    """Weights and biases uniform within 1 / sqrt(inputs), as torch.nn.Linear begins."""
    rng = np.random.default_rng(seed)
    pairs = list(zip(sizes[1:], sizes, strict=False))
    weights = [rng.uniform(-1, 1, (n, m)) / np.sqrt(m) for n, m in pairs]
    biases = [rng.uniform(-1, 1, n) / np.sqrt(m) for n, m in pairs]
    hidden = [activation] * (len(pairs) - 1) if isinstance(activation, str) else activation
    return Mlp(weights, biases, [*hidden, last])


@pytest.fixture(scope="module", params=NETS)
def cut(request):
    """(net, its partition of the square from -2 to 2)."""
    net = torch_like(*NETS[request.param], seed=3)
    return net, regions(net, low=(-2, -2), high=(2, 2))


@st.composite
def coinciding(draw):
    """Nets of small whole numbers, where boundaries fall together, meet in one point and run along the square's sides,
    and rows are 0, repeated, scaled or negated; dyadic, so that they are the same numbers in float32."""
    depth = draw(st.integers(1, 3))
    sizes = [2, *(draw(st.integers(1, 5)) for _ in range(depth)), draw(st.integers(1, 3))]
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    reach = draw(st.sampled_from([1, 2]))
    weights = [rng.integers(-reach, reach + 1, (n, m)) for n, m in zip(sizes[1:], sizes, strict=False)]
    biases = [rng.integers(-reach, reach + 1, n) / 2 for n in sizes[1:]]
    if draw(st.booleans()):
        layer = draw(st.integers(0, depth - 1))
        factor = draw(st.sampled_from([1, -1, 2, -0.5]))
        weights[layer], biases[layer] = (np.concatenate([x, factor * x[:1]]) for x in (weights[layer], biases[layer]))
        weights[layer + 1] = np.column_stack([weights[layer + 1], rng.integers(-1, 2, sizes[layer + 2])])
    return Mlp(weights, biases, draw(st.sampled_from(["relu", "leaky_relu(0.5)"])))


def euler(partition):
    return len(partition.vertices) - len(partition.edges) + partition.count


def decided(net, sums):
    # Rounded, so that sums that are the same all over a region count as equal.
    sums = np.round(sums, 9)
    return sums[:, 0] > 0 if net.outputs == 1 else np.argmax(sums, 1)


def areas(partition):
    """(count,); seen from each region's middle, for far from 0 the products would leave nothing of a small area."""
    found = []
    for polygon, middle in zip(partition.polygons(), partition.centres, strict=True):
        (x, y), (u, v) = (polygon - middle).T, np.roll(polygon - middle, -1, 0).T
        found.append((x * v - y * u).sum() / 2)
    return np.array(found)


def check_sides(net, partition):
    """On the two sides of each edge just those neurons differ whose boundary it is."""
    active = partition.active()
    middle = np.column_stack([partition.centres, np.ones(partition.count)])
    choice = decided(net, np.einsum("rok,rk->ro", partition.affine(), middle))
    inside = (partition.faces >= 0).all(1)
    left, right = partition.faces[inside].T
    differs = np.column_stack([active[left] != active[right], choice[left] != choice[right]])
    reported = np.zeros((len(partition.edges), partition.neurons + 1), bool)
    owned = partition.owner >= 0
    reported[owned, partition.owner[owned]] = True
    reported[tuple(partition.coincident.T)] = True
    np.testing.assert_array_equal(differs, reported[inside])
    hidden = partition.owner[inside] < partition.neurons
    owner = partition.owner[inside][hidden]
    assert active[left[hidden], owner].all() and not active[right[hidden], owner].any()


def test_vertices_less_edges_plus_regions_is_one(cut):
    assert euler(cut[1]) == 1


def test_the_regions_areas_sum_to_the_rectangles(cut):
    found = areas(cut[1])
    assert (found > 0).all()
    np.testing.assert_allclose(found.sum(), 16, rtol=1e-12)  # thousands of sums in float64


def test_each_region_has_a_pattern_of_its_own(cut):
    net, partition = cut
    middle = np.column_stack([partition.centres, np.ones(partition.count)])
    choice = decided(net, np.einsum("rok,rk->ro", partition.affine(), middle))
    assert len(np.unique(np.column_stack([partition.active(), choice]), axis=0)) == partition.count


def test_no_random_point_has_a_pattern_that_is_in_no_region(cut):
    net, partition = cut
    points = np.random.default_rng(0).uniform(-2, 2, (20_000, 2))
    h, seen = points, []
    for layer in net.layers[:-1]:
        z = h @ layer.weights.T.astype(float) + layer.bias
        passing = [not some for some in places(layer.activation, z.shape[1])]
        seen.append((z > 0) | passing)
        h = layer.activation.value(z)
    if seen:
        np.testing.assert_array_equal(partition.active()[partition.at(points)], np.concatenate(seen, axis=1))
    # A polygon's points lie left of all its sides.
    polygons, found = partition.polygons(), partition.at(points[:500])
    for point, region in zip(points[:500], found, strict=True):
        sides = np.roll(polygons[region], -1, 0) - polygons[region]
        offset = point - polygons[region]
        assert (sides[:, 0] * offset[:, 1] - sides[:, 1] * offset[:, 0] > -CLOSE).all()


def test_the_affine_maps_are_the_network(cut):
    net, partition = cut
    points = np.random.default_rng(1).uniform(-2, 2, (3000, 2))
    maps = partition.affine()[partition.at(points)]
    values = np.einsum("nok,nk->no", maps, np.column_stack([points, np.ones(len(points))]))
    np.testing.assert_allclose(values, net(points), atol=1e-12)  # float64 on both sides


def test_on_an_edge_its_owners_sum_is_zero(cut):
    net, partition = cut
    owned = (partition.owner >= 0) & (partition.owner < partition.neurons)
    ends = partition.vertices[partition.edges[owned]]
    for along in (0.0, 0.3, 1.0):
        h = ends[:, 0] + along * (ends[:, 1] - ends[:, 0])
        sums = []
        for layer in net.layers[:-1]:
            sums.append(h @ layer.weights.T.astype(float) + layer.bias)
            h = layer.activation.value(sums[-1])
        if sums:
            z = np.concatenate(sums, axis=1)[np.arange(len(h)), partition.owner[owned]]
            assert abs(z).max() < 1e-12  # sums of numbers below 10, in float64


def test_across_an_edge_just_its_owners_change(cut):
    check_sides(*cut)


@given(coinciding(), st.booleans(), st.sampled_from([((0, 0), (1, 1)), ((-2, -1), (1, 2)), ((-0.5, -0.5), (0.25, 1))]))
@settings(max_examples=60, deadline=None)
def test_degenerate_nets_have_the_regions_that_rational_arithmetic_finds(net, decision, square):
    partition = regions(net, low=square[0], high=square[1], decision=decision)
    exact = rational_regions(net, *square, decision)
    assert partition.count == len(exact)
    found = partition.at(np.array([centre(polygon) for polygon in exact], float))
    assert sorted(found) == list(range(partition.count))
    np.testing.assert_allclose(areas(partition)[found], [float(area(p)) for p in exact], atol=CLOSE)
    assert euler(partition) == 1
    if decision:
        check_sides(net, partition)


@pytest.mark.parametrize("sizes", [[2, 8, 8, 8, 2], [2, 12, 3], [2, 5, 4, 4, 1]])
def test_random_nets_have_the_regions_that_rational_arithmetic_finds(sizes):
    net = torch_like(sizes, seed=1)
    partition = regions(net, low=(-1, -1), high=(1, 1))
    exact = rational_regions(net, (-1, -1), (1, 1), True)
    found = partition.at(np.array([centre(polygon) for polygon in exact], float))
    assert sorted(found) == list(range(partition.count)) == list(range(len(exact)))
    np.testing.assert_allclose(areas(partition)[found], [float(area(p)) for p in exact], atol=CLOSE)


def lines(rows, second=1):
    """A net of one hidden layer with the boundaries a x + b y + c = 0."""
    rows = np.array(rows, float)
    return Mlp([rows[:, :2], np.ones((second, len(rows)))], [rows[:, 2], np.zeros(second)], "relu")


def test_boundaries_on_the_frame_cut_nothing_and_are_reported():
    partition = regions(lines([[1, 0, 0], [0, -1, 1], [1, -1, 0], [1, 1, -1]]), decision=False)
    assert partition.count == 4
    np.testing.assert_allclose(sorted(map(tuple, partition.segments(0).reshape(-1, 2))), [(0, 0), (0, 1)])
    np.testing.assert_allclose(sorted(map(tuple, partition.segments(1).reshape(-1, 2))), [(0, 1), (1, 1)])
    np.testing.assert_allclose(sorted(map(tuple, np.concatenate(partition.polylines(2)))), [(0, 0), (1, 1)])


def test_lines_through_one_point_meet_in_one_vertex():
    angles = np.arange(7) / 7 * np.pi
    rows = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32).astype(float)
    # b in float32 as the net has it: 0.5 and 0.25 times float32 numbers are exact, their sum nearly always.
    partition = regions(lines(np.column_stack([rows, -rows @ [0.5, 0.25]]) * 2**-3), decision=False)
    fan = regions(lines([[1, 0, -0.5], [0, 1, -0.25], [1, 1, -0.75], [1, -1, -0.25], [2, 1, -1.25]]), decision=False)
    assert fan.count == 10 and len(fan.vertices) == 4 + 10 + 1
    assert partition.count >= 14 and euler(partition) == 1


@pytest.mark.parametrize("factor", [1, 3, -1, -0.3])
def test_a_duplicate_has_the_same_segments(factor):
    net = torch_like([2, 6, 5, 2])
    weights, biases = [x.weights for x in net.layers], [x.bias for x in net.layers]
    weights[1] = np.concatenate([weights[1], np.float32(factor) * weights[1][2:3]])
    biases[1] = np.append(biases[1], np.float32(factor) * biases[1][2])
    copied = Mlp([*weights[:2], np.column_stack([weights[2], [0.1, -0.2]])], biases, "relu")
    partition = regions(copied, low=(-2, -2), high=(2, 2))
    assert len(partition.edges_of(8)) > 3
    if factor in (1, -1):  # other factors are rounded to float32, and the boundaries are near, not the same
        assert set(partition.edges_of(8)) == set(partition.edges_of(11))
        assert 11 not in partition.owner
    assert partition.segments(11).shape[1:] == (2, 2) and euler(partition) == 1


def test_dead_and_always_active_neurons_are_reported_and_cut_nothing():
    partition = regions(lines([[1, 1, -5], [1, 0, 2], [0, 0, 0], [1, 0, -0.5]]), decision=False)
    assert partition.count == 2
    assert partition.dead().tolist() == [0, 2] and partition.always().tolist() == [1]
    assert [len(partition.edges_of(neuron)) for neuron in range(4)] == [0, 0, 0, 1]
    assert partition.sizes == (4,) and partition.after == (2,)


def test_behind_a_dead_layer_nothing_is_cut():
    net = random_mlp([2, 5, 5, 2], "relu", seed=2)
    dead = Mlp(
        [np.zeros((5, 2)), *(x.weights for x in net.layers[1:])],
        [np.full(5, -1), *(x.bias for x in net.layers[1:])],
        "relu",
    )
    assert regions(dead).count == 1


def test_doubling_a_relu_and_halving_what_it_gives_moves_no_vertex():
    net = torch_like([2, 10, 10, 2])
    weights, biases = [np.array(x.weights) for x in net.layers], [np.array(x.bias) for x in net.layers]
    weights[1][4] *= 2
    biases[1][4] *= 2
    weights[2][:, 4] /= 2
    one, other = regions(net), regions(Mlp(weights, biases, "relu"))
    np.testing.assert_array_equal(one.owner, other.owner)
    np.testing.assert_allclose(one.vertices, other.vertices, atol=CLOSE)


def test_permuting_neurons_only_renames_them():
    net, order = torch_like([2, 8, 8, 2]), np.random.default_rng(0).permutation(8)
    weights, biases = [x.weights for x in net.layers], [x.bias for x in net.layers]
    weights = [weights[0], weights[1][order], weights[2][:, order]]
    one, other = regions(net), regions(Mlp(weights, [biases[0], biases[1][order], biases[2]], "relu"))
    for new, old in enumerate(order):
        ends = [np.sort(p.segments(8 + k).sum(1), axis=0) for p, k in ((one, old), (other, new))]
        np.testing.assert_allclose(*ends, atol=CLOSE)


def test_an_identity_layer_cuts_nothing_but_is_counted():
    net = torch_like([2, 6, 4, 6, 2])
    weights, biases = [x.weights for x in net.layers], [x.bias for x in net.layers]
    partition = regions(Mlp(weights, biases, ["relu", "identity", "relu", "identity"]), low=(-2, -2), high=(2, 2))
    assert partition.sizes == (6, 4, 6) and partition.after[0] == partition.after[1] < partition.after[2]
    assert not np.isin(range(6, 10), partition.owner).any() and (partition.owner >= 10).any()
    points = np.random.default_rng(0).uniform(-2, 2, (200, 2))
    values = np.einsum("nok,nk->no", partition.affine()[partition.at(points)], np.column_stack([points, np.ones(200)]))
    np.testing.assert_allclose(
        values, Mlp(weights, biases, ["relu", "identity", "relu", "identity"])(points), atol=1e-12
    )


def bending():
    """One neuron of layer 2 with the boundary y = 1/4 + max(x - 1/2, 0), one of layer 3 with x = 1/4."""
    return Mlp(
        [[[1, 0], [0, 1], [1, 0]], [[-1, 1, 0], [0, 0, 1]], [[0, 1]], [[1]]],
        [[-0.5, 1, 1], [-1.25, 0], [-1.25], [0]],
        "relu",
    )


def test_a_boundary_bends_where_it_crosses_an_earlier_layers():
    partition = regions(bending(), decision=False)
    ((vertex, later, earlier),) = partition.kinks()
    np.testing.assert_allclose(partition.vertices[vertex], [0.5, 0.25])
    assert (later, earlier) == (3, 0)


def test_a_path_names_no_vertex_where_it_runs_straight_on():
    partition = regions(bending(), decision=False)
    (path,) = partition.polylines(3)
    np.testing.assert_allclose(path[np.argsort(path[:, 0])], [(0, 0.25), (0.5, 0.25), (1, 0.75)])
    assert len(partition.segments(3)) == 3  # layer 3 crosses it


def test_paths_hold_what_the_segments_hold(cut):
    partition = cut[1]
    for neuron in range(partition.neurons + 1):
        ends = partition.segments(neuron)
        length = np.hypot(*(ends[:, 1] - ends[:, 0]).T).sum()
        walked = sum(np.hypot(*np.diff(path, axis=0).T).sum() for path in partition.polylines(neuron))
        np.testing.assert_allclose(walked, length, atol=CLOSE)


def test_the_nearest_boundary_of_one_layer_is_at_the_planes_distance():
    net = torch_like([2, 12, 1])
    partition = regions(net, low=(-500, -500), high=(500, 500), decision=False)
    weights, bias = net.layers[0].weights.astype(float), net.layers[0].bias
    for point in np.random.default_rng(0).uniform(-1, 1, (20, 2)):
        away = abs(weights @ point + bias) / np.hypot(*weights.T)
        distance, neuron = partition.nearest(point)
        assert neuron == np.argmin(away)
        np.testing.assert_allclose(distance, away.min(), atol=CLOSE)
        among = np.arange(13) != neuron
        assert partition.nearest(point, among)[1] == np.argsort(away)[1]


def test_where_no_boundary_is_none_is_nearest():
    assert regions(lines([[0, 0, 1]]), decision=False).nearest((0.5, 0.5)) == (np.inf, None)


def test_points_outside_are_in_no_region_and_on_a_boundary_in_one_of_two():
    partition = regions(lines([[1, 0, -0.5], [-1, 0, 0.5]]), decision=False)
    assert partition.at([[-1, 0.5], [0.5, 2], [0.5, 0.5]])[:2].tolist() == [-1, -1]
    # Neither of the two neurons is active there: no region has that pattern.
    assert partition.at([[0.5, 0.5]])[0] in (0, 1)


def test_few_points_are_found_where_many_are(cut):
    partition = cut[1]
    points = np.random.default_rng(2).uniform(-2, 2, (200, 2))
    one_by_one = np.concatenate([partition.at(point) for point in points])
    np.testing.assert_array_equal(one_by_one, partition.at(points))


def test_the_rectangles_sides_and_corners_are_inside():
    partition = regions(lines([[1, 0, -0.5], [0, 1, -0.5]]), decision=False)
    places = [(x, y) for x in (0, 0.25, 1) for y in (0, 0.25, 1)]
    quarters = partition.at([(0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75)])
    wanted = [quarters[2 * (x > 0.5) + (y > 0.5)] for x, y in places]
    assert partition.at(places).tolist() == wanted
    assert partition.at(places * 10).tolist() == wanted * 10


def test_a_plane_through_many_inputs_shows_the_network_on_it():
    net, rng = torch_like([5, 8, 8, 3], seed=4), np.random.default_rng(0)
    domain = Domain(rng.normal(size=5), rng.normal(size=(2, 5)), [-1, 0], [1, 1.5])
    partition = regions(net, domain)
    points = rng.uniform([-1, 0], [1, 1.5], (500, 2))
    maps = partition.affine()[partition.at(points)]
    values = np.einsum("nok,nk->no", maps, np.column_stack([points, np.ones(500)]))
    np.testing.assert_allclose(values, net(domain.inputs(points)), atol=1e-12)  # float64 on both sides
    assert regions(net, domain, high=[0, 1]).high.tolist() == [0, 1]


def test_an_images_rows_go_down_as_the_domain_says():
    net = torch_like([2, 6, 2])
    plain = regions(net, low=(0, 0), high=(1, 1))
    turned = regions(net, Domain.image(50, 50))
    # Input 0 is the row, from the top: world (x, y) is input (1 - y, x).
    np.testing.assert_allclose(np.sort(areas(turned)), np.sort(areas(plain)), atol=CLOSE)
    region = turned.at([[0.2, 0.9]])[0]
    np.testing.assert_allclose(turned.affine()[region] @ [0.2, 0.9, 1], net([0.1, 0.2]), atol=CLOSE)


def test_kinks_anywhere_cut_where_they_are():
    hidden = [
        "4 hardtanh(-0.5,1) + 3 abs + 3 clipped_relu(0.7) + 2 identity",
        "5 hardtanh + 4 softshrink(0.3) + 1 identity",
    ]
    net = torch_like([2, 12, 10, 2], hidden, seed=5)
    partition = regions(net, low=(-2, -2), high=(2, 2), decision=False)
    assert euler(partition) == 1 and (areas(partition) > 0).all()
    np.testing.assert_allclose(areas(partition).sum(), 16, rtol=1e-12)
    points = np.random.default_rng(1).uniform(-2, 2, (3000, 2))
    maps = partition.affine()[partition.at(points)]
    values = np.einsum("nok,nk->no", maps, np.column_stack([points, np.ones(len(points))]))
    np.testing.assert_allclose(values, net(points), atol=1e-12)
    # Each edge lies at a place of its owner, and a neuron of two has edges at both.
    h, first = partition.vertices[partition.edges].mean(axis=1), 0
    for layer in net.layers[:-1]:
        z = h @ layer.weights.T.astype(float) + layer.bias
        for k, wanted in enumerate(places(layer.activation, z.shape[1])):
            here = z[partition.owner == first + k, k]
            off = np.abs(here[:, None] - np.array(wanted)[None]) if wanted else np.ones((len(here), 1))
            assert len(here) == 0 or off.min(axis=1).max() < 1e-12
        first += z.shape[1]
        h = layer.activation.value(z)
    assert len(partition.polylines(0)) == 2


def test_softmax_and_logits_decide_alike():
    plain, softmax = (regions(torch_like([2, 8, 4], last=last)) for last in ("identity", "softmax"))
    np.testing.assert_array_equal(plain.edges, softmax.edges)


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (random_mlp([2, 4, 2], "tanh"), "Layer 1 .* is tanh"),
        (random_mlp([3, 4, 2], "relu"), "has 3 inputs, but no plane"),
        (random_mlp([2, 4, 2], "relu", last="sine"), r"ends in sine.*\(decision=False\)"),
        (Mlp([np.full((2, 2), 3e38)] * 12, None, "relu"), r"grows past 1e\+100"),
    ],
)
def test_what_has_no_exact_regions_is_reported(net, message):
    with pytest.raises(NetworkError, match=message):
        regions(net)


def test_a_last_activation_without_a_decision_still_has_regions():
    assert regions(random_mlp([2, 4, 2], "relu", last="sine"), decision=False).count > 1


def test_an_empty_rectangle_is_refused():
    with pytest.raises(NetworkError, match="greater high"):
        regions(torch_like([2, 3, 2]), low=(0, 1), high=(1, 1))
