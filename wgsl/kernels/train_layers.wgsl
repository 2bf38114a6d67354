// A network forwards and backwards over some samples, spread over the invocations of a workgroup.
// Needs `samples`, `weights`, `gradients`, `training`. Units and samples go in fours. Responses and slopes of some
// samples lie in workgroup memory, a vec4f for four samples of a unit; weights, moments and gradients in storage, a vec4f
// for one input and four outputs, biases as for one more input. What fills the last four is zero and stays zero.
#import lib/random
#import generated/train

override THREADS: u32 = 64u;

// Inputs and responses unit by unit; deltas in the same places, before which slopes lie there. Targets come last.
var<workgroup> responses: array<vec4f, UNITS * FOURS>;
var<workgroup> deltas: array<vec4f, (UNITS + TARGETS) * FOURS>;

fn load_samples(four: u32, iteration: u32, step: u32, key: u32) {
    var rows: vec4u;
    for (var c = 0u; c < 4u; c++) {
        let number = (iteration * FOURS + four) * 4u + c;
        var row = min(number, training.count - 1u);
        if training.whole == 0u {
            row = drawn_below(training.count, step * training.batch + number, key);
        }
        rows[c] = row * (INPUTS + TARGETS);
    }
    for (var i = 0u; i < INPUTS + TARGETS; i++) {
        let numbers = vec4f(samples[rows.x + i], samples[rows.y + i], samples[rows.z + i], samples[rows.w + i]);
        if i < INPUTS {
            responses[i * FOURS + four] = numbers;
        } else {
            deltas[(UNITS + i - INPUTS) * FOURS + four] = numbers;
        }
    }
    for (var i = INPUTS; i < INPUT_UNITS; i++) {
        responses[i * FOURS + four] = vec4f(0.0);
    }
}

fn keep_response(layer: Layer, j: u32, four: u32, z: vec4f) {
    let place = (layer.above + j) * FOURS + four;
    let used = vec4<bool>(j < layer.width);
    if layer.last == 0u {
        responses[place] = select(vec4f(0.0), hidden_value(z), used);
        deltas[place] = select(vec4f(0.0), hidden_slope(z), used);
    } else {
        responses[place] = select(vec4f(0.0), last_value(z), used);
        deltas[place] = select(vec4f(0.0), last_slope(z), used);
    }
}

// Responses and slopes of a layer: an invocation takes four outputs for four samples.
fn forward(layer: Layer, base: u32, thread: u32) {
    for (var item = thread; item < layer.outputs * FOURS; item += THREADS) {
        let g = item % layer.outputs;
        let four = item / layer.outputs;
        let bias = weights[base + layer.at + 4u * layer.inputs * layer.outputs + g];
        var z0 = bias.xxxx;
        var z1 = bias.yyyy;
        var z2 = bias.zzzz;
        var z3 = bias.wwww;
        for (var i = 0u; i < 4u * layer.inputs; i++) {
            let w = weights[base + layer.at + i * layer.outputs + g];
            let h = responses[(layer.below + i) * FOURS + four];
            z0 = fma(w.xxxx, h, z0);
            z1 = fma(w.yyyy, h, z1);
            z2 = fma(w.zzzz, h, z2);
            z3 = fma(w.wwww, h, z3);
        }
        keep_response(layer, 4u * g, four, z0);
        keep_response(layer, 4u * g + 1u, four, z1);
        keep_response(layer, 4u * g + 2u, four, z2);
        keep_response(layer, 4u * g + 3u, four, z3);
    }
}

// 1 for the samples that belong to the batch and 0 for those that fill the last iteration.
fn counted(four: u32, iteration: u32) -> vec4f {
    let number = (iteration * FOURS + four) * 4u + vec4u(0u, 1u, 2u, 3u);
    return select(vec4f(0.0), vec4f(1.0), number < vec4u(training.batch));
}

// Deltas of four outputs from unit `at` on, a column each of four samples.
fn deltas_of(at: u32, four: u32) -> mat4x4f {
    let place = at * FOURS + four;
    return mat4x4f(deltas[place], deltas[place + FOURS], deltas[place + 2u * FOURS], deltas[place + 3u * FOURS]);
}

fn add(place: u32, sum: vec4f, fresh: bool) {
    var all = sum;
    if !fresh {
        all += gradients[place];
    }
    gradients[place] = all;
}

// Adds to a layer's gradient: an invocation takes four inputs and four outputs.
fn add_gradient(layer: Layer, base: u32, thread: u32, fresh: bool) {
    for (var item = thread; item < layer.inputs * layer.outputs; item += THREADS) {
        let g = item % layer.outputs;
        let i = 4u * (item / layer.outputs);
        var s0 = vec4f(0.0);
        var s1 = vec4f(0.0);
        var s2 = vec4f(0.0);
        var s3 = vec4f(0.0);
        for (var four = 0u; four < FOURS; four++) {
            let d = deltas_of(layer.above + 4u * g, four);
            let place = (layer.below + i) * FOURS + four;
            s0 += responses[place] * d;
            s1 += responses[place + FOURS] * d;
            s2 += responses[place + 2u * FOURS] * d;
            s3 += responses[place + 3u * FOURS] * d;
        }
        let at = base + layer.at + i * layer.outputs + g;
        add(at, s0, fresh);
        add(at + layer.outputs, s1, fresh);
        add(at + 2u * layer.outputs, s2, fresh);
        add(at + 3u * layer.outputs, s3, fresh);
    }
    for (var g = thread; g < layer.outputs; g += THREADS) {
        var sum = vec4f(0.0);
        for (var four = 0u; four < FOURS; four++) {
            sum += vec4f(1.0) * deltas_of(layer.above + 4u * g, four);
        }
        add(base + layer.at + 4u * layer.inputs * layer.outputs + g, sum, fresh);
    }
}

// Deltas of the layer below, where its slopes were: an invocation takes four of its units for four samples.
fn backward(layer: Layer, base: u32, thread: u32) {
    for (var item = thread; item < layer.inputs * FOURS; item += THREADS) {
        let i = 4u * (item / FOURS);
        let four = item % FOURS;
        var s0 = vec4f(0.0);
        var s1 = vec4f(0.0);
        var s2 = vec4f(0.0);
        var s3 = vec4f(0.0);
        for (var g = 0u; g < layer.outputs; g++) {
            let d = deltas_of(layer.above + 4u * g, four);
            let at = base + layer.at + i * layer.outputs + g;
            s0 += d * weights[at];
            s1 += d * weights[at + layer.outputs];
            s2 += d * weights[at + 2u * layer.outputs];
            s3 += d * weights[at + 3u * layer.outputs];
        }
        let place = (layer.below + i) * FOURS + four;
        deltas[place] *= s0;
        deltas[place + FOURS] *= s1;
        deltas[place + 2u * FOURS] *= s2;
        deltas[place + 3u * FOURS] *= s3;
    }
}
