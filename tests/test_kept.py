"""The store of what can be made again: bounded by number and by letters, oldest first."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from engine import kept
from engine.draw.words.text import font
from engine.kept import Store, once


def test_a_value_is_made_once_as_long_as_it_is_kept():
    store, made = Store(3, 100), []
    for key in "abab":
        assert store.get(key, lambda key=key: made.append(key) or key.upper()) == key.upper()
    assert made == ["a", "b"] and store.made == 2


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 40)), max_size=60))
def test_neither_number_nor_letters_pass_their_bounds_and_the_newest_stays(asked):
    store = Store(4, 60)
    for key, letters in asked:
        store.get(key, lambda letters=letters: "x" * letters)
        assert store.keys()[-1] == key
        assert len(store) <= 4
        assert store.letters <= 60 and store.letters == sum(len(store.get(k, str)) for k in store.keys())  # noqa: SIM118


def test_what_was_not_asked_for_the_longest_goes_first():
    store = Store(2, 100)
    for key in ("a", "b", "a", "c"):
        store.get(key, lambda key=key: key)
    assert store.keys() == ["a", "c"]


def test_a_function_makes_again_what_was_dropped(monkeypatch):
    monkeypatch.setattr(kept, "store", Store(2, 100))
    double = kept.kept(lambda x: 2 * x)
    assert [double(x) for x in (1, 1, 2, 3, 1)] == [2, 2, 4, 6, 2]
    assert double.made == 4
    double.forget()
    assert len(kept.store) == 0


def test_memory_is_given_back_whenever_so_many_letters_were_dropped(monkeypatch):
    given, store = [], Store(2, 10**9)
    monkeypatch.setattr(kept, "give_back", lambda: given.append(store.made))
    for key in range(9):
        store.get(key, lambda: "x" * (kept.GIVE_BACK // 2))
    assert given == [5, 8]


def test_fonts_of_many_sizes_are_not_all_kept():
    for size in range(100):
        font(6.0 + size / 7)
    assert font.cache_info().currsize <= 64


class Asked:
    """An object whose answer may have to wait for another one's."""

    def __init__(self, wait=lambda: None):
        self._wait, self.times = wait, 0

    @once
    def answer(self):
        """What it is."""
        self._wait()
        self.times += 1
        return 7


def test_what_is_computed_once_is_an_attribute_then_and_its_class_says_what_it_is():
    asked = Asked()
    assert asked.answer == asked.answer == 7 and asked.times == 1 and Asked.answer.__doc__ == "What it is."


def test_while_one_object_computes_in_a_thread_another_one_may_too():
    """functools.cached_property of Python 3.11 would have both wait for ever."""
    begun, hold = threading.Event(), threading.Event()
    slow = Asked(lambda: (begun.set(), hold.wait()))
    working = threading.Thread(target=lambda: slow.answer, daemon=True)
    working.start()
    begun.wait()
    other = threading.Thread(target=lambda: Asked().answer, daemon=True)
    other.start()
    other.join(60.0)  # a limit for a test that fails
    assert not other.is_alive()
    hold.set()
    working.join()
    assert slow.answer == 7
