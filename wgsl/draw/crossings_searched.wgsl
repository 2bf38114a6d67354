// What is found along a sample's ray, by a search here and now: for networks so small that arrays would take longer.
#import generated/network
#import arithmetic/search/alone
#import draw/surface_ray

fn crossings_begin(ray: SurfaceRay) {
    search_levels(surface.level, surface.spacing, surface.single > 0.5, u32(surface.segments));
    search_start(ray.entry, ray.direction, ray.chord.length);
}

struct RayCrossing {
    t: f32,
    outcome: u32,
    level: f32,
}

fn ray_crossing(ray: SurfaceRay, k: u32) -> RayCrossing {
    let found = search_next();
    return RayCrossing(found.t, crossing_outcome(found), found.level);
}

fn ray_gradient(ray: SurfaceRay, k: u32, p: vec3f) -> vec3f {
    return network_sample(p, 0u).gradient;
}

fn ray_segments(ray: SurfaceRay) -> u32 {
    return search_segments;
}

// The part of the ray that is searched: there is no tree of boxes.
fn ray_left(ray: SurfaceRay) -> f32 {
    return 1.0;
}
