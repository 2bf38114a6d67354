// Exclusive prefix sums of whole numbers in place: sums of runs, prefix sums of these, then of each run; no atomics.
#import generated/bindings

// Numbers of one invocation, and invocations that share the sums of all runs.
const RUN: u32 = 64u;
const INVOCATIONS: u32 = 256u;

var<workgroup> shares: array<u32, INVOCATIONS>;

fn runs_of(count: u32) -> u32 {
    return (count + RUN - 1u) / RUN;
}

@compute @workgroup_size(64)
fn sum_runs(@builtin(global_invocation_id) id: vec3u) {
    let run = id.x;
    if run >= runs_of(scan.count) {
        return;
    }
    var total = 0u;
    let end = min((run + 1u) * RUN, scan.count);
    for (var i = run * RUN; i < end; i++) {
        total += values[i];
    }
    sums[run] = total;
}

@compute @workgroup_size(256)
fn sum_sums(@builtin(local_invocation_id) id: vec3u) {
    let runs = runs_of(scan.count);
    let share = (runs + INVOCATIONS - 1u) / INVOCATIONS;
    let first = min(id.x * share, runs);
    let end = min(first + share, runs);
    var total = 0u;
    for (var i = first; i < end; i++) {
        total += sums[i];
    }
    shares[id.x] = total;
    workgroupBarrier();
    var before = 0u;
    for (var other = 0u; other < id.x; other++) {
        before += shares[other];
    }
    for (var i = first; i < end; i++) {
        let own = sums[i];
        sums[i] = before;
        before += own;
    }
    if id.x == INVOCATIONS - 1u {
        // Invocations without runs of their own add nothing, so that the last one ends at the whole.
        sums[runs] = before;
    }
}

@compute @workgroup_size(64)
fn fill_runs(@builtin(global_invocation_id) id: vec3u) {
    let run = id.x;
    if run >= runs_of(scan.count) {
        return;
    }
    var before = sums[run];
    let end = min((run + 1u) * RUN, scan.count);
    for (var i = run * RUN; i < end; i++) {
        let own = values[i];
        values[i] = before;
        before += own;
    }
}
