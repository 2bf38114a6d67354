// Softmax, or its logarithm, over all outputs of one point or place, in place; one invocation a place.
#import generated/bindings
#import activations/log_softmax
#import activations/softmax
#import lib/window

override LOGARITHM: bool = false;

fn used(g: u32) -> vec4f {
    return select(vec4f(0.0), vec4f(1.0), window_used(g, softmax.outputs));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= softmax.places {
        return;
    }
    let at = softmax.first + id.x * softmax.by_place;
    // llvmpipe ends loops after 65,535 iterations, all summed.
    let groups = min(softmax.groups, 21845u);
    var largest = output[at].x;
    for (var g = 0u; g < groups; g++) {
        largest = softmax_largest(output[at + g * softmax.by_group], used(g), largest);
    }
    // Sums of 64 groups, then the sum of these: of 20,000 outputs one sum after another loses 2^-16 of the total.
    var sums = vec4f(0.0);
    var part = vec4f(0.0);
    for (var g = 0u; g < groups; g++) {
        let at_group = at + g * softmax.by_group;
        let e = softmax_exponential(output[at_group], largest, used(g));
        part += e;
        if (g & 63u) == 63u {
            sums += part;
            part = vec4f(0.0);
        }
        if !LOGARITHM {
            output[at_group] = e;
        }
    }
    let total = dot(sums + part, vec4f(1.0));
    for (var g = 0u; g < groups; g++) {
        let at_group = at + g * softmax.by_group;
        if LOGARITHM {
            output[at_group] = log_softmax_rest(output[at_group], largest, total);
        } else {
            output[at_group] /= total;
        }
    }
}
