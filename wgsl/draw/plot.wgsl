// One column of samples of a curve: how near each sample is to the line through the values round it.
#import generated/bindings
#import lib/finite

// More points than ever lie within a line's width: four a sample, and lines of that many are a sample apart.
const MOST = 8192u;

struct Varying {
    @builtin(position) position: vec4f,
    @location(0) @interpolate(flat) points: vec2u,
}

fn value_at(k: u32) -> f32 {
    return values[k * plot.stride + plot.output];
}

// A point of the curve, in samples of the picture.
fn point(k: u32) -> vec2f {
    let value = value_at(k);
    // The difference is exact for values near the middle: zooming in loses no more than the value itself has lost.
    let y = plot.middle.y - ((value - plot.high) - plot.low) * plot.rise;
    let x = plot.middle.x + (f32(k) + 0.5 - f32(plot.count) * 0.5) / plot.density;
    // Far outside the picture a line's direction does not matter, but its square must stay finite.
    return vec2f(x, clamp(y, plot.place.y - 1e5, plot.place.w + 1e5));
}

// The points whose lines may touch the samples of a column.
fn points_near(x: f32) -> vec2u {
    let reach = plot.half_width + 1.0;
    let middle = f32(plot.count) * 0.5 - 0.5;
    let first = floor((x - reach - plot.middle.x) * plot.density + middle);
    let last = ceil((x + reach - plot.middle.x) * plot.density + middle);
    let end = f32(plot.count - 1u);
    return vec2u(u32(clamp(first, 0.0, end)), u32(clamp(last, 0.0, end)));
}

@vertex
fn vertex(@builtin(vertex_index) i: u32, @builtin(instance_index) column: u32) -> Varying {
    let x = plot.place.x + f32(column);
    let near = points_near(x + 0.5);
    var low = 1e30;
    var high = -1e30;
    for (var step = 0u; step < MOST; step++) {
        let k = near.x + step;
        if k > near.y {
            break;
        }
        if is_finite(value_at(k)) {
            let y = point(k).y;
            low = min(low, y);
            high = max(high, y);
        }
    }
    low = clamp(low - plot.half_width - 1.0, plot.place.y, plot.place.w);
    high = clamp(high + plot.half_width + 1.0, plot.place.y, plot.place.w);
    let corner = vec2f(x + f32(i & 1u), select(low, high, i >= 2u));
    let at = (corner - frame.offset) / frame.tile;
    return Varying(vec4f(at.x * 2.0 - 1.0, 1.0 - at.y * 2.0, 0.0, 1.0), near);
}

fn distance_to(p: vec2f, a: vec2f, b: vec2f) -> f32 {
    let side = b - a;
    let along = clamp(dot(p - a, side) / max(dot(side, side), 1e-20), 0.0, 1.0);
    return length(p - a - side * along);
}

@fragment
fn fragment(v: Varying) -> @location(0) vec4f {
    let p = v.position.xy + frame.offset;
    var nearest = 1e30;
    var a = point(v.points.x);
    var known = is_finite(value_at(v.points.x));
    for (var step = 1u; step < MOST; step++) {
        let k = v.points.x + step;
        if k > v.points.y {
            break;
        }
        let b = point(k);
        let next_known = is_finite(value_at(k));
        // Where a value is not finite the curve has a gap.
        if known && next_known {
            nearest = min(nearest, distance_to(p, a, b));
        }
        a = b;
        known = next_known;
    }
    let alpha = clamp(plot.half_width + 0.5 - nearest, 0.0, 1.0) * plot.colour.a;
    return vec4f(plot.colour.rgb * alpha, alpha);
}
