// A step of Adam: one invocation sums the gradients of four weights and moves them.
#import generated/bindings

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    let own = group.x * WORKGROUP + index;
    let step = clock[1];
    if own == 0u && group.y == 0u {
        // Read by the next gradient.
        clock[0] = step + 1u;
    }
    if own >= training.places {
        return;
    }
    var sum = vec4f(0.0);
    for (var part = 0u; part < training.parts; part++) {
        sum += gradients[(group.y * training.parts + part) * training.places + own];
    }
    let rate = rates[step - clock[2]];
    let g = sum * training.scale;
    let at = 2u * group.y * training.places + own;
    let m = fma(vec4f(training.rest1), g - moments[at], moments[at]);
    let v = fma(training.rest2 * g, g, training.beta2 * moments[at + training.places]);
    moments[at] = m;
    moments[at + training.places] = v;
    weights[group.y * training.places + own] -= rate.x * m / fma(sqrt(v), rate.yyyy, vec4f(training.epsilon));
}
