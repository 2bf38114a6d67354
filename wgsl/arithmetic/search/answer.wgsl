// What a search says: a crossing, a graze, that nothing more comes, that the budget is spent.
#import arithmetic/search/state

// A contact longer than this part of the ray is a graze, however it ends.
const LONG = 0.0078125;

// The answer that somewhere from `first` to `last` f meets the level, probably at t; `crosses`: certainly.
fn search_answer(first: f32, last: f32, t: f32, level: f32, rises: bool, crosses: bool) {
    let hit = crosses && last - first <= LONG * search_length;
    let place = clamp(select(0.5 * (first + last), t, hit), first, last);
    // Each of the places has been rounded twice.
    let reach = max(place - first, last - place) + 2.0 * ULP * last;
    search_say(place, reach, level, select(GRAZE, HIT, hit), rises);
}

fn search_say(t: f32, uncertainty: f32, level: f32, outcome: u32, rises: bool) {
    search_crossing = Crossing(t, uncertainty, level, outcome | select(0u, 4u, rises));
    search_answers += 1u;
    search_count = 0u;
}

// Nothing up to the ray's end.
fn search_miss() {
    search_say(search_length, 0.0, 0.0, MISS, false);
    search_finish();
}

// The search ends here: nothing comes before t, or before the contact that it is in.
fn search_give_up() {
    search_say(select(search_t, search_touch, search_phase == CONTACT), 0.0, 0.0, UNDECIDED, false);
    search_finish();
}

fn search_finish() {
    search_phase = DONE;
    search_done = true;
}
