// A layer forwards, and backwards with its gradient, for 16 samples on the lanes of a subgroup.
// Weights are stored by turns: turn c of a square of units has, on lane l, the weight from input l to output l - c. So the
// same numbers serve both ways, and no sum goes over lanes.
#import kernels/train_scratch

// Sums of a layer. Before each turn they go on by a lane, so that a sum is on the lane of the input it takes.
fn forward(layer: Layer, is_last: bool) {
    for (var q = 0u; q < layer.fours; q++) {
        let slot = layer.below + 4u * q;
        let h = four_responses(layer, 4u * q, slot);
        // The last layer's outputs, if few, are on all lanes, over and over, each a part of the sum until it is whole.
        let ends = is_last && q + 1u == layer.fours;
        let used = select(LANES, layer.turns, is_last);
        for (var k = 0u; k < blocks_above(layer); k++) {
            var z = many_of(select(0.0, weights[weights_at + (biases(layer) + k) * LANES + lane].x, lane < used));
            for (var once = q; once > 0u; once = 0u) {
                z = load_many(above(layer) + k);
            }
            let entry = layer.at + (k * layer.fours + q) * layer.turns;
            for (var c = 0u; c < layer.turns; c++) {
                let w = weights[weights_at + (entry + c) * LANES + lane];
                z = many_product(w.x, h.h0, z);
                z = many_product(w.y, h.h1, z);
                z = many_product(w.z, h.h2, z);
                z = many_product(w.w, h.h3, z);
                z = many_from((lane + LANES - 1u) % LANES, z);
            }
            z = many_from((lane + layer.turns) % LANES, z);
            for (var far = select(LANES, layer.turns, ends); far < LANES; far *= 2u) {
                z = many_sum(z, many_from(lane ^ far, z));
            }
            store_many(above(layer) + k, z);
        }
    }
}

// Adds to a layer's gradient, and leaves the loss's derivatives by the sums of the layer below, if it is not the first,
// where these lie.
fn backward(layer: Layer, is_first: bool) {
    for (var q = 0u; q < layer.fours; q++) {
        let slot = layer.below + 4u * q;
        let h = four_responses(layer, 4u * q, slot);
        var r0 = many_of(0.0);
        var r1 = many_of(0.0);
        var r2 = many_of(0.0);
        var r3 = many_of(0.0);
        for (var k = 0u; k < blocks_above(layer); k++) {
            var d = load_many(above(layer) + k);
            let entry = layer.at + (k * layer.fours + q) * layer.turns;
            for (var c = 0u; c < layer.turns; c++) {
                add_gradient(entry + c, vec4f(many_dot(d, h.h0), many_dot(d, h.h1), many_dot(d, h.h2), many_dot(d, h.h3)));
                let w = weights[weights_at + (entry + c) * LANES + lane];
                r0 = many_product(w.x, d, r0);
                r1 = many_product(w.y, d, r1);
                r2 = many_product(w.z, d, r2);
                r3 = many_product(w.w, d, r3);
                d = many_from((lane + LANES - 1u) % LANES, d);
            }
        }
        // The first layer's inputs have no sums.
        for (var i = select(0u, 4u, is_first); i < 4u; i++) {
            let r = many_chosen(many_chosen(many_chosen(r3, r2, i == 2u), r1, i == 1u), r0, i == 0u);
            let d = deltas(layer, 4u * q + i, r, load_many(slot + i));
            add_gradient(layer.before + 4u * q + i, vec4f(many_total(d), 0.0, 0.0, 0.0));
            store_many(slot + i, d);
        }
    }
}
