// One pixel: the mean of its decided samples, a soft shoulder, sRGB, dither; or their light as it is.
#import generated/bindings
#import lib/srgb
#import lib/stripes

// Constants, not uniforms: software drivers run both sides of a branch that they cannot decide beforehand.
override GRID: i32 = 1;
override ENCODE: bool = true;
override SHOULDER: bool = true;
override DITHER: bool = true;
// The light itself is the result; and values that are not light are decoded for that.
override LINEAR: bool = false;
override DECODE: bool = false;
// 1: without a background, on a checkerboard; 2: with alpha.
override CLEAR: i32 = 0;

// pcg3d (Jarzynski and Olano 2020): three even numbers in [0, 1), the same for a pixel everywhere, every time.
fn noise(seed: vec3u) -> vec3f {
    var v = seed * 1664525u + 1013904223u;
    v.x += v.y * v.z;
    v.y += v.z * v.x;
    v.z += v.x * v.y;
    v ^= v >> vec3u(16u);
    v.x += v.y * v.z;
    v.y += v.z * v.x;
    v.z += v.x * v.y;
    return vec3f(v) / 4294967296.0;
}

// Linear up to 0.8, then bends so that no finite light reaches beyond 1.
fn shoulder(x: vec3f) -> vec3f {
    let knee = 0.8;
    let over = max(x - knee, vec3f(0.0));
    return min(x, vec3f(knee)) + (1.0 - knee) * over / (over + (1.0 - knee));
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let size = vec2u(frame.tile / f32(GRID));
    if any(id.xy >= size) {
        return;
    }
    var sum = vec4f(0.0);
    var count = 0.0;
    for (var y = 0; y < GRID; y++) {
        for (var x = 0; x < GRID; x++) {
            let sample = textureLoad(composed, vec2i(id.xy) * GRID + vec2i(x, y), 0);
            // Without a background an alpha below 0 marks a sample that was not decided.
            let counts = CLEAR == 0 || sample.a >= 0.0;
            sum += select(vec4f(0.0), sample, counts);
            count += f32(counts);
        }
    }
    let pixel = id.xy + vec2u(frame.offset / f32(GRID));
    var unknown = sum.a == 0.0;
    var alpha = 1.0;
    var mean = sum.rgb / max(sum.a, 1e-6);
    if CLEAR > 0 {
        unknown = count == 0.0;
        alpha = select(clamp(sum.a / max(count, 1.0), 0.0, 1.0), 1.0, unknown);
        if CLEAR == 1 {
            let square = f32((pixel.x / 8u + pixel.y / 8u) % 2u);
            mean = sum.rgb / max(count, 1.0) + (1.0 - alpha) * mix(1.0, 0.8, square);
            alpha = 1.0;
        }
    }
    var result = mean;
    if ENCODE {
        if SHOULDER {
            result = shoulder(mean);
        }
        let encoded = srgb_of(result);
        // Triangular noise of half a step each way hides the eight bits; pure black and white stay pure.
        let dither = (noise(vec3u(pixel, 0u)) - noise(vec3u(pixel, 1u))) * 0.5 / 255.0;
        let inside = (encoded > vec3f(0.5 / 255.0)) & (encoded < vec3f(254.5 / 255.0));
        result = encoded + select(vec3f(0.0), dither, inside & vec3<bool>(DITHER));
    }
    result = select(result, stripes(pixel), unknown);
    if LINEAR {
        if DECODE || unknown {
            result = linear_of(clamp(result, vec3f(0.0), vec3f(1.0)));
        }
        textureStore(picture, id.xy, vec4f(result * alpha, alpha));
    } else {
        textureStore(picture, id.xy, vec4f(clamp(result, vec3f(0.0), vec3f(1.0)), alpha));
    }
}
