// What the kernels of a search in passes share: where rays stand, and what is written of them.
#import generated/bindings
#import arithmetic/search/take
#import arithmetic/search/memory

// A list: how many rays go on, how many wait; the former follow, the latter stand at its end.
const LIST = 2u;

fn own_number(id: vec3u, groups: vec3u) -> u32 {
    return id.y * groups.x * 64u + id.x;
}

fn load(ray: u32) {
    search_levels(casting.level, casting.spacing, casting.single != 0u, casting.segments);
    search_load(ray, rays[2u * ray].w);
}

// Where the next answer is written.
fn next_answer(ray: u32) -> u32 {
    return ray * casting.surfaces + search_answers;
}

// Writes the answer; that may be all that is wanted of the ray.
fn write(ray: u32) {
    let c = search_crossing;
    crossings[next_answer(ray) - 1u] =
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
