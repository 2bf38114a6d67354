// The first layer over one box: the range of its four units of a group, which are linear; and the size of the inputs.
#import generated/bindings

const MEMBERS = 8u;
const ULP = 1.1920929e-7;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let box = id.x;
    let group = id.y;
    if box >= tiles[0].y {
        return;
    }
    let centre = boxes[2u * box].xyz;
    let side = boxes[2u * box + 1u].xyz;
    let reach = abs(centre) + side;
    var middle = entries[group].bias;
    var wide = vec4f(0.0);
    var size = abs(middle);
    for (var j = 0u; j < 4u; j++) {
        let w = textureLoad(weights, vec2u(4u * group + j, 0u)).xyz;
        middle[j] += dot(w, centre);
        wide[j] = dot(abs(w), side);
        size[j] += dot(abs(w), reach);
    }
    let pad = 8.0 * ULP * size + 1e-30;
    let at = ((box / MEMBERS * step.all_groups + group) * MEMBERS + box % MEMBERS) * 2u;
    ranges[at] = middle - wide - pad;
    ranges[at + 1u] = middle + wide + pad;
    if group == 0u {
        norms[box] = length(reach) * (1.0 + 8.0 * ULP);
        bad[box] = 0u;
    }
}
