// Rays that wait for f in float64: `ask` writes the pieces of a part of a list, `answer` takes what was found.
#import generated/bindings
#import kernels/rays_taken

@compute @workgroup_size(64)
fn ask(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = own_number(id, groups);
    if i >= part.count {
        return;
    }
    let ray = open[LIST + part.first + i];
    load(ray);
    let segment = vec2f(search_t, select(search_segment().y, search_end(), casting.rounding > 0.0));
    pieces[2u * i] = vec4f(rays[2u * ray].xyz, segment.x);
    pieces[2u * i + 1u] = vec4f(rays[2u * ray + 1u].xyz, segment.y);
}

@compute @workgroup_size(64)
fn answer(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = own_number(id, groups);
    if i >= part.count {
        return;
    }
    let ray = open[LIST + part.first + i];
    load(ray);
    take_exact(ray, found[2u * i].xy, found[2u * i].zw, found[2u * i + 1u].x);
    search_store(ray);
}
