// One sample: the surfaces its ray crosses, front to back, each shaded, as a list of layers.
#import generated/bindings
#import lib/block
#import lib/ray
#import lib/layers
#import lib/region
#import generated/network
#import arithmetic/search
#import draw/studio
#import draw/debug_view

const UNDECIDED_COLOUR = vec3f(1.0, 0.0, 0.75);
const GRAZE_COLOUR = vec3f(1.0, 0.75, 0.0);

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
    let at = group.xy * 8u + place_in_group(invocation);
    let tile = vec2u(frame.tile);
    if any(at >= tile) {
        return;
    }
    let samples = tile.x * tile.y;
    let first = (u32(surface.list) * samples + at.y * tile.x + at.x) * LAYERS;
    let ray = sample_ray(vec2f(at) + frame.offset);
    let origin = (surface.inverse * vec4f(ray.origin, 1.0)).xyz;
    let stretched = (surface.inverse * vec4f(ray.direction, 0.0)).xyz;
    let unit = length(stretched);
    let direction = stretched / unit;
    let chord = region_chord(origin, direction);
    var count = 0u;
    if chord.length > 0.0 {
        count = cast_layers(first, ray, origin + direction * chord.start, direction, chord, unit);
        if DEBUG_VIEW == VIEW_SEGMENTS || DEBUG_VIEW == VIEW_OVERDRAW {
            layers[first] = ray_layer(chord.start / unit, search_segments, count);
            count = 1u;
        }
    }
    if count < LAYERS {
        layers[first + count] = pack_layer(NOTHING, vec4f(0.0), false);
    }
}

fn cast_layers(first: u32, ray: Ray, entry: vec3f, direction: vec3f, chord: Chord, unit: f32) -> u32 {
    let most = u32(surface.most);
    var count = 0u;
    var searches = 0u;
    search_begin(entry, direction, chord.length, surface.level, surface.spacing, surface.single > 0.5);
    // The loop ends at its foot: llvmpipe runs one that ends at its top once more, for no invocation.
    loop {
        let crossing = search_next();
        let distance = (chord.start + crossing.t) / unit;
        let hit = crossing.outcome == HIT;
        let unknown = crossing.outcome == GRAZE || crossing.outcome == UNDECIDED;
        // A ray that crosses more surfaces than have room is counted: by one crossing more than that.
        let cut = hit && count == most;
        if unknown || cut {
            atomicAdd(&counts[select(select(2u, 1u, crossing.outcome == GRAZE), 3u, cut)], 1u);
        }
        if unknown && count < LAYERS {
            let colour = select(UNDECIDED_COLOUR, GRAZE_COLOUR, crossing.outcome == GRAZE);
            layers[first + count] = pack_layer(distance, vec4f(colour, 1.0), surface.undecided < 0.5);
            count += 1u;
        }
        if hit && !cut {
            let p = entry + direction * crossing.t;
            layers[first + count] = surface_layer(p, crossing.level, ray, direction, distance);
            count += 1u;
        }
        searches += 1u;
        if !hit || cut || searches >= u32(surface.searches) {
            break;
        }
    }
    return count;
}

fn surface_layer(p: vec3f, level: f32, ray: Ray, direction: vec3f, distance: f32) -> vec4u {
    let sample = network_sample(p, 0u);
    var normal = normalize((surface.normals * vec4f(sample.gradient, 0.0)).xyz);
    if dot(normal, ray.direction) > 0.0 {
        normal = -normal;
    }
    if DEBUG_VIEW == VIEW_DEPTH {
        return pack_layer(distance, vec4f(debug_colour(distance), 1.0), false);
    }
    if DEBUG_VIEW == VIEW_NORMALS {
        return pack_layer(distance, vec4f(normal_colour(normal), 1.0), false);
    }
    let height = surface.level + surface.spacing * level;
    let shading = studio_shading(p, normal, length(sample.gradient), height, ray, distance);
    return pack_layer(distance, vec4f(shading.colour * shading.alpha, shading.alpha), false);
}
