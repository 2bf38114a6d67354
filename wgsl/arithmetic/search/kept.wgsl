// A state of a search in registers, to go back to.
#import arithmetic/search/state

struct Kept {
    places: vec4f,
    third: vec2f,
    near: vec2f,
    touch: f32,
    level: f32,
    side: f32,
    phase: u32,
    entered: bool,
    counts: vec4u,
}

fn search_kept() -> Kept {
    return Kept(
        vec4f(search_t, search_width, search_aim, search_until), search_third, search_near, search_touch, search_level,
        search_side, search_phase, search_entered,
        vec4u(search_answers, search_count, search_segments, search_evaluations),
    );
}

fn search_back_to(k: Kept) {
    search_t = k.places.x;
    search_width = k.places.y;
    search_aim = k.places.z;
    search_until = k.places.w;
    search_third = k.third;
    search_near = k.near;
    search_touch = k.touch;
    search_level = k.level;
    search_side = k.side;
    search_phase = k.phase;
    search_entered = k.entered;
    search_answers = k.counts.x;
    search_count = k.counts.y;
    search_segments = k.counts.z;
    search_evaluations = k.counts.w;
    search_done = k.phase == DONE;
}
