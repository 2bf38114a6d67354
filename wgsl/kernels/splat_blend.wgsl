// A column of eight samples of a bin: its dots from front to back, each where nothing solid is before it.
#import generated/bindings
#import lib/dot_edge
#import lib/dot_image

// Most dots of one bin that are blended, the nearest ones: the limit of software drivers' loops.
const MOST: u32 = 60000u;
// A sample that lets through less light than this is solid: a quarter of a step of eight bits.
const OPAQUE: f32 = 1.0 / 1024.0;

// The first entry of a bin or of one after it.
fn first_of(bin: u32) -> u32 {
    var low = 0u;
    var high = view.entries;
    for (var step = 0u; step < 32u && low < high; step++) {
        let middle = low + (high - low) / 2u;
        if bins[middle] < bin {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    return low;
}

fn solid(column: u32, row: u32) -> f32 {
    return textureLoad(depth_map, vec2u(view.corner) + min(vec2u(column, row), vec2u(view.tile) - 1u), 0);
}

fn keep(column: u32, row: u32, colour: vec4f) {
    if column < u32(view.tile.x) && row < u32(view.tile.y) {
        textureStore(picture, vec2u(view.corner) + vec2u(column, row), colour);
    }
}

// How much of four samples a dot covers, times its opacity; x and y: from its centre.
fn cover(x: f32, y: vec4f, radius: f32, opacity: f32) -> vec4f {
    let edge = edge_of(radius);
    let distance = sqrt(x * x + y * y);
    return clamp((radius + edge - distance) / (2.0 * edge), vec4f(0.0), vec4f(1.0)) * opacity;
}

// Invocations side by side are a bin's columns, and each has eight rows: what is read of a dot serves them all.
@compute @workgroup_size(8, 8)
fn main(
    @builtin(local_invocation_id) local: vec3u, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u
) {
    let bin = (group.y * groups.x + group.x) * 8u + local.y;
    if bin >= view.bins.x * view.bins.y {
        return;
    }
    let column = bin % view.bins.x * 8u + local.x;
    let row = bin / view.bins.x * 8u;
    // Places count from the whole picture's first sample, so that they round alike in each of its parts.
    let x = view.offset.x + f32(column) + 0.5;
    let y_a = view.offset.y + f32(row) + vec4f(0.5, 1.5, 2.5, 3.5);
    let y_b = y_a + 4.0;
    let first = first_of(bin);
    let end = min(first_of(bin + 1u), first + MOST);
    var through_a = vec4f(1.0);
    var through_b = vec4f(1.0);
    var red_a = vec4f(0.0);
    var red_b = vec4f(0.0);
    var green_a = vec4f(0.0);
    var green_b = vec4f(0.0);
    var blue_a = vec4f(0.0);
    var blue_b = vec4f(0.0);
    if first < end {
        let solid_a = vec4f(solid(column, row), solid(column, row + 1u), solid(column, row + 2u), solid(column, row + 3u));
        let solid_b = vec4f(solid(column, row + 4u), solid(column, row + 5u), solid(column, row + 6u), solid(column, row + 7u));
        for (var i = first; i < end; i++) {
            let own = list[i];
            let spot = textureLoad(dots, place_in_image(own));
            let packed = textureLoad(colours, place_in_image(own));
            let red_green = unpack2x16float(packed.x);
            let blue_opacity = unpack2x16float(packed.y);
            let cover_a = cover(x - spot.x, y_a - spot.y, spot.z, blue_opacity.y);
            let cover_b = cover(x - spot.x, y_b - spot.y, spot.z, blue_opacity.y);
            let part_a = through_a * select(vec4f(0.0), cover_a, vec4f(spot.w) <= solid_a);
            let part_b = through_b * select(vec4f(0.0), cover_b, vec4f(spot.w) <= solid_b);
            red_a += part_a * red_green.x;
            red_b += part_b * red_green.x;
            green_a += part_a * red_green.y;
            green_b += part_b * red_green.y;
            blue_a += part_a * blue_opacity.x;
            blue_b += part_b * blue_opacity.x;
            through_a -= part_a;
            through_b -= part_b;
            // Each sample ends by itself, so that it is the same however the picture is cut.
            through_a = select(through_a, vec4f(0.0), through_a < vec4f(OPAQUE));
            through_b = select(through_b, vec4f(0.0), through_b < vec4f(OPAQUE));
            if all(through_a + through_b == vec4f(0.0)) {
                break;
            }
        }
    }
    keep(column, row, vec4f(red_a.x, green_a.x, blue_a.x, 1.0 - through_a.x));
    keep(column, row + 1u, vec4f(red_a.y, green_a.y, blue_a.y, 1.0 - through_a.y));
    keep(column, row + 2u, vec4f(red_a.z, green_a.z, blue_a.z, 1.0 - through_a.z));
    keep(column, row + 3u, vec4f(red_a.w, green_a.w, blue_a.w, 1.0 - through_a.w));
    keep(column, row + 4u, vec4f(red_b.x, green_b.x, blue_b.x, 1.0 - through_b.x));
    keep(column, row + 5u, vec4f(red_b.y, green_b.y, blue_b.y, 1.0 - through_b.y));
    keep(column, row + 6u, vec4f(red_b.z, green_b.z, blue_b.z, 1.0 - through_b.z));
    keep(column, row + 7u, vec4f(red_b.w, green_b.w, blue_b.w, 1.0 - through_b.w));
}
