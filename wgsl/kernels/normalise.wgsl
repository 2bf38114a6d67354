// Numbers along some axes of an array, less their mean, over their standard deviation; SHARING invocations go through them.
#import generated/bindings
#import generated/sharing
#import lib/along

// Whether the mean is subtracted.
override CENTRED: bool;

// Nothing returns early: all wait for each other.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    let number = group.y * along.row + group.x * (64u / SHARING) + index / SHARING;
    let begin = kept_place(min(number, along.count - 1u));
    let own = index % SHARING;
    let length = f32(along.length);
    // llvmpipe ends loops after 65,535 iterations, all summed.
    let most = min(along.length / SHARING + 1u, 21845u);
    var mean = 0.0;
    if CENTRED {
        var total = vec2f(0.0);
        for (var k = 0u; k < most; k++) {
            let i = k * SHARING + own;
            if i < along.length {
                total = added(total, source[along.first + begin.x + through_place(i).x], k);
            }
        }
        mean = all_summed(index, total.x + total.y) / length;
    }
    var squares = vec2f(0.0);
    for (var k = 0u; k < most; k++) {
        let i = k * SHARING + own;
        if i < along.length {
            let from_mean = source[along.first + begin.x + through_place(i).x] - mean;
            squares = added(squares, from_mean * from_mean, k);
        }
    }
    let deviation = sqrt(all_summed(index, squares.x + squares.y) / length + along.scale);
    for (var k = 0u; k < most; k++) {
        let i = k * SHARING + own;
        if i < along.length && number < along.count {
            let at = begin + through_place(i);
            let value = (source[along.first + at.x] - mean) / deviation;
            output[along.offset + at.x] = fma(value, gains[at.y].x, gains[at.y].y);
        }
    }
}
