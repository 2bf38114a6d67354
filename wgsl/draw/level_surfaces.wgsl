// One sample: the surfaces its ray crosses, front to back, each shaded, as a list of layers.
#import generated/bindings
#import lib/layers
#import generated/crossings
#import draw/studio
#import draw/debug_view

const UNDECIDED_COLOUR = vec3f(1.0, 0.0, 0.75);
const GRAZE_COLOUR = vec3f(1.0, 0.25, 0.0);

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
    let at = group.xy * 8u + place_in_group(invocation);
    let tile = vec2u(frame.tile);
    if any(at >= tile) {
        return;
    }
    let samples = tile.x * tile.y;
    let first = (u32(surface.list) * samples + at.y * tile.x + at.x) * LAYERS;
    let ray = surface_ray(at);
    var count = 0u;
    if ray.chord.length > 0.0 {
        atomicAdd(&counts[0], 1u);
        if surface.draft > 0.5 {
            atomicAdd(&counts[2], 1u);
        }
        count = surface_layers(first, ray);
        if DEBUG_VIEW == VIEW_SEGMENTS || DEBUG_VIEW == VIEW_OVERDRAW || DEBUG_VIEW == VIEW_TREE {
            let value = select(f32(select(count, ray_segments(ray), DEBUG_VIEW == VIEW_SEGMENTS)), ray_left(ray),
                DEBUG_VIEW == VIEW_TREE);
            layers[first] = ray_layer(ray.chord.start / ray.unit, value);
            count = 1u;
        }
    }
    if count < LAYERS {
        layers[first + count] = pack_layer(NOTHING, vec4f(0.0), false);
    }
}

fn surface_layers(first: u32, ray: SurfaceRay) -> u32 {
    let most = u32(surface.most);
    var count = 0u;
    var answer = 0u;
    crossings_begin(ray);
    // The loop ends at its foot: llvmpipe runs one that ends at its top once more, for no invocation.
    loop {
        let crossing = ray_crossing(ray, answer);
        let distance = (ray.chord.start + crossing.t) / ray.unit;
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
        if hit && answer == 0u {
            atomicAdd(&counts[4], 1u);
        }
        if hit && !cut {
            let p = ray.entry + ray.direction * crossing.t;
            layers[first + count] = surface_layer(ray, p, ray_gradient(ray, count, p), crossing.level, distance);
            count += 1u;
        }
        answer += 1u;
        if !hit || cut || answer >= u32(surface.answers) {
            break;
        }
    }
    return count;
}

fn surface_layer(ray: SurfaceRay, p: vec3f, gradient: vec3f, level: f32, distance: f32) -> vec4u {
    var normal = normalize((surface.normals * vec4f(gradient, 0.0)).xyz);
    if dot(normal, ray.world.direction) > 0.0 {
        normal = -normal;
    }
    if DEBUG_VIEW == VIEW_DEPTH {
        return pack_layer(distance, vec4f(debug_colour(distance), 1.0), false);
    }
    if DEBUG_VIEW == VIEW_NORMALS {
        return pack_layer(distance, vec4f(normal_colour(normal), 1.0), false);
    }
    let height = surface.level + surface.spacing * level;
    let shading = studio_shading(p, normal, length(gradient), height, ray.world, distance);
    return pack_layer(distance, vec4f(shading.colour * shading.alpha, shading.alpha), false);
}
