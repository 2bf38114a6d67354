// The largest or the mean number of a window, at one place of four channels.
#import generated/bindings
#import lib/finite

// Whether the largest number is taken, else the mean.
override LARGEST: bool;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let place = id.x;
    if place >= pool.places {
        return;
    }
    let y = place / pool.width;
    let corner = vec2i(vec2u(y, place - y * pool.width) * pool.stride) - pool.before;
    // Padding is skipped: it is less than any number in a maximum, and 0 in a sum.
    let dilation = vec2i(pool.dilation);
    let start = vec2u(corner + (max(-corner, vec2i(0)) + dilation - 1) / dilation * dilation);
    let ends = corner + vec2i(pool.extent);
    let end = min(vec2u(ends), pool.source);
    let begin = pool.source_first + id.y * pool.source.x * pool.source.y;
    var value = vec4f(0.0);
    var unknown = vec4<bool>();
    if LARGEST {
        value = responses[begin + start.x * pool.source.y + start.y];
    }
    // llvmpipe ends loops after 65,535 iterations, all summed; no window has so many numbers.
    for (var row = start.x; row < min(end.x, start.x + 65535u * pool.dilation.x); row += pool.dilation.x) {
        for (var column = start.y; column < min(end.y, start.y + 65535u * pool.dilation.y); column += pool.dilation.y) {
            let number = responses[begin + row * pool.source.y + column];
            if LARGEST {
                value = max(value, number);
                unknown = unknown | is_nan(number);
            } else {
                value += number;
            }
        }
    }
    if !LARGEST {
        // Where padding counts, so much of the padded map as the window covers.
        let padded = min(ends, vec2i(pool.source) + pool.after) - corner;
        let counted = select(vec2i(end - start), padded, pool.padding_counts == 1u);
        value /= f32(counted.x) * f32(counted.y);
    }
    output[pool.offset + id.y * pool.places + place] = number_unless(unknown, value);
}
