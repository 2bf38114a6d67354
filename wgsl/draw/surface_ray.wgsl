// The ray of a sample, and its part within the region in which a network is shown. Needs `frame` and `surface`.
#import lib/block
#import lib/ray
#import lib/region

struct SurfaceRay {
    number: u32, // of the ray in arrays: workgroup by workgroup, so that rays searched together are neighbours
    world: Ray,
    entry: vec3f, // where it enters the region, in the node's space
    direction: vec3f, // in the node's space, of length 1
    chord: Chord,
    unit: f32, // lengths in the node's space are so many times those in the world
}

fn surface_ray(at: vec2u) -> SurfaceRay {
    let number = number_of_place(at, (u32(frame.tile.x) + 7u) / 8u);
    let ray = sample_ray(vec2f(at) + frame.offset);
    let origin = (surface.inverse * vec4f(ray.origin, 1.0)).xyz;
    let stretched = (surface.inverse * vec4f(ray.direction, 0.0)).xyz;
    let unit = length(stretched);
    let direction = stretched / unit;
    let chord = region_chord(origin, direction);
    return SurfaceRay(number, ray, origin + direction * chord.start, direction, chord, unit);
}
