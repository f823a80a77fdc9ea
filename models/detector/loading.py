"""Tensors into a detector of slumps, all or none."""

from collections.abc import Mapping

from torch import Tensor

from catalog.facts.detector_cards import DetectorCard, check_scaling
from models.detector.detector import TrainedDetector
from models.detector.network import SlumpNetwork, build
from models.segmenter.tensors import fill, place_named


def trained_detector(card: DetectorCard, tensors: Mapping[str, Tensor], device: str = "cpu") -> TrainedDetector:
    """Build the detector of a card on `auto`, `cpu`, `cuda` or `cuda:N`; raises WeightsUnfit, or WrongCall for a device that is not here."""
    return TrainedDetector(network_of(card, tensors), card, place_named(device))


def network_of(card: DetectorCard, tensors: Mapping[str, Tensor]) -> SlumpNetwork:
    """Build the network of a card, ready to predict; raises WeightsUnfit when statistics or tensors do not fit."""
    check_scaling(card, where=f"Card {card.name}")
    network = build(card.network)
    fill(network, tensors, where=f"Weights {card.name}")
    return network.eval()
