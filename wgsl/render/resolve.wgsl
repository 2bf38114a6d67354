// One pixel: the mean of its decided samples, a soft shoulder, sRGB, dither, eight bits.
#import generated/bindings

const GRIDS: i32 = 4;

// PCG hash (Jarzynski and Olano 2020), so that the dither is the same everywhere, every time.
fn pcg(v: u32) -> u32 {
    let state = v * 747796405u + 2891336453u;
    let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}

fn noise(pixel: vec2u, channel: u32) -> f32 {
    return f32(pcg(pixel.x + pcg(pixel.y + pcg(channel)))) / 4294967296.0;
}

// Linear up to 0.8, then bends so that no finite light reaches beyond 1.
fn shoulder(x: vec3f) -> vec3f {
    let knee = 0.8;
    let over = max(x - knee, vec3f(0.0));
    return min(x, vec3f(knee)) + (1.0 - knee) * over / (over + (1.0 - knee));
}

fn srgb_of(linear: vec3f) -> vec3f {
    let x = clamp(linear, vec3f(0.0), vec3f(1.0));
    return select(1.055 * pow(x, vec3f(1.0 / 2.4)) - 0.055, x * 12.92, x <= vec3f(0.0031308));
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let grid = i32(frame.grid);
    let size = vec2u(frame.tile / frame.grid);
    if any(id.xy >= size) {
        return;
    }
    var sum = vec4f(0.0);
    for (var y = 0; y < GRIDS; y++) {
        for (var x = 0; x < GRIDS; x++) {
            if x < grid && y < grid {
                sum += textureLoad(composed, vec2i(id.xy) * grid + vec2i(x, y), 0);
            }
        }
    }
    let pixel = id.xy + vec2u(frame.offset / frame.grid);
    if sum.a == 0.0 {
        // Nothing is known of this pixel: the grey between, in fine stripes that no surface has.
        let stripe = f32((pixel.x + pixel.y) / 2u % 2u) * 0.15;
        textureStore(picture, id.xy, vec4f(vec3f(0.45 + stripe), 1.0));
        return;
    }
    let mean = sum.rgb / sum.a;
    if frame.encode < 0.5 {
        textureStore(picture, id.xy, vec4f(clamp(mean, vec3f(0.0), vec3f(1.0)), 1.0));
        return;
    }
    // On paper white must stay white, so only the dark theme has a shoulder.
    var light = mean;
    if frame.paper < 0.5 {
        light = shoulder(mean);
    }
    let encoded = srgb_of(light);
    // Triangular noise of one step each way hides the eight bits; pure black and white stay pure.
    let dither = vec3f(
        noise(pixel, 0u) - noise(pixel, 3u),
        noise(pixel, 1u) - noise(pixel, 4u),
        noise(pixel, 2u) - noise(pixel, 5u)
    ) * 0.5 / 255.0;
    let inside = (encoded > vec3f(0.5 / 255.0)) & (encoded < vec3f(254.5 / 255.0));
    textureStore(picture, id.xy, vec4f(clamp(encoded + select(vec3f(0.0), dither, inside), vec3f(0.0), vec3f(1.0)), 1.0));
}
