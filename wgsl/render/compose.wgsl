// One sample: the layers of all lists laid front to back over what is solid, up to the first solid thing.
#import generated/bindings
#import lib/ray
#import lib/layers

const LISTS: u32 = 4u;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let tile = vec2u(frame.tile);
    if any(id.xy >= tile) {
        return;
    }
    let ground = textureLoad(colour, id.xy, 0);
    let depth = textureLoad(depth_map, id.xy, 0);
    let ray = sample_ray(vec2f(id.xy) + frame.offset);
    let limit = select(NOTHING, depth_distance(depth, ray.direction), depth < 1.0);

    let samples = tile.x * tile.y;
    let sample = id.y * tile.x + id.x;
    var next = array<u32, LISTS>(0u, 0u, 0u, 0u);
    var light = vec3f(0.0);
    var through = 1.0;
    var decided = true;
    for (var step = 0u; step < LAYERS * LISTS; step++) {
        var nearest = NOTHING;
        var source = LISTS;
        for (var list = 0u; list < LISTS; list++) {
            if list < frame.lists && next[list] < LAYERS {
                let distance = layer_distance(layers[(list * samples + sample) * LAYERS + next[list]]);
                if distance < nearest {
                    nearest = distance;
                    source = list;
                }
            }
        }
        if source == LISTS || nearest >= limit {
            break;
        }
        let layer = layers[(source * samples + sample) * LAYERS + next[source]];
        next[source] += 1u;
        let c = layer_colour(layer);
        if layer.w == 1u {
            decided = false;
            break;
        }
        light += through * c.rgb;
        through *= 1.0 - c.a;
    }
    // Alpha says how much a sample counts: one whose ray was not decided is no part of its pixel's mean.
    let result = select(vec4f(0.0), vec4f(light + through * ground.rgb, 1.0), decided);
    textureStore(composed, id.xy, result);
}
