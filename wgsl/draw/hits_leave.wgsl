// One hit of the list: the network's gradient there, from its tangents, goes to where the hit's is read.
#import generated/bindings

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= listing.count {
        return;
    }
    let at = 4u * id.x;
    gradients[list[listing.first + id.x]] = vec4f(values[at + 1u].x, values[at + 2u].x, values[at + 3u].x, 0.0);
}
