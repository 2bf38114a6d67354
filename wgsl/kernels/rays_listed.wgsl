// Lists of the rays of a search in passes.
#import kernels/rays_states

fn list_open(ray: u32) {
    let slot = atomicAdd(&next[0], 1u);
    atomicStore(&next[LIST + slot], ray);
}

fn list_waiting(ray: u32) {
    let slot = atomicAdd(&next[1], 1u);
    atomicStore(&next[LIST + casting.rays - 1u - slot], ray);
}

// Of all rays in the list the one of this number; casting.rays past the last.
fn listed(i: u32) -> u32 {
    if i >= open[0] + open[1] {
        return casting.rays;
    }
    return open[LIST + select(i, casting.rays - 1u - (i - open[0]), i >= open[0])];
}
