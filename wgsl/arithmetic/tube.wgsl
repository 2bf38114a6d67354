// Arithmetic over a tube: all rays of a beam over a piece of it, for four neurons. The beam's middle goes from near to
// far; a ray's response at an end is off that by its two offsets, each from -1 to 1, times (u, v), give or take `rest`.
// The second derivative along any ray is from middle - radius to middle + radius, for a piece of length 1.
#import arithmetic/bounds
#import arithmetic/ends

struct Tube {
    near: vec4f,
    far: vec4f,
    near_u: vec4f,
    near_v: vec4f,
    far_u: vec4f,
    far_v: vec4f,
    middle: vec4f,
    radius: vec4f,
    rest: vec4f,
    error_bound: vec4f, // how far rounding may move the value at any place of any ray
}

// What is larger is not known.
const OPEN = 1.0e30;

// Sums, once they are complete: see parabola_widened.
fn tube_widened(z: Tube, small: f32, least: f32, limit: f32) -> Tube {
    let lost = vec4f(fma(FLUSHED, small, least));
    var w = z;
    w.error_bound = min(fma(z.error_bound, vec4f(1.0001), lost), vec4f(limit));
    w.radius = fma(z.radius, vec4f(1.0001), lost);
    w.rest = fma(z.rest, vec4f(1.0001), lost);
    return w;
}

// How far a response at an end may be off what is computed of the middle's.
fn tube_near_off(z: Tube) -> vec4f {
    return abs(z.near_u) + abs(z.near_v) + z.rest + z.error_bound;
}

fn tube_far_off(z: Tube) -> vec4f {
    return abs(z.far_u) + abs(z.far_v) + z.rest + z.error_bound;
}

// All values along all rays, and what may be computed of them, which is off once more; with the rounding of this.
fn tube_range(z: Tube) -> Range {
    let bend = 0.125 * (abs(z.middle) + z.radius);
    let a = tube_near_off(z) + z.error_bound;
    let b = tube_far_off(z) + z.error_bound;
    let pad = 8.0 * ULP * (max(abs(z.near), abs(z.far)) + a + b + bend);
    return Range(min(z.near - a, z.far - b) - bend - pad, max(z.near + a, z.far + b) + bend + pad);
}

// The sums z through an activation of which slopes and curvatures over tube_range are given. `turn`: how far a ray's
// offsets may change over the piece. The rounding of the product that follows is put in, see parabola_of.
fn tube_bent(
    z: Tube, near: vec4f, far: vec4f, near_slope: vec4f, far_slope: vec4f, slopes: Range, curves: Range,
    turn: vec2f, steepest: f32, terms: f32, error: vec4f, most: vec4f,
) -> Tube {
    let e = z.error_bound;
    let swing = abs(z.middle) + z.radius;
    let aside = abs(z.near_u) + abs(z.near_v) + abs(z.far_u) + abs(z.far_v);
    let turned = turn.x * max(abs(z.near_u), abs(z.far_u)) + turn.y * max(abs(z.near_v), abs(z.far_v));
    let sides = abs(z.far_u - z.near_u) + abs(z.far_v - z.near_v) + turned + 2.0 * (z.rest + e);
    let size = abs(z.near) + abs(z.far) + aside + swing + z.rest + e;
    // The first derivative along any ray: of its chord, and what the second adds to it; with this sum's rounding.
    let change = abs(z.far - z.near);
    let off = 0.5 * swing + sides + 8.0 * ULP * size;
    let least = max(change - off, vec4f(0.0)) * (1.0 - 4.0 * ULP);
    let largest = (change + off) * (1.0 + 4.0 * ULP);
    let bent = range_times(curves, Range(least * least, largest * largest));
    let moved = range_times(slopes, Range(z.middle - z.radius, z.middle + z.radius));
    let low = bent.low + moved.low;
    let high = bent.high + moved.high;
    let steep = max(abs(slopes.low), abs(slopes.high));
    let curved = max(abs(curves.low), abs(curves.high));
    let away = max(tube_near_off(z), tube_far_off(z));
    let many = (terms + 16.0) * ULP;
    var h: Tube;
    h.near = near;
    h.far = far;
    h.near_u = z.near_u * near_slope;
    h.near_v = z.near_v * near_slope;
    h.far_u = z.far_u * far_slope;
    h.far_v = z.far_v * far_slope;
    h.middle = 0.5 * (low + high);
    let bends = abs(bent.low) + abs(bent.high) + abs(moved.low) + abs(moved.high);
    let radius = 0.5 * (high - low) + (many + 16.0 * ULP) * bends + TINY;
    // Of slopes, 64 ulp of themselves and of the largest: more than they are off by.
    let own = 64.0 * ULP * (steep + steepest);
    let straight = abs(h.near_u) + abs(h.near_v) + abs(h.far_u) + abs(h.far_v);
    let rest = (steep * z.rest + 0.5 * curved * away * away) * (1.0 + 16.0 * ULP) + own * aside + many * straight;
    let known = (radius < vec4f(OPEN)) & (rest < vec4f(OPEN)) & (abs(h.middle) < vec4f(OPEN));
    h.middle = select(vec4f(0.0), h.middle, known);
    h.radius = select(vec4f(OPEN), radius, known);
    h.rest = select(vec4f(OPEN), rest * (1.0 + many) + TINY, known);
    h.error_bound = fma(vec4f(3.0 * ULP), most, error) + TINY;
    return h;
}
