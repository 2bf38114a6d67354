// An activation of the sum or the product of two numbers, or of one, in each of four channels of one place.
#import generated/bindings
#import generated/activated
#import lib/window

// What is done with a second array, if there is one; SCALED: it has one place, whose numbers all places take.
override ADDED: bool;
override MULTIPLIED: bool;
override SCALED: bool;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    // llvmpipe reads a uniform anew, lane by lane, where it is named in a loop or behind a return.
    let settings = elementwise;
    if id.x >= settings.places {
        return;
    }
    let at = id.y * settings.places + id.x;
    var value = responses[settings.source_first + at];
    let other = settings.other_first + select(at, id.y, SCALED);
    if ADDED {
        value += others[other];
    }
    if MULTIPLIED {
        value *= others[other];
    }
    let used = window_used(id.y, settings.channels);
    output[settings.offset + at] = select(vec4f(0.0), activated(value), used);
}
