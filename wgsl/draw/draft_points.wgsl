// One place of a ray, of so many from its start to its end, as a point for the network.
#import generated/bindings

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= drafting.count * drafting.places {
        return;
    }
    let ray = drafting.first + id.x / drafting.places;
    let part = f32(id.x % drafting.places) / f32(drafting.places - 1u);
    let start = rays[2u * ray];
    points[id.x] = vec4f(start.xyz + rays[2u * ray + 1u].xyz * (start.w * part), 0.0);
}
