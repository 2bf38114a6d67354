// Softmax over the channels of one place; one invocation a place.
#import generated/bindings
#import activations/softmax

fn used(g: u32) -> vec4f {
    return select(vec4f(0.0), vec4f(1.0), vec4u(4u * g) + vec4u(0u, 1u, 2u, 3u) < vec4u(softmax.channels));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= softmax.places {
        return;
    }
    let begin = softmax.source_first + id.x;
    let at = softmax.offset + id.x;
    // llvmpipe ends loops after 65,535 iterations, all summed.
    let groups = min(softmax.groups, 21845u);
    var largest = responses[begin].x;
    for (var g = 0u; g < groups; g++) {
        largest = softmax_largest(responses[begin + g * softmax.places], used(g), largest);
    }
    var total = 0.0;
    for (var g = 0u; g < groups; g++) {
        let e = softmax_exponential(responses[begin + g * softmax.places], largest, used(g));
        output[at + g * softmax.places] = e;
        total += dot(e, vec4f(1.0));
    }
    for (var g = 0u; g < groups; g++) {
        output[at + g * softmax.places] /= total;
    }
}
