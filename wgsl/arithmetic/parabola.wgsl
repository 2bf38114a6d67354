// Arithmetic over a piece of a ray: four neurons' responses at both ends, and how far they may be from the chord
// between, in units of 4 x (1 - x) for x from 0 to 1: from middle - radius to middle + radius.
#import arithmetic/ends
#import arithmetic/parabola_bounds
#import arithmetic/plain

// The remainder of what may be anything.
const OPEN = 1.0e30;

struct Parabola {
    near: vec4f,
    far: vec4f,
    error_bound: vec4f, // how far rounding may have moved near or far
    middle: vec4f,
    radius: vec4f,
}

// The sums of a layer, once they are complete: padded for the rounding of their own sums, and for what products lose
// below 2^-126. `small` is the sum of all responses' error bounds and radii, `least` 2^-126 for each of its operations;
// `limit` is what no error bound of the layer need be above (codegen/bounds/rounding).
fn parabola_widened(z: Parabola, small: f32, least: f32, limit: f32) -> Parabola {
    let lost = vec4f(fma(FLUSHED, small, least));
    let error_bound = min(fma(z.error_bound, vec4f(1.0001), lost), vec4f(limit));
    return Parabola(z.near, z.far, error_bound, z.middle, z.radius + lost);
}

// From values, their errors and a range. The rounding of the product that follows is put in: three ulp of each of its
// terms for near and far, a product and two sums; further sums count for themselves; and for the remainder as many as it has terms.
fn parabola_of(near: vec4f, far: vec4f, error_bound: vec4f, d: Range, terms: f32) -> Parabola {
    let middle = 0.5 * (d.low + d.high);
    let radius = 0.5 * (d.high - d.low);
    let all = fma(vec4f(3.0 * ULP), max(abs(near), abs(far)), error_bound) + TINY;
    let stray = radius + (terms + 16.0) * ULP * (abs(middle) + radius) + TINY;
    // Over a gap of an activation nothing is known: without this, infinities would become no number.
    let known = stray < vec4f(OPEN);
    return Parabola(near, far, all, select(vec4f(0.0), middle, known), select(vec4f(OPEN), stray, known));
}
