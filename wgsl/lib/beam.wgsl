// Beams: rays that are close together, in memory. Places along a beam are distances s along its middle; each ray's own
// distances are as many less as it begins further on.
// Needs `march`, with `layers` and `side`, and `beams`.
#import lib/block

// In memory what is known of the network's layers comes first, then beams of STRIDE vec4f. Of each: its middle's
// origin, the largest s; its direction, how far along it rays may be off; a direction to one side, how far rays are off
// to it at s 0; the same to another; how much further by s, and how far rays' shares of that may turn. Then how far it
// has been followed (MARK), and its pieces.
const MARK = 5u;
const PIECES = 6u;

fn beam_first(beam: u32) -> u32 {
    return march.layers + STRIDE * beam;
}

struct Beam {
    origin: vec3f,
    end: f32,
    direction: vec3f,
    along: f32,
    u: vec3f,
    off_u: f32,
    v: vec3f,
    off_v: f32,
    spread: vec2f,
    turn: vec2f,
}

// Where on the beam a ray begins.
fn beam_place(b: Beam, origin: vec3f) -> f32 {
    return dot(origin - b.origin, b.direction);
}

// The number of the i-th ray of a beam: blocks of side x side rays of the 8 x 8 that are listed one after the other.
fn beam_ray(beam: u32, i: u32) -> u32 {
    let across = 8u / march.side;
    let each = across * across;
    let block = beam % each;
    let x = (block % across) * march.side + i % march.side;
    let y = (block / across) * march.side + i / march.side;
    return (beam / each) * 64u + number_of_place(vec2u(x, y), 1u);
}

fn beam_of_ray(ray: u32) -> u32 {
    let across = 8u / march.side;
    let place = place_in_group(ray % 64u) / march.side;
    return (ray / 64u) * across * across + place.y * across + place.x;
}

fn beam_load(beam: u32) -> Beam {
    let first = beam_first(beam);
    let a = beams[first];
    let b = beams[first + 1u];
    let c = beams[first + 2u];
    let d = beams[first + 3u];
    let e = beams[first + 4u];
    return Beam(a.xyz, a.w, b.xyz, b.w, c.xyz, c.w, d.xyz, d.w, e.xy, e.zw);
}
