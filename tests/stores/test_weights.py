"""Weights are found by path, address and hub reference, verified before they are used, and read without running anything."""

import hashlib
import json
import pickle
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from catalog.facts.cards import NetworkConfig, WeightsCard
from catalog.facts.detector_cards import DetectorCard, DetectorConfig, DetectorStatistics
from catalog.facts.errors import WeightsMissing, WeightsUnfit, WrongCall
from catalog.stores.checkpoints import read_checkpoint, write_weights
from catalog.stores.weights import find_detector_card, find_weights, read_card, read_detector, read_tensors, read_weights, shipped_names

CARD = WeightsCard("mine", "1", "Mine", "CC0-1.0", "nothing", "nobody", "", NetworkConfig())
TENSORS = {"a.weight": torch.arange(12.0).reshape(3, 4) / 7, "a.running_var": torch.tensor([1e6, 1e-6]), "a.steps": torch.tensor(3)}
ABSENT = "http://127.0.0.1:9/weights.safetensors"


@dataclass
class Shelf:
    """Files behind addresses, and behind the addresses of a hub; some answers are cut short."""

    files: dict[str, bytes] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    """How often the answer of a path breaks off in the middle."""
    asked: list[str] = field(default_factory=list)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    shelf: Shelf

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path = self.path.replace("/resolve/main/", "/")
        self.shelf.asked.append(f"{self.command} {path}")
        content = self.shelf.files.get(path)
        if content is None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        if "/resolve/" in self.path:
            large = not path.endswith(".json")
            digest = hashlib.sha256(content).hexdigest() if large else hashlib.sha1(content, usedforsecurity=False).hexdigest()
            self.send_header("ETag", f'"{digest}"')
            self.send_header("X-Repo-Commit", "0" * 40)
        self.end_headers()
        if body and self.shelf.cut.get(path, 0):
            self.shelf.cut[path] -= 1
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
        elif body:
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    made = Shelf()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OneShelf", (Handler,), {"shelf": made}))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, WeightsCard]:
    folder = tmp_path / "written"
    return folder, write_weights(folder, TENSORS, CARD)


@pytest.fixture
def offered(shelf: Shelf, written: tuple[Path, WeightsCard]) -> tuple[Shelf, WeightsCard, Path]:
    for file in written[0].iterdir():
        shelf.files[f"/w/{file.name}"] = file.read_bytes()
        shelf.files[f"/someone/lakes/w/{file.name}"] = file.read_bytes()
    return shelf, written[1], written[0].parent / "cache"


def test_written_weights_are_read_back_with_their_card(written: tuple[Path, WeightsCard], tmp_path: Path) -> None:
    card, tensors = read_weights(str(written[0]), tmp_path)
    assert card == written[1]
    assert card.sha256 == hashlib.sha256((written[0] / "weights.safetensors").read_bytes()).hexdigest()
    assert all(torch.equal(tensors[name], tensor) for name, tensor in TENSORS.items())
    assert sorted(file.name for file in written[0].iterdir()) == ["card.json", "weights.safetensors"]


@pytest.mark.parametrize(("storage", "tolerance"), [("float16", 2**-11), ("bfloat16", 2**-8)])
def test_narrow_storage_rounds_matrices_and_keeps_vectors(tmp_path: Path, storage: str, tolerance: float) -> None:
    write_weights(tmp_path, TENSORS, CARD, storage=storage)  # type: ignore[arg-type]
    tensors = read_tensors(tmp_path / "weights.safetensors")
    assert tensors["a.weight"].dtype == torch.float32
    torch.testing.assert_close(tensors["a.weight"], TENSORS["a.weight"], rtol=tolerance, atol=0)
    assert not torch.equal(tensors["a.weight"], TENSORS["a.weight"])
    assert torch.equal(tensors["a.running_var"], TENSORS["a.running_var"])


def test_what_is_not_finite_as_stored_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnfit, match=r"Tensor w is not finite as float16.*store it as float32"):
        write_weights(tmp_path, {"w": torch.full((2, 2), 1e6)}, CARD, storage="float16")
    assert not list(tmp_path.iterdir())


def test_changed_bytes_are_refused_with_both_hashes(written: tuple[Path, WeightsCard], tmp_path: Path) -> None:
    file = written[0] / "weights.safetensors"
    changed = bytearray(file.read_bytes())
    changed[-1] ^= 1
    file.write_bytes(changed)
    with pytest.raises(WeightsUnfit, match=f"{hashlib.sha256(changed).hexdigest()}, and {written[1].sha256}"):
        read_weights(str(file), tmp_path)


@pytest.mark.parametrize("reference", ["nowhere/w", "./lakes-huge", "missing.safetensors"])
def test_weights_that_are_not_there_are_named_with_the_ways_to_give_them(reference: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"no weights at .*give a folder with weights.safetensors and card.json"):
        find_weights(reference, tmp_path)


def test_a_file_without_its_card_is_refused(written: tuple[Path, WeightsCard], tmp_path: Path) -> None:
    (written[0] / "card.json").unlink()
    with pytest.raises(WeightsMissing, match=r"holds no card.json"):
        read_weights(str(written[0]), tmp_path)


@pytest.mark.parametrize("pinned", [False, True])
def test_an_address_is_fetched_once_and_then_found_without_a_network(offered: tuple[Shelf, WeightsCard, Path], *, pinned: bool) -> None:
    shelf, card, cache = offered
    reference = f"{shelf.url}/w/weights.safetensors" + (f"#sha256={card.sha256}" if pinned else "")
    assert read_weights(reference, cache)[0] == card
    shelf.files.clear()  # the server still answers, and has nothing
    assert read_weights(reference, cache)[0] == card
    assert shelf.asked.count("GET /w/weights.safetensors") == 1
    assert not list(cache.rglob("*.partial"))


def test_a_transfer_that_breaks_off_is_tried_again(offered: tuple[Shelf, WeightsCard, Path]) -> None:
    shelf, card, cache = offered
    shelf.cut["/w/weights.safetensors"] = 1
    assert read_weights(f"{shelf.url}/w/weights.safetensors", cache)[0] == card
    assert shelf.asked.count("GET /w/weights.safetensors") == 2


def test_a_transfer_that_always_breaks_off_leaves_nothing(offered: tuple[Shelf, WeightsCard, Path]) -> None:
    shelf, _, cache = offered
    shelf.cut["/w/weights.safetensors"] = 99
    with pytest.raises(WeightsMissing, match=r"could not be fetched.*download it by hand"):
        find_weights(f"{shelf.url}/w/weights.safetensors", cache)
    assert not [file for file in cache.rglob("*") if file.name.startswith("weights")]


def test_a_fetched_file_with_another_hash_never_gets_its_name(offered: tuple[Shelf, WeightsCard, Path]) -> None:
    shelf, card, cache = offered
    wrong = "0" * 64
    with pytest.raises(WeightsUnfit, match=f"has sha256 {card.sha256}, and {wrong} was promised"):
        find_weights(f"{shelf.url}/w/weights.safetensors#sha256={wrong}", cache)
    assert not list(cache.rglob("weights*"))


def test_a_damaged_copy_in_the_cache_is_fetched_again(offered: tuple[Shelf, WeightsCard, Path]) -> None:
    shelf, card, cache = offered
    reference = f"{shelf.url}/w/weights.safetensors"
    find_weights(reference, cache).write_bytes(b"half")
    assert read_weights(reference, cache)[0] == card


def test_a_file_that_nobody_vouches_for_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/soup.ckpt"] = b"PK\x03\x04"
    with pytest.raises(WeightsUnfit, match=r"without a hash.*#sha256="):
        find_weights(f"{shelf.url}/soup.ckpt", tmp_path)
    assert not list(tmp_path.rglob("soup*"))


@pytest.mark.parametrize("reference", [ABSENT, f"{ABSENT}#sha256={'1' * 64}"])
def test_without_a_network_the_way_out_is_named(reference: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"ConnectError.*download it by hand.*give the path of the file"):
        find_weights(reference, tmp_path)


@pytest.mark.parametrize("reference", ["hf://owner", "hf://owner/repository", "w.safetensors#sha256=12"])
def test_half_a_reference_is_a_wrong_call(reference: str, tmp_path: Path) -> None:
    with pytest.raises(WrongCall):
        find_weights(reference, tmp_path)


def test_the_hub_vouches_for_its_large_files(offered: tuple[Shelf, WeightsCard, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, card, cache = offered
    monkeypatch.setenv("HF_ENDPOINT", shelf.url)
    assert read_weights("hf://someone/lakes/w/weights.safetensors", cache)[0] == card
    shelf.files["/someone/lakes/w/soup.ckpt"] = b"PK\x03\x04 whatever"
    found = find_weights("hf://someone/lakes/w/soup.ckpt", cache)
    assert found.read_bytes() == b"PK\x03\x04 whatever"
    assert found.parent.name == hashlib.sha256(b"PK\x03\x04 whatever").hexdigest()
    assert not list(cache.rglob("*.partial"))
    with pytest.raises(WeightsMissing, match=r"hf://someone/lakes/none\.safetensors could not be fetched \(not there, status 404\)"):
        find_weights("hf://someone/lakes/none.safetensors", cache)


def test_a_card_says_what_is_wrong_with_it(written: tuple[Path, WeightsCard]) -> None:
    path = written[0] / "card.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "colour": "blue", "window_px": "wide"}))
    with pytest.raises(WeightsUnfit, match=r"is not a card of weights: .*(window_px|colour).*(window_px|colour)"):
        read_card(written[0])
    path.write_text("{")
    with pytest.raises(WeightsUnfit, match="is not JSON"):
        read_card(written[0])


def test_a_card_of_a_newer_format_asks_for_an_update_even_with_keys_of_its_own(written: tuple[Path, WeightsCard]) -> None:
    path = written[0] / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 2, "colour": "blue"}))
    with pytest.raises(WeightsUnfit, match="has format 2, this program knows 1: update cryoatlas"):
        read_card(written[0])


def test_a_pickle_is_refused_with_the_command_that_converts_it(tmp_path: Path) -> None:
    torch.save({"w": torch.zeros(2)}, tmp_path / "soup.ckpt")
    with pytest.raises(WeightsUnfit, match=r"cryoatlas models convert .*soup\.ckpt"):
        read_tensors(tmp_path / "soup.ckpt")


def test_half_a_safetensors_file_is_refused(written: tuple[Path, WeightsCard]) -> None:
    file = written[0] / "weights.safetensors"
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(WeightsUnfit, match="not whole safetensors"):
        read_tensors(file)


class Opener:
    """A pickle of it opens a file when it is read."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (self.path, "w")


@pytest.mark.parametrize("how", ["torch", "pickle"])
def test_a_checkpoint_that_wants_to_run_code_is_refused_and_runs_none(how: str, tmp_path: Path) -> None:
    file, trace = tmp_path / "bad.ckpt", tmp_path / "trace"
    content = {"state_dict": {"w": torch.zeros(2)}, "callbacks": Opener(str(trace))}
    if how == "torch":
        torch.save(content, file)
    else:
        file.write_bytes(pickle.dumps(content, protocol=4))
    with pytest.raises(WeightsUnfit, match=r"without running code.*refused"):
        read_checkpoint(file)
    assert not trace.exists()


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "soup.ckpt"
    torch.save({"state_dict": {"w": torch.zeros(1000)}}, file)
    file.write_bytes(file.read_bytes()[:-700])
    with pytest.raises(WeightsUnfit, match=r"soup\.ckpt is damaged"):
        read_checkpoint(file)
    (tmp_path / "text.ckpt").write_text("hello")
    with pytest.raises(WeightsUnfit, match="is not a PyTorch checkpoint"):
        read_checkpoint(tmp_path / "text.ckpt")


def test_shipped_names_are_read_from_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("catalog.stores.weights.SHIPPED", tmp_path)
    assert shipped_names() == ()
    write_weights(tmp_path / "lakes-some", TENSORS, replace(CARD, name="lakes-some"))
    assert shipped_names() == ("lakes-some",)
    assert read_weights("lakes-some", tmp_path)[0].name == "lakes-some"


def test_equal_tensors_have_equal_hashes_whatever_the_card_says(tmp_path):
    hashes = {write_weights(tmp_path / str(n), TENSORS, replace(CARD, name=f"name-{n}", version=str(n))).sha256 for n in range(8)}
    assert len(hashes) == 1


SLUMPS = DetectorCard(
    "slumps",
    "1",
    "Slumps",
    "CC0-1.0",
    "nothing",
    "nobody",
    "",
    DetectorConfig(modalities=("rgb",)),
    DetectorStatistics("a test", {"rgb": (0.3, 0.3, 0.3)}, {"rgb": (0.1, 0.1, 0.1)}),
)


def test_a_detector_comes_back_as_it_was_written_and_is_told_from_a_segmenter(tmp_path: Path) -> None:
    card = write_weights(tmp_path / "slumps", TENSORS, SLUMPS)
    write_weights(tmp_path / "lakes", TENSORS, CARD)
    found, tensors = read_detector(str(tmp_path / "slumps"))
    assert found == card == find_detector_card(str(tmp_path / "slumps")) == read_card(tmp_path / "slumps")
    assert tensors.keys() == TENSORS.keys()
    assert isinstance(read_card(tmp_path / "lakes"), WeightsCard)
    with pytest.raises(WrongCall, match="holds slumps, a detector of slumps, and a model of lakes is asked for"):
        read_weights(str(tmp_path / "slumps"))
    with pytest.raises(WrongCall, match="holds mine, a model of lakes, and a detector of slumps is asked for"):
        read_detector(str(tmp_path / "lakes"))


def test_a_detector_that_was_scaled_by_counts_is_neither_written_nor_read(tmp_path: Path) -> None:
    counts = DetectorStatistics("counts", {"rgb": (1200.0, 1100.0, 900.0)}, {"rgb": (500.0, 500.0, 500.0)})
    with pytest.raises(WeightsUnfit, match="where images are 0 to 1"):
        write_weights(tmp_path, TENSORS, replace(SLUMPS, statistics=counts))
    write_weights(tmp_path, TENSORS, SLUMPS)
    path = tmp_path / "card.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"statistics": content["statistics"] | {"mean": {"rgb": [1200, 1100, 900]}}}))
    with pytest.raises(WeightsUnfit, match="where images are 0 to 1"):
        read_card(tmp_path)


def test_a_detector_of_a_newer_format_or_with_statistics_of_other_modalities_is_refused(tmp_path: Path) -> None:
    write_weights(tmp_path, TENSORS, SLUMPS)
    path = tmp_path / "card.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"format": 2, "colour": "blue"}))
    with pytest.raises(WeightsUnfit, match="has format 2, this program knows 1: update cryoatlas"):
        read_card(tmp_path)
    path.write_text(json.dumps(content | {"network": content["network"] | {"modalities": ["rgb", "nir"]}}))
    with pytest.raises(WeightsUnfit, match="has no statistics that fit nir"):
        read_card(tmp_path)
