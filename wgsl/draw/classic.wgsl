// The first original's look: stripes in space, light from above, no gamma. Needs nothing.

fn classic_colour(p: vec3f, gradient: vec3f, direction: vec3f) -> vec3f {
    var normal = normalize(gradient);
    if dot(normal, direction) > 0.0 {
        normal = -normal;
    }
    let base = 0.1 * (p + sign(sin(length(p) * 10.0))) + 0.5;
    let light = vec3f(0.0, 1.0, 0.0);
    let diffuse = clamp(normal.y, 0.3, 1.0);
    let specular = pow(clamp(dot(reflect(light, normal), direction), 0.0, 1.0), 10.0) + 0.2;
    return clamp(base * diffuse + 0.7 * specular, vec3f(0.0), vec3f(1.0));
}
