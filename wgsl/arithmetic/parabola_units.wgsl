// Over a piece of a ray, for layers whose units differ: what carries its sum on, products of pairs, a choice by neuron.
#import arithmetic/parabola

// A neuron that carries its sum on.
fn parabola_passed(z: Parabola, terms: f32) -> Parabola {
    return parabola_of(z.near, z.far, z.error_bound, Range(z.middle - z.radius, z.middle + z.radius), terms);
}

// Pairs f, g: f becomes the product, g is carried on. Along the chords f', g' with remainders u F, u G, where u is
// 4 x (1 - x), f g = f' g' + u (f' G + g' F + u F G); and f' g' is u (change of f') (change of g') / 4 below its chord.
fn parabola_product(z: Parabola, terms: f32) -> Parabola {
    let e = z.error_bound;
    let p = z.near * z.near.yyww;
    let q = z.far * z.far.yyww;
    let size = max(abs(z.near), abs(z.far));
    let error = size * e.yyww + size.yyww * e + e * e.yyww + ULP * max(abs(p), abs(q));
    let value = Range(min(z.near, z.far) - e, max(z.near, z.far) + e);
    let change = Range(z.far - z.near - 2.0 * e, z.far - z.near + 2.0 * e);
    let own = Range(z.middle - z.radius, z.middle + z.radius);
    let r = range_times(value, range_second(own));
    let s = range_times(range_second(value), own);
    let both = range_times(own, range_second(own));
    let bent = range_times(change, range_second(change));
    let low = r.low + s.low + min(both.low, vec4f(0.0)) - 0.25 * bent.high;
    let high = r.high + s.high + max(both.high, vec4f(0.0)) - 0.25 * bent.low;
    let sum = range_size(r) + range_size(s) + range_size(both) + range_size(bent);
    let d = Range(select(own.low, low - 16.0 * ULP * sum, FIRSTS), select(own.high, high + 16.0 * ULP * sum, FIRSTS));
    return parabola_of(
        select(z.near, p, FIRSTS), select(z.far, q, FIRSTS), select(e, error, FIRSTS), d, terms,
    );
}

fn range_second(r: Range) -> Range {
    return Range(r.low.yyww, r.high.yyww);
}

fn range_size(r: Range) -> vec4f {
    return max(abs(r.low), abs(r.high));
}

fn parabola_select(p: Parabola, q: Parabola, mask: vec4<bool>) -> Parabola {
    return Parabola(
        select(p.near, q.near, mask),
        select(p.far, q.far, mask),
        select(p.error_bound, q.error_bound, mask),
        select(p.middle, q.middle, mask),
        select(p.radius, q.radius, mask),
    );
}
