// Many steps of Adam for one network, its units spread over the lanes of one subgroup; a workgroup trains one run.
#import generated/bindings
#import lib/random
#import generated/train

override LANES: u32 = 8u;
// Whether a step may be spread over several dispatches, its gradient kept between them.
override PARTIAL: bool = false;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
    train(group.x, lane);
}
