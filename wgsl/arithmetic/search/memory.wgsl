// Where searches stand between passes, in memory. Needs `states`, array<vec4u>.
#import arithmetic/search/state

// vec4u of a ray in memory; in one of its words the phase, these flags and, above, the number of answers.
const SEARCH_STATE = 4u;
const ENTERED = 8u;
const WAITS = 16u;

// The state of ray `at`, of this length, as search_store left it.
fn search_load(at: u32, length: f32) {
    let first = SEARCH_STATE * at;
    let places = bitcast<vec4f>(states[first]);
    let levels = bitcast<vec4f>(states[first + 1u]);
    let counts = states[first + 2u];
    let more = states[first + 3u];
    search_length = length;
    search_t = places.x;
    search_width = places.y;
    search_aim = places.z;
    search_until = places.w;
    search_touch = levels.x;
    search_level = levels.y;
    search_third = levels.zw;
    search_phase = counts.x & 7u;
    search_entered = (counts.x & ENTERED) != 0u;
    search_waits = (counts.x & WAITS) != 0u;
    search_answers = counts.x >> 8u;
    search_count = counts.y;
    search_segments = counts.z;
    search_evaluations = counts.w;
    search_side = bitcast<f32>(more.x);
    search_near = bitcast<vec2f>(more.zw);
    search_moved = false;
    search_done = search_phase == DONE;
}

fn search_store(at: u32) {
    let first = SEARCH_STATE * at;
    states[first] = bitcast<vec4u>(vec4f(search_t, search_width, search_aim, search_until));
    states[first + 1u] = bitcast<vec4u>(vec4f(search_touch, search_level, search_third));
    let flags = select(0u, ENTERED, search_entered) | select(0u, WAITS, search_waits);
    let packed = search_phase | flags | (search_answers << 8u);
    states[first + 2u] = vec4u(packed, search_count, search_segments, search_evaluations);
    states[first + 3u] = vec4u(bitcast<u32>(search_side), 0u, bitcast<vec2u>(search_near));
}
