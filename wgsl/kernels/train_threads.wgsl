// Many steps of Adam for one network, its units and samples spread over the invocations of a workgroup, one a run.
// Responses and slopes of some samples at a time lie in workgroup memory, four samples a vec4f; weights, moments and
// gradients in storage, where each invocation alone writes the ones whose number is its own modulo THREADS.
#import generated/bindings
#import lib/random
#import generated/train

override THREADS: u32 = 64u;

// Inputs and responses unit by unit; deltas in the same places, before which slopes lie there. Targets come last.
var<workgroup> responses: array<vec4f, UNITS * FOURS>;
var<workgroup> deltas: array<vec4f, (UNITS + TARGETS) * FOURS>;

fn load_samples(four: u32, turn: u32, step: u32, key: u32) {
    var rows: vec4u;
    for (var c = 0u; c < 4u; c++) {
        let number = (turn * FOURS + four) * 4u + c;
        var row = min(number, training.count - 1u);
        if training.whole == 0u {
            row = drawn_below(training.count, step * training.batch + number, key);
        }
        rows[c] = row * (INPUTS + TARGETS);
    }
    for (var i = 0u; i < INPUTS + TARGETS; i++) {
        let four_of = vec4f(samples[rows.x + i], samples[rows.y + i], samples[rows.z + i], samples[rows.w + i]);
        if i < INPUTS {
            responses[i * FOURS + four] = four_of;
        } else {
            deltas[(UNITS + i - INPUTS) * FOURS + four] = four_of;
        }
    }
}

// Responses and slopes of a layer: an invocation takes an output for four samples.
fn forward(layer: Layer, base: u32, thread: u32) {
    for (var item = thread; item < layer.outputs * FOURS; item += THREADS) {
        let j = item % layer.outputs;
        let four = item / layer.outputs;
        var z = vec4f(weight(base + layer.bias + j));
        for (var i = 0u; i < layer.inputs; i++) {
            let w = weight(base + layer.weights + i * layer.outputs + j);
            z = fma(vec4f(w), responses[(layer.below + i) * FOURS + four], z);
        }
        let place = (layer.above + j) * FOURS + four;
        if layer.last == 0u {
            responses[place] = hidden_value(z);
            deltas[place] = hidden_slope(z);
        } else {
            responses[place] = last_value(z);
            deltas[place] = last_slope(z);
        }
    }
}

// 1 for the samples that belong to the batch and 0 for those that fill the last turn.
fn counted(four: u32, turn: u32) -> vec4f {
    let number = (turn * FOURS + four) * 4u + vec4u(0u, 1u, 2u, 3u);
    return select(vec4f(0.0), vec4f(1.0), number < vec4u(training.batch));
}

// Adds to a layer's gradient: an invocation takes the weights that are its own.
fn add_gradient(layer: Layer, base: u32, thread: u32, fresh: bool) {
    let end = layer.weights + (layer.inputs + 1u) * layer.outputs;
    let first = layer.weights + (thread + THREADS - layer.weights % THREADS) % THREADS;
    for (var own = first; own < end; own += THREADS) {
        let i = (own - layer.weights) / layer.outputs;
        let j = (own - layer.weights) % layer.outputs;
        var sum = 0.0;
        for (var four = 0u; four < FOURS; four++) {
            // After the weights of all inputs come the biases, as if of an input that is 1.
            var h = vec4f(1.0);
            if i < layer.inputs {
                h = responses[(layer.below + i) * FOURS + four];
            }
            sum += dot(deltas[(layer.above + j) * FOURS + four], h);
        }
        if !fresh {
            sum += gradients[base + own];
        }
        gradients[base + own] = sum;
    }
}

// Deltas of the layer below, where its slopes were.
fn backward(layer: Layer, base: u32, thread: u32) {
    for (var item = thread; item < layer.inputs * FOURS; item += THREADS) {
        let i = item / FOURS;
        let four = item % FOURS;
        var sum = vec4f(0.0);
        for (var j = 0u; j < layer.outputs; j++) {
            let w = weight(base + layer.weights + i * layer.outputs + j);
            sum = fma(vec4f(w), deltas[(layer.above + j) * FOURS + four], sum);
        }
        let place = (layer.below + i) * FOURS + four;
        deltas[place] = deltas[place] * sum;
    }
}

fn adam(base: u32, thread: u32, rate: vec2f) {
    for (var own = thread; own < WEIGHTS; own += THREADS) {
        let g = gradients[base + own] * training.scale;
        let at = 2u * base + own;
        let m = fma(training.rest1, g - moments[at], moments[at]);
        let v = fma(training.rest2 * g, g, training.beta2 * moments[at + PLACES]);
        moments[at] = m;
        moments[at + PLACES] = v;
        weights[base + own] -= rate.x * m / fma(sqrt(v), rate.y, training.epsilon);
    }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let key = keys[group.x];
    let base = group.x * PLACES;
    for (var k = 0u; k < training.steps; k++) {
        for (var turn = training.turn; turn < training.turns; turn++) {
            for (var four = thread; four < FOURS; four += THREADS) {
                load_samples(four, turn, training.first + k, key);
            }
            workgroupBarrier();
            for (var l = 0u; l < LAYERS; l++) {
                forward(layer_of(l), base, thread);
                workgroupBarrier();
            }
            for (var four = thread; four < FOURS; four += THREADS) {
                begin_deltas(four, counted(four, turn));
            }
            workgroupBarrier();
            for (var l = LAYERS; l > 0u; l--) {
                let layer = layer_of(l - 1u);
                add_gradient(layer, base, thread, turn == 0u);
                if l > 1u {
                    backward(layer, base, thread);
                }
                workgroupBarrier();
            }
        }
        if training.ends != 0u {
            adam(base, thread, rates[k]);
        }
        storageBarrier();
        workgroupBarrier();
    }
}
