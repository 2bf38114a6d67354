// Arithmetic over a piece of a ray: four neurons' responses at both ends, and how far they may be from the chord
// between, in units of 4 x (1 - x) for x from 0 to 1: from middle - radius to middle + radius.
#import arithmetic/ends
#import arithmetic/parabola_bounds
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

var<private> ray_origin: vec3f;
var<private> ray_direction: vec3f;

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
