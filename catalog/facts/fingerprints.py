"""One hash of everything that goes into a unit of work."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def fingerprint_of(inputs: Mapping[str, Any]) -> str:
    """Return a hash of everything that goes into a unit; equal inputs give equal hashes in any order of keys."""
    text = json.dumps(inputs, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def as_recorded(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs as a record gives them back: with lists for tuples and text for what JSON does not know."""
    found: dict[str, Any] = json.loads(json.dumps(inputs, sort_keys=True, default=str))
    return found
