"""Which adapter is used: the fastest kind, or the one that is asked for."""

import pytest

from engine.errors import NoAdapterError, SettingError
from engine.gpu.device import device
from engine.gpu.native import adapters


class Adapter:
    def __init__(self, name, kind, backend="Vulkan", driver=""):
        self.info = {"device": name, "adapter_type": kind, "backend_type": backend, "description": driver}


LAVAPIPE = Adapter("llvmpipe (LLVM 22.1.6, 256 bits)", "CPU", driver="Mesa 26.0.6 (LLVM 22.1.6)")
CARD, INTEGRATED = Adapter("Arc B580", "DiscreteGPU"), Adapter("Iris Xe", "IntegratedGPU")


@pytest.fixture
def there(monkeypatch):
    """A function that says which adapters there are; nothing is asked for."""
    for name in (*adapters.VARIABLES, adapters.POWER, "WGPU_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    adapters.instance.prepare()  # it loads the library, which sets wgpu.gpu
    return lambda *some: monkeypatch.setattr(adapters.wgpu.gpu, "enumerate_adapters_sync", lambda: list(some))


def test_a_graphics_card_comes_first_and_software_last(there, monkeypatch):
    there(LAVAPIPE, INTEGRATED, Adapter("GL", "DiscreteGPU", "OpenGL"), CARD)
    assert adapters.adapters() == [CARD, INTEGRATED, LAVAPIPE]
    monkeypatch.setenv(adapters.POWER, "low")
    assert adapters.chosen() is INTEGRATED


@pytest.mark.parametrize("variable", adapters.VARIABLES)
@pytest.mark.parametrize("name", ["mesa 26", " LLVMPIPE "])
def test_one_is_chosen_by_a_part_of_its_name_or_driver(there, monkeypatch, variable, name):
    there(CARD, LAVAPIPE)
    monkeypatch.setenv(variable, name)
    assert adapters.chosen() is LAVAPIPE


def test_our_variable_goes_before_those_of_other_programs(there, monkeypatch):
    there(CARD, LAVAPIPE)
    monkeypatch.setenv("WGPU_ADAPTER_NAME", "arc")
    monkeypatch.setenv(adapters.ADAPTER, "llvm")
    assert adapters.chosen() is LAVAPIPE


def test_a_wrong_name_lists_the_right_ones(there, monkeypatch):
    there(CARD, LAVAPIPE)
    monkeypatch.setenv("WGPU_ADAPTER_NAME", "voodoo")
    with pytest.raises(SettingError, match=r"WGPU_ADAPTER_NAME=voodoo: .*`Arc B580`, `llvmpipe .* 26.0.6"):
        adapters.chosen()


def test_none_at_all_says_what_to_install(there, monkeypatch):
    there()
    with pytest.raises(NoAdapterError, match="apt-get install mesa-vulkan-drivers"):
        adapters.adapters()
    monkeypatch.setenv("WGPU_BACKEND", "metal")
    with pytest.raises(NoAdapterError, match="No adapter of Metal"):
        adapters.adapters()


def test_a_name_with_a_null_byte_is_refused_in_a_line(ask):
    answer = ask("doctor", "--list", "--adapter", "\0")
    assert answer.status == 2 and answer.is_one_line() and "null byte" in answer.err


def test_commands_take_an_adapter_and_list_them(ask, tmp_path, monkeypatch):
    monkeypatch.setenv(adapters.ADAPTER, "")
    listed = ask("doctor", "--list")
    assert listed.status == 0 and listed.out.startswith(f"* {device().adapter}")
    small = ("random_networks", "--size", "8x8", "--supersample", "1", "-o", tmp_path / "a.png")
    for words in (("doctor",), ("render", *small), ("record", *small)):
        wrong = ask(*words, "--adapter", "voodoo")
        assert wrong.status == 2 and wrong.is_one_line() and device().adapter in wrong.err
    assert ask("render", *small, "--adapter", device().adapter[:8].upper()).status == 0
