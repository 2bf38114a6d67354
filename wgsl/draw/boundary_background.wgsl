// What is under the lines: the network's prediction, its target, its loss, or its linear regions.
#import generated/bindings
#import generated/boundaries
#import lib/exponential
#import lib/palette
#import lib/srgb
#import lib/finite

// none, prediction, target, loss, regions
override BACKGROUND: u32 = 0u;

// At the sample itself: outputs before the last activation, the number of the region's colour, the lit side.
var<private> outputs_here: array<vec4f, (OUTPUTS + 3u) / 4u>;
var<private> region: u32;
var<private> is_lit: bool;

// Each neuron flips some of four bits of the number: pieces on both sides of a line never have the same.
fn region_of(g: u32) -> u32 {
    let number = vec4u(4u * g) + vec4u(0u, 1u, 2u, 3u);
    // Fibonacci hashing (Knuth, volume 3, section 6.4), then 1 to 15.
    let code = ((number * 2654435769u) >> vec4u(16u)) % vec4u(15u) + vec4u(1u);
    let on = ((sides_of(g) >> vec4u(g % 32u)) & vec4u(1u)) * code;
    return on.x ^ on.y ^ on.z ^ on.w;
}

fn store_background() {
    outputs_here = outputs;
    if BACKGROUND == 4u {
        region = 0u;
        for (var g = 0u; g < GROUPS; g++) {
            region ^= region_of(g);
        }
    }
    let lit = min(node.lit, DECISION);
    is_lit = node.lit != NONE && ((sides_of(lit / 4u)[lit % 4u] >> (lit / 4u % 32u)) & 1u) == 1u;
}

fn output_here(k: u32) -> f32 {
    return outputs_here[k / 4u][k % 4u] * node.unit;
}

fn answer(k: u32) -> f32 {
    return value_of(vec4f(output_here(k)), k).x;
}

fn is_lost() -> bool {
    return BACKGROUND != 0u && BACKGROUND != 2u && !is_finite(output_here(0u));
}

// The largest output, its number, and the logarithm of the sum of all exponentials.
fn winner() -> vec3f {
    var most = vec2f(output_here(0u), 0.0);
    for (var k = 1u; k < OUTPUTS; k++) {
        most = select(most, vec2f(output_here(k), f32(k)), output_here(k) > most.x);
    }
    var total = 0.0;
    for (var k = 0u; k < OUTPUTS; k++) {
        total += safe_exp(vec4f(output_here(k) - most.x)).x;
    }
    return vec3f(most, most.x + log(total));
}

fn prediction() -> vec3f {
    if !CLASSES && OUTPUTS == 3u {
        return linear_of(clamp(vec3f(answer(0u), answer(1u), answer(2u)), vec3f(0.0), vec3f(1.0)));
    }
    if !CLASSES {
        return linear_of(clamp(vec3f(answer(0u)), vec3f(0.0), vec3f(1.0)));
    }
    let most = winner();
    let sure = safe_exp(vec4f(most.x - most.z)).x;
    if OUTPUTS == 2u {
        return linear_of(vec3f(select(1.0 - sure, sure, most.y == 1.0)));
    }
    // Chance is the grey of no colour.
    let chance = 1.0 / f32(OUTPUTS);
    return mix(node.tints[16].rgb, node.tints[u32(most.y) % 16u].rgb, clamp((sure - chance) / (1.0 - chance), 0.0, 1.0));
}

// Red, green and blue as the image has them; below 0 outside it.
fn target_at(at: vec2f) -> vec3f {
    let texel = vec2i(floor(fma(at, node.texels.zw, node.texels.xy)));
    let size = vec2i(textureDimensions(target_image));
    let inside = all(texel >= vec2i(0)) && all(texel < size);
    return select(vec3f(-1.0), textureLoad(target_image, clamp(texel, vec2i(0), size - 1), 0).rgb, inside);
}

// Cross-entropy in nats, or the mean squared error.
fn loss(wanted: vec3f) -> f32 {
    if CLASSES {
        let value = u32(round(wanted.r * 255.0));
        let class_number = min(select(value, value / 128u, OUTPUTS <= 2u), OUTPUTS - 1u);
        return winner().z - output_here(class_number);
    }
    var sum = 0.0;
    for (var k = 0u; k < OUTPUTS; k++) {
        let error = answer(k) - wanted[min(k, 2u)];
        sum += error * error;
    }
    return sum / f32(OUTPUTS);
}

// Premultiplied; nothing where there is no background.
fn background(at: vec2f) -> vec4f {
    var colour = vec4f(0.0);
    if BACKGROUND == 1u {
        colour = vec4f(prediction(), 1.0);
    } else if BACKGROUND == 4u {
        colour = vec4f(mix(node.tints[region].rgb, prediction(), node.mixture), 1.0);
    } else if BACKGROUND != 0u {
        let wanted = target_at(at);
        if wanted.r >= 0.0 {
            colour = vec4f(linear_of(wanted), 1.0);
            if BACKGROUND == 3u {
                colour = vec4f(palette_colour(loss(wanted) / node.most_loss), 1.0);
            }
        }
    }
    colour *= 1.0 - node.fade;
    let light = select(0.0, node.light.a, is_lit);
    return colour * (1.0 - light) + vec4f(node.light.rgb * light, light);
}
