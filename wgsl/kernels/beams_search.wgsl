// The search along rays whose beams say how f bends, an invocation a ray: a segment then takes f at one place only.
//
// What beams leave open is not decided here: a ray is then left to its own bounds, see kernels/rays_layered.
#import generated/bindings
#import generated/values
#import kernels/rays_listed
#import arithmetic/search/kept
#import generated/sizes
#import lib/beam

// A ray is left to its own bounds after so many segments to an answer.
const PATIENCE = 64u;
// In `cursors`: it has been left.
const LEFT = 0xffffffffu;
const AHEAD = 4u;

// A copy of the uniform: llvmpipe reads a uniform anew, lane by lane, where it is named in a loop.
var<private> settings: March;
var<private> lane: u32;

fn beam_weights(layer: u32, g: u32, i: u32) -> vec4f {
    return textureLoad(weights, vec2u(g * settings.columns + i * LANES + lane, layer));
}

fn beam_layer(layer: u32) -> vec4f {
    return beams[layer];
}

// Nothing returns early: broadcasts need all lanes.
@compute @workgroup_size(LANES)
fn search(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) counts: vec3u,
    @builtin(subgroup_invocation_id) place: u32,
) {
    settings = march;
    lane = place;
    let number = (group.y * counts.x + group.x) * LANES + lane;
    let ray = open[LIST + settings.first + min(number, settings.count - 1u)];
    load(ray);
    let origin = rays[2u * ray].xyz;
    let direction = rays[2u * ray + 1u].xyz;
    let beam = beam_of_ray(ray);
    let b = beam_load(beam);
    let start = beam_place(b, origin);
    let first = beam_first(beam) + PIECES;
    let count = u32(beams[beam_first(beam) + MARK].z);
    let network = settings.layers;
    var cursor = cursors[ray];
    var going = number < settings.count && cursor != LEFT && !search_done;
    if going && count == 0u {
        cursor = LEFT;
        going = false;
    }
    let is_own = going;
    for (var turn = 0u; turn < settings.turns; turn++) {
        if !subgroupAny(going) {
            break;
        }
        let before = search_kept();
        let here = start + search_t;
        for (var i = 0u; i < AHEAD; i++) {
            cursor += select(0u, 1u, going && cursor + 1u < count && beams[first + cursor].x <= here);
        }
        let at = first + min(cursor, max(count, 1u) - 1u);
        let own = beams[at];
        let more = beams[select(at, at + 1u, cursor + 1u < count)];
        // Up to where both reach.
        let limit = min(more.x - start, search_length);
        let is_known = own.x >= here || more.x >= here;
        search_width = min(search_width, max(limit - search_t, search_least()));
        let segment = search_segment();
        let covered = is_known && segment.y <= limit;
        let f = values_network(network, vec4f(origin + segment.y * direction, 0.0));
        if going && !covered {
            cursor = LEFT;
            search_back_to(before);
        }
        if going && covered {
            let beyond = segment.y + start > own.x;
            let low = select(own.y, min(own.y, more.y), beyond);
            let high = select(own.z, max(own.z, more.z), beyond);
            let error = select(own.w, max(own.w, more.w), beyond);
            let width = segment.y - segment.x;
            let bend = -0.125 * width * width * (1.0 + 16.0 * ULP);
            // A slack on the side of 0 too, since of both ends one may be above and one below it.
            let lower = min(bend * high, bend * high * (1.0 - 64.0 * ULP));
            let upper = max(bend * low, bend * low * (1.0 - 64.0 * ULP));
            let answered = search_take(bounds_padded(lower, upper), vec2f(f, error));
            if search_phase == CONTACT || search_count > PATIENCE {
                cursor = LEFT;
                search_back_to(before);
            } else if answered {
                write(ray);
            }
        }
        going = going && cursor != LEFT && !search_done;
    }
    // What takes no part in a turn costs as much there: so this comes once, at the end.
    if is_own {
        if search_done {
            end(ray);
        }
        search_store(ray);
    }
    if number < settings.count {
        cursors[ray] = cursor;
    }
}
