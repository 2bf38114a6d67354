"""Which picture is drawn next; seconds are given, none is measured."""

import pytest

from engine.render.refinement import Quality, Refinement


def settle(refinement, cost=0.0, most=100):
    """All qualities drawn at rest, in order; each picture takes cost a full-size sample."""
    drawn = []
    for _ in range(most):
        refinement.rested(0.05)
        quality = refinement.next()
        if quality is not None:
            drawn.append(quality)
            refinement.drew(quality, cost * quality.scale**2 * quality.samples)
    return drawn


def moving(refinement, cost, frames=10):
    """The scales of frames drawn while something moves."""
    scales = []
    for _ in range(frames):
        refinement.moved()
        quality = refinement.next()
        scales.append(quality.scale)
        refinement.drew(quality, cost * quality.scale**2)
    return scales


def test_at_rest_it_refines_and_then_stops():
    refinement = Refinement()
    first = refinement.next()
    refinement.drew(first)
    assert first == Quality(1.0, 1)
    assert settle(refinement) == [Quality(1.0, 4), Quality(1.0, 9)]
    assert refinement.is_done and refinement.next() is None


def test_one_change_is_drawn_once():
    refinement = Refinement()
    refinement.drew(refinement.next())
    assert refinement.next() is None


@pytest.mark.parametrize(
    ("cost", "scale"),
    [(0.005, 1.0), (0.029, 1.0), (0.1, 1 / 2), (0.25, 1 / 3), (1.0, 1 / 4), (500.0, 1 / 4)],
)
def test_moving_frames_are_as_large_as_thirty_milliseconds_allow(cost, scale):
    assert moving(Refinement(), cost)[-1] == scale


def test_a_frame_between_two_scales_does_not_flicker():
    refinement = Refinement()
    moving(refinement, 0.1)
    # A quarter of 0.11 is 28 ms: fine at a half; at full size 29 ms would just do, but has not a fifth to spare.
    assert set(moving(refinement, 0.029)) == {1 / 2}


def test_a_coarse_frame_is_followed_by_a_full_one():
    refinement = Refinement()
    moving(refinement, 0.1)
    assert [q.samples for q in settle(refinement, 0.1)] == [1, 4, 9]


def test_a_picture_that_had_to_be_compiled_first_does_not_count():
    refinement = Refinement()
    for seconds in (2.0, 0.01, 0.5, 0.01):
        refinement.moved()
        quality = refinement.next()
        assert quality.scale == 1.0
        refinement.drew(quality, seconds)


def test_on_a_slow_adapter_the_first_picture_is_coarse_and_the_next_as_fine_as_can_be():
    refinement = Refinement(cautious=True)
    first = refinement.next()
    refinement.drew(first, 0.5)
    assert first == Quality(1 / 3, 1)
    assert moving(refinement, 0.01)[-1] == 1.0


def test_a_long_picture_waits_for_as_long_a_rest():
    refinement = Refinement()
    moving(refinement, 0.2)
    refinement.rested(0.15)
    assert refinement.next() is None
    refinement.rested(0.1)
    assert refinement.next() == Quality(1.0, 1)


def test_a_change_is_drawn_before_any_rest_counts():
    refinement = Refinement()
    moving(refinement, 5.0)
    settle(refinement, 5.0, most=3)
    refinement.moved()
    refinement.rested(0.01)
    assert refinement.next() == Quality(1 / 4, 1)


def test_a_very_coarse_picture_becomes_fine_in_steps():
    refinement = Refinement()
    moving(refinement, 5.0)
    assert settle(refinement, 5.0) == [*(Quality(s, 1) for s in (1 / 2, 1.0)), Quality(1.0, 4), Quality(1.0, 9)]


def test_no_picture_waits_for_a_longer_rest_than_a_person_would():
    refinement = Refinement()
    moving(refinement, 500.0)
    refinement.rested(0.5)
    assert refinement.next() is not None


def test_moving_again_starts_over():
    refinement = Refinement()
    refinement.drew(refinement.next())
    settle(refinement)
    refinement.moved()
    assert not refinement.is_done and refinement.next() == Quality(1.0, 1)


@pytest.mark.parametrize(("cost", "scale"), [(0.005, 1.0), (0.1, 1 / 2), (5.0, 1 / 2)])
def test_no_moving_frame_is_coarser_than_what_is_drawn_no_sooner(cost, scale):
    refinement = Refinement(cautious=True)
    refinement.coarsest = 0.5
    scales = moving(refinement, cost)
    assert min(scales) >= 0.5 and scales[-1] == scale
    assert settle(refinement)[0] == Quality(1.0, 1 if scale < 1.0 else 4)


def test_a_mark_brings_no_coarse_picture_while_things_rest():
    refinement = Refinement((1, 4))
    first = refinement.next()
    refinement.drew(first, 1.0)
    refinement.rested(10.0)
    while (quality := refinement.next()) is not None:
        refinement.drew(quality, quality.scale**2 * quality.samples)
    assert refinement.is_done
    refinement.marked()
    seen = []
    while (quality := refinement.next()) is not None:
        seen.append(quality)
        refinement.drew(quality, 1.0 * quality.samples)
        refinement.rested(10.0)
    assert seen == [Quality(1.0, 1), Quality(1.0, 4)] and refinement.is_done


def test_a_mark_while_things_move_is_drawn_as_they_are():
    refinement = Refinement((1,))
    refinement.drew(refinement.next(), 1.0)
    refinement.drew(refinement.next() or Quality(0.25, 1), 1.0)
    assert refinement.is_moving
    refinement.marked()
    assert refinement.is_moving and refinement.next().scale < 1.0


def drafted(certain, draft, frames=6):
    """A Refinement that has drawn moving frames of a scene that can be drafted, and the Qualities of these."""
    refinement, drawn = Refinement(), []
    refinement.drafts = True
    for _ in range(frames):
        refinement.moved()
        quality = refinement.next()
        drawn.append(quality)
        refinement.drew(quality, (draft if quality.draft else certain) * quality.scale**2 * quality.samples)
        for _ in range(3):
            refinement.rested(1.0)
            if (quality := refinement.next()) is not None and not quality.draft:
                refinement.drew(quality, certain * quality.samples)
    return refinement, drawn


def test_what_takes_long_is_drafted_while_things_move_and_certain_at_rest():
    refinement, drawn = drafted(5.0, 0.1)
    assert all(quality.draft for quality in drawn)
    # Nothing is known of the first, so it is as coarse as can be; later ones are as fine as time allows.
    assert drawn[0].scale == 1 / 8 and drawn[-1].scale == 1 / 2
    refinement.moved()
    refinement.drew(refinement.next(), 0.02)
    rest = []
    while not refinement.is_done:
        refinement.rested(1.0)
        rest.append(refinement.next())
        refinement.drew(rest[-1], 1.0)
    assert rest == [Quality(1.0, 1, True), Quality(1.0, 1), Quality(1.0, 4), Quality(1.0, 9)]


def test_a_draft_that_would_take_long_gives_way_to_the_certain_picture():
    refinement = Refinement()
    refinement.drafts = True
    for _ in range(3):
        refinement.moved()
        quality = refinement.next()
        refinement.drew(quality, 12.0 * quality.scale**2)
    rest = []
    while not refinement.is_done:
        refinement.rested(1.0)
        rest.append(refinement.next())
        refinement.drew(rest[-1], 12.0 * rest[-1].scale ** 2)
    assert rest == [*(Quality(s, 1, True) for s in (1 / 2,)), *(Quality(1.0, n) for n in (1, 4, 9))]


def test_moving_drafts_are_an_eighth_where_a_quarter_takes_more_than_a_second():
    assert {quality.scale for quality in drafted(500.0, 40.0)[1]} == {1 / 8}
    assert [quality.scale for quality in drafted(500.0, 12.0)[1]] == [1 / 8] + [1 / 4] * 5


def test_what_is_known_to_be_certain_in_time_is_not_drafted():
    refinement = Refinement()
    refinement.drafts = True
    refinement.moved()
    assert refinement.next().draft
    refinement.drew(refinement.next(), 0.001)
    while not refinement.is_done:
        refinement.rested(1.0)
        refinement.drew(refinement.next(), 0.005)
    refinement.moved()
    assert refinement.next() == Quality(1.0, 1)
