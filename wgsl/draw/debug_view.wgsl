// One layer in place of a ray's surfaces, that shows a number of the search by its colour. Needs `surface`, `palette`.
#import lib/palette
#import lib/layers
#import lib/ray

// A constant, not a uniform: software drivers run both sides of a branch that they cannot decide beforehand.
override DEBUG_VIEW: u32 = 0u;

const VIEW_SEGMENTS = 1u; // that the ray's searches took
const VIEW_DEPTH = 2u; // distance of the first surface
const VIEW_NORMALS = 3u; // of the first surface, towards the eye, in the world
const VIEW_OVERDRAW = 4u; // surfaces in the ray's list
const VIEW_TREE = 5u; // the part of the ray that a tree of boxes leaves to be searched

// A value as the colour map shows it; surface.low and surface.high are the map's ends.
fn debug_colour(value: f32) -> vec3f {
    return palette_colour((value - surface.low) / (surface.high - surface.low));
}

// The components of a normal as red, green and blue, each as the map shows a number.
fn normal_colour(normal: vec3f) -> vec3f {
    return vec3f(debug_colour(normal.x).r, debug_colour(normal.y).g, debug_colour(normal.z).b);
}

// The layer of a number that concerns the ray as a whole, where it enters the region.
fn ray_layer(entry: f32, value: f32) -> vec4u {
    return pack_layer(entry, vec4f(debug_colour(value), 1.0), false);
}
