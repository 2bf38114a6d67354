// Arithmetic over a piece of a ray: four neurons' responses at both ends, and how far they may be from the chord
// between, in units of 4 x (1 - x) for x from 0 to 1: from middle - radius to middle + radius. Bounds of f are the same
// for the output: f(x) is in chord(x) + 4 x (1 - x) [low, high].
#import arithmetic/ends
#import arithmetic/plain

// More than a dozen operations lose whose results are below 2^-126, where adapters may give 0; and so much more that
// products with it are not below, since processors take a hundred times as long for those.
const TINY = 1.0e-30;
// More than what products with weights below 2^-126 lose, in parts of their factor's error bound: 2^-126 of 4 ulp.
const FLUSHED = 1.0e-30;

// The remainder of what may be anything.
const OPEN = 1.0e30;

struct Parabola {
    near: vec4f,
    far: vec4f,
    error_bound: vec4f, // how far rounding may have moved near or far
    middle: vec4f,
    radius: vec4f,
}

fn parabola_start(bias: vec4f) -> Parabola {
    return Parabola(bias, bias, vec4f(0.0), vec4f(0.0), vec4f(0.0));
}

// z + m h
fn parabola_add(z: Parabola, m: mat4x4f, h: Parabola) -> Parabola {
    let size = block_abs(m);
    let near = plain_add(z.near, m, h.near);
    let far = plain_add(z.far, m, h.far);
    // Four sums, each with an ulp of its result: at most that of this sum, and of later products, in h's error_bound.
    let rounded = fma(vec4f(4.0 * ULP), max(abs(near), abs(far)), z.error_bound);
    return Parabola(
        near,
        far,
        plain_add(rounded, size, h.error_bound),
        plain_add(z.middle, m, h.middle),
        plain_add(z.radius, size, h.radius),
    );
}

// The error bound, padded for the rounding of its own sums, once they are complete.
fn parabola_rounded(z: Parabola) -> Parabola {
    return Parabola(z.near, z.far, z.error_bound * 1.0001, z.middle, z.radius);
}

// The sums of a layer, once they are complete: padded for the rounding of their own sums, and for what products lose
// below 2^-126. `small` is the sum of all responses' error bounds and radii, `least` 2^-126 for each of its operations.
fn parabola_widened(z: Parabola, small: f32, least: f32) -> Parabola {
    let lost = vec4f(fma(FLUSHED, small, least));
    return Parabola(z.near, z.far, fma(z.error_bound, vec4f(1.0001), lost), z.middle, z.radius + lost);
}

// From values, their errors and a range. The rounding of the product that follows is put in: four ulp of each of its
// terms for near and far, whose sums count for themselves, and for the remainder as many as it has terms.
fn parabola_of(near: vec4f, far: vec4f, error_bound: vec4f, d: Range, terms: f32) -> Parabola {
    let middle = 0.5 * (d.low + d.high);
    let radius = 0.5 * (d.high - d.low);
    let all = fma(vec4f(4.0 * ULP), max(abs(near), abs(far)), error_bound) + TINY;
    let stray = radius + (terms + 16.0) * ULP * (abs(middle) + radius) + TINY;
    // Over a gap of an activation nothing is known: without this, infinities would become no number.
    let known = stray < vec4f(OPEN);
    return Parabola(near, far, all, select(vec4f(0.0), middle, known), select(vec4f(OPEN), stray, known));
}

// The bounds, padded for the rounding of their own last steps.
fn bounds_padded(low: f32, high: f32) -> Bounds {
    let pad = 32.0 * ULP * max(abs(low), abs(high));
    return Bounds(low - pad, high + pad);
}

fn bounds_scaled(b: Bounds, factor: f32) -> Bounds {
    return bounds_padded(b.low * factor, b.high * factor);
}

// How far above its start f may be at x, when its change from end to end is `rise`.
fn upper_bound(b: Bounds, rise: f32, x: f32) -> f32 {
    return rise * x + 4.0 * x * (1.0 - x) * b.high;
}

// The first x in [0, 1] where f may be `gap` above its start, 2 if there is none; `rise` is its change to the end.
fn first_reach(b: Bounds, rise: f32, gap: f32) -> f32 {
    // The upper parabola is rise x + 4 high x (1 - x); the ulp make up for the discriminant's cancellation.
    let room = gap - 8.0 * ULP * (gap + abs(rise) + abs(b.high));
    let slope = rise + 4.0 * b.high;
    let discriminant = slope * slope - 16.0 * b.high * room;
    let denominator = slope + sqrt(max(discriminant, 0.0));
    let none = discriminant < 0.0 || denominator <= 0.0;
    return select(select(2.0 * room / denominator, 2.0, none), 0.0, room <= 0.0);
}

// Crossings are enclosed ever closer from both sides.
const PINS = true;

// An x by which f has been `gap` above its start, where its end is; 2 where that is not sure.
fn last_reach(b: Bounds, rise: f32, gap: f32) -> f32 {
    return first_reach(Bounds(b.low, b.low), rise, gap + 32.0 * ULP * (abs(gap) + abs(rise) + abs(b.low)));
}

// How far f may leave what its end values say.
fn bounds_excess(b: Bounds) -> f32 {
    return max(abs(b.low), abs(b.high));
}

// The parabola says nothing of slopes.
fn only_rises(b: Bounds) -> bool {
    return false;
}

// True if f, at or above a value to begin with and `above` it at the end, is never below it.
fn stays_above(b: Bounds, above: f32) -> bool {
    // f - value >= (1 - x) (f(0) - value) + x (above + 4 (1 - x) low).
    return above + 4.0 * min(b.low, 0.0) >= 0.0;
}

var<private> ray_origin: vec3f;
var<private> ray_direction: vec3f;

const ENTERS_APART = false;

fn enclosure_begin(o: vec3f, d: vec3f, length: f32) {
    ray_origin = o;
    ray_direction = d;
}

// Four neurons of the first layer, whose z is linear along the ray: no remainder.
fn parabola_enter(bias: vec4f, m: mat4x4f, t0: f32, t1: f32) -> Parabola {
    let p0 = ray_origin + t0 * ray_direction;
    let p1 = ray_origin + t1 * ray_direction;
    // A point is off by an ulp of itself and one of t d; then come three products and three sums, an ulp of each.
    let size = abs(t1 * ray_direction) + 5.0 * max(abs(p0), abs(p1));
    let error_bound = ULP * plain_add(3.0 * abs(bias), block_abs(m), vec4f(size, 0.0));
    let near = plain_add(bias, m, vec4f(p0, 0.0));
    return Parabola(near, plain_add(bias, m, vec4f(p1, 0.0)), error_bound, vec4f(0.0), vec4f(0.0));
}

fn near_from_far() {
    near_value = far_value;
    near_error = far_error;
}
