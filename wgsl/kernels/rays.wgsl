// One invocation follows one ray for a share of its search, and writes the crossings along it, front to back.
//
// `begin` starts all rays, and lists those that are open when their share is used up; `go_on` takes these further.
#import generated/bindings
#import generated/network
#import arithmetic/search/alone
#import arithmetic/search/memory

// In `open`: how many rays are listed, how many of these are still open; the list follows.
const LISTED = 0u;
const LEFT = 1u;
const LIST = 2u;
// Workgroups to a row of an indirect dispatch.
const ROW = 65535u;

@compute @workgroup_size(64)
fn begin(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let ray = id.y * groups.x * 64u + id.x;
    if ray >= casting.rays {
        return;
    }
    prepare(ray);
    search_begin(rays[2u * ray].w);
    search_look();
    follow(ray);
    if !search_done {
        let slot = atomicAdd(&open[LISTED], 1u);
        atomicAdd(&open[LEFT], 1u);
        atomicStore(&open[LIST + slot], ray);
        let group = slot / 64u;
        atomicMax(&workgroups[0], min(group + 1u, ROW));
        atomicMax(&workgroups[1], group / ROW + 1u);
        atomicMax(&workgroups[2], 1u);
        search_store(ray);
    }
}

@compute @workgroup_size(64)
fn go_on(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let slot = id.y * groups.x * 64u + id.x;
    if slot >= atomicLoad(&open[LISTED]) {
        return;
    }
    let ray = atomicLoad(&open[LIST + slot]);
    search_load(ray, rays[2u * ray].w);
    if search_done {
        return;
    }
    prepare(ray);
    // Of the near end, only f is stored.
    near_again(search_t);
    near_value = search_near.x;
    near_error = search_near.y;
    search_here = search_scaled(search_near);
    follow(ray);
    if search_done {
        atomicSub(&open[LEFT], 1u);
    }
    search_store(ray);
}

fn prepare(ray: u32) {
    let start = rays[2u * ray];
    enclosure_begin(start.xyz, rays[2u * ray + 1u].xyz, start.w);
    search_levels(casting.level, casting.spacing, casting.single != 0u, casting.segments);
}

// Without turns, all that are open are given up.
fn follow(ray: u32) {
    if casting.turns == 0u && !search_done {
        search_give_up();
        write(ray);
    }
    var turns = 0u;
    // Loops end at their feet: llvmpipe runs one that ends at its top once more, for no invocation.
    if !search_done {
        loop {
            var found = false;
            loop {
                found = search_advance();
                turns += 1u;
                if found || turns >= casting.turns {
                    break;
                }
            }
            search_sharpen();
            if found {
                search_conclude();
                write(ray);
            }
            if search_done || turns >= casting.turns {
                break;
            }
        }
    }
    if search_done {
        // What follows the last crossing is nothing.
        if search_answers < casting.surfaces && (search_answers == 0u || !ends(search_crossing)) {
            search_miss();
            write(ray);
        }
        costs[ray] = vec2u(search_segments, search_evaluations);
    }
}

// Writes the answer; that may be all that is wanted of the ray.
fn write(ray: u32) {
    let c = search_crossing;
    crossings[ray * casting.surfaces + search_answers - 1u] =
        vec4u(bitcast<u32>(c.t), bitcast<u32>(c.uncertainty), bitcast<u32>(c.level), c.kind);
    if search_answers >= casting.surfaces || ends(c) {
        search_finish();
    }
}

// Whether nothing is wanted behind an answer.
fn ends(c: Crossing) -> bool {
    let outcome = crossing_outcome(c);
    return outcome != HIT && (outcome != GRAZE || casting.through == 0u);
}
