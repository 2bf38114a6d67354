// An activation of the sum of two numbers, or of one, in each of four channels of one place.
#import generated/bindings
#import generated/activated
#import lib/window

// Whether there is a second array to be added.
override ADDED: bool;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= elementwise.places {
        return;
    }
    let at = id.y * elementwise.places + id.x;
    var sum = responses[elementwise.source_first + at];
    if ADDED {
        sum += others[elementwise.other_first + at];
    }
    let used = window_used(id.y, elementwise.channels);
    kept[elementwise.offset + at] = select(vec4f(0.0), activated(sum), used);
}
