// One hit of the list: its place, with the directions x, y and z, as a point for a network's tangents.
#import generated/bindings

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= listing.count {
        return;
    }
    let hit = list[listing.first + id.x];
    let ray = hit / listing.most;
    let t = bitcast<f32>(crossings[ray * listing.answers + hit % listing.most].x);
    points[4u * id.x] = vec4f(rays[2u * ray].xyz + rays[2u * ray + 1u].xyz * t, 0.0);
    points[4u * id.x + 1u] = vec4f(1.0, 0.0, 0.0, 0.0);
    points[4u * id.x + 2u] = vec4f(0.0, 1.0, 0.0, 0.0);
    points[4u * id.x + 3u] = vec4f(0.0, 0.0, 1.0, 0.0);
}
