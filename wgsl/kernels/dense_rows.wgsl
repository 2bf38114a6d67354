// Four outputs of a dense layer of one vector, by one invocation; of the images, which software drivers load fastest,
// one holds the weights as they are, a row of texels for each output.
#import generated/bindings
#import generated/activated
#import lib/window

const ROW = 2048u;

fn product(place: vec2u, number: vec4f) -> f32 {
    let w = textureLoad(weights, place);
    return (w.x * number.x + w.y * number.y) + (w.z * number.z + w.w * number.w);
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    // llvmpipe reads a uniform anew, lane by lane, where it is named in a loop.
    let settings = dense;
    let group = min(id.x, settings.groups - 1u);
    // Past the last output the last again, which is not stored.
    let rows = min(4u * group + vec4u(0u, 1u, 2u, 3u), vec4u(settings.channels - 1u));
    var sum = bias[group];
    // llvmpipe ends loops after 65,535 iterations; an image is never so wide.
    for (var k = 0u; k < min(settings.blocks, 65535u); k++) {
        let h = textureLoad(responses, vec2u(k % ROW, k / ROW));
        let low = vec2f(product(vec2u(k, rows.x), h), product(vec2u(k, rows.y), h));
        sum += vec4f(low, product(vec2u(k, rows.z), h), product(vec2u(k, rows.w), h));
    }
    if id.x < settings.groups {
        let used = window_used(group, settings.channels);
        output[settings.offset + group] = select(vec4f(0.0), activated(sum), used);
    }
}
