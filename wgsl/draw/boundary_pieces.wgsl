// The piece of the plane in which a network is linear: the part of a line within it, and which lines are near.
#import generated/boundaries

// How far past a line the next piece is evaluated, in samples; thinner pieces may be missed.
const PAST = 0.03;
// Bits of a line's number in a key; the others hold the squared distance, so that the least key is the nearest.
const NUMBER = 0xfffu;

// Whether a line may reach the sample at q + back: `reaches` has the squared distances, below 0 if hidden.
fn is_near(g: u32, back: vec2f) -> vec4<bool> {
    let x = sums_x(g);
    let y = sums_y(g);
    let value = fma(x, back.xxxx, fma(y, back.yyyy, sums(g)));
    let squared = x * x + y * y;
    return value * value < reaches[g] * squared;
}

// Cuts a line at the lines of group g, if `cuts`: foot + s tangent stays on the side of each of them where q is.
fn span_of(g: u32, foot: vec2f, tangent: vec2f, cuts: bool, start: ptr<function, vec4f>, end: ptr<function, vec4f>) {
    // Slightly beside 0, and never quite parallel: a line along this one then cuts all of it or nothing, and no line at
    // all, a sum of 0 everywhere, nothing.
    let z = sums(g);
    let x = sums_x(g);
    let y = sums_y(g);
    let value = fma(x, foot.xxxx, fma(y, foot.yyyy, z)) - vec4f(1e-30);
    let along = x * tangent.x + y * tangent.y;
    let cut = -value / select(along, vec4f(1e-37), along == vec4f(0.0));
    let ahead = (along >= vec4f(0.0)) == (z > vec4f(0.0));
    *start = max(*start, select(vec4f(-1e30), cut, vec4<bool>(cuts) & ahead));
    *end = min(*end, select(cut, vec4f(1e30), !vec4<bool>(cuts) | ahead));
}

// Takes the lines of group g into the keys of the nearest and the second nearest, four side by side.
fn kinks_of(g: u32, reach: f32, first: ptr<function, vec4u>, second: ptr<function, vec4u>) {
    let z = sums(g);
    let x = sums_x(g);
    let y = sums_y(g);
    let far = z * z / (x * x + y * y);
    let number = vec4u(4u * g) + vec4u(0u, 1u, 2u, 3u);
    // NaN where there is no line, which is not below anything.
    let near = far < vec4f(select(0.0, reach * reach, g < node.bending));
    let key = select(vec4u(NONE), (bitcast<vec4u>(far) & vec4u(~NUMBER)) | number, near);
    *second = min(*second, max(*first, key));
    *first = min(*first, key);
}

fn least(keys: vec4u) -> u32 {
    return min(min(keys.x, keys.y), min(keys.z, keys.w));
}

fn step_across(key: u32) -> vec2f {
    let index = min(key & NUMBER, DECISION);
    let sum = line_of(index);
    let rate = inverseSqrt(max(dot(sum.yz, sum.yz), 1e-37));
    let far = abs(sum.x) * rate + PAST;
    return select(sum.yz * rate * select(far, -far, sum.x > 0.0), vec2f(0.0), key == NONE);
}

fn two_steps(first: vec4u, second: vec4u) -> vec4f {
    let nearest = least(first);
    let next = least(select(first, second, first == vec4u(nearest)));
    return vec4f(step_across(nearest), step_across(next));
}
