"""What the options are made of: their groups, and the protocols, recipes and rules that they name."""
