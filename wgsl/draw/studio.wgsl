// The studio look: a surface's colour and how much light it blocks. Needs `frame`, `surface`, `palette`.
#import lib/palette
#import lib/ray
#import lib/studio_light

struct Shading {
    colour: vec3f,
    alpha: f32,
}

// On paper a sheet is a film that light passes through: it takes away from white, so it is denser and its colour purer
// than on a dark ground, or the white would turn it grey.
const FILM_DENSITY: f32 = 2.2;
const FILM_PURITY: f32 = 1.15;

fn film_colour(colour: vec3f) -> vec3f {
    let grey = dot(colour, vec3f(0.2126, 0.7152, 0.0722));
    return mix(colour, max(vec3f(0.0), vec3f(grey) + (colour - vec3f(grey)) * FILM_PURITY), frame.paper);
}

// p, normal in the node's space, the normal of length 1 towards the viewer; ray and distance in the world.
fn studio_shading(p: vec3f, normal: vec3f, steepness: f32, height: f32, ray: Ray, distance: f32) -> Shading {
    let facing = clamp(-dot(normal, ray.direction), 0.0, 1.0);
    let base = film_colour(palette_colour((height - surface.low) / (surface.high - surface.low)));

    let light = studio_light(normal, ray.direction);
    // Where the next level is near, less light reaches the surface: the gap is spacing / |gradient|.
    let gap = surface.spacing / max(steepness, 1e-20) / surface.reach;
    let open = mix(0.72, 1.0, smoothstep(0.0, 0.22, gap));
    // Surfaces turned away brighten along their edges, as thin glass does.
    let turned = pow(1.0 - facing, 3.0);
    var colour = base * light.diffuse * open;
    colour += mix(base * 0.9 + 0.06, base * 0.3, frame.paper) * turned;
    colour += vec3f(mix(0.11, 0.03, frame.paper)) * light.sheen * open;

    // A surface's slanted path stops more light; 0.16 keeps edge-on surfaces from turning solid at once.
    let density = mix(1.0, FILM_DENSITY, frame.paper) / max(facing, 0.16);
    var alpha = 1.0 - pow(1.0 - surface.opacity, density);

    // A thin rim where the region's edge cuts the surface, equally wide everywhere in the picture.
    let edge = border(p);
    let along = sqrt(max(0.0, 1.0 - pow(dot(edge.normal, normal), 2.0)));
    let pixel = sample_width(distance) * frame.grid;
    let width = surface.rim * frame.scale * pixel;
    let rim = 1.0 - smoothstep(0.55 * width, width, edge.gap / max(along, 0.08));
    let lit = mix(base * 1.15 + 0.16, base * 0.5, frame.paper);
    colour = mix(colour, lit, rim * 0.85);
    alpha = max(alpha, rim * 0.92);

    // Far surfaces sink a little into the background; into white, less.
    let depth = clamp((distance - surface.nearest) / (2.0 * surface.reach), 0.0, 1.0);
    colour = mix(colour, frame.glow.rgb, depth * mix(0.285, 0.06, frame.paper));
    return Shading(colour, alpha);
}
