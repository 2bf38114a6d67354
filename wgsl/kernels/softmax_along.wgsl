// Softmax along some axes of an array, or its logarithm; SHARING invocations go through the numbers.
#import generated/bindings
#import generated/sharing
#import activations/softmax
#import lib/along

// Whether the logarithm is wanted.
override LOGARITHM: bool;

fn exponential(z: f32, largest: f32) -> f32 {
    return softmax_exponential(vec4f(z), largest, vec4f(1.0)).x;
}

// Nothing returns early: all wait for each other.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    let number = group.y * along.row + group.x * (64u / SHARING) + index / SHARING;
    let begin = kept_place(min(number, along.count - 1u)).x;
    let own = index % SHARING;
    // llvmpipe ends loops after 65,535 iterations, all summed.
    let most = min(along.length / SHARING + 1u, 21845u);
    var share = source[along.first + begin];
    for (var k = 0u; k < most; k++) {
        let i = k * SHARING + own;
        if i < along.length {
            share = max(share, source[along.first + begin + through_place(i).x]);
        }
    }
    let largest = largest_of_all(index, share);
    // Sums of 64 numbers, then the sum of these, which loses less than one number after another.
    share = 0.0;
    var part = 0.0;
    for (var k = 0u; k < most; k++) {
        let i = k * SHARING + own;
        if i < along.length {
            part += exponential(source[along.first + begin + through_place(i).x], largest);
        }
        if (k & 63u) == 63u {
            share += part;
            part = 0.0;
        }
    }
    share += part;
    let total = all_summed(index, share);
    for (var k = 0u; k < most; k++) {
        let i = k * SHARING + own;
        if i < along.length && number < along.count {
            let at = begin + through_place(i).x;
            let z = source[along.first + at];
            if LOGARITHM {
                output[along.offset + at] = (z - largest) - log(total);
            } else {
                output[along.offset + at] = exponential(z, largest) / total;
            }
        }
    }
}
