// Four outputs of a dense layer of one vector, by one invocation; of the images, which software drivers load fastest,
// one holds the weights as they are, for each output rows of WIDE texels or a shorter one.
#import generated/bindings
#import generated/activated
#import lib/window

const ROW = 2048u;
const WIDE = 8191u;

fn product(block: u32, row: u32, number: vec4f) -> f32 {
    let w = textureLoad(weights, vec2u(block % WIDE, row + block / WIDE));
    return (w.x * number.x + w.y * number.y) + (w.z * number.z + w.w * number.w);
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    // llvmpipe reads a uniform anew, lane by lane, where it is named in a loop.
    let settings = dense;
    let group = min(id.x, settings.groups - 1u);
    // Past the last output the last again, which is not stored.
    let outputs = min(4u * group + vec4u(0u, 1u, 2u, 3u), vec4u(settings.channels - 1u));
    let rows = outputs * ((settings.blocks + WIDE - 1u) / WIDE);
    var sum = bias[group];
    // llvmpipe ends loops after 65,535 iterations.
    for (var k = 0u; k < min(settings.blocks, 65535u); k++) {
        let h = textureLoad(responses, vec2u(k % ROW, k / ROW));
        sum += vec4f(product(k, rows.x, h), product(k, rows.y, h), product(k, rows.z, h), product(k, rows.w, h));
    }
    if id.x < settings.groups {
        let used = window_used(group, settings.channels);
        output[settings.offset + group] = select(vec4f(0.0), activated(sum), used);
    }
}
