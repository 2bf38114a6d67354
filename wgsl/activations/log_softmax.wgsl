// The last part of log softmax, which takes a whole layer: what softmax's exponentials and their sum make of z.
#import activations/softmax
#import lib/logarithm

// The difference first: it is as exact as z, where the logarithm of the sum of all is not.
fn log_softmax_rest(z: vec4f, largest: f32, total: f32) -> vec4f {
    return number_unless(is_nan(vec4f(total)), (z - largest) - safe_log(vec4f(total)));
}
