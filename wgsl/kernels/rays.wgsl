// One invocation follows one ray and writes the first crossings along it, front to back, with what they cost.
#import generated/bindings
#import generated/network
#import arithmetic/search

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let ray = id.y * groups.x * 64u + id.x;
    if ray >= casting.rays {
        return;
    }
    let start = rays[2u * ray];
    let direction = rays[2u * ray + 1u].xyz;
    search_begin(start.xyz, direction, start.w, casting.level, casting.spacing, casting.single != 0u);
    // llvmpipe runs the body of a loop once more, for no lane, if the loop ends at its top.
    var i = 0u;
    var answer = vec4f(0.0);
    loop {
        let found = search_next();
        let rise = select(-1.0, 1.0, found.rising);
        answer = vec4f(found.t, f32(found.outcome), found.level, rise);
        crossings[ray * casting.surfaces + i] = answer;
        i++;
        if i >= casting.surfaces || found.outcome == MISS {
            break;
        }
    }
    // After the end there is nothing to search, and nothing to be counted.
    for (; i < casting.surfaces; i++) {
        crossings[ray * casting.surfaces + i] = answer;
    }
    costs[ray] = vec2u(search_segments, search_evaluations);
}
