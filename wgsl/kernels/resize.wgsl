// A number of a map of another size, a weighted sum of old ones; one invocation takes four channels of one place.
#import generated/bindings

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let place = id.x;
    if place >= resize.places {
        return;
    }
    // Of each row, and of each column behind them: the first old one, and the weights from there on.
    let row = place / resize.width * (resize.taps.x + 1u);
    let column = resize.columns + place % resize.width * (resize.taps.y + 1u);
    let corner = vec2u(u32(weights[row]), u32(weights[column]));
    let begin = resize.source_first + id.y * resize.source.x * resize.source.y;
    var sum = vec4f(0.0);
    // llvmpipe ends loops after 65,535 iterations, all summed.
    for (var i = 0u; i < min(resize.taps.x, 65535u); i++) {
        var along = vec4f(0.0);
        for (var j = 0u; j < min(resize.taps.y, 65535u); j++) {
            let number = responses[begin + (corner.x + i) * resize.source.y + corner.y + j];
            along = fma(vec4f(weights[column + 1u + j]), number, along);
        }
        sum = fma(vec4f(weights[row + 1u + i]), along, sum);
    }
    output[resize.offset + id.y * resize.places + place] = sum;
}
