// One vertex of a spark takes a step along the gradient; or, where its path ends, gets the network's value.
#import generated/bindings
#import lib/uphill

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= sparks.count {
        return;
    }
    let vertex = sparks.first + id.x;
    let p = vertices[vertex].xyz;
    let at = 4u * id.x;
    if sparks.ends != 0u {
        vertices[vertex] = vec4f(p, values[at].x);
        return;
    }
    let number = i32(vertex % sparks.vertices);
    let step = sparks.step * f32(number - (i32(sparks.vertices) / 2 - 1));
    let gradient = vec3f(values[at + 1u].x, values[at + 2u].x, values[at + 3u].x);
    vertices[vertex] = vec4f(p + step * uphill(gradient), 0.0);
}
