// A number over a power of the squares of its neighbours in other channels; one invocation takes four channels of a place.
#import generated/bindings
#import lib/power

fn number(channel: u32, place: u32) -> f32 {
    return responses[norm.source_first + channel / 4u * norm.places + place][channel % 4u];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= norm.places {
        return;
    }
    var value = vec4f(0.0);
    for (var i = 0u; i < 4u; i++) {
        let channel = 4u * id.y + i;
        if channel < norm.channels {
            var squares = 0.0;
            // llvmpipe ends loops after 65,535 iterations, all summed.
            for (var k = 0u; k < min(norm.size, 16383u); k++) {
                let at = channel + k - norm.before;
                // A number below 0 is a very large one here.
                if at < norm.channels {
                    let x = number(at, id.x);
                    squares = fma(x, x, squares);
                }
            }
            value[i] = number(channel, id.x) * power(fma(norm.share, squares, norm.bias), norm.exponent);
        }
    }
    output[norm.offset + id.y * norm.places + id.x] = value;
}
