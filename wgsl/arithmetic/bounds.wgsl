// How far f may stray over a piece of a ray; arithmetic/slope_bounds and arithmetic/parabola_bounds say in which units.
#import arithmetic/range

struct Bounds {
    low: f32,
    high: f32,
}

// The bounds of -f over the same piece.
fn bounds_mirrored(b: Bounds) -> Bounds {
    return Bounds(-b.high, -b.low);
}
