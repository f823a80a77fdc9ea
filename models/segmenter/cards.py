"""Cards as the segmenter knows them; the records live with the facts, because stores write them too."""

from catalog.facts.cards import BACKBONES, FORMAT, Backbone, Decoder, NetworkConfig, WeightsCard

__all__ = ["BACKBONES", "FORMAT", "Backbone", "Decoder", "NetworkConfig", "WeightsCard"]
