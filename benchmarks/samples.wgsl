// One invocation takes some thousand of a ray's many samples until the whole part of f changes.
#import generated/bindings
#import generated/network

fn at(o: vec3f, d: vec3f, k: u32) -> vec3f {
    return o + (start_end(k)) * d;
}

// Sample k's distance, as a part of the ray whose length is in `reach`.
var<private> reach: f32;

fn start_end(k: u32) -> f32 {
    return f32(k) * (reach / f32(sampling.count));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let ray = id.y * groups.x * 64u + id.x;
    if ray >= sampling.rays {
        return;
    }
    let o = rays[2u * ray].xyz;
    reach = rays[2u * ray].w;
    let d = rays[2u * ray + 1u].xyz;
    if sampling.first == 0u {
        seen[ray] = vec2f(floor(network_output(o, 0u) - sampling.level), 0.0);
    }
    let base = seen[ray].x;
    var found = u32(seen[ray].y);
    var k = sampling.first + 1u;
    loop {
        if found != 0u || k > sampling.last {
            break;
        }
        if floor(network_output(at(o, d, k), 0u) - sampling.level) != base {
            found = k;
        }
        k += 1u;
    }
    seen[ray].y = f32(found);
}
