"""Lists of class names, one a line."""

from pathlib import Path

import pytest

from engine.errors import FileError, ShapeError
from engine.formats.class_names import read_class_names

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "squeezenet" / "imagenet_classes.txt"


@pytest.fixture
def listed(tmp_path):
    def function(data, count=None):
        path = tmp_path / "names.txt"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return read_class_names(path, count)

    return function


@pytest.mark.parametrize("end", ["", "\n", "\n\n \n"])
@pytest.mark.parametrize("between", ["\n", "\r\n", "\r"])
def test_a_line_is_a_class(listed, between, end):
    assert listed(between.join(["cat", " dog, hound ", "Käfer"]) + end, 3) == ("cat", "dog, hound", "Käfer")


def test_a_mark_of_byte_order_and_numbers_of_wordnet_are_no_part_of_a_name(listed):
    assert listed("\ufeffn01440764 tench, Tinca tinca\nn01443537: goldfish\nn95") == (
        "tench, Tinca tinca", "goldfish", "n95",
    )  # fmt: skip


def test_other_separators_within_a_name_begin_no_line(listed):
    assert len(listed("a\u2028b\x0bc\nd", 2)) == 2


WRONG = {
    "too few": ("cat\ndog\n", 3, ShapeError, "names.txt has 2 lines, but the network has 3 classes"),
    "too many": ("a\nb\nc\nd", 3, ShapeError, "4 lines"),
    "not UTF-8": (b"cat\nk\xe4fer\n", None, FileError, "Line 2 of .*names.txt is not UTF-8"),
    "not text": (b"cat\0dog", None, FileError, "is not text"),
    "empty": (b"", None, FileError, "is empty"),
    "blank": (" \n \n", None, FileError, "no class name"),
    "a gap": ("cat\n\ndog", None, FileError, "Line 2 of .* is empty"),
    "far too large": (b"x" * ((4 << 20) + 1), None, FileError, "at most 4 MiB"),
}


@pytest.mark.parametrize(("data", "count", "kind", "says"), WRONG.values(), ids=WRONG)
def test_what_is_no_such_list_is_refused_in_a_line(listed, data, count, kind, says):
    with pytest.raises(kind, match=says) as caught:
        listed(data, count)
    assert "\n" not in str(caught.value)


def test_a_list_that_is_not_there_is_reported(tmp_path):
    with pytest.raises(FileError, match="There is no file"):
        read_class_names(tmp_path / "names.txt")


def test_letters_that_do_not_print_are_not_kept(listed):
    assert listed("a\tb\x1b[31m") == ("a?b?[31m",)
    assert len(listed("x" * 5000)[0]) == 200


@pytest.mark.skipif(not REAL.is_file(), reason=f"{REAL.name} is not beside this project, in shared/squeezenet")
def test_the_thousand_of_imagenet():
    names = read_class_names(REAL, 1000)
    assert names[0] == "tench, Tinca tinca" and names[281].startswith("tabby") and len(set(names)) > 990
