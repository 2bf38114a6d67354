// One sample: the layers of all lists laid front to back over what is solid, up to the first solid thing.
#import generated/bindings
#import lib/ray
#import lib/layers

// How many lists of layers there are, 1 to 4.
override LISTS: u32 = 1u;
// Whether there is no background, so that alpha is kept.
override CLEAR: bool = false;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let tile = vec2u(frame.tile);
    if any(id.xy >= tile) {
        return;
    }
    let solid = textureLoad(colour, id.xy, 0);
    let depth = textureLoad(depth_map, id.xy, 0);
    let ray = sample_ray(vec2f(id.xy) + frame.offset);
    let limit = select(NOTHING, depth_distance(depth, ray.direction), depth < 1.0);

    let samples = tile.x * tile.y;
    let sample = id.y * tile.x + id.x;
    var next = vec4u(0u);
    var light = vec3f(0.0);
    var through = 1.0;
    var decided = true;
    for (var step = 0u; step < LAYERS * LISTS; step++) {
        // Of the lists' next layers the nearest.
        var nearest = NOTHING;
        var chosen = vec4u(0u);
        var list_chosen = 0u;
        for (var list = 0u; list < LISTS; list++) {
            if next[list] < LAYERS {
                let layer = layers[(list * samples + sample) * LAYERS + next[list]];
                if layer_distance(layer) < nearest {
                    nearest = layer_distance(layer);
                    chosen = layer;
                    list_chosen = list;
                }
            }
        }
        if nearest >= limit || nearest >= NOTHING {
            break;
        }
        next[list_chosen] += 1u;
        if chosen.w == 1u {
            // What is not known matters only if it would be seen: a step of eight bits is 1/255.
            decided = through < 1.0 / 512.0;
            break;
        }
        let c = layer_colour(chosen);
        light += through * c.rgb;
        through *= 1.0 - c.a;
    }
    // Alpha says how much a sample counts: one whose ray was not decided is no part of its pixel's mean.
    // Without a background it is needed for itself, and is below 0 there.
    let known = vec4f(light + through * solid.rgb, select(1.0, 1.0 - through * (1.0 - solid.a), CLEAR));
    let result = select(vec4f(0.0, 0.0, 0.0, select(0.0, -1.0, CLEAR)), known, decided);
    textureStore(composed, id.xy, result);
}
