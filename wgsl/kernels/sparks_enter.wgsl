// Where one vertex of a spark has come to, with the directions x, y and z, as a point for a network's tangents.
#import generated/bindings

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= sparks.count {
        return;
    }
    let vertex = sparks.first + id.x;
    let p = select(vertices[vertex].xyz, seeds[vertex / sparks.vertices].xyz, sparks.begins != 0u);
    vertices[vertex] = vec4f(p, 0.0);
    points[4u * id.x] = vec4f(p, 0.0);
    points[4u * id.x + 1u] = vec4f(1.0, 0.0, 0.0, 0.0);
    points[4u * id.x + 2u] = vec4f(0.0, 1.0, 0.0, 0.0);
    points[4u * id.x + 3u] = vec4f(0.0, 0.0, 1.0, 0.0);
}
