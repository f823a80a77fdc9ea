"""Words of questions about attributes: what each says, and what is asked back of words that say too little."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from catalog.facts.attribute_queries import CLASSES_OF_LAKES, Comparison, Happening, Trend
from catalog.facts.records import Target

NOUNS: Final[Mapping[str, Target]] = MappingProxyType(
    {
        "glacial lake": "lakes",
        "lake": "lakes",
        "retrogressive thaw slump": "slumps",
        "thaw slump": "slumps",
        "slump": "slumps",
    }
)
"""In the singular; their plurals have an s."""
COMPARISONS: Final[Mapping[str, tuple[Comparison, str | None]]] = MappingProxyType(
    {
        "larger than": ("above", "area"),
        "bigger than": ("above", "area"),
        "smaller than": ("below", "area"),
        "higher than": ("above", "elevation"),
        "lower than": ("below", "elevation"),
        "no more than": ("at most", None),
        "not more than": ("at most", None),
        "more than": ("above", None),
        "greater than": ("above", None),
        "no less than": ("at least", None),
        "not less than": ("at least", None),
        "less than": ("below", None),
        "at least": ("at least", None),
        "at most": ("at most", None),
        "up to": ("at most", None),
        "above": ("above", None),
        "over": ("above", None),
        "below": ("below", None),
        "under": ("below", None),
        ">=": ("at least", None),
        "<=": ("at most", None),
        "≥": ("at least", None),
        "≤": ("at most", None),
        ">": ("above", None),
        "<": ("below", None),
    }
)
"""With the attribute that the word itself names."""
HEIGHTS: Final = frozenset({"above", "below", "higher than", "lower than"})
"""Words before metres that mean the elevation."""
ATTRIBUTE_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "surface area": "area",
        "area": "area",
        "size": "area",
        "elevation": "elevation",
        "altitude": "elevation",
        "perimeter": "perimeter",
        "distance to a glacier": "distance to a glacier",
        "distance to the nearest glacier": "distance to a glacier",
        "distance to glaciers": "distance to a glacier",
        "headwall length": "headwall length",
        "headwall retreat": "headwall retreat",
        "volume": "volume",
        "probability": "probability",
        "observed share": "observed share",
    }
)
_TRENDS: Final[tuple[tuple[Trend, tuple[str, ...]], ...]] = (
    ("grew", ("grew", "grown", "gained", "expanded")),
    ("shrank", ("shrank", "shrunk", "lost")),
    ("stayed the same", ("did not change", "have not changed", "unchanged", "stayed the same")),
    ("cannot be compared", ("cannot be compared", "could not be compared", "not comparable", "are not comparable")),
)
TRENDS: Final[Mapping[str, Trend]] = MappingProxyType({word: trend for trend, words in _TRENDS for word in words})
HAPPENINGS: Final[Mapping[str, Happening]] = MappingProxyType(
    {
        "reappeared": "reappeared",
        "appeared": "appeared",
        "emerged": "appeared",
        "disappeared": "vanished",
        "vanished": "vanished",
        "drained": "drained",
        "merged": "merged",
        "split": "split",
        "surged": "surged",
        "raised an alarm": "raised an alarm",
        "with an alarm": "raised an alarm",
        "with alarms": "raised an alarm",
        "with alarm": "raised an alarm",
    }
)
SUPERLATIVES: Final[Mapping[str, tuple[str, bool]]] = MappingProxyType(
    {
        "largest": ("area", True),
        "biggest": ("area", True),
        "smallest": ("area", False),
        "tiniest": ("area", False),
        "highest": ("elevation", True),
        "lowest": ("elevation", False),
    }
)
"""Attribute that they order by, and whether the highest number comes first."""
MOST: Final[Mapping[str, bool]] = MappingProxyType(
    {"largest": True, "highest": True, "greatest": True, "longest": True, "smallest": False, "lowest": False, "shortest": False}
)
"""The same before an attribute that is named."""
PLACES: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {**{word: word for word in CLASSES_OF_LAKES}, "ice contact": "ice-contact", "glacier fed": "glacier-fed"}
)
FLAGS: Final = ("region_edge", "few_looks", "lake_ice", "cloud_share", "terrain_shadow", "single_sensor", "below_minimum_area", "edited")
_GLUE: Final = (
    *("the", "a", "an", "that", "which", "who", "what", "where", "is", "are", "was", "were", "be", "been", "have", "has", "had"),
    *("and", "but", "with", "of", "all", "any", "every", "each", "their", "its", "also", "they", "it", "there"),
    *("show", "me", "us", "list", "find", "give", "tell", "name", "please", "do", "does", "we", "i", "can", "you", "could"),
)
GLUE: Final = frozenset(_GLUE)
"""Words that change nothing about what is asked."""
OTHER_CLASSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "frozen": "frozen lakes",
        "clear": "clear lakes",
        "milky": "milky lakes",
        "turbid": "turbid lakes",
        "snow": "snow patches",
        "glacier": "glaciers",
        "glaciers": "glaciers",
    }
)
"""What an inventory of lakes or slumps does not tell."""
_SIZE: Final = "How large is {word!r}? Say for example: larger than 0.1 km2, or the three largest lakes."
_WHEN: Final = "Since which year is {word!r}? There are inventories of {years}."
_HEIGHT: Final = "How high is {word!r}? Say for example: above 4500 m."
_SPEED: Final = "How much is {word!r}? Say for example: grew by more than 10 % since {first}."
_NUMBER: Final = "How many are {word!r}? Say a number, or leave the word out for all of them."
_NEAR: Final = "How near is {word!r}? Say for example: within 500 m of a glacier."
_THAN: Final = "{word!r} than what? Say a number with its unit, for example: larger than 0.1 km2."
_BY: Final = "By how much? Say for example: by more than 10 percent, or: between 5 and 10 percent."
_OF: Final = "Which {word}? Ask for features by it, for example: above 4500 m, or: the lake with the highest {word}."
_SINCE: Final = "{word!r} which year, that year included? Say: since a year, or between two. There are inventories of {years}."
_NOT: Final = "{word!r}: I cannot ask for what something is not, nor for one thing or another. Ask for one thing at a time."
VAGUE: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("big", "large", "huge", "small", "tiny", "great", "medium"), _SIZE),
        **dict.fromkeys(("recent", "recently", "lately", "last", "past", "ago", "young", "old", "older", "newly"), _WHEN),
        **dict.fromkeys(("high", "low", "higher", "lower", "alpine"), _HEIGHT),
        **dict.fromkeys(("fast", "faster", "quickly", "rapidly", "strongly", "much", "slightly", "slowly", "fastest"), _SPEED),
        **dict.fromkeys(("some", "several", "few", "many", "most"), _NUMBER),
        **dict.fromkeys(("near", "close", "nearby", "next", "far"), _NEAR),
        **dict.fromkeys(("larger", "bigger", "smaller", "longer", "shorter", "more", "less", "greater"), _THAN),
        **dict.fromkeys(("after", "before", "until"), _SINCE),
        **dict.fromkeys(("by", "doubled", "halved", "tripled"), _BY),
        **dict.fromkeys(("elevation", "altitude", "perimeter", "volume", "size", "area", "probability"), _OF),
        **dict.fromkeys(("not", "no", "or", "without", "except", "never", "neither", "nor", "either", "unless"), _NOT),
        **dict.fromkeys(
            ("changed", "change", "changes"), "Did they grow or shrink? Say: that grew since {first}, or: that shrank since {first}."
        ),
        **dict.fromkeys(
            ("dangerous", "hazardous", "risky", "safe"),
            "The inventory does not judge hazards, so that I do not know {word!r}. It marks sudden losses: ask for lakes with an alarm.",
        ),
    }
)
"""Words that may mean several things, and the question back."""
