// A search that follows a ray to its end in one invocation: `search_next` gives one crossing after another.
#import generated/enclosure
#import arithmetic/search/take

fn search_start(origin: vec3f, direction: vec3f, length: f32, level: f32, spacing: f32, single: bool) {
    enclosure_begin(origin, direction, length);
    search_levels(level, spacing, single, SEGMENT_LIMIT);
    search_begin(length);
    search_look();
}

// Takes f at the ray's start, where that needs no turn of the loop.
fn search_look() {
    near_again(0.0);
    search_take_start(vec2f(near_value, near_error));
}

// The first crossing after the last one given; MISS at the ray's end and ever after.
fn search_next() -> Crossing {
    var found = false;
    loop {
        if search_done {
            break;
        }
        found = search_advance();
        if found {
            break;
        }
    }
    if !found {
        search_miss();
    }
    return search_crossing;
}

// One segment more; true if there is an answer.
fn search_advance() -> bool {
    let segment = search_segment();
    let bounds = segment_to(segment.x, segment.y);
    let found = search_take(bounds, vec2f(near_value, near_error), vec2f(far_value, far_error));
    if search_moved {
        near_from_far();
    }
    return found;
}
