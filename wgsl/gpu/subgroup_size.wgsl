// How many invocations a subgroup has on this adapter; one invocation of a workgroup writes it.
#import generated/bindings

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) place: u32, @builtin(subgroup_size) size: u32) {
    if place == 0u {
        sizes[0] = size;
    }
}
