// The sum, mean, largest, least or product of numbers along some axes of an array; SHARING invocations a result.
#import generated/bindings
#import generated/sharing
#import lib/along
#import lib/finite

// 0: sums times a scale, 1: the largest, 2: the least, 3: products.
override FUNCTION: u32;

fn joined(a: f32, b: f32) -> f32 {
    switch FUNCTION {
        case 0u: {
            return a + b;
        }
        case 3u: {
            return a * b;
        }
        default: {
            return larger(a, b);
        }
    }
}

// Nothing returns early: all wait for each other.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    let number = group.y * along.row + group.x * (64u / SHARING) + index / SHARING;
    let begin = along.first + kept_place(min(number, along.count - 1u)).x;
    let sign = select(1.0, -1.0, FUNCTION == 2u);
    let own = index % SHARING;
    // The first number again does not change the largest.
    var value = select(sign * source[begin], select(0.0, 1.0, FUNCTION == 3u), FUNCTION == 0u || FUNCTION == 3u);
    // llvmpipe ends loops after 65,535 iterations, all summed.
    for (var k = 0u; k < min(along.length / SHARING + 1u, 21845u); k++) {
        let i = k * SHARING + own;
        if i < along.length {
            value = joined(value, sign * source[begin + through_place(i).x]);
        }
    }
    var result = 0.0;
    switch FUNCTION {
        case 0u: {
            result = all_summed(index, value) * along.scale;
        }
        case 3u: {
            result = all_multiplied(index, value);
        }
        default: {
            result = sign * largest_of_all(index, value);
        }
    }
    if own == 0u && number < along.count {
        output[along.offset + number] = result;
    }
}
