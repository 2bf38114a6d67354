// Moves the search along one open ray on to where a level may lie by a tree of boxes, if nothing is near; or ends it.
#import generated/bindings
#import arithmetic/search/take
#import arithmetic/search/memory
#import lib/tree

// In `open`: how many rays, and how many wait; those follow.
const LIST = 2u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = id.y * groups.x * 64u + id.x;
    if i >= part.count {
        return;
    }
    let ray = open[LIST + part.first + i];
    let start = rays[2u * ray];
    search_levels(casting.level, casting.spacing, casting.single != 0u, casting.segments);
    search_load(ray, start.w);
    let begins = search_phase == START && !search_entered;
    if search_done || search_waits || !(begins || search_wants_skip()) {
        return;
    }
    let bracket = tree_next(start.xyz, rays[2u * ray + 1u].xyz, search_t, search_length);
    if bracket.x >= search_length {
        search_miss();
        let c = search_crossing;
        crossings[ray * casting.surfaces + search_answers - 1u] =
            vec4u(bitcast<u32>(c.t), bitcast<u32>(c.uncertainty), bitcast<u32>(c.level), c.kind);
        costs[ray] = vec2u(search_segments, search_evaluations);
    } else if begins && bracket.x > search_t && tree_beside.y == 0.0 {
        // From which side f comes must be known: it is looked at here first.
        search_until = search_t;
        search_waits = casting.walks != 0u;
    } else {
        if begins && bracket.x > search_t {
            search_level = tree_beside.x;
            search_side = tree_beside.y;
            search_phase = BESIDE;
        }
        // A bracket may be a point; then the search goes a little further.
        search_skip(bracket.x, min(max(bracket.y, bracket.x + 16.0 * search_least()), search_length));
        // The tree has left what float32 cannot tell.
        search_waits = casting.rounding > 0.0;
    }
    search_store(ray);
}
