// One of some rays spread over all: the part of it that its search has passed; below 0 where there is nothing to search.
#import generated/bindings

// As in arithmetic/search/state: vec4u of a ray, and the phase of one that has ended.
const SEARCH_STATE = 4u;
const DONE = 4u;
// Rays that are looked at lie apart by no number of rays that a picture's rows have in common.
const APART = 7919u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= passed.count {
        return;
    }
    let ray = (id.x * APART) % passed.rays;
    let length = rays[2u * ray].w;
    let t = bitcast<f32>(states[SEARCH_STATE * ray].x);
    let is_done = (states[SEARCH_STATE * ray + 2u].x & 7u) == DONE;
    let answers = f32(states[SEARCH_STATE * ray + 3u].y) / f32(passed.answers);
    let part = select(clamp(max(t / length, answers), 0.0, 1.0), 1.0, is_done);
    parts[id.x] = select(part, -1.0, length <= 0.0);
}
