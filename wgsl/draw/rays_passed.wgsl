// One of some rays spread over all: the part of it that its search has passed; below 0 where there is nothing to search.
#import generated/bindings
#import arithmetic/search/memory

// Rays that are looked at lie apart by no number of rays that a picture's rows have in common.
const APART = 7919u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= passed.count {
        return;
    }
    let ray = (id.x * APART) % passed.rays;
    search_load(ray, rays[2u * ray].w);
    let answers = f32(search_answers) / f32(passed.answers);
    let part = select(clamp(max(search_t / search_length, answers), 0.0, 1.0), 1.0, search_done);
    parts[id.x] = select(part, -1.0, search_length <= 0.0);
}
