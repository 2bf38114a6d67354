// What a search takes of the bounds of a network's output over a piece of a ray.
#import arithmetic/parabola
#import lib/finite

// More than any value: nothing is known of a network whose numbers overflow.
const UNKNOWN = 3.0e38;

struct Ended {
    ends: vec4f, // f at the near end, its error bound, the same at the far end
    range: vec2f, // how far f may leave the chord
}

fn parabola_ended(z: Parabola) -> Ended {
    let error = z.error_bound.x * 1.00001;
    let b = bounds_padded(z.middle.x - z.radius.x, z.middle.x + z.radius.x);
    let known = is_finite(z.near.x) && is_finite(z.far.x) && is_finite(error) && is_finite(b.low) && is_finite(b.high);
    return Ended(
        select(vec4f(0.0, UNKNOWN, 0.0, UNKNOWN), vec4f(z.near.x, error, z.far.x, error), known),
        select(vec2f(-UNKNOWN, UNKNOWN), vec2f(b.low, b.high), known),
    );
}
