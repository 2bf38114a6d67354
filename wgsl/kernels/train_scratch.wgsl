// What a subgroup has in hand in training by blocks: numbers of 16 samples in `scratch`, gradients, responses and deltas.
// Needs `scratch`, `gradients`, `training` and the functions of `generated/train`.
#import lib/many

override LANES: u32 = 8u;
// Whether a gradient is added to that of earlier samples.
override ADDS: bool = false;

var<private> lane: u32;
// The first vec4f of this workgroup's run in `weights`, and of its own in `gradients` and in `scratch`.
var<private> weights_at: u32;
var<private> gradients_at: u32;
var<private> scratch_at: u32;
var<private> fresh: bool;

// The blocks of units, as many as there are lanes, of a layer's outputs.
fn blocks_above(layer: Layer) -> u32 {
    return (layer.outputs + LANES - 1u) / LANES;
}

// The first slot of a layer's outputs.
fn above(layer: Layer) -> u32 {
    return layer.below + 4u * layer.fours;
}

// The first entry of a layer's biases.
fn biases(layer: Layer) -> u32 {
    return layer.at + blocks_above(layer) * layer.fours * layer.turns;
}

fn load_many(slot: u32) -> Many {
    let at = scratch_at + slot * MANY_FOURS * LANES + lane;
    return Many(
        scratch[at], scratch[at + LANES], scratch[at + 2u * LANES], scratch[at + 3u * LANES],
    );
}

fn store_many(slot: u32, x: Many) {
    let at = scratch_at + slot * MANY_FOURS * LANES + lane;
    scratch[at] = x.a;
    scratch[at + LANES] = x.b;
    scratch[at + 2u * LANES] = x.c;
    scratch[at + 3u * LANES] = x.d;
}

fn add_gradient(entry: u32, sum: vec4f) {
    let at = gradients_at + entry * LANES + lane;
    if ADDS {
        gradients[at] = select(gradients[at], vec4f(0.0), fresh) + sum;
    } else {
        gradients[at] = sum;
    }
}

// A layer's input: what is stored for the first one, the activation of the sums for others; 0 past the last unit.
fn response_of(layer: Layer, unit: u32, z: vec4f) -> vec4f {
    return select(select(hidden_value(z), z, layer.below == 0u), vec4f(0.0), unit >= layer.inputs);
}

fn responses(layer: Layer, block: u32, z: Many) -> Many {
    let u = block * LANES + lane % layer.period;
    return Many(
        response_of(layer, u, z.a), response_of(layer, u, z.b), response_of(layer, u, z.c), response_of(layer, u, z.d),
    );
}

struct FourMany {
    h0: Many,
    h1: Many,
    h2: Many,
    h3: Many,
}

// Four blocks of responses. A software driver compiles one access to memory as slowly as fifty multiplications, so
// there is one for all four.
fn four_responses(layer: Layer, block: u32, slot: u32) -> FourMany {
    var all: FourMany;
    for (var i = 0u; i < 4u; i++) {
        let h = responses(layer, block + i, load_many(slot + i));
        all.h0 = many_chosen(all.h0, h, i == 0u);
        all.h1 = many_chosen(all.h1, h, i == 1u);
        all.h2 = many_chosen(all.h2, h, i == 2u);
        all.h3 = many_chosen(all.h3, h, i == 3u);
    }
    return all;
}

fn delta_of(layer: Layer, unit: u32, r: vec4f, z: vec4f) -> vec4f {
    return select(r * hidden_slope(z), vec4f(0.0), unit >= layer.inputs);
}

fn deltas(layer: Layer, block: u32, r: Many, z: Many) -> Many {
    let u = block * LANES + lane;
    return Many(
        delta_of(layer, u, r.a, z.a), delta_of(layer, u, r.b, z.b), delta_of(layer, u, r.c, z.c), delta_of(layer, u, r.d, z.d),
    );
}
