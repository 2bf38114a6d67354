// How far f may stray over a piece of a ray; arithmetic/slope_bounds and arithmetic/parabola_bounds say in which units.
#import arithmetic/range

// More than a dozen operations lose whose results are below 2^-126, where adapters may give 0; and so much more that
// products with it are not below, since processors take a hundred times as long for those.
const TINY = 1.0e-30;
// More than what products with weights below 2^-126 lose, in parts of their factor's error bound: 2^-126 of 3 ulp.
const FLUSHED = 1.0e-30;

struct Bounds {
    low: f32,
    high: f32,
}

// The bounds of -f over the same piece.
fn bounds_mirrored(b: Bounds) -> Bounds {
    return Bounds(-b.high, -b.low);
}
