// The frontmost of a workgroup's dots that cover a point of the picture, in the order in which they are drawn.
#import generated/bindings
#import lib/dot

const WORKGROUP: u32 = 64u;
const RUN: u32 = 64u;
const NONE: u32 = 0xffffffffu;

var<workgroup> nearest: array<vec2u, WORKGROUP>;

fn is_before(a: vec2u, b: vec2u) -> bool {
    return a.x < b.x || (a.x == b.x && a.y < b.y);
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local: vec3u, @builtin(workgroup_id) group: vec3u) {
    var best = vec2u(NONE);
    for (var k = 0u; k < RUN; k++) {
        let i = (group.x * RUN + k) * WORKGROUP + local.x;
        if i < view.count {
            let d = dot_of(view.first + i);
            let own = vec2u(depth_key(d.depth), view.first + i);
            if d.opacity > 0.0 && distance(d.at, view.point) <= d.radius && is_before(own, best) {
                best = own;
            }
        }
    }
    nearest[local.x] = best;
    workgroupBarrier();
    if local.x == 0u {
        for (var k = 1u; k < WORKGROUP; k++) {
            if is_before(nearest[k], best) {
                best = nearest[k];
            }
        }
        found[group.x] = best;
    }
}
