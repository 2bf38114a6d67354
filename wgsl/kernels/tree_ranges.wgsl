// Ranges of a group of units of one box: taken from the store of a box around it, or put there.
#import generated/bindings

const MEMBERS = 8u;
const NONE = 0xffffffffu;

fn place_of(box: u32, group: u32) -> u32 {
    return ((box / MEMBERS * moving.groups + group) * MEMBERS + box % MEMBERS) * 2u;
}

// places: of each octet the place of the box around it, or NONE.
@compute @workgroup_size(64)
fn inherit(@builtin(global_invocation_id) id: vec3u) {
    let box = id.x;
    if box >= moving.count {
        return;
    }
    let to = place_of(box, id.y);
    let parent = places[box / MEMBERS];
    var low = vec4f(-3e38);
    var high = vec4f(3e38);
    if parent != NONE {
        let at = (parent * moving.groups + id.y) * 2u;
        low = store[at];
        high = store[at + 1u];
    }
    ranges[to] = low;
    ranges[to + 1u] = high;
}

// places: the boxes that are kept, in the store from moving.first on.
@compute @workgroup_size(64)
fn keep(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= moving.count {
        return;
    }
    let taken = place_of(places[id.x], id.y);
    let at = ((moving.first + id.x) * moving.groups + id.y) * 2u;
    store[at] = ranges[taken];
    store[at + 1u] = ranges[taken + 1u];
}
