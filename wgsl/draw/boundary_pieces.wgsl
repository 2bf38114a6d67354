// The piece of the plane in which a network is linear: what its walls leave of a line, and which walls are near.
#import generated/boundaries

// How far past a wall the next piece is asked for its lines, in samples; thinner pieces may be missed.
const PAST = 0.03;
// Bits of a wall's number in a key; the others hold the squared distance, so that the least key is the nearest.
const NUMBER = 0xfffu;

// Whether a line may reach the sample: the squared distance at which it no longer does is in `reaches`, below 0 if hidden.
fn is_near(g: u32) -> vec4<bool> {
    let squared = walls_x[g] * walls_x[g] + walls_y[g] * walls_y[g];
    return walls[g] * walls[g] < reaches[g] * squared;
}

// Cuts a line at the walls of group g, if asked to: foot + s way stays where each wall's sum is not below 0.
fn span_of(g: u32, foot: vec2f, way: vec2f, asked: bool, start: ptr<function, vec4f>, end: ptr<function, vec4f>) {
    let value = fma(walls_x[g], foot.xxxx, fma(walls_y[g], foot.yyyy, walls[g]));
    let rate = walls_x[g] * way.x + walls_y[g] * way.y;
    let cut = -value / rate;
    // A parallel wall cuts all or nothing.
    let behind = vec4<bool>(asked) & (rate == vec4f(0.0)) & (value < vec4f(0.0));
    *start = max(*start, select(vec4f(-1e30), cut, vec4<bool>(asked) & (rate > vec4f(0.0))));
    *end = min(*end, select(vec4f(1e30), cut, vec4<bool>(asked) & (rate < vec4f(0.0))));
    *end = select(*end, vec4f(-2e30), behind);
}

// Takes the walls of group g into the keys of the nearest and the second nearest, four side by side.
fn kinks_of(g: u32, reach: f32, first: ptr<function, vec4u>, second: ptr<function, vec4u>) {
    let squared = walls_x[g] * walls_x[g] + walls_y[g] * walls_y[g];
    let far = walls[g] * walls[g] / max(squared, vec4f(1e-37));
    let number = vec4u(4u * g) + vec4u(0u, 1u, 2u, 3u);
    let near = (far < vec4f(reach * reach)) & (squared > vec4f(0.0));
    let key = select(vec4u(NONE), (bitcast<vec4u>(far) & vec4u(~NUMBER)) | number, near);
    *second = min(*second, max(*first, key));
    *first = min(*first, key);
}

fn least(keys: vec4u) -> u32 {
    return min(min(keys.x, keys.y), min(keys.z, keys.w));
}

fn step_across(key: u32) -> vec2f {
    let lane = min(key & NUMBER, DECISION);
    let wall = wall_of(lane);
    let rate = inverseSqrt(max(dot(wall.yz, wall.yz), 1e-37));
    return select(-wall.yz * rate * (wall.x * rate + PAST), vec2f(0.0), key == NONE);
}

fn two_steps(first: vec4u, second: vec4u) -> vec4f {
    let nearest = least(first);
    let next = least(select(first, second, first == vec4u(nearest)));
    return vec4f(step_across(nearest), step_across(next));
}
