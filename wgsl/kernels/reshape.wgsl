// Numbers of one map as channels of another, in the order channel, row, column; an invocation writes four channels.
#import generated/bindings

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let group = id.y + reshape.group;
    if id.x >= reshape.places {
        return;
    }
    let at = reshape.offset + group * reshape.places + id.x;
    // What comes before the first of its channels is stored; after the last there are zeros.
    var value = output[at];
    for (var component = 0u; component < 4u; component++) {
        let channel = 4u * group + component;
        if channel >= reshape.channel + reshape.channels {
            value[component] = 0.0;
        } else if channel >= reshape.channel {
            let number = (channel - reshape.channel) * reshape.places + id.x;
            let c = number / reshape.source_places;
            let place = number - c * reshape.source_places;
            value[component] = responses[reshape.source_first + c / 4u * reshape.source_places + place][c % 4u];
        }
    }
    output[at] = value;
}
