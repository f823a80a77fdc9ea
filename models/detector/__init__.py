"""Surface to slumps as instances: windows in, boxes with scores and masks out, merged to polygons and counted."""
