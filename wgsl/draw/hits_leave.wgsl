// One hit of the list: the network's gradient there, from its tangents, goes to where the hit's is read.
//
// One of Newton's steps along the ray moves the hit to where the tangents say: within its uncertainty, where its place
// was interpolated; a draft's, which is a guess, by at most half the gap between its places.
#import generated/bindings

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= listing.count {
        return;
    }
    let hit = list[listing.first + id.x];
    let at = 4u * id.x;
    let gradient = vec3f(values[at + 1u].x, values[at + 2u].x, values[at + 3u].x);
    gradients[hit] = vec4f(gradient, 0.0);
    let ray = hit / listing.most;
    let k = ray * listing.answers + hit % listing.most;
    let gap = rays[2u * ray].w / f32(max(listing.places, 2u) - 1u);
    let most = select(bitcast<f32>(crossings[k].y), 0.5 * gap, listing.places > 0u);
    let level = listing.level + listing.spacing * bitcast<f32>(crossings[k].z);
    let step = (level - values[at].x) / dot(gradient, rays[2u * ray + 1u].xyz);
    // A step that is no number, where the slope is 0, is none.
    let t = bitcast<f32>(crossings[k].x) + select(0.0, clamp(step, -most, most), abs(step) < 1.0e30);
    crossings[k].x = bitcast<u32>(t);
}
