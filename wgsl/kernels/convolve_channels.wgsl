// A convolution of each channel by itself: an invocation computes four channels of one place.
#import generated/bindings
#import generated/activated
#import lib/window

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let place = id.x;
    let group = id.y;
    if place >= convolution.places {
        return;
    }
    let y = place / convolution.width;
    let corner = vec2i(vec2u(y, place - y * convolution.width) * convolution.stride) - convolution.padding;
    let begin = convolution.source_first + group * convolution.source_places;
    var sum = weights[group * (convolution.iterations + 1u)];
    // llvmpipe ends loops after 65,535 iterations.
    for (var k = 0u; k < min(convolution.iterations, 65535u); k++) {
        let tap = window_tap(k, 1u, convolution.columns);
        let at = corner + vec2i(tap.xy * convolution.dilation);
        if all(vec2u(at) < convolution.source) {
            let number = responses[begin + u32(at.x) * convolution.source.y + u32(at.y)];
            sum = fma(weights[group * (convolution.iterations + 1u) + 1u + k], number, sum);
        }
    }
    let used = window_used(group, convolution.channels);
    output[convolution.offset + group * convolution.places + place] = select(vec4f(0.0), activated(sum), used);
}
