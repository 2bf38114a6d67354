// One sample of a picture of boundaries into an array: the background, then the lines, later layers over earlier ones.
#import generated/bindings
#import generated/boundaries
#import draw/boundary_background
#import draw/boundary_pieces
#import lib/block

// More iterations than any loop over lines has: one for each line.
const MOST = 4u * GROUPS + 4u;

// Eight directions: along a line whichever is nearest to it is within 11 degrees, so dashes are even within 2 in 100.
// At bends and curves dashes continue, and they stand still to the last bit where the line does.
fn dash_direction(gradient: vec2f) -> vec2f {
    let tangent = vec2f(-gradient.y, gradient.x);
    let upward = select(tangent, -tangent, tangent.x < 0.0 || (tangent.x == 0.0 && tangent.y < 0.0));
    let slope = upward.y / max(abs(upward.x) + abs(upward.y), 1e-30);
    // tan 11.25, 33.75, 56.25, 78.75 degrees as y / (|x| + |y|).
    let steep = abs(slope);
    var found = vec2f(1.0, 0.0);
    found = select(found, vec2f(0.92387953, 0.38268343), steep > 0.16591); // 0.19891 / 1.19891
    found = select(found, vec2f(0.70710678, 0.70710678), steep > 0.40054); // 0.66818 / 1.66818
    found = select(found, vec2f(0.38268343, 0.92387953), steep > 0.59946);
    found = select(found, vec2f(0.0, 1.0), steep > 0.83409);
    return vec2f(found.x, select(found.y, -found.y, slope < 0.0 && found.x > 0.0));
}

// For each line marked by mark(): how near it comes to `at`, as it lies in the piece of the plane that q is in.
fn measure(at: vec2f, q: vec2f) {
    let back = at - q;
    mark(back);
    for (var k = 0u; k < MOST; k++) {
        let index = next_mask();
        let here = min(index, DECISION);
        let sum = line_of(here);
        let gradient = sum.yz;
        let value = sum.x + dot(gradient, back);
        let rate = inverseSqrt(max(dot(gradient, gradient), 1e-37));
        let unit = gradient * rate;
        let foot = back - value * rate * unit;
        let tangent = vec2f(-unit.y, unit.x);
        var piece = vec2f(-1e30, 1e30);
        if STRAIGHT {
            piece = span(foot, tangent, group_start(here / 4u));
        }
        let off = clamp(0.0, piece.x, piece.y);
        let far = length(vec2f(value * rate, off));
        if index != NONE && piece.x <= piece.y {
            take(here, far, dot(at - node.anchor, dash_direction(gradient)));
        }
        if !is_marked() {
            break;
        }
    }
}

// How much of a sample's width a line of half a width covers at a distance.
fn covered(half: f32, far: f32) -> f32 {
    return clamp(half + 0.5 - far, 0.0, 1.0);
}

fn dash_covered(dash: vec4f, along: f32) -> f32 {
    let period = dash.x + dash.y + dash.z + dash.w;
    if period <= 0.0 {
        return 1.0;
    }
    let s = along - period * floor(along / period);
    let second = dash.x + dash.y;
    // Into the first mark, or its next repetition; into the second.
    let first_in = max(min(s, dash.x - s), s - period);
    let second_in = select(-1e30, min(s - second, second + dash.z - s), dash.z > 0.0);
    return clamp(max(first_in, second_in) + 0.5, 0.0, 1.0);
}

fn over(below: vec4f, colour: vec3f, alpha: f32) -> vec4f {
    return below * (1.0 - alpha) + vec4f(colour * alpha, alpha);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
    here = 64u * group.x + invocation;
    let number = band.first + group.x;
    let corner_group = vec2u(number % band.across, number / band.across);
    let place = place_in_group(invocation) + 8u * corner_group + vec2u(max(node.first - frame.offset, vec2f(0.0)));
    let corner = vec2f(place) + 0.5 + frame.offset;
    let at = corner - frame.size * 0.5;
    forget();
    var steps = vec4f(0.0);
    var count = 1u;
    var q = at;
    // In its own piece of the plane, then across the nearest line, across the second, across both.
    for (var k = 0u; k < 4u; k++) {
        evaluate(q);
        if k == 0u {
            store_background();
            if STRAIGHT && node.reach > 0.0 {
                steps = kinks(node.reach);
                count = select(select(2u, 4u, any(steps.zw != vec2f(0.0))), 1u, all(steps.xy == vec2f(0.0)));
            }
        }
        measure(at, q);
        q = at + select(steps.zw, steps.xy, k == 0u) + select(vec2f(0.0), steps.xy, k == 2u);
        if k + 1u >= count {
            break;
        }
    }
    var colour = background(at);
    mark_found();
    for (var k = 0u; k < MOST; k++) {
        let index = next_mask();
        let here = min(index, DECISION);
        let found = found_of(here);
        let style = styles[here];
        let shown = select(0.0, 1.0, index != NONE);
        colour = over(colour, style.colour.rgb, covered(style.halo_half, found.x) * style.halo * shown);
        let dash = dash_covered(style.dash, found.y);
        colour = over(colour, style.colour.rgb, covered(style.half, found.x) * style.colour.a * dash * shown);
        if !is_marked() {
            break;
        }
    }
    if all(place < vec2u(frame.tile)) {
        samples[place.y * u32(frame.tile.x) + place.x] = select(colour, vec4f(0.0), is_lost());
    }
}
