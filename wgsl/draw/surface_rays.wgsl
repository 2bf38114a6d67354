// One sample: its ray within the region, in the node's space; of length 0 where there is none. Until rays are cast,
// nothing is known of it.
#import generated/bindings
#import draw/surface_ray

const UNDECIDED = 3u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
    let at = group.xy * 8u + place_in_group(invocation);
    let ray = surface_ray(at);
    let inside = all(at < vec2u(frame.tile));
    rays[2u * ray.number] = vec4f(ray.entry, select(0.0, ray.chord.length, inside));
    rays[2u * ray.number + 1u] = vec4f(ray.direction, 0.0);
    crossings[ray.number * u32(surface.answers)] = vec4u(0u, 0u, 0u, UNDECIDED);
    costs[ray.number] = vec2u(0u);
}
