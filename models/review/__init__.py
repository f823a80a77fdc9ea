"""What people do with an inventory: compare two, correct one, sample one and say how right it is."""
