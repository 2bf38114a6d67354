// Many steps of Adam for one network, its units and samples spread over the invocations of a workgroup, one a run.
#import generated/bindings
#import generated/train
#import kernels/train_layers

fn adam(base: u32, thread: u32, rate: vec2f) {
    for (var own = thread; own < PLACES; own += THREADS) {
        let g = gradients[base + own] * training.scale;
        let at = 2u * base + own;
        let m = fma(vec4f(training.rest1), g - moments[at], moments[at]);
        let v = fma(training.rest2 * g, g, training.beta2 * moments[at + PLACES]);
        moments[at] = m;
        moments[at + PLACES] = v;
        weights[base + own] -= rate.x * m / fma(sqrt(v), rate.yyyy, vec4f(training.epsilon));
    }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let key = keys[group.x];
    let base = group.x * PLACES;
    for (var k = 0u; k < training.steps; k++) {
        for (var iteration = training.iteration; iteration < training.iterations; iteration++) {
            for (var four = thread; four < FOURS; four += THREADS) {
                load_samples(four, iteration, training.first + k, key);
            }
            workgroupBarrier();
            for (var l = 0u; l < LAYERS; l++) {
                forward(layer_of(l), base, thread);
                workgroupBarrier();
            }
            for (var four = thread; four < FOURS; four += THREADS) {
                begin_deltas(four, counted(four, iteration));
            }
            workgroupBarrier();
            for (var l = LAYERS; l > 0u; l--) {
                let layer = layer_of(l - 1u);
                add_gradient(layer, base, thread, iteration == 0u);
                if l > 1u {
                    backward(layer, base, thread);
                }
                workgroupBarrier();
            }
        }
        // An invocation reads here what others have written.
        storageBarrier();
        workgroupBarrier();
        if training.ends != 0u {
            adam(base, thread, rates[k]);
        }
        storageBarrier();
        workgroupBarrier();
    }
}
