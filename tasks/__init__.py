"""Effects: read, one model call, write, record. One file is one task is one verb."""
