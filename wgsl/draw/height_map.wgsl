// One output of a network as a surface over a rectangle: a strip a row, lit by the gradient that comes with each value.
#import generated/bindings
#import lib/finite
#import lib/palette
#import lib/ray
#import lib/srgb
#import lib/studio_light

// True: three outputs are sRGB as the image has them; false: one output through the palette.
override RGB: bool = false;

struct Varying {
    @builtin(position) position: vec4f,
    @location(0) local: vec3f,
    @location(1) slope: vec2f,
    @location(2) shown: vec3f,
    @location(3) known: f32, // 1 where the values are numbers
}

@vertex
fn vertex(@builtin(vertex_index) i: u32, @builtin(instance_index) strip: u32) -> Varying {
    let column = min(i >> 1u, map.columns - 1u);
    let row = strip + (i & 1u);
    // Values, then derivatives by a step across, then by a step down, each `stride` floats.
    let first = (row * map.columns + column) * 3u * map.stride;
    let at = first + map.outputs.x;
    let steps = vec2f(f32(map.columns - 1u), f32(map.rows - 1u));
    let place = vec2f(f32(column), f32(row)) / steps * 2.0 - 1.0;
    // Node units of height for one unit of the value.
    let rise = 2.0 * map.half_size.y / (map.high - map.low);
    let by_step = vec2f(samples[at + map.stride], samples[at + 2u * map.stride]);
    let shown = vec3f(samples[first + map.outputs.y], samples[first + map.outputs.z], samples[first + map.outputs.w]);
    var height = (samples[at] - map.low) * rise - map.half_size.y;
    let known = is_finite(height) && is_finite(shown.x + shown.y + shown.z);
    // A single vertex that is not finite would remove whole triangles.
    height = select(0.0, height, known);
    let local = vec3f(place.x, 0.0, place.y) * map.half_size.xyz + vec3f(0.0, height, 0.0);
    let slope = by_step * rise * steps / (2.0 * map.half_size.xz);
    let position = frame.view_projection * map.world * vec4f(local, 1.0);
    return Varying(position, local, slope, select(vec3f(0.0), shown, known), select(0.0, 1.0, known));
}

// How far the surface's point moves, in the node's space, from one sample of the picture to the next.
fn step_on_surface(direction: vec3f, normal: vec3f, ray: Ray, scale: f32) -> vec3f {
    let against = dot(normal, ray.direction);
    let least = select(min(against, -1e-3), max(against, 1e-3), against > 0.0);
    let along = scale * (direction - ray.direction * (dot(normal, direction) / least));
    return (map.inverse * vec4f(along, 0.0)).xyz;
}

// How much of a sample lines `spacing` apart cover; width and step in node units a sample.
fn lines(at: f32, offset: f32, spacing: f32, step: f32, width: f32) -> f32 {
    let cell = (at - offset) / spacing;
    let away = abs(cell - round(cell)) * spacing / max(step, 1e-20);
    // Lines thinner than a sample are drawn one wide and fainter; where they crowd, at the horizon, they fade.
    let half_width = max(width, 1.0) * 0.5;
    let crowd = clamp(spacing / max(step, 1e-20) / (4.0 * half_width) - 0.5, 0.0, 1.0);
    return clamp(half_width + 0.5 - away, 0.0, 1.0) * min(width, 1.0) * crowd;
}

@fragment
fn fragment(v: Varying) -> @location(0) vec4f {
    // Nothing is drawn where values are not finite. The surface is cut where it leaves the heights that the user chose.
    if v.known < 0.9999 || v.local.y < map.bottom || v.local.y > map.top {
        discard;
    }
    let ray = sample_ray(v.position.xy - 0.5 + frame.offset);
    // The rows of the inverse are the columns of what takes normals to the world.
    let up = normalize((vec4f(-v.slope.x, 1.0, -v.slope.y, 0.0) * map.inverse).xyz);
    let below = dot(up, ray.direction) > 0.0;
    let normal = select(up, -up, below);
    var base = vec3f(0.0);
    if RGB {
        base = linear_of(clamp((v.shown - map.black.rgb) / (map.white.rgb - map.black.rgb), vec3f(0.0), vec3f(1.0)));
    } else {
        base = palette_colour((v.shown.x - map.black.x) / (map.white.x - map.black.x));
    }
    let light = studio_light(normal, ray.direction);
    // Its underside lies in its own shade.
    var colour = base * (0.88 * light.diffuse) * select(1.0, 0.62, below) + vec3f(0.06) * light.sheen;

    // In the direction of its rows and columns: a line's width does not depend on how the surface lies.
    var scale = 1.0;
    if frame.forward.w < 0.5 {
        let world = (map.world * vec4f(v.local, 1.0)).xyz;
        scale = dot(world - frame.eye.xyz, frame.forward.xyz);
    }
    let right = step_on_surface(frame.right.xyz * 2.0 / frame.size.x, normal, ray, scale);
    let down = step_on_surface(-frame.upward.xyz * 2.0 / frame.size.y, normal, ray, scale);
    let step = sqrt(right * right + down * down);
    let width = map.rule * frame.scale * frame.grid;
    var line = max(
        lines(v.local.x, map.grid.x, map.grid.y, step.x, width),
        lines(v.local.z, map.grid.z, map.grid.w, step.z, width),
    );
    // The surface's own edge is drawn a little stronger.
    let edge = max(
        lines(v.local.x, map.half_size.x, 2.0 * map.half_size.x, step.x, 2.0 * width),
        lines(v.local.z, map.half_size.z, 2.0 * map.half_size.z, step.z, 2.0 * width),
    );
    line = max(line * map.strength, edge * 0.6);
    colour = mix(colour, colour * 0.3, line);
    return vec4f(colour, 1.0);
}
