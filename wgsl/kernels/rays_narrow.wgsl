// The search along rays through a narrow network, segment after segment, where lanes share loads: an invocation takes its
// lane's ray of a part of a list. It ends where something else is to move the ray on.
#import generated/bindings
#import generated/layered
#import lib/piece
#import lib/ended
#import kernels/rays_taken

// A copy of the uniform: llvmpipe reads a uniform anew, lane by lane, where it is named in a loop.
var<private> settings: Narrow;
var<private> lane: u32;

fn layered_weights(layer: u32, g: u32, i: u32) -> vec4f {
    return textureLoad(weights, vec2u(g * settings.columns + i * LANES + lane, layer));
}

fn layered_layer(layer: u32) -> vec4f {
    return layers[layer];
}

fn layered_kind(layer: u32, g: u32) -> u32 {
    return kinds[layer * GROUPS + g];
}

// Nothing returns early: broadcasts need all lanes.
@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) counts: vec3u,
    @builtin(subgroup_invocation_id) place: u32,
) {
    settings = narrow;
    lane = place;
    let number = (group.y * counts.x + group.x) * LANES + lane;
    let ray = open[LIST + settings.first + min(number, settings.count - 1u)];
    load(ray);
    let origin = rays[2u * ray].xyz;
    let direction = rays[2u * ray + 1u].xyz;
    let network = settings.layers;
    let is_own = number < settings.count && !search_done && !search_waits;
    var going = is_own;
    for (var turn = 0u; turn < settings.turns; turn++) {
        if !subgroupAny(going) {
            break;
        }
        let segment = search_segment();
        layered_network(network, piece_ends(vec4f(origin, segment.x), vec4f(direction, segment.y)));
        if going {
            let found = parabola_ended(layered_found[GROUPS - 1u]);
            take_bounds(ray, found.ends.zw, found.range);
            going = !search_done && !search_waits && !search_wants_skip();
        }
    }
    if is_own {
        search_store(ray);
    }
}
