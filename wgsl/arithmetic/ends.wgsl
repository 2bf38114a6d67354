// The two ends of a piece of a ray: the network's value there and a bound of its rounding; and products with blocks of weights.
#import arithmetic/range

var<private> near_value: f32;
var<private> near_error: f32;
var<private> far_value: f32;
var<private> far_error: f32;

fn sum_of(v: vec4f) -> f32 {
    return (v.x + v.y) + (v.z + v.w);
}

fn block_abs(m: mat4x4f) -> mat4x4f {
    return mat4x4f(abs(m[0]), abs(m[1]), abs(m[2]), abs(m[3]));
}

fn block_times(at: u32, h: vec4f) -> vec4f {
    return plain_add(vec4f(0.0), network_block(at), h);
}

fn block_times_abs(at: u32, h: vec4f) -> vec4f {
    return plain_add(vec4f(0.0), block_abs(network_block(at)), h);
}
