"""When to ask what lies under the pointer."""

from engine.ui.control.pointer import REST, Pointer


def test_a_resting_pointer_asks_once():
    pointer = Pointer()
    pointer.move(10, 10)
    assert not pointer.tick(REST / 2)
    assert pointer.tick(REST / 2)
    assert not pointer.tick(REST)


def test_a_moving_pointer_never_asks():
    pointer = Pointer()
    for x in range(0, 100, 10):
        pointer.move(x, 10)
        assert not pointer.tick(REST / 2)


def test_a_trembling_hand_rests():
    pointer = Pointer()
    pointer.move(10, 10)
    pointer.tick(REST * 0.6)
    assert not pointer.move(11, 9)
    assert pointer.tick(REST * 0.6)


def test_it_asks_again_when_the_picture_changed():
    pointer = Pointer()
    pointer.move(10, 10)
    pointer.tick(REST)
    pointer.stir()
    assert pointer.tick(REST)


def test_away_from_the_picture_it_does_not_ask():
    pointer = Pointer()
    pointer.move(10, 10)
    pointer.leave()
    assert not pointer.tick(REST) and not pointer.is_waiting
