// Numbers of one map as channels of another, in the order channel, row, column; an invocation writes four channels.
#import generated/bindings

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let group = id.y + reshape.group;
    if id.x >= reshape.places {
        return;
    }
    let at = reshape.offset + group * reshape.places + id.x;
    // What comes before the first of its channels is kept; after the last there are zeros.
    var value = kept[at];
    for (var lane = 0u; lane < 4u; lane++) {
        let channel = 4u * group + lane;
        if channel >= reshape.channel + reshape.channels {
            value[lane] = 0.0;
        } else if channel >= reshape.channel {
            let number = (channel - reshape.channel) * reshape.places + id.x;
            let c = number / reshape.source_places;
            let place = number - c * reshape.source_places;
            value[lane] = responses[reshape.source_first + c / 4u * reshape.source_places + place][c % 4u];
        }
    }
    kept[at] = value;
}
