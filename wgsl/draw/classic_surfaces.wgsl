// The original's surface: the first hit of each ray, striped and lit from above, drawn over everything.
#import generated/bindings
#import lib/stripes
#import generated/crossings

override PAPER: bool = false;  // for print, on white

const ALPHA: f32 = 0.6;
const PRINT_ALPHA: f32 = 0.85;

@vertex
fn vertex(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
    return frame.view_projection * vec4f(outline.corners[i].xyz, 1.0);
}

// The same colours by place and stripes by radius as ink: on white a dark side would hide the stripes, and a highlight
// would be no mark, so less is shaded and the stripes are darker by more.
fn print_colour(p: vec3f, normal: vec3f, direction: vec3f) -> vec3f {
    let base = 0.1 * p + 0.16 * sign(sin(length(p) * 10.0)) + 0.46;
    let diffuse = mix(0.6, 1.0, clamp(normal.y, 0.0, 1.0));
    let specular = pow(clamp(dot(reflect(vec3f(0.0, 1.0, 0.0), normal), direction), 0.0, 1.0), 10.0);
    return clamp(base * diffuse + 0.3 * specular, vec3f(0.0), vec3f(1.0));
}

fn classic_colour(p: vec3f, gradient: vec3f, direction: vec3f) -> vec3f {
    var normal = normalize(gradient);
    if dot(normal, direction) > 0.0 {
        normal = -normal;
    }
    if PAPER {
        return print_colour(p, normal, direction);
    }
    let base = 0.1 * (p + sign(sin(length(p) * 10.0))) + 0.5;
    let diffuse = clamp(normal.y, 0.3, 1.0);
    let specular = pow(clamp(dot(reflect(vec3f(0.0, 1.0, 0.0), normal), direction), 0.0, 1.0), 10.0) + 0.2;
    return clamp(base * diffuse + 0.7 * specular, vec3f(0.0), vec3f(1.0));
}

@fragment
fn fragment(@builtin(position) at: vec4f) -> @location(0) vec4f {
    let ray = surface_ray(vec2u(at.xy));
    crossings_begin(ray);
    let crossing = ray_crossing(ray, 0u);
    if ray.chord.length <= 0.0 {
        return vec4f(0.0);
    }
    atomicAdd(&counts[0], 1u);
    if surface.draft > 0.5 {
        atomicAdd(&counts[2], 1u);
    }
    if crossing.outcome == MISS {
        return vec4f(0.0);
    }
    if crossing.outcome != HIT {
        atomicAdd(&counts[select(2u, 1u, crossing.outcome == GRAZE)], 1u);
        let shown = select(vec3f(1.0, 0.0, 0.75), vec3f(1.0, 0.55, 0.0), crossing.outcome == GRAZE);
        let pixel = vec2u((at.xy + frame.offset) / frame.grid);
        return vec4f(select(stripes(pixel), shown, surface.undecided > 0.5), 1.0);
    }
    atomicAdd(&counts[4], 1u);
    let p = ray.entry + ray.direction * crossing.t;
    let alpha = select(ALPHA, PRINT_ALPHA, PAPER);
    return vec4f(classic_colour(p, ray_gradient(ray, 0u, p), ray.direction) * alpha, alpha);
}
