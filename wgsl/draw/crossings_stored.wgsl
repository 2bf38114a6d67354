// What was found along a sample's ray, from arrays. Needs `surface`, `crossings`, `gradients`, `costs`.
#import draw/surface_ray

const MISS = 0u;
const HIT = 1u;
const GRAZE = 2u;
const UNDECIDED = 3u;

struct RayCrossing {
    t: f32,
    outcome: u32,
    level: f32,
}

fn crossings_begin(ray: SurfaceRay) {}

// The k-th of a ray's crossings, asked for one after the other until one is no hit.
fn ray_crossing(ray: SurfaceRay, k: u32) -> RayCrossing {
    let found = crossings[ray.number * u32(surface.answers) + k];
    return RayCrossing(bitcast<f32>(found.x), found.w & 3u, bitcast<f32>(found.z));
}

// The network's gradient at the k-th crossing, a hit at p.
fn ray_gradient(ray: SurfaceRay, k: u32, p: vec3f) -> vec3f {
    return gradients[ray.number * u32(surface.most) + k].xyz;
}

fn ray_segments(ray: SurfaceRay) -> u32 {
    return costs[ray.number].x;
}

// The part of the ray that a tree of boxes has not proven empty, where it is shown.
fn ray_left(ray: SurfaceRay) -> f32 {
    return bitcast<f32>(costs[ray.number].y);
}
