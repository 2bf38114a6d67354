// The search along rays through a network that is bounded over pieces of many rays at once, an invocation a ray.
//
// `begin` starts all rays and lists the open ones. For a part of the list `aim` writes the pieces to be bounded next, and
// `take` goes on with what was found; `sift` lists those that are still open anew. `leave` gives up what is open.
#import generated/bindings
#import arithmetic/search/take

// In a list: how many rays; these follow.
const LIST = 1u;

fn own_number(id: vec3u, groups: vec3u) -> u32 {
    return id.y * groups.x * 64u + id.x;
}

fn load(ray: u32) {
    search_levels(casting.level, casting.spacing, casting.single != 0u, casting.segments);
    search_load(ray, rays[2u * ray].w);
}

fn list_open(ray: u32) {
    let slot = atomicAdd(&next[0], 1u);
    atomicStore(&next[LIST + slot], ray);
}

@compute @workgroup_size(64)
fn begin(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let ray = own_number(id, groups);
    if ray >= casting.rays {
        return;
    }
    search_begin(rays[2u * ray].w);
    if search_done {
        end(ray);
    } else {
        list_open(ray);
    }
    search_store(ray);
}

@compute @workgroup_size(64)
fn aim(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = own_number(id, groups);
    if i >= part.count {
        return;
    }
    let ray = open[LIST + part.first + i];
    load(ray);
    let segment = search_segment();
    pieces[2u * i] = vec4f(rays[2u * ray].xyz, segment.x);
    pieces[2u * i + 1u] = vec4f(rays[2u * ray + 1u].xyz, segment.y);
}

@compute @workgroup_size(64)
fn take(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = own_number(id, groups);
    if i >= part.count {
        return;
    }
    let ray = open[LIST + part.first + i];
    load(ray);
    if search_done {
        return;
    }
    let ends = found[2u * i];
    let range = found[2u * i + 1u];
    if search_take(Bounds(range.x, range.y), ends.xy, ends.zw) {
        write(ray);
    }
    if search_done {
        end(ray);
    }
    search_store(ray);
}

@compute @workgroup_size(64)
fn sift(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = own_number(id, groups);
    if i >= open[0] {
        return;
    }
    let ray = open[LIST + i];
    load(ray);
    if !search_done {
        list_open(ray);
    }
}

@compute @workgroup_size(64)
fn leave(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = own_number(id, groups);
    if i >= open[0] {
        return;
    }
    let ray = open[LIST + i];
    load(ray);
    if search_done {
        return;
    }
    search_give_up();
    write(ray);
    end(ray);
    search_store(ray);
}

// Writes the answer; that may be all that is wanted of the ray.
fn write(ray: u32) {
    let c = search_crossing;
    crossings[ray * casting.surfaces + search_answers - 1u] =
        vec4u(bitcast<u32>(c.t), bitcast<u32>(c.uncertainty), bitcast<u32>(c.level), c.kind);
    if search_answers >= casting.surfaces || ends_ray(c) {
        search_finish();
    }
}

// What follows the last crossing is nothing.
fn end(ray: u32) {
    if search_answers < casting.surfaces && (search_answers == 0u || !ends_ray(search_crossing)) {
        search_miss();
        write(ray);
    }
    costs[ray] = vec2u(search_segments, search_evaluations);
}

// Whether nothing is wanted behind an answer.
fn ends_ray(c: Crossing) -> bool {
    let outcome = crossing_outcome(c);
    return outcome != HIT && (outcome != GRAZE || casting.through == 0u);
}
