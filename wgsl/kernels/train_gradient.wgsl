// The gradient of a batch's loss: a subgroup takes 16 samples at a time through the network and back.
// Sizes are data: one module for all networks of the same activations.
#import generated/bindings
#import lib/random
#import generated/train
#import kernels/train_blocks

// Four samples' rows in `samples`; the first four lanes have those of all.
var<private> rows: vec4u;

// The rows of four samples of the batch from number `first` on.
fn drawn(first: u32, step: u32, key: u32) -> vec4u {
    let number = first + vec4u(0u, 1u, 2u, 3u);
    var row = min(number, vec4u(training.count - 1u));
    if training.whole == 0u {
        let at = step * training.batch;
        row = vec4u(
            drawn_below(training.count, at + number.x, key), drawn_below(training.count, at + number.y, key),
            drawn_below(training.count, at + number.z, key), drawn_below(training.count, at + number.w, key),
        );
    }
    return row * training.stride;
}

// The rows of four number i, for all lanes.
fn rows_of(i: u32) -> vec4u {
    return subgroupShuffle(rows, i);
}

fn enter(layer: Layer, first: u32, step: u32, key: u32) {
    rows = drawn(first + 4u * lane, step, key);
    for (var i = 0u; i < MANY_FOURS; i++) {
        let four = rows_of(i);
        for (var block = 0u; block < 4u * layer.fours; block++) {
            let unit = block * LANES + lane % layer.period;
            let at = four + min(unit, layer.inputs - 1u);
            let x = vec4f(samples[at.x], samples[at.y], samples[at.z], samples[at.w]);
            scratch[scratch_at + (block * MANY_FOURS + i) * LANES + lane] = select(x, vec4f(0.0), unit >= layer.inputs);
        }
    }
}

// Over the lanes that hold the last layer's outputs, in turn.
fn lanes_most(x: vec4f, used: u32) -> vec4f {
    var most = x;
    for (var far = 1u; far < used; far *= 2u) {
        most = max(most, subgroupShuffle(most, lane ^ far));
    }
    return most;
}

fn lanes_total(x: vec4f, used: u32) -> vec4f {
    var all = x;
    for (var far = 1u; far < used; far *= 2u) {
        all += subgroupShuffle(all, lane ^ far);
    }
    return all;
}

// The loss's derivatives by the last layer's sums, in their places, still to be multiplied by `scale`.
fn begin(layer: Layer, first: u32) {
    for (var i = 0u; i < MANY_FOURS; i++) {
        let numbers = first + 4u * i + vec4u(0u, 1u, 2u, 3u);
        let counts = select(vec4f(0.0), vec4f(1.0), numbers < vec4u(training.batch));
        let at = scratch_at + (above(layer) * MANY_FOURS + i) * LANES + lane;
        begin_deltas(layer, at, rows_of(i) + training.inputs, counts);
    }
    for (var k = 0u; k < blocks_above(layer); k++) {
        let sum = many_total(load_many(above(layer) + k));
        add_gradient(biases(layer) + k, vec4f(select(0.0, sum, lane < layer.turns), 0.0, 0.0, 0.0));
    }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(subgroup_invocation_id) place: u32) {
    lane = place;
    let part = group.y * groups.x + group.x;
    weights_at = group.y * training.places;
    gradients_at = part * training.places;
    scratch_at = part * training.slots * MANY_FOURS * LANES;
    let step = clock[0];
    let key = keys[group.y];
    for (var i = 0u; i < training.blocks; i++) {
        let first = ((training.block + i) * groups.x + group.x) * MANY;
        fresh = training.fresh != 0u && i == 0u;
        enter(layers[0], first, step, key);
        for (var l = 0u; l < training.layers; l++) {
            forward(layers[l], l + 1u == training.layers);
        }
        begin(layers[training.layers - 1u], first);
        for (var l = training.layers; l > 0u; l--) {
            backward(layers[l - 1u], l == 1u);
        }
    }
    if part == 0u && lane == 0u {
        clock[1] = step;
    }
}
